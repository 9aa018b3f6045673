"""What a passage's own shape says about a question: the signals that BM25's bag of words lacks. Pure.

A passage whose matches stand together in one sentence, in the question's own order, is likelier to answer than one that
scatters them; and of two passages that say the same, the one whose headings and file name hold what the question names,
or whose own heading the question holds, is the one that was meant (docs/decisions/0002-fusion.md has the figures). Of two
files whose names differ by a word, the one whose word the question uses is meant.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.language import names, query_terms, sentences, terms
from rag.types import Passage

GATHERED_WEIGHT = 0.3
PAIRS_WEIGHT = 0.15
SUBJECT_WEIGHT = 0.25
NAMES_WEIGHT = 0.2
HEADED_WEIGHT = 0.2
# The most that `focus` can give.
FULL_FOCUS = GATHERED_WEIGHT + PAIRS_WEIGHT + SUBJECT_WEIGHT + NAMES_WEIGHT + HEADED_WEIGHT
# The share of a sentence's gathered score that its neighbours and heading may contribute.
NEIGHBOURS = 0.3
# What a passage is worth whose document the question tells apart from the one that it names.
RIVAL_WORTH = 0.7
# The share of words that two files' names must have in common for the others to tell them apart.
ALIKE = 0.5
# Digits of a number that tells files apart by itself.
YEAR = 4
# The rarity of a term that stands in two thirds of all chunks: one of more says which file is meant to nobody.
EVERYWHERE = math.log(1.5)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question looks for: its terms in order, and those of them that are names."""

    terms: tuple[str, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Wanted:
        """Read a question."""
        found = tuple(query_terms(question))
        return cls(found, names(question) & frozenset(found))


def focus(wanted: Wanted, rarity: Mapping[str, float], passage: Passage) -> float:
    """0 to `FULL_FOCUS`; `rarity` gives the weight of each wanted term."""
    headings = heading_terms(passage.heading or "")
    above = frozenset().union(*headings)
    subject = above | name_terms(passage.filename)
    spoken = sentence_terms(passage.text)
    unique = frozenset(wanted.terms)
    held = [unique & set(found) for found in spoken]
    gathered = 0.0
    for i, own in enumerate(held):
        near = own.union(unique & above, *held[max(0, i - 1) : i], *held[i + 1 : i + 2])
        together = (1 - NEIGHBOURS) * _share(own, unique, rarity) + NEIGHBOURS * _share(near, unique, rarity)
        gathered = max(gathered, together)
    return (
        GATHERED_WEIGHT * gathered
        + PAIRS_WEIGHT * _pairs(wanted.terms, rarity, spoken)
        + SUBJECT_WEIGHT * _share(unique & subject, unique, rarity)
        + NAMES_WEIGHT * _share(wanted.names & subject, wanted.names, rarity)
        + HEADED_WEIGHT * (len(unique & headings[-1]) / (len(headings[-1]) + 1) if headings else 0.0)
    )


def rivals(wanted: Wanted, filenames: Collection[str], rarity: Mapping[str, float]) -> frozenset[str]:
    """The files that the question does not mean, since it names another one whose name differs from theirs in what it says.

    "What does the Plus plan cover?" means `Plan_Plus.pdf` and not `Plan_Standard.pdf`; "What does the plan cover?" may mean
    either, and so may a question that names both, or two of several. Only names and years tell files apart: everyday words
    do so by chance where all files are called after one site or folder. Nor does a word of nearly every chunk speak for a
    file: "the Standard health plan" is not that of `Health_Plus.pdf`.
    """
    asked = frozenset(wanted.terms)
    telling = frozenset(term for term in asked if rarity.get(term, 0.0) > EVERYWHERE)
    called = {name_terms(name) for name in filenames}
    unmeant = set()
    for other in called:
        named = [name for name in called if _told_apart(name, other, wanted.names) and name - other <= asked]
        if len(named) == 1:
            own = other - named[0]
            if not own & telling and not own <= asked:
                unmeant.add(other)
    return frozenset(name for name in filenames if name_terms(name) in unmeant)


def _told_apart(name: frozenset[str], other: frozenset[str], proper: frozenset[str]) -> bool:
    """Whether two names are alike but for words of their own, the first having a year or one of the question's names."""
    own = name - other
    alike = len(name & other) >= ALIKE * max(len(name), len(other))
    return (
        alike and bool(other - name) and any(term in proper or (term.isdigit() and len(term) == YEAR) for term in own)
    )


@lru_cache(maxsize=2048)
def sentence_terms(text: str) -> tuple[tuple[str, ...], ...]:
    """The index terms of each sentence. Remembered, because popular passages come back with every other question."""
    return tuple(tuple(terms(text[start:end])) for start, end in sentences(text))


@lru_cache(maxsize=2048)
def heading_terms(path: str) -> tuple[frozenset[str], ...]:
    """The index terms of each heading of a path that has any, outermost first."""
    return tuple(found for title in path.split(" > ") if (found := frozenset(terms(title))))


@lru_cache(maxsize=2048)
def name_terms(filename: str) -> frozenset[str]:
    """The index terms of a file's name, without its extension."""
    return frozenset(terms(re.sub(r"[_.\-]+", " ", re.sub(r"(?<=.)\.[A-Za-z]\w{0,5}$", "", filename))))


def _share(held: Collection[str], of: Collection[str], rarity: Mapping[str, float]) -> float:
    """The share, by rarity, of the terms `of` that are `held`, 0..1."""
    return sum(rarity[term] for term in held) / (sum(rarity[term] for term in of) or 1.0)


def _pairs(question: Sequence[str], rarity: Mapping[str, float], spoken: Sequence[Sequence[str]]) -> float:
    """The share of the question's neighbouring term pairs, by rarity, that are neighbours in the text, 0..1."""
    weights = {pair: min(rarity[pair[0]], rarity[pair[1]]) for pair in itertools.pairwise(question)}
    total = sum(weights.values())
    if not total:
        return 0.0
    found = {pair for words in spoken for pair in itertools.pairwise(words)}
    return sum(weight for pair, weight in weights.items() if pair in found) / total
