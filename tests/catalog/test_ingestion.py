"""Registering, claiming, going live, failing and resuming: each step alone, and in every order that can happen."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.ingestion import MAX_ATTEMPTS
from rag.errors import ConflictError, UnreadableError
from rag.types import DocumentStatus
from tests.catalog.conftest import Catalog, parsed


def keywords(catalog: Catalog, query: str) -> set[str]:
    return {hit.chunk_id.split("-")[0] for hit in catalog.lexical.query(1, query, limit=50)}


def claimed(catalog: Catalog, limit: int, max_bytes: int = 1 << 20, **more: Any) -> list[str]:
    return [work.filename for work in catalog.ingestion.claim(limit=limit, max_bytes=max_bytes, **more)]


def test_a_file_is_queued_claimed_and_live(catalog: Catalog) -> None:
    (outcome,) = catalog.register(("a.txt", "pump at forty bar"))
    own = outcome.document_id
    assert (outcome.status, outcome.duplicate_of) == (DocumentStatus.QUEUED, None)
    (work,) = catalog.ingestion.claim(limit=10, max_bytes=1)
    assert (work.id, work.filename, work.bytes) == (own, "a.txt", 17)
    assert catalog.status(own) == "parsing"
    assert catalog.ingestion.claim(limit=10, max_bytes=1) == []
    catalog.ingestion.expect({own: 2})
    catalog.ingestion.progress({own: 1})
    document = catalog.documents.document(own)
    assert (document.status, document.progress_done, document.progress_total) == ("embedding", 1, 2)
    assert keywords(catalog, "pump") == set()

    assert catalog.ingestion.go_live(1, [parsed(own, "pump at forty bar")]) == []

    document = catalog.documents.document(own)
    assert (document.status, document.chunks, document.progress_done) == ("indexed", 2, 2)
    assert keywords(catalog, "pump") == {own}
    assert catalog.documents.text(own) == "pump at forty bar"
    assert [chunk.text for chunk in catalog.documents.chunks(own).items] == ["pump at ", "forty bar"]


def test_a_claim_takes_one_upload_in_order_up_to_its_size(catalog: Catalog) -> None:
    names = [f"{n}.txt" for n in range(5)]
    first = catalog.register(*[(name, name * 10) for name in names])

    assert claimed(catalog, 10, 1) == ["0.txt"]
    assert claimed(catalog, 10, 100) == ["1.txt", "2.txt"]
    assert claimed(catalog, 1, 1000) == ["3.txt"]
    assert claimed(catalog, 10, 1000) == ["4.txt"]
    assert claimed(catalog, 10, 1000) == []
    assert catalog.ingestion.pending() == len(first)


def test_the_same_bytes_are_the_same_document(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "pump")

    (again,) = catalog.register(("b.txt", "pump"))
    (elsewhere,) = catalog.register(("a.txt", "pump"), collection="other")
    one, two = catalog.register(("c.txt", "oil"), ("d.txt", "oil"))

    assert (again.document_id, again.status, again.duplicate_of) == (own, DocumentStatus.UNCHANGED, own)
    assert elsewhere.document_id != own
    assert (two.document_id, two.status) == (one.document_id, DocumentStatus.UNCHANGED)
    assert catalog.count("documents") == 3


def test_a_new_version_takes_the_place_of_the_old(catalog: Catalog) -> None:
    old = catalog.add("a.txt", "pump at forty bar")
    (outcome,) = catalog.register(("a.txt", "walrus on the beach"))
    new = outcome.document_id
    assert catalog.documents.document(new).replaces == old
    assert keywords(catalog, "pump") == {old}

    assert catalog.index(new, texts=["walrus on the beach"]) == [old]

    assert (keywords(catalog, "pump"), keywords(catalog, "walrus")) == (set(), {new})
    assert catalog.ingestion.pending_vector_deletions() == {1: [old]}
    assert catalog.count("texts") == 1
    assert catalog.count("lexical_1") == catalog.count("chunks") == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("together", [True, False])
def test_of_several_versions_the_last_one_stays(catalog: Catalog, order: tuple[int, ...], together: bool) -> None:
    contents = ["first words", "second words", "third words"]
    ids = [catalog.register(("a.txt", content))[0].document_id for content in contents]
    catalog.ingestion.claim(limit=10, max_bytes=1000)
    catalog.ingestion.expect(dict.fromkeys(ids, 2))
    batch = [parsed(ids[n], contents[n]) for n in order]

    for part in [batch] if together else [[item] for item in batch]:
        catalog.ingestion.go_live(1, part)

    assert catalog.documents.ids() == {ids[2]}
    assert keywords(catalog, "words") == {ids[2]}
    assert catalog.count("chunks") == catalog.count("lexical_1") == 2


def test_the_bytes_of_a_failed_document_queue_it_again_as_the_newest(catalog: Catalog) -> None:
    failed = catalog.register(("a.txt", "first"))[0].document_id
    catalog.ingestion.claim(limit=1, max_bytes=1)
    assert catalog.ingestion.fail(failed, code="unreadable", message="It is broken.") is True
    assert catalog.ingestion.fail(failed, code="unreadable", message="It is broken.") is False
    second = catalog.add("a.txt", "second")
    assert catalog.documents.ids() == {second}  # a failed version goes with its successor

    failed = catalog.register(("b.txt", "third"))[0].document_id
    catalog.ingestion.claim(limit=1, max_bytes=1)
    catalog.ingestion.fail(failed, code="unreadable", message="It is broken.")
    again = catalog.register(("a.txt", "third"))[0]
    assert (again.document_id, again.status) == (failed, DocumentStatus.QUEUED)
    assert catalog.index(failed, texts=["third"]) == [second]
    document = catalog.documents.document(failed)
    assert (document.filename, document.status, document.error_code) == ("a.txt", "indexed", None)


def test_a_rejected_file_is_a_failed_document(catalog: Catalog) -> None:
    file = catalog.file("a.pdf", "text", rejected=UnreadableError("It is no PDF."))

    for _ in range(2):
        (outcome,) = catalog.ingestion.register(catalog.job(), catalog.collections.ensure("default").id, [file])
        assert (outcome.document_id, outcome.status) == (file.id, DocumentStatus.FAILED)
    document = catalog.documents.document(file.id)
    assert (document.error_code, document.error_message) == ("unreadable", "It is no PDF.")
    assert catalog.ingestion.claim(limit=9, max_bytes=9) == []


def test_what_was_deleted_meanwhile_does_not_come_back(catalog: Catalog) -> None:
    own = catalog.register(("a.txt", "pump"))[0].document_id
    catalog.ingestion.claim(limit=1, max_bytes=1)
    catalog.documents.delete(own)
    catalog.ingestion.vectors_deleted(1, [own])

    catalog.ingestion.expect({own: 2})
    assert catalog.ingestion.go_live(1, [parsed(own, "pump")]) == []

    assert catalog.documents.ids() == set()
    assert catalog.count("chunks") == catalog.count("texts") == 0
    assert catalog.ingestion.pending_vector_deletions() == {1: [own]}


def test_what_was_moved_meanwhile_is_not_published_in_its_old_place(catalog: Catalog) -> None:
    own = catalog.register(("a.txt", "pump"))[0].document_id
    catalog.ingestion.claim(limit=1, max_bytes=1)
    catalog.ingestion.expect({own: 2})
    catalog.documents.move(own, catalog.collections.ensure("other").id)
    catalog.ingestion.claim(limit=1, max_bytes=1)
    catalog.ingestion.expect({own: 2})

    catalog.ingestion.go_live(1, [parsed(own, "pump at forty bar")])

    assert catalog.status(own) == "embedding"
    assert own in catalog.ingestion.pending_vector_deletions()[1]
    catalog.ingestion.go_live(2, [parsed(own, "pump at forty bar")])
    assert catalog.status(own) == "indexed"
    assert catalog.lexical.query(2, "pump", limit=1)


def test_work_done_twice_changes_nothing(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "pump")

    assert catalog.ingestion.go_live(1, [parsed(own, "pump")]) == []

    assert catalog.ingestion.pending_vector_deletions() == {}
    assert catalog.count("chunks") == catalog.count("lexical_1") == 2


def test_what_was_cut_off_is_queued_until_it_was_cut_off_too_often(catalog: Catalog) -> None:
    own = catalog.register(("a.txt", "pump"))[0].document_id
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert catalog.status(own) == "queued"
        catalog.ingestion.claim(limit=1, max_bytes=1)
        assert catalog.ingestion.resume() == 1
        assert catalog.ingestion.pending_vector_deletions() == {1: [own]}
        assert claimed(catalog, 1) == []  # until its vectors are gone, or the new ones would go with them
        catalog.ingestion.vectors_deleted(1, [own])
        assert catalog.status(own) == ("failed" if attempt == MAX_ATTEMPTS else "queued")
    assert catalog.documents.document(own).error_code == "interrupted"
    assert catalog.ingestion.resume() == 0


def test_an_orderly_stop_is_no_attempt(catalog: Catalog) -> None:
    own = catalog.register(("a.txt", "pump"))[0].document_id
    for _ in range(2 * MAX_ATTEMPTS):
        assert catalog.ingestion.claim(limit=1, max_bytes=1)
        catalog.ingestion.release()
        assert catalog.status(own) == "queued"
        catalog.ingestion.vectors_deleted(1, [own])
        catalog.ingestion.claim(limit=1, max_bytes=1)
        catalog.ingestion.requeue([own])
        assert catalog.status(own) == "queued"
    catalog.ingestion.resume()
    assert catalog.status(own) == "queued"


def test_a_key_is_used_once(catalog: Catalog) -> None:
    number = catalog.collections.ensure("default").id
    file = catalog.file("a.txt", "pump")
    catalog.ingestion.register("job-a", number, [file], idempotency_key="k", idempotency_digest="d")

    assert catalog.ingestion.job_of_key("k") == ("job-a", "d")
    assert catalog.ingestion.job_of_key("other") is None
    with pytest.raises(ConflictError):
        catalog.ingestion.register("job-b", number, [file], idempotency_key="k", idempotency_digest="d")
    assert catalog.count("jobs") == catalog.count("documents") == 1


def test_vector_deletions_are_kept_until_done(catalog: Catalog) -> None:
    one, two = catalog.add("a.txt", "pump"), catalog.add("b.txt", "oil", "other")
    for own in (one, two):
        catalog.documents.delete(own)

    assert catalog.ingestion.pending_vector_deletions() == {1: [one], 2: [two]}
    catalog.ingestion.vectors_deleted(1, [one, "unknown"])
    assert catalog.ingestion.pending_vector_deletions() == {2: [two]}
