"""Blocks of the evidence themselves, quoted, each citing itself: the answer where no model writes one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.citations import unmark
from rag.evidence.injection import holds_orders
from rag.types import Evidence, Span

MOST = 3
# A further block is quoted only if it is worth this share of the best one.
NEAR_BEST = 0.6


def extract(evidence: Sequence[Evidence]) -> list[tuple[str, list[Span]]]:
    """The likeliest blocks, at most `MOST`, the best first: each as its text without anything that looks like a mark, and its place.

    What gives a model orders is quoted only where there is nothing else; what stands in two places in the same words is quoted once, with both.
    """
    ranked = sorted(evidence, key=lambda item: -item.score)
    found: dict[str, list[Span]] = {}
    for item in ranked:
        start, end = item.best
        said = unmark(item.passage.between(start, end)).strip()
        if not said or item.score < NEAR_BEST * ranked[0].score or (found and holds_orders(said)):
            continue
        if len(found) < MOST or said in found:
            found.setdefault(said, []).append(Span(item, start, end))
    return list(found.items())
