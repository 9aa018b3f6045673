"""A sentence laid beside a text word by word, in order: what is the same, what was replaced, put in or left out. Pure.

A local alignment (Smith and Waterman 1981) over words. A sentence
made of a text by changing one word shows it here: the words around stand in their order, and between them stands another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rag.text.language import is_cjk
from rag.vectors import Vectors
from rag.verification.reading import Reading, Word

Flags = npt.NDArray[np.bool_]

# Scores of the alignment. A gap is cheap, since a sentence leaves out much of a text; found by trying few values on the development
# rows, where the features hardly moved.
SAME, FUNCTION, DIFFERENT, GAP = 2.0, 0.5, -1.0, 0.25
# Words between two that are the same, above which a gap says nothing.
NEAR = 6


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands between two words that are the same: in the sentence and in the text."""

    sentence: tuple[Word, ...]
    text: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Pairs (word of the sentence, word of the text) that are the same, in order, and the short gaps between them."""

    pairs: tuple[tuple[int, int], ...]
    gaps: tuple[Gap, ...]


def similarities(sentence: Reading, text: Reading, same: Flags) -> Vectors:
    """How alike each word of a sentence is to each word of a text, shape (n, m), 0..1; 1 for the same word.

    Cosines are scaled from the mean of all pairs, which is what an embedder gives to words that have nothing to do with each other.
    """
    exact = same.astype(np.float32)
    if sentence.vectors is None or text.vectors is None or not same.size:
        return exact
    cosine = sentence.vectors @ text.vectors.T
    floor = float(cosine.mean())
    scaled = np.clip((cosine - floor) / max(1 - floor, 1e-6), 0.0, 1.0).astype(np.float32)
    alike: Vectors = np.maximum(scaled, exact)
    return alike


def same_words(sentence: Sequence[Word], text: Sequence[Word]) -> Flags:
    """Which word of a sentence is which word of a text, shape (n, m). A Chinese character is so only beside the same neighbour."""
    mine = np.array([word.key for word in sentence], dtype=object)
    theirs = np.array([word.key for word in text], dtype=object)
    same: Flags = (mine[:, None] == theirs[None, :]).astype(bool)
    if not same.size:
        return same
    beside = np.zeros_like(same)
    beside[1:, 1:] |= same[:-1, :-1]
    beside[:-1, :-1] |= same[1:, 1:]
    single = np.array([is_cjk(word.key) for word in sentence])
    found: Flags = same & (beside | ~single[:, None])
    return found


def align(sentence: Sequence[Word], text: Sequence[Word], same: Flags) -> Alignment:
    """The best local alignment of a sentence with a text, of whose words `same` tells which are the same."""
    if not same.size:
        return Alignment((), ())
    content = np.array([word.content for word in sentence])
    score = np.where(same, np.where(content[:, None], SAME, FUNCTION), DIFFERENT)
    pairs = tuple((i, j) for i, j in _trace(_table(score), score) if same[i, j])
    return Alignment(pairs, tuple(_gaps(sentence, text, pairs)))


def _table(score: Vectors) -> Vectors:
    """The table of best local scores, with a row and a column of zeros before it."""
    rows, columns = score.shape
    table = np.zeros((rows + 1, columns + 1))
    steps = GAP * np.arange(columns + 1)
    for i in range(1, rows + 1):
        best = np.zeros(columns + 1)
        best[1:] = np.maximum(table[i - 1, :-1] + score[i - 1], table[i - 1, 1:] - GAP)
        table[i] = np.maximum(np.maximum.accumulate(best + steps) - steps, 0.0)
    return table


def _trace(table: Vectors, score: Vectors) -> list[tuple[int, int]]:
    i, j = np.unravel_index(int(table.argmax()), table.shape)
    found = []
    while i > 0 and j > 0 and table[i, j] > 0:
        here = table[i, j]
        if abs(here - table[i - 1, j - 1] - score[i - 1, j - 1]) < 1e-6:
            found.append((int(i) - 1, int(j) - 1))
            i, j = i - 1, j - 1
        elif abs(here - table[i - 1, j] + GAP) < 1e-6:
            i -= 1
        else:
            j -= 1
    return found[::-1]


def _gaps(sentence: Sequence[Word], text: Sequence[Word], pairs: Sequence[tuple[int, int]]) -> Iterator[Gap]:
    for (i, j), (k, m) in pairwise(pairs):
        mine, theirs = tuple(sentence[i + 1 : k]), tuple(text[j + 1 : m])
        if (mine or theirs) and len(mine) <= NEAR and len(theirs) <= NEAR:
            yield Gap(mine, theirs)
    if pairs:
        (i, j), (k, m) = pairs[0], pairs[-1]
        yield Gap(tuple(sentence[max(0, i - 2) : i]), tuple(text[max(0, j - 2) : j]))
        yield Gap(tuple(sentence[k + 1 : k + 3]), tuple(text[m + 1 : m + 3]))
