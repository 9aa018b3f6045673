"""Everyday words of English and Chinese: those that name nothing and weigh little when texts are compared.

Owns the two lists beside it. `words/en.txt` holds stems counted in encyclopaedic, technical and financial English;
`words/zh.txt` holds a line of single characters and then words of two, the most frequent in the dictionary of jieba
(MIT licence) without its names of persons, places and organisations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

_LISTS = Path(__file__).with_name("words")
# Characters that only join or modify: a Chinese run is cut there when its words are looked for.
PARTICLES = frozenset(
    "他她它牠我你们時时年后後的了是在和与及或有为于由被把将向从对以之其所而且并也都就还又即则若等着过地得个位名这那该此中上下里内外吗呢吧啊"
)


@lru_cache(maxsize=1)
def english() -> frozenset[str]:
    """Stems of everyday English words."""
    return frozenset((_LISTS / "en.txt").read_text(encoding="utf-8").split())


@lru_cache(maxsize=1)
def chinese() -> tuple[frozenset[str], frozenset[str]]:
    """Everyday Chinese characters, and everyday words of two characters."""
    characters, *words = (_LISTS / "zh.txt").read_text(encoding="utf-8").split()
    return frozenset(characters) | PARTICLES, frozenset(words)


def unusual(run: str, novel: Sequence[bool]) -> list[str]:
    """The parts of a CJK run that are novel and that no everyday word or character explains, in order."""
    characters, words = chinese()
    plain = [character in PARTICLES or not new for character, new in zip(run, novel, strict=True)]
    for i in range(len(run) - 1):
        if run[i : i + 2] in words:
            plain[i] = plain[i + 1] = True
    for i, character in enumerate(run):
        # one everyday character among unusual ones may be part of a name; between plain ones it is a word
        beside = (i == 0 or plain[i - 1]) and (i + 1 == len(run) or plain[i + 1])
        plain[i] = plain[i] or (beside and character in characters)
    parts, start = [], 0
    for i, known in enumerate([*plain, True]):
        if not known:
            continue
        # one character alone is a changed name only where it joins what the text knows
        joined = i - start > 1 or (i - start == 1 and start > 0 and not novel[start - 1])
        if joined:
            parts.append(run[start:i])
        start = i + 1
    return parts
