"""One score for each candidate of a search: a linear model of a few features, fitted on questions whose passages are known. Pure.

Owns the features and the reading of `ranking.json` beside it, which `docent eval fit-ranking` writes
(docs/decisions/0002-fusion.md has the figures). Scores of a leg are scaled between the worst and the best candidate of a question, for
neither BM25 nor cosines mean the same for two questions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FITTED = Path(__file__).with_name("ranking.json")
LEGS = ("max_similarity", "cosine", "bm25")
"""Features that are scores of a leg; the others are those of `rag.retrieval.passage_features`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a leg found, and what each leg says of it; None where it says nothing.

    `space` tells candidates of different vector spaces apart, whose similarities cannot be compared.
    """

    chunk_id: str
    space: int = 0
    cosine: float | None = None
    bm25: float | None = None
    max_similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Ranker:
    """Weights by feature, all of them for features from 0 to 1."""

    weights: Mapping[str, float]

    def score(self, features: Mapping[str, float]) -> float:
        """0 to 1, higher is better."""
        return self.part(features, self.weights)

    def part(self, features: Mapping[str, float], names: Sequence[str] | Mapping[str, float]) -> float:
        """What the named features give of the score."""
        most = sum(weight for weight in self.weights.values() if weight > 0) or 1.0
        return max(0.0, sum(self.weights.get(name, 0.0) * features.get(name, 0.0) for name in names) / most)


@lru_cache(maxsize=1)
def fitted() -> Ranker:
    """The ranker of `ranking.json`."""
    stored: dict[str, Any] = json.loads(FITTED.read_text(encoding="utf-8"))
    return Ranker({str(name): float(weight) for name, weight in stored["weights"].items()})


def scaled(values: Sequence[float | None]) -> list[float]:
    """The values between the least (0) and the greatest (1) of them; 0 for None, 1 where all are the same."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    spread = high - low
    return [0.0 if value is None else (value - low) / spread if spread else 1.0 for value in values]


def retriever_features(candidates: Sequence[Candidate]) -> list[dict[str, float]]:
    """The features `LEGS` of each candidate.

    Similarities are scaled within their space, BM25 over all. A chunk without token vectors has the place of its one vector.
    """
    found: list[dict[str, float]] = [{} for _ in candidates]
    for row, value in zip(found, scaled([each.bm25 for each in candidates]), strict=True):
        row["bm25"] = value
    for space in {each.space for each in candidates}:
        rows = [place for place, each in enumerate(candidates) if each.space == space]
        cosines = scaled([candidates[place].cosine for place in rows])
        tokens = scaled([candidates[place].max_similarity for place in rows])
        for place, cosine, token in zip(rows, cosines, tokens, strict=True):
            found[place]["cosine"] = cosine
            found[place]["max_similarity"] = cosine if candidates[place].max_similarity is None else token
    return found


def preselected(candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """The candidates worth a closer look, at most `limit`: those that are best in either leg, taken in turn."""
    best_first = [
        [each for each in sorted(candidates, key=_descending(leg)) if getattr(each, leg) is not None]
        for leg in ("cosine", "bm25")
    ]
    chosen: dict[str, Candidate] = {}
    for place in range(max(map(len, best_first), default=0)):
        for ranked in best_first:
            if place < len(ranked) and len(chosen) < limit:
                chosen.setdefault(ranked[place].chunk_id, ranked[place])
    return list(chosen.values())


def _descending(leg: str) -> Any:
    return lambda each: -(getattr(each, leg) or 0.0)
