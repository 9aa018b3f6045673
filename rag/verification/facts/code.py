"""The pieces of code in a sentence, and which of them a text does not hold: options, files, keys, versions, commands. Pure.

A piece of code is what stands between backticks, or a word that only code is written like (`--flag`, `a.b.c`, `snake_case`,
`CamelCase`, `/a/path`). It is held against a text word by word, since an example of a command may stand there with other values.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.text.language import CJK

_TICKED = re.compile(r"`{1,3}([^`\n]{1,300})`{1,3}")
_BARE = re.compile(
    rf"(?<![\w`/.-])(?:--?[a-zA-Z][\w-]*|[\w-]+(?:[./:][\w-]+)+|/[\w.-]+(?:/[\w.-]+)*|[A-Za-z]\w*_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*"
    rf"|[Vv]\d+(?:\.\d+)*)(?![{CJK}]?\w)",
    re.ASCII,
)
_WORD = re.compile(r"-{0,2}[^\W_](?:[\w.]*\w)?", re.ASCII)
# "5.x": any version of a major one.
_ANY_MINOR = re.compile(r"[vV]?(\d+(?:\.\d+)*)\.[xX]")
# Words of a command that others fill in, and that prove nothing.
_SHORT = 2


def code_of(sentence: str) -> list[str]:
    """The pieces of code of a sentence, in order: those in backticks whole, then those that only look like code."""
    ticked = [match[1].strip() for match in _TICKED.finditer(sentence)]
    rest = _TICKED.sub(" ", sentence)
    bare = [match.group() for match in _BARE.finditer(rest) if any(map(str.isalpha, match.group()))]
    return [piece for piece in (*ticked, *bare) if len(piece) > 1]


def unknown_code(sentence: str, text: str) -> list[str]:
    """The pieces of code of a sentence that a text holds neither as written nor word by word."""
    whole, words = _index(text)
    return [piece for piece in code_of(sentence) if not _stands(piece, whole, words)]


def _stands(piece: str, whole: str, words: frozenset[str]) -> bool:
    if _flat(piece) in whole:
        return True
    if version := _ANY_MINOR.fullmatch(piece):
        return version[1] in words
    parts = [part.lower() for part in _WORD.findall(piece) if len(part) > _SHORT]
    return bool(parts) and all(part in words or part.lstrip("-") in words for part in parts)


@lru_cache(maxsize=256)
def _index(text: str) -> tuple[str, frozenset[str]]:
    """A text without white space, and the words that its code is made of."""
    words = {word.lower() for word in _WORD.findall(text)}
    return _flat(text), frozenset(words | {word.lstrip("-") for word in words})


def _flat(text: str) -> str:
    return re.sub(r"[\s`\\\"'“”‘’]+", "", text).lower()
