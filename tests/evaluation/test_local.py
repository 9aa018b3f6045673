"""What this process's parts look like to the measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from evaluation.local import LocalSubject
from rag.answering.events import Ask
from rag.types import Answer, Evidence, Passage, Retrieval
from tests.rag.passages import OFFSET, passage

SOURCE = replace(passage("The pump runs at 40 bar.", name="pump"), page=3, page_end=4)


class Shelf:
    """Finds the same passage as often as it may, and notes how deep it was asked for."""

    def __init__(self) -> None:
        self.depths: list[int] = []

    def search(self, query: str, *, collections: Sequence[str], top_k: int) -> Retrieval:
        self.depths.append(top_k)
        found: list[Passage] = [SOURCE] * top_k
        return Retrieval(query, "en", tuple(found), {}, {"total_ms": 1.0})

    def ask(self, ask: Ask) -> Answer:
        raise AssertionError("a search asks nothing")


def subject(shelf: Shelf) -> LocalSubject:
    return LocalSubject(
        searcher=shelf,
        answerer=shelf,
        collection="default",
        top_k=2,
        select=lambda found: [Evidence(1, found.passages[0], OFFSET + 4, OFFSET + 8, "pump", 0.5)],
        confidence=lambda found, evidence: len(found.passages) / 10 + len(evidence) / 100,
        texts=str,
        names=lambda: {"pump.txt"},
    )


def test_evidence_is_made_of_what_answers_see_and_passages_go_deeper() -> None:
    shelf = Shelf()

    found = subject(shelf).search("How?", depth=5)

    assert shelf.depths == [2, 5]
    assert len(found.passages) == 5
    assert found.confidence == pytest.approx(0.21)
    assert found.evidence is not None
    (run,) = found.evidence
    assert (run.start, run.end, run.text) == (OFFSET + 4, OFFSET + 8, "pump")
    assert (run.page, run.page_end) == (3, 4)  # or evidence would never stand on a gold page


def test_a_shallow_search_is_done_once() -> None:
    shelf = Shelf()

    assert len(subject(shelf).search("How?", depth=1).passages) == 2
    assert shelf.depths == [2]
