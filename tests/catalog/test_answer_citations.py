"""Which answers cite a document: told by rows of their own, which go with the answer and with the document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from catalog.conversations import CitingAnswer, ConversationCatalog
from catalog.documents import REMOVED_ANSWER
from catalog.engine import Database
from rag.types import Answer
from tests.catalog.conftest import Catalog
from tests.catalog.test_documents import answer

PROJECT = Path(__file__).resolve().parent.parent.parent


def citing_all(number: int, places: Sequence[tuple[str, int, int]]) -> Answer:
    """An answer that cites these spans of documents, numbered from 1."""
    base = answer(number, places[0][0])
    citations = [
        replace(base.citations[0], n=n, document_id=own, char_start=start, char_end=end)
        for n, (own, start, end) in enumerate(places, 1)
    ]
    return replace(base, citations=tuple(citations))


def told(catalog: Catalog, document_id: str, **paging: int) -> list[tuple[str, tuple[tuple[int, int, int], ...]]]:
    found = catalog.conversations.citing(document_id, **{"page": 1, "limit": 10, **paging})
    assert all(isinstance(item, CitingAnswer) for item in found.items)
    return [(item.answer_id, item.spans) for item in found.items]


def test_a_document_tells_where_it_was_cited_the_latest_first(catalog: Catalog) -> None:
    own, other = catalog.add("a.txt", "pump at forty bar"), catalog.add("b.txt", "oil in march")
    first, second = citing_all(1, [(own, 0, 4), (other, 0, 3), (own, 8, 13)]), citing_all(2, [(own, 0, 4)])
    for item in (first, second):
        catalog.conversations.save(item, "talk")

    assert told(catalog, own) == [(second.id, ((1, 0, 4),)), (first.id, ((1, 0, 4), (3, 8, 13)))]
    assert told(catalog, other) == [(first.id, ((2, 0, 3),))]
    assert told(catalog, own, page=2, limit=1) == [(first.id, ((1, 0, 4), (3, 8, 13)))]
    assert catalog.conversations.citing(own, page=2, limit=1).total == 2
    assert told(catalog, own[:-1]) == []  # an id is compared whole


def test_an_answer_without_citations_has_no_rows(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "pump")
    catalog.conversations.save(replace(answer(1, own), citations=()), "talk")
    assert catalog.count("answer_citations") == 0


def test_a_deletion_empties_what_cites_the_document_and_nothing_else(catalog: Catalog) -> None:
    own, other = catalog.add("a.txt", "pump at forty bar"), catalog.add("b.txt", "oil in march")
    both, alone = citing_all(1, [(own, 0, 4), (other, 0, 3)]), citing_all(2, [(other, 0, 3)])
    for item in (both, alone):
        catalog.conversations.save(item, "talk")

    catalog.documents.delete(own)

    first, second = catalog.conversations.turns("talk")
    assert (first.answer, first.citations, first.sentences) == (REMOVED_ANSWER, [], [])
    assert (second.answer, len(second.citations)) == (alone.answer, 1)
    # an emptied answer cites nothing any more, the other document neither
    assert told(catalog, other) == [(alone.id, ((1, 0, 3),))]
    assert catalog.count("answer_citations") == 1


def test_more_answers_than_one_statement_may_name_are_emptied(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.documents._VARIABLES", 2)
    own = catalog.add("a.txt", "pump at forty bar")
    for number in range(5):
        catalog.conversations.save(answer(number, own), "talk")

    catalog.documents.delete(own)

    assert {turn.answer for turn in catalog.conversations.turns("talk")} == {REMOVED_ANSWER}
    assert catalog.count("answer_citations") == 0


def test_the_rows_leave_with_the_conversation(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "pump at forty bar")
    catalog.conversations.save(answer(1, own), "talk")
    catalog.conversations.delete("talk")
    assert catalog.count("answer_citations") == 0


def test_the_answers_that_cite_a_document_are_found_by_an_index(catalog: Catalog) -> None:
    with catalog.database.read() as connection:
        plan = connection.execute(
            text("EXPLAIN QUERY PLAN SELECT answer_id FROM answer_citations WHERE document_id = 'a'")
        ).all()
    assert "ix_answer_citations_document_id" in str(plan)


def test_answers_from_before_are_found_by_what_they_cite(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "catalog" / "migrations"))
    path = tmp_path / "catalog.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    spans = [
        {"n": 1, "document_id": "d" * 32, "char_start": 0, "char_end": 4},
        {"n": 2, "document_id": "e" * 32, "char_start": 7, "char_end": 9},
    ]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        at = "2025-01-02 03:04:05.000000"
        connection.execute(text("INSERT INTO conversations VALUES ('c', 'Pumps', :at, :at)"), {"at": at})
        for own, cited in (("a", spans), ("b", [])):
            connection.execute(
                text(
                    "INSERT INTO answers (id, conversation_id, question, answer, answered, citations, created_at) "
                    "VALUES (:own, 'c', 'What?', 'It runs [1]. It hums [2].', 1, :cited, :at)"
                ),
                {"own": own, "cited": json.dumps(cited), "at": at},
            )
    engine.dispose()
    database = Database(path)
    try:
        found = ConversationCatalog(database).citing("e" * 32, page=1, limit=10)
        assert [(item.answer_id, item.spans) for item in found.items] == [("a", ((2, 7, 9),))]
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM answer_citations")).scalar() == 2
    finally:
        database.close()
