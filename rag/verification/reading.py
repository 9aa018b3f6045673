"""A text as verification reads it: its words with their stems, and, where an embedder is given, a vector for each.

A word is a run of Latin letters, a number, or one Chinese character. Texts longer than the embedder's window are read in pieces.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rag.ports import Embedder
from rag.text.language import CJK, STOP_WORDS, fold, is_cjk, sentences, stem
from rag.vectors import TokenVectors, Vectors
from rag.verification.facts.code import code_of
from rag.verification.facts.numbers import CARDINALS, DIGITS
from rag.verification.vocabulary import PARTICLES

_WORD = re.compile(rf"[^\W_{CJK}]+(?:_+[^\W_{CJK}]+)+|\d+(?:[.,:]\d+)*|[{CJK}]|[^\W_\d{CJK}]+(?:['’][^\W_{CJK}]+)*")
# Characters of a piece that surely fits a window of 254 tokens.
PIECE_LATIN, PIECE_CJK = 700, 230
# Texts whose vectors are kept: the evidence of some answers.
KEPT = 128


@dataclass(frozen=True, slots=True)
class Word:
    """A word at text[start:end]. `content`: it carries meaning; `fact`: it is a number, or part of a name or of
    code. `part`: which sentence, row or item of the text it stands in.
    """

    key: str
    start: int
    end: int
    content: bool
    fact: bool
    part: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text with its words; `vectors` has a unit row for each, shape (n, dimension), or is None without an embedder."""

    text: str
    words: tuple[Word, ...]
    vectors: Vectors | None


class Reader:
    """Reads texts, and keeps what it read last. Thread-safe."""

    def __init__(self, embedder: Callable[[], Embedder] | Embedder | None = None) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Reading] = OrderedDict()

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """The texts, those that are new in one call of the embedder."""
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known |= dict(zip(new, self._read(new), strict=True))
        with self._lock:
            for text in texts:
                self._kept[text] = known[text]
                self._kept.move_to_end(text)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return [known[text] for text in texts]

    def _read(self, texts: Sequence[str]) -> list[Reading]:
        words = [words_of(text) for text in texts]
        if self._embedder is None or not texts:
            return [Reading(text, own, None) for text, own in zip(texts, words, strict=True)]
        embedder: Any = self._embedder if hasattr(self._embedder, "embed_tokens") else self._embedder()
        cut = [_pieces(text) for text in texts]
        flat = [text[start:end] for text, spans in zip(texts, cut, strict=True) for start, end in spans]
        tokens = iter(embedder.embed_tokens(flat))
        found = []
        for text, own, spans in zip(texts, words, cut, strict=True):
            vectors = np.zeros((len(own), embedder.dimension), dtype=np.float32)
            for start, end in spans:
                _place(own, vectors, next(tokens), start, end)
            found.append(Reading(text, own, vectors))
        return found


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a text in order."""
    written = _code_spans(text)
    ends = [end for _, end in sentences(text)]
    found = []
    for match in _WORD.finditer(text):
        word = fold(match.group())
        latin = not is_cjk(word)
        content = word not in STOP_WORDS if latin else word not in PARTICLES
        named = latin and (word[0].isdigit() or any(map(str.isupper, match.group()[1:])))
        coded = any(start <= match.start() < end for start, end in written)
        number = CARDINALS.get(word, DIGITS.get(word))
        key = str(number) if number is not None else stem(word) if latin and word.isalpha() else word.replace(",", "")
        found.append(
            Word(
                key,
                *match.span(),
                content,
                named or coded or (latin and number is not None),
                bisect_right(ends, match.start()),
            )
        )
    return tuple(found)


def _code_spans(text: str) -> list[tuple[int, int]]:
    spans, at = [], 0
    for piece in code_of(text):
        start = text.find(piece, at)
        if start < 0:
            start = text.find(piece)
        spans.append((start, start + len(piece)))
    return spans


def _pieces(text: str) -> list[tuple[int, int]]:
    """The text in pieces of whole sentences that fit a window; a sentence that does not is cut."""
    most = PIECE_CJK if is_cjk(text) else PIECE_LATIN
    pieces: list[tuple[int, int]] = []
    for start, end in sentences(text):
        for at in range(start, end, most):
            stop = min(at + most, end)
            if pieces and stop - pieces[-1][0] <= most:
                pieces[-1] = (pieces[-1][0], stop)
            else:
                pieces.append((at, stop))
    return pieces


def _place(words: Sequence[Word], vectors: Vectors, tokens: TokenVectors, start: int, end: int) -> None:
    """Give each word of text[start:end] the mean of its tokens' vectors, of length one."""
    offsets = tokens.offsets + start
    if not len(offsets):
        return
    for at, word in enumerate(words):
        if not start <= word.start < end:
            continue
        own = (offsets[:, 0] < word.end) & (offsets[:, 1] > word.start)
        if own.any():
            mean = tokens.vectors[own].mean(axis=0)
            vectors[at] = mean / max(float(np.linalg.norm(mean)), 1e-9)


def joined(readings: Sequence[Reading]) -> Reading:
    """Several texts as one, a blank line between them."""
    if len(readings) == 1:
        return readings[0]
    words: list[Word] = []
    offset = parts = 0
    for reading in readings:
        words += [
            replace(word, start=word.start + offset, end=word.end + offset, part=word.part + parts)
            for word in reading.words
        ]
        offset += len(reading.text) + 2
        parts = words[-1].part + 1 if words else 0
    vectors = [reading.vectors for reading in readings if reading.vectors is not None]
    text = "\n\n".join(reading.text for reading in readings)
    return Reading(text, tuple(words), np.concatenate(vectors) if len(vectors) == len(readings) and vectors else None)
