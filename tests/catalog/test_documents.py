"""Documents, jobs, collections and conversations as the catalog answers for them."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.collections import CollectionCatalog
from catalog.documents import REMOVED_ANSWER
from rag.errors import ConflictError, InvalidRequestError, NotFoundError
from rag.types import Abstention, Answer, Citation, DocumentStatus, JobStatus, Usage
from tests.catalog.conftest import Catalog


def answer(number: int, *cited: str) -> Answer:
    citations = tuple(
        Citation(n, document, "a.txt", None, None, 0, 4, "pump", "0" * 64, 0.5)
        for n, document in enumerate(cited, start=1)
    )
    return Answer(
        id=f"answer-{number}",
        question=f"Question {number}?",
        standalone_question="",
        answer="The secret is forty bar.",
        answered=bool(cited),
        reason=None if cited else Abstention.NO_EVIDENCE,
        citations=citations,
        sentences=(),
        groundedness=1.0,
        retrieved=(),
        nearest=(),
        conversation_id="talk",
        model="m",
        prompt_version="v",
        usage=Usage(),
        timings={},
    )


def test_text_is_cut_by_characters(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "泵🚰 at forty bar")

    assert catalog.documents.text(own, start=1, end=2) == "🚰"
    assert catalog.documents.text(own, start=3) == "at forty bar"
    assert catalog.documents.text(own, start=5, end=5) == catalog.documents.text(own, start=99) == ""


def test_text_of_what_is_not_indexed_is_a_conflict(catalog: Catalog) -> None:
    own = catalog.register(("a.txt", "pump"))[0].document_id

    with pytest.raises(ConflictError, match="queued"):
        catalog.documents.text(own)
    with pytest.raises(NotFoundError):
        catalog.documents.text("nothing")


def test_only_live_chunks_are_passages(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "pump at forty bar")
    waiting = catalog.register(("b.txt", "oil"))[0].document_id

    found = catalog.documents.passages([f"{own}-0", f"{own}-9", f"{waiting}-0", "x"])

    assert set(found) == {f"{own}-0"}
    passage = found[f"{own}-0"]
    assert (passage.filename, passage.collection, passage.text) == ("a.txt", "default", "pump at ")
    assert (passage.char_start, passage.char_end) == (0, 8)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, {"a.txt", "b.txt"}),
        ({"filename": "a.txt"}, {"a.txt"}),
        ({"filename": ["a.txt", "b.txt", "c.txt"]}, {"a.txt", "b.txt"}),
        ({"media_type": "text/plain", "year": 1998}, {"a.txt"}),
        ({"year": [1998, 2024]}, {"a.txt", "b.txt"}),
        ({"year": "1998"}, set()),
        ({"missing": "x"}, set()),
        ({"document_id": "f" * 32}, set()),
    ],
)
def test_filters_meet_name_type_and_metadata(catalog: Catalog, filters: dict[str, Any], names: set[str]) -> None:
    years = {"a.txt": 1998, "b.txt": 2024}
    for name, year in years.items():
        catalog.documents.edit(catalog.add(name, name), metadata={"year": year})
    catalog.register(("waiting.txt", "not live"))

    found = catalog.documents.filtered_documents(1, filters)

    assert {catalog.documents.document(own).filename for own in found} == names


@pytest.mark.parametrize("value", [None, {"a": 1}, [["a"]], [None]])
def test_impossible_filters_are_refused(catalog: Catalog, value: Any) -> None:
    catalog.collections.ensure("default")
    with pytest.raises(InvalidRequestError):
        catalog.documents.filtered_documents(1, {"year": value})


def test_a_deleted_document_takes_everything_along(catalog: Catalog) -> None:
    own, other = catalog.add("a.txt", "pump at forty bar"), catalog.add("b.txt", "oil in march")
    catalog.conversations.save(answer(1, own), "talk")
    catalog.conversations.save(answer(2, other), "talk")

    catalog.documents.delete(own)

    assert catalog.documents.ids() == {other}
    assert (catalog.count("texts"), catalog.count("chunks"), catalog.count("lexical_1")) == (1, 2, 2)
    first, second = catalog.conversations.turns("talk")
    assert (first.answer, first.citations) == (REMOVED_ANSWER, [])
    assert second.answer == "The secret is forty bar."
    with pytest.raises(NotFoundError):
        catalog.documents.delete(own)


def test_moving_refuses_what_would_be_replaced(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "pump")
    for content, name in (("other", "a.txt"), ("pump", "b.txt")):
        there = catalog.add(name, content, collection=name)
        with pytest.raises(ConflictError) as caught:
            catalog.documents.move(own, catalog.collections.get(name).id)
        assert caught.value.details == {"document_id": there}
    assert catalog.status(own) == "indexed"
    moved = catalog.documents.move(own, catalog.collections.ensure("third").id)
    assert (moved.collection, moved.status) == ("third", DocumentStatus.QUEUED)
    assert catalog.documents.passages([f"{own}-0"]) == {}


def test_a_collection_is_deleted_with_its_documents(catalog: Catalog) -> None:
    own, kept = catalog.add("a.txt", "pump"), catalog.add("a.txt", "pump", "other")

    assert catalog.documents.delete_collection("default") == (1, [own])

    assert catalog.documents.ids() == {kept}
    assert catalog.lexical.query(1, "pump", limit=9) == []
    assert catalog.collections.ensure("default").id == 3  # never a number that named an index before


def test_a_collection_belongs_to_one_embedding_model(catalog: Catalog) -> None:
    catalog.collections.ensure("default")

    with pytest.raises(ConflictError) as caught:
        CollectionCatalog(catalog.database, embedding_model="model-b").ensure("default")

    assert caught.value.code == "embedding_model_mismatch"
    assert "model-a" in caught.value.message


def test_collections_of_several_models_live_side_by_side(catalog: Catalog) -> None:
    old = catalog.collections.ensure("default")
    other = CollectionCatalog(catalog.database, embedding_model="model-b", knows=lambda model: model == "model-a")

    assert other.ensure("default").embedding_model == "model-a"
    new = other.ensure("new")

    assert [other.origin(item.id) for item in (old, new)] == [("default", "model-a"), ("new", "model-b")]
    assert sorted(other.embedding_models()) == ["model-a", "model-b"]
    with pytest.raises(NotFoundError):
        other.origin(99)


def test_collections_count_their_live_documents(catalog: Catalog) -> None:
    catalog.add("a.txt", "pump")
    catalog.register(("b.txt", "oil"))
    catalog.collections.ensure("empty")

    assert [(c.name, c.documents, c.chunks) for c in catalog.collections.all()] == [("default", 1, 2), ("empty", 0, 0)]
    assert catalog.collections.ids(["empty", "default", "empty"]) == [2, 1]
    with pytest.raises(NotFoundError):
        catalog.collections.ids(["default", "nowhere"])


@pytest.mark.parametrize("name", ["default", "研究 2024", "a.b-c_d", "Ä", "7"])
def test_possible_names(catalog: Catalog, name: str) -> None:
    assert catalog.collections.ensure(name).name == name


def test_a_job_follows_its_documents(catalog: Catalog) -> None:
    own, other = (o.document_id for o in catalog.register(("a.txt", "pump"), ("b.txt", "oil")))
    job = "job-2"  # the two files took the numbers before it
    assert (catalog.jobs.get(job).status, catalog.jobs.get(job).total) == (JobStatus.QUEUED, 2)
    catalog.ingestion.claim(limit=1, max_bytes=1)
    assert catalog.jobs.get(job).status == JobStatus.RUNNING
    catalog.ingestion.fail(own, code="unreadable", message="no")
    assert (catalog.jobs.get(job).status, catalog.jobs.get(job).done) == (JobStatus.RUNNING, 1)
    assert catalog.jobs.cancel(job) == [other]
    assert catalog.jobs.get(job).status == JobStatus.CANCELLED
    catalog.jobs.queue_again([own, other])
    assert {item.status for item in catalog.jobs.get(job).documents} == {DocumentStatus.QUEUED}
    catalog.index(own, other)
    assert catalog.jobs.get(job).status == JobStatus.DONE
    assert catalog.jobs.cancel(job) == []
    catalog.documents.delete(own)
    assert [item.id for item in catalog.jobs.get(job).documents] == [other]
    assert catalog.jobs.get(job).done == 2
    with pytest.raises(NotFoundError):
        catalog.jobs.get("nothing")


def test_feedback_replaces_feedback_and_goes_with_its_conversation(catalog: Catalog) -> None:
    catalog.conversations.save(answer(1), "talk")
    catalog.conversations.rate("answer-1", rating="down", comment="no")
    catalog.conversations.rate("answer-1", rating="up", comment=None)
    assert catalog.count("feedback") == 1
    assert [message.role for message in catalog.conversations.history("talk")] == ["user", "assistant"]

    catalog.conversations.delete("talk")

    assert catalog.count("feedback") == catalog.count("answers") == 0
    for call in (catalog.conversations.turns, catalog.conversations.delete, catalog.conversations.require):
        with pytest.raises(NotFoundError):
            call("talk")
