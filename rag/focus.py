"""How well one sentence of a passage gathers the question's terms: the signal that BM25's bag of words lacks. Pure.

A passage whose matches stand together in one sentence, in the question's own order, is likelier to answer than one that
scatters them. On the development sets this adds about .01 nDCG@10 where paragraphs compete on one topic, and costs
nothing elsewhere (docs/decisions/0002-fusion.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rag.language import sentences, terms

GATHERED_WEIGHT = 0.3
PAIRS_WEIGHT = 0.15
# The share of a sentence's gathered score that its neighbours and heading may contribute.
NEIGHBOURS = 0.3


def focus(question: Sequence[str], rarity: Mapping[str, float], text: str, heading: str | None) -> float:
    """0 to `GATHERED_WEIGHT + PAIRS_WEIGHT`; `question` are its terms in order, `rarity` their weights."""
    wanted = dict.fromkeys(question)
    total = sum(rarity[term] for term in wanted) or 1.0
    spoken = sentence_terms(text)
    held = [wanted.keys() & set(found) for found in spoken]
    above = wanted.keys() & set(terms(heading or ""))
    gathered = 0.0
    for i, own in enumerate(held):
        near = own.union(above, *held[max(0, i - 1) : i], *held[i + 1 : i + 2])
        share = (1 - NEIGHBOURS) * sum(rarity[term] for term in own) + NEIGHBOURS * sum(rarity[term] for term in near)
        gathered = max(gathered, share / total)
    return GATHERED_WEIGHT * gathered + PAIRS_WEIGHT * _pairs(question, rarity, spoken)


@lru_cache(maxsize=2048)
def sentence_terms(text: str) -> tuple[tuple[str, ...], ...]:
    """The index terms of each sentence. Remembered, because popular passages come back with every other question."""
    return tuple(tuple(terms(text[start:end])) for start, end in sentences(text))


def _pairs(question: Sequence[str], rarity: Mapping[str, float], spoken: Sequence[Sequence[str]]) -> float:
    """The share of the question's neighbouring term pairs, by rarity, that are neighbours in the text, 0..1."""
    weights = {pair: min(rarity[pair[0]], rarity[pair[1]]) for pair in itertools.pairwise(question)}
    total = sum(weights.values())
    if not total:
        return 0.0
    found = {pair for words in spoken for pair in itertools.pairwise(words)}
    return sum(weight for pair, weight in weights.items() if pair in found) / total
