"""The retriever and answerer of this process as a subject of measurement.

Takes its parts by constructor; the command (cli.py) is who wires them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from evaluation.fitting.observations import Found, Place, Reply
from rag.answering.events import Ask
from rag.types import Answer, Citation, Evidence, Passage, Retrieval


class Searcher(Protocol):
    """The part of `rag.retrieval.retriever.Retriever` that is measured."""

    def search(self, query: str, *, collections: Sequence[str], top_k: int) -> Retrieval:
        """See `Retriever.search`."""


class Asked(Protocol):
    """The part of `rag.answering.answerer.Answerer` that is measured."""

    def ask(self, ask: Ask) -> Answer:
        """See `Answerer.ask`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSubject:
    """The parts of this process.

    `select` gives the evidence for a retrieval, `confidence` how sure both make us before the model, 0..1; `texts` a
    document's text and `names` the names of the collection's documents.
    """

    searcher: Searcher
    answerer: Asked
    collection: str
    top_k: int
    select: Callable[[Retrieval], Sequence[Evidence]]
    confidence: Callable[[Retrieval, Sequence[Evidence]], float]
    texts: Callable[[str], str]
    names: Callable[[], set[str]]

    def search(self, question: str, *, depth: int) -> Found:
        """See `Subject.search`. Times are of a search for `top_k`, as a question makes it."""
        clock = time.perf_counter()
        usual = self.searcher.search(question, collections=[self.collection], top_k=self.top_k)
        retrieved = time.perf_counter()
        evidence = self.select(usual)
        selected = time.perf_counter()
        deep = usual
        if depth > self.top_k:
            deep = self.searcher.search(question, collections=[self.collection], top_k=depth)
        return Found(
            passages=tuple(_passage(item) for item in deep.passages),
            retrieve_ms=(retrieved - clock) * 1000,
            evidence=tuple(_evidence(item) for item in evidence),
            evidence_ms=(selected - retrieved) * 1000,
            confidence=self.confidence(usual, evidence),
        )

    def ask(self, question: str) -> Reply:
        """See `Subject.ask`."""
        answer = self.answerer.ask(Ask(question, [self.collection], self.top_k))
        return Reply(
            text=answer.answer,
            answered=answer.answered,
            reason=answer.reason,
            citations=tuple(_citation(item) for item in answer.citations),
            verdicts=tuple(str(sentence.verdict) for sentence in answer.sentences),
            groundedness=answer.groundedness,
            first_token_ms=answer.timings.get("first_token_ms"),
            total_ms=answer.timings["total_ms"],
            verify_ms=answer.timings.get("verify_ms"),
            confidence=answer.confidence,
        )

    def text(self, document_id: str) -> str:
        """See `Subject.text`."""
        return self.texts(document_id)

    def filenames(self) -> set[str]:
        """See `Subject.filenames`."""
        return self.names()


def _passage(item: Passage) -> Place:
    return Place(
        item.document_id,
        item.filename,
        item.char_start,
        item.char_end,
        item.text,
        item.page,
        item.page_end,
        item.score,
    )


def _evidence(item: Evidence) -> Place:
    # which of its passage's pages a run stands on is not known here, so it may stand on any
    source = item.passage
    return Place(
        source.document_id,
        source.filename,
        item.start,
        item.end,
        item.text,
        source.page,
        source.page_end,
        item.score,
        item.n,
    )


def _citation(item: Citation) -> Place:
    return Place(
        item.document_id,
        item.filename,
        item.char_start,
        item.char_end,
        item.quote,
        item.page,
        item.page_end,
        item.score,
        item.n,
    )
