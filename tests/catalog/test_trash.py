"""The trash in the catalog: what leaves with a document, what comes back, and that nothing else sees what lies there."""

from __future__ import annotations

import pytest

from catalog import trash as trash_module
from catalog.audit import CatalogAudit
from catalog.documents import REMOVED_ANSWER
from catalog.folders import FolderCatalog, FolderFiles
from catalog.trash import TrashCatalog
from rag.errors import ConflictError, NotFoundError, UnreadableError
from rag.types import DocumentStatus, JobStatus
from tests.catalog.conftest import Catalog
from tests.catalog.test_documents import answer


@pytest.fixture
def bin_(catalog: Catalog) -> TrashCatalog:
    return TrashCatalog(catalog.database, catalog.lexical)


def listed(catalog: Catalog, **query: str) -> list[str]:
    return [item.id for item in catalog.documents.find(**query).items]


def test_text_and_chunks_leave_and_the_row_stays(catalog: Catalog, bin_: TrashCatalog) -> None:
    own, other = catalog.add("a.txt", "pump at forty bar"), catalog.add("b.txt", "oil in march")
    catalog.conversations.save(answer(1, own), "talk")

    trashed = bin_.trash(own)

    assert (trashed.status, trashed.chunks, trashed.filename) == (DocumentStatus.TRASHED, 0, "a.txt")
    assert (catalog.count("texts"), catalog.count("chunks"), catalog.count("lexical_1")) == (1, 2, 2)
    assert own in catalog.ingestion.pending_vector_deletions()[1]
    assert catalog.documents.ids() == {own, other}  # its file is no stray
    assert (listed(catalog), listed(catalog, status="trashed")) == ([other], [own])
    assert listed(catalog, q="a.txt") == listed(catalog, status="indexed", q="a.txt") == []
    assert catalog.documents.statistics() == {
        **dict.fromkeys(catalog.documents.statistics(), 0),
        "indexed": 1,
        "trashed": 1,
    }
    assert catalog.collections.get("default").documents == 1
    assert catalog.documents.filtered_documents(1, {"filename": ["a.txt", "b.txt"]}) == [other]
    (turn,) = catalog.conversations.turns("talk")
    assert turn.answer != REMOVED_ANSWER  # it may come back
    assert bin_.trash(own).updated_at == trashed.updated_at
    with pytest.raises(NotFoundError):
        bin_.trash("f" * 32)


def test_restored_it_is_queued_and_indexed_again(catalog: Catalog, bin_: TrashCatalog) -> None:
    own = catalog.add("a.txt", "pump")
    bin_.trash(own)

    assert bin_.restore(own).status == DocumentStatus.QUEUED
    assert bin_.restore(own).status == DocumentStatus.QUEUED  # twice is once
    assert catalog.ingestion.claim(limit=9, max_bytes=9) == []  # not before its vectors are gone
    catalog.ingestion.vectors_deleted(1, [own])
    catalog.index(own, texts=["pump"])

    assert (catalog.status(own), catalog.documents.text(own), catalog.count("lexical_1")) == ("indexed", "pump", 2)
    with pytest.raises(NotFoundError):
        bin_.restore("f" * 32)


def test_what_failed_comes_back_failed_and_what_was_cancelled_is_tried(catalog: Catalog, bin_: TrashCatalog) -> None:
    bad, stopped = catalog.register(("a.pdf", "a"), rejected=UnreadableError("Damaged.")), catalog.register(("b", "b"))
    catalog.jobs.cancel("job-3")
    assert catalog.status(stopped[0].document_id) == "cancelled"
    for outcome in (*bad, *stopped):
        bin_.trash(outcome.document_id)

    back = bin_.restore(bad[0].document_id)

    assert (back.status, back.error_code, back.error_message) == ("failed", "unreadable", "Damaged.")
    assert bin_.restore(stopped[0].document_id).status == "queued"


