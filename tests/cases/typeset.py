"""Columns of prose as a typesetter would set them in Helvetica: lines as wide as fits, words broken where they must be."""

from __future__ import annotations

import random
from collections.abc import Iterable

from tests.ingest.readers.pdf_pages import Place

_WIDTHS = {
    **dict.fromkeys("il", 222), **dict.fromkeys("jI.,:;!/ ft", 278), **dict.fromkeys("r-()", 333), **dict.fromkeys("ckszvxyJ", 500),
    **dict.fromkeys("FTZ", 611), **dict.fromkeys("ABEKPSVXY", 667), **dict.fromkeys("CDHNRUw", 722), **dict.fromkeys("GOQ", 778),
    **dict.fromkeys("mM", 833), "W": 944,
}  # fmt: skip
_SYLLABLES = ("reser-voir", "tele-phone", "manage-ment", "equip-ment", "founda-tion", "regula-tions", "inspec-tion", "certifi-cate",
              "elec-tricity", "mainte-nance", "tempera-ture", "engi-neer")  # fmt: skip
_BREAKS = {word.replace("-", ""): tuple(word.split("-")) for word in _SYLLABLES}
_WORDS = "the gate of a valley and its old mill was opened in spring after rain fell on stone roofs while two men wrote".split()


def width(text: str, size: float = 10) -> float:
    """Points that a text takes."""
    return sum(_WIDTHS.get(each, 556) for each in text) * size / 1000


def prose(words: int, seed: int) -> str:
    """Sentences of that many words in all, each with words that can be broken; no two seeds give the same."""
    chance = random.Random(seed)
    found = [chance.choice((*_WORDS, *_BREAKS)) for _ in range(words)]
    for index in range(0, words, 11):
        found[index] = f"Item{seed}x{index}"
        if index:
            found[index - 1] += "."
    return f"{' '.join(found)}."


def broken(text: str, measure: float, size: float = 10) -> list[str]:
    """The lines of a text, no wider than `measure` points."""
    lines, line = [], ""
    for word in text.split():
        ahead = f"{line} {word}" if line else word
        if width(ahead, size) <= measure:
            line = ahead
            continue
        first, second = _BREAKS.get(word.strip("."), ("", word))
        if first and width(f"{line} {first}-", size) <= measure:
            lines.append(f"{line} {first}-")
            line = second + ("." if word.endswith(".") else "")
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def column(text: str, left: float, top: float, measure: float, *, size: float = 10, pitch: float = 12) -> list[Place]:
    """A text as the lines of a column whose first baseline is `top`."""
    return [(left, top - pitch * i, line) for i, line in enumerate(broken(text, measure, size))]


def ordered(columns: Iterable[list[Place]], order: str) -> list[Place]:
    """The lines of columns as a program draws them: "columns", "rows", "backwards", "from the right" or "shuffled"."""
    columns = list(columns)
    lines = [line for each in columns for line in each]
    if order == "rows":
        return sorted(lines, key=lambda line: (-line[1], line[0]))
    if order == "backwards":
        return lines[::-1]
    if order == "from the right":
        return [line for each in reversed(columns) for line in each]
    if order == "shuffled":
        random.Random(7).shuffle(lines)
    return lines


ORDERS = ("columns", "rows", "backwards", "from the right", "shuffled")
