"""What is seen of a question, whoever answers it: passages, evidence and an answer in one shape.

Owns the values that the measures read and the `Subject` protocol that makes them. local.py makes them of this process's
parts, rest.py of a running server's answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """Characters [start, end) of a document: a passage, a run of evidence or a citation (then `n` is its number)."""

    document_id: str
    filename: str
    start: int
    end: int
    text: str
    page: int | None = None
    page_end: int | None = None
    score: float = 0.0
    n: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval gave, best first. `evidence` and `confidence` (0..1) are None where they cannot be seen."""

    passages: tuple[Place, ...]
    retrieve_ms: float
    evidence: tuple[Place, ...] | None = None
    evidence_ms: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as far as it is measured. Times are milliseconds: of verification alone, the others from the question
    on.

    `confidence` 0..1 is the answerer's own that the documents answer.
    """

    text: str
    answered: bool
    reason: str | None
    citations: tuple[Place, ...]
    verdicts: tuple[str, ...]
    groundedness: float | None
    first_token_ms: float | None
    total_ms: float
    verify_ms: float | None = None
    confidence: float | None = None


class Subject(Protocol):
    """Something that can be searched and asked."""

    @property
    def top_k(self) -> int:
        """Passages that answers are made from."""

    def search(self, question: str, *, depth: int) -> Found:
        """The `depth` best passages, and the evidence made of the best `top_k`. Raises DocentError."""

    def ask(self, question: str) -> Reply:
        """The answer. Raises DocentError."""

    def text(self, document_id: str) -> str:
        """A document's text. Raises DocentError."""

    def filenames(self) -> set[str]:
        """Names of the documents that are indexed."""
