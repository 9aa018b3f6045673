"""The arithmetic of combining two rankings. Pure.

Scores are fused, not ranks: on every development set a weighted sum of min-max scaled scores ranks better than
reciprocal rank fusion (docs/decisions/0002-fusion.md has the figures).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.types import Hit

# FTS5's own k1. Shares of the best possible BM25 score: what names alone reach in a foreign text (95 % of the questions
# of xling_en_zh), and what nearly every question reaches in a text of its language (docs/decisions/0004-embedders.md).
BM25_K1 = 1.2
# What a term of more than half of the chunks weighs in FTS5, whose idf is ln((N - n + .5) / (n + .5)) and would be negative.
FTS5_LEAST = 1e-6
BORROWED, MATCHED = 0.12, 0.25


def scaled(hits: Sequence[Hit]) -> dict[str, float]:
    """Scores scaled to 0..1 between the worst and the best hit of this list; a single hit scores 1."""
    if not hits:
        return {}
    low, high = min(hit.score for hit in hits), max(hit.score for hit in hits)
    spread = high - low
    return {hit.chunk_id: (hit.score - low) / spread if spread else 1.0 for hit in hits}


@dataclass(frozen=True, slots=True)
class Legs:
    """Both rankings of the collections of one vector space, and the share of the dense one, 0..1."""

    dense: Sequence[Hit]
    lexical: Sequence[Hit]
    dense_weight: float


def fuse(dense: Sequence[Hit], lexical: Sequence[Hit], *, dense_weight: float) -> list[Hit]:
    """The weighted sum of both scaled lists, best first; a chunk that a leg missed scores 0 there.

    `dense_weight` 0..1, the lexical leg gets the rest. Ties keep the order of the lexical list.
    """
    return fuse_spaces([Legs(dense, lexical, dense_weight)])


def fuse_spaces(spaces: Sequence[Legs]) -> list[Hit]:
    """As `fuse`, over collections of several vector spaces, whose similarities cannot be compared.

    Similarities are scaled within their space, keyword scores over all.
    """
    scaled_lexical = scaled([hit for legs in spaces for hit in legs.lexical])
    has_dense = any(legs.dense for legs in spaces)
    merged = {}
    for legs in spaces:
        weight = legs.dense_weight if has_dense and scaled_lexical else float(has_dense)
        scaled_dense = scaled(legs.dense)
        for chunk_id in dict.fromkeys([*(hit.chunk_id for hit in legs.lexical), *scaled_dense]):
            merged[chunk_id] = weight * scaled_dense.get(chunk_id, 0.0) + (1 - weight) * scaled_lexical.get(
                chunk_id, 0.0
            )
    return sorted((Hit(*item) for item in merged.items()), key=lambda hit: -hit.score)


def lexical_strength(lexical: Sequence[Hit], rarity: Mapping[str, float]) -> float:
    """How much of the question the best keyword hit holds, 0..1: its BM25 score against that of a text full of its terms.

    `rarity` is the weight of each of the question's terms, ln(1 + (N - n + .5) / (n + .5)); that some count half in it hardly
    matters here. A question in another language than the texts, or a typing error in each word, comes out near 0 (`BORROWED`
    is as much as names and numbers give); one in their language has .25 and more on every development set.
    """
    # from ln(1 + x) to ln(x)
    weights = [weight + math.log(-math.expm1(-weight)) for weight in rarity.values() if weight > 0]
    full = (BM25_K1 + 1) * sum(max(FTS5_LEAST, weight) for weight in weights)
    best = max((hit.score for hit in lexical), default=0.0)
    share = best / full if full else 0.0
    return min(1.0, max(0.0, (share - BORROWED) / (MATCHED - BORROWED)))
