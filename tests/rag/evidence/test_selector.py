"""A retrieval to evidence: the sections around what was found are looked at, and the token vectors that are kept for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.evidence.selection import SOURCE_TOKENS
from rag.evidence.selector import Budget, EvidenceSelector
from rag.types import Passage, Section
from rag.vectors import TokenVectors
from tests.fakes import TokenShelf
from tests.rag.passages import section
from tests.rag.shelf import Shelf, over

QUESTION = "At how many bar does the pump run?"
TEXTS = {"pump": "It is old.\n\nThe pump runs at 40 bar.", "orchard": "Apple trees blossom in April."}


class Recording(TokenShelf):
    """Token vectors of another shelf, with what was asked of them."""

    def __init__(self, held: TokenShelf) -> None:
        self._own = held
        self.asked: list[tuple[list[str], str]] = []

    def token_vectors(self, chunk_ids: Sequence[str], space: str) -> dict[str, TokenVectors]:
        self.asked.append((list(chunk_ids), space))
        return self._own.token_vectors(chunk_ids, space)


class Sectioned(Shelf):
    """Knows what stands before each passage under the same heading."""

    def sections(self, passages: Sequence[Passage], *, reach: int) -> list[Section]:
        return [section(item, f"Before it: 99 bar for the pump.\n\n{item.text}") for item in passages]


def test_blocks_are_chosen_within_the_budget_and_with_the_token_vectors() -> None:
    shelf = Shelf(TEXTS)
    retriever, tokens = over(shelf)
    found = retriever.search(QUESTION, collections=["default"], top_k=5)
    known = dict(list(found.tokens.items())[:1])
    recording = Recording(tokens)

    found = replace(found, tokens=known)  # as when neighbours were not ranked
    (best,) = EvidenceSelector(shelf, recording, Budget(SOURCE_TOKENS + 8, 0.0, 2)).select(found)

    assert best.text == "The pump runs at 40 bar."
    assert shelf.reaches == [2]
    unread = [f"{item.document_id}-0" for item in found.passages if f"{item.document_id}-0" not in known]
    assert len(unread) == 1
    assert recording.asked == [(unread, found.token_space)]


def test_least_leaves_out_what_is_worth_little() -> None:
    shelf = Shelf(TEXTS)
    retriever, tokens = over(shelf)
    found = retriever.search(QUESTION, collections=["default"], top_k=5)

    evidence = EvidenceSelector(shelf, tokens, Budget(1000, 1.0, 0)).select(found)

    assert [item.text for item in evidence] == ["The pump runs at 40 bar."]


def test_sections_reach_beyond_what_was_found() -> None:
    shelf = Sectioned(TEXTS)
    retriever, tokens = over(shelf)
    found = retriever.search(QUESTION, collections=["default"], top_k=1)

    (shown,) = EvidenceSelector(shelf, tokens, Budget(1000, 0.0, 1)).select(found)

    assert shown.text == f"Before it: 99 bar for the pump.\n\n{TEXTS['pump']}"
    assert shown.start < found.passages[0].char_start


def test_without_token_vectors_words_decide() -> None:
    shelf = Shelf(TEXTS)
    retriever, _ = over(shelf)
    found = retriever.search(QUESTION, collections=["default"], top_k=5)
    recording = Recording(TokenShelf())

    evidence = EvidenceSelector(shelf, recording, Budget(SOURCE_TOKENS + 8, 0.0, 0)).select(found)

    assert [item.text for item in evidence] == ["The pump runs at 40 bar."]


def test_nothing_found_is_no_evidence() -> None:
    shelf = Shelf([])
    retriever, tokens = over(Shelf(TEXTS))
    found = retriever.search(QUESTION, collections=["default"], top_k=5, filters={"name": []})

    assert found.passages == ()
    assert EvidenceSelector(shelf, tokens, Budget(1000, 0.0, 1)).select(found) == []


def test_what_is_measured_is_what_is_chosen_from() -> None:
    shelf = Shelf(TEXTS)
    retriever, tokens = over(shelf)
    found = retriever.search(QUESTION, collections=["default"], top_k=5)

    sections, blocks = EvidenceSelector(shelf, tokens, Budget(1000, 0.0, 0)).scored(found)

    best = max(blocks, key=lambda block: block.score)
    assert sections[best.section].passage.text[best.block.start : best.block.end] == "The pump runs at 40 bar."
    assert len(blocks) == 3
