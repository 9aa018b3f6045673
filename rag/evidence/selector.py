"""A retrieval to evidence: fetches the sections around the passages and their token vectors, and lets the selection choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.evidence.scoring import ScoredBlock, score_blocks
from rag.evidence.selection import select_evidence
from rag.ports import PassageStore, TokenVectorStore
from rag.types import Evidence, Retrieval, Section
from rag.vectors import TokenVectors


@dataclass(frozen=True, slots=True)
class Budget:
    """What a model is shown.

    Attributes:
        tokens: of evidence, at most.
        least: blocks worth less than this share of the best one, 0..1, are left out.
        reach: chunks before and behind a passage that are looked at too.
    """

    tokens: int
    least: float
    reach: int


class EvidenceSelector:
    """Chooses evidence for a kind of model. Thread-safe."""

    def __init__(self, store: PassageStore, tokens: TokenVectorStore, budget: Budget) -> None:
        self._store = store
        self._tokens = tokens
        self._budget = budget

    def select(self, retrieval: Retrieval) -> list[Evidence]:
        """The blocks to show, numbered from 1; none where nothing was found."""
        sections, query, vectors = self._read(retrieval)
        return select_evidence(
            retrieval.query,
            sections,
            retrieval.idf,
            budget=self._budget.tokens,
            least=self._budget.least,
            query=query,
            vectors=vectors,
        )

    def scored(self, retrieval: Retrieval) -> tuple[Sequence[Section], Sequence[ScoredBlock]]:
        """The sections looked at and all their blocks with what they are worth, for measuring."""
        sections, query, vectors = self._read(retrieval)
        return sections, score_blocks(retrieval.query, sections, retrieval.idf, query, vectors)

    def _read(self, retrieval: Retrieval) -> tuple[list[Section], TokenVectors | None, Mapping[str, TokenVectors]]:
        """The sections around the passages, and the token vectors of the question and of the chunks."""
        sections = self._store.sections(retrieval.passages, reach=self._budget.reach)
        if retrieval.query_tokens is None:
            return sections, None, {}
        ids = dict.fromkeys(chunk_id for section in sections for chunk_id, _ in section.chunks)
        unread = [chunk_id for chunk_id in ids if chunk_id not in retrieval.tokens]
        read = self._tokens.token_vectors(unread, retrieval.token_space)
        return sections, retrieval.query_tokens, {**retrieval.tokens, **read}