@pytest.mark.parametrize(("name", "content"), [("a.txt", "another"), ("b.txt", "pump")])
def test_restoring_refuses_what_is_there_by_now(catalog: Catalog, bin_: TrashCatalog, name: str, content: str) -> None:
    own = catalog.add("a.txt", "pump")
    bin_.trash(own)
    (new,) = catalog.register((name, content))
    assert (new.status, new.duplicate_of) == (DocumentStatus.QUEUED, None)  # what lies in the trash is not there
    catalog.index(new.document_id)
    assert (catalog.status(own), catalog.status(new.document_id)) == ("trashed", "indexed")  # nor replaced

    with pytest.raises(ConflictError) as caught:
        bin_.restore(own)

    assert caught.value.details == {"document_id": new.document_id}
    assert catalog.status(own) == "trashed"
    bin_.trash(new.document_id)
    assert bin_.restore(own).status == "queued"


def test_in_flight_it_never_goes_live(catalog: Catalog, bin_: TrashCatalog) -> None:
    (one,) = catalog.register(("a.txt", "pump"))
    own = one.document_id
    catalog.ingestion.claim(limit=1, max_bytes=9)
    bin_.trash(own)

    assert catalog.index(own) == []
    assert (catalog.status(own), catalog.count("chunks")) == ("trashed", 0)
    assert not catalog.ingestion.fail(own, code="x", message="x")
    assert catalog.ingestion.resume() == 0
    assert own in catalog.ingestion.pending_vector_deletions()[1]
    assert catalog.jobs.get("job-1").documents == ()
    assert catalog.jobs.get("job-1").status == JobStatus.DONE
    catalog.jobs.queue_again([own])
    assert catalog.status(own) == "trashed"


def test_a_new_version_does_not_take_it_along(catalog: Catalog, bin_: TrashCatalog) -> None:
    own = catalog.add("a.txt", "pump")
    (new,) = catalog.register(("a.txt", "a new version"))
    bin_.trash(own)  # while its successor waits

    assert catalog.index(new.document_id) == []

    assert (catalog.status(own), catalog.status(new.document_id)) == ("trashed", "indexed")


def test_it_is_neither_moved_nor_edited_nor_in_the_way(catalog: Catalog, bin_: TrashCatalog) -> None:
    own, other = catalog.add("a.txt", "pump"), catalog.add("a.txt", "oil", "second")
    bin_.trash(own)
    for change in (
        lambda: catalog.documents.move(own, 2),
        lambda: catalog.documents.edit(own, metadata={"year": 1}),
        lambda: catalog.documents.text(own),
    ):
        with pytest.raises(ConflictError):
            change()
    assert catalog.documents.move(other, 1).collection == "default"


def test_a_folder_does_not_see_it(catalog: Catalog, bin_: TrashCatalog) -> None:
    own = catalog.add("a.txt", "pump")
    digest = catalog.documents.document(own).sha256
    bin_.trash(own)
    folders = FolderCatalog(catalog.database, catalog.lexical)

    assert folders.rearrange("default", FolderFiles({"b.txt": digest})).add == ["b.txt"]
    assert folders.rearrange("default", FolderFiles({}, prune=True)).delete == []
    assert catalog.status(own) == "trashed"


def test_emptied_it_is_gone_with_the_answers_that_cite_it(
    catalog: Catalog, bin_: TrashCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, second, kept = catalog.add("a.txt", "pump"), catalog.add("b.txt", "oil", "second"), catalog.add("c.txt", "bar")
    catalog.conversations.save(answer(1, own), "talk")
    for document_id in (own, second):
        bin_.trash(document_id)
    monkeypatch.setattr(trash_module, "EMPTIED_AT_ONCE", 1)

    assert (bin_.empty("default"), bin_.empty("default")) == ([own], [])
    assert catalog.conversations.turns("talk")[0].answer == REMOVED_ANSWER
    assert (bin_.empty(None), bin_.empty(None)) == ([second], [])
    assert catalog.documents.ids() == {kept}
    with pytest.raises(NotFoundError):
        bin_.empty("nowhere")


def test_deleted_for_good_and_with_its_collection(catalog: Catalog, bin_: TrashCatalog) -> None:
    own, second = catalog.add("a.txt", "pump"), catalog.add("b.txt", "oil")
    for document_id in (own, second):
        bin_.trash(document_id)
    assert CatalogAudit(catalog.database).statistics() == {"documents": 0, "trashed": 2, "chunks": 0}

    catalog.documents.delete(own)

    assert listed(catalog, status="trashed") == [second]
    assert catalog.documents.delete_collection("default") == (1, [second])
    assert catalog.documents.ids() == set()
