"""Vector spaces: an embedder, and what its similarities are worth for confidence.

Vectors and similarities of two models cannot be compared, so each collection keeps to the space of the model that it was
made with. Pure: the figures of each model stand with its preset (rag/adapters/embedding/embedders.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag.errors import ConflictError
from rag.ports import Embedder

# The best passage and those that its margin is measured from.
NEXT = 50


@dataclass(frozen=True, slots=True)
class DenseProfile:
    """What one model's similarities are worth.

    Attributes:
        unrelated: cosine of the best passage, by language, of a question that nothing speaks to.
        related: the same of a question that is answered.
        margins: the distance of the best cosine from the mean of the next 49, of an unrelated and of an answered question,
            for a model whose cosines lie in a band that differs by language; None where the cosine alone tells enough.
    """

    unrelated: Mapping[str, float]
    related: Mapping[str, float]
    margins: tuple[float, float] | None = None

    def similarity(self, cosines: Sequence[float], language: str) -> float:
        """How near the best passage is, 0 (as to a question that nothing speaks to) to 1 (as to one that is answered).

        `cosines` are those of the nearest passages, best first. Where the model has margins, half of it is the margin.
        """
        if not cosines:
            return 0.0
        near = _between(cosines[0], self.unrelated[language], self.related[language])
        next_ones = cosines[1:NEXT]
        if self.margins is None or not next_ones:
            return near
        return (near + _between(cosines[0] - sum(next_ones) / len(next_ones), *self.margins)) / 2


def _between(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


# For a model that nobody measured here, and for fakes.
UNMEASURED = DenseProfile(
    unrelated={"en": 0.35, "zh": 0.35},
    related={"en": 0.8, "zh": 0.8},
)


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """An embedder with its profile."""

    embedder: Embedder
    profile: DenseProfile = field(default=UNMEASURED)


class EmbeddingSpaces(Protocol):
    """The space of each collection."""

    def of(self, collection: int) -> EmbeddingSpace:
        """The space that a collection's vectors live in, with its model loaded (which may take a while, once).

        Raises:
            NotFoundError: no such collection.
            ConflictError: this server cannot load its model; the message names both and says what to set.
            ConfigurationError: the model could not be fetched or does not load.
        """


def unknown_model(collection: str, model_id: str, default_id: str) -> ConflictError:
    """The error of a collection whose model this server cannot load."""
    return ConflictError(
        f"Collection {collection!r} was made with the embedding model {model_id}, which this server cannot load (its own "
        f"is {default_id}). Set DOCENT_EMBEDDING_MODEL, and the prompts, to what the collection was made with and start "
        "again, or ingest its documents into a new collection.",
        code="embedding_model_mismatch",
        details={"collection": collection, "embedding_model": model_id},
    )
