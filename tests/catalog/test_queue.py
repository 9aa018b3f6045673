"""Whose turn it is: uploads and collections in turns, small uploads past large ones, interrupted documents alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from catalog.ingestion import KEEP_JOBS_DAYS, MAX_ATTEMPTS, IngestionCatalog
from catalog.mappers import now
from catalog.queue import FILL_BYTES, SMALL_BYTES
from catalog.tables import documents, jobs
from rag.errors import NotFoundError, QueueFullError
from tests.catalog.conftest import Catalog, parsed

LARGE = SMALL_BYTES // 4


def upload(catalog: Catalog, letter: str, number: int, *, size: int = 10, collection: str = "default") -> list[str]:
    """An upload of so many files of `size` bytes; their ids."""
    return [
        outcome.document_id
        for outcome in catalog.register(
            *[(f"{letter}{n}", f"{letter}{n} ".ljust(size, "x")) for n in range(number)], collection=collection
        )
    ]


def claimed(catalog: Catalog, limit: int = 4, max_bytes: int = 1 << 22, **more: Any) -> str:
    """The names of the next batch, put together."""
    work = catalog.ingestion.claim(limit=limit, max_bytes=max_bytes, **more)
    return " ".join(item.filename for item in work)


def ended(catalog: Catalog, *ids: str) -> None:
    for own in ids:
        catalog.ingestion.fail(own, code="x", message="x")


def test_uploads_take_turns(catalog: Catalog) -> None:
    upload(catalog, "a", 7, size=LARGE)
    assert claimed(catalog, 2) == "a0 a1"
    upload(catalog, "b", 3, size=LARGE)
    assert claimed(catalog, 2) == "a2 a3"  # its last turn was before the other came
    assert claimed(catalog, 2) == "b0 b1"
    upload(catalog, "c", 1, size=LARGE)
    assert claimed(catalog, 2) == "a4 a5"
    assert claimed(catalog, 2) == "b2"
    assert claimed(catalog, 2) == "c0"
    assert claimed(catalog, 2) == "a6"
    assert claimed(catalog, 2) == ""


def test_a_late_upload_waits_for_one_batch_of_each_other_at_most(catalog: Catalog) -> None:
    for letter in "abcde":
        upload(catalog, letter, 40, size=LARGE)
    for _ in range(5):
        claimed(catalog)
    upload(catalog, "z", 1, size=LARGE)

    order = [claimed(catalog)[0] for _ in range(8)]

    assert order.index("z") <= 5
    assert sorted(order[:5]) == list("abcde")


def test_collections_take_turns_however_many_uploads_they_have(catalog: Catalog) -> None:
    for letter in "abcdef":
        upload(catalog, letter, 1, size=LARGE)
    upload(catalog, "y", 3, size=LARGE, collection="other")

    assert [claimed(catalog, 1) for _ in range(6)] == ["a0", "y0", "b0", "y1", "c0", "y2"]


def test_small_uploads_of_a_collection_share_a_batch_and_leave_large_ones_alone(catalog: Catalog) -> None:
    upload(catalog, "a", 1)
    upload(catalog, "l", 9)
    upload(catalog, "h", 1, size=FILL_BYTES + 1)
    upload(catalog, "o", 1, collection="other")
    upload(catalog, "b", 2)
    upload(catalog, "c", 1)

    assert claimed(catalog, 4) == "a0 b0 b1 c0"
    assert claimed(catalog, 4) == "o0"
    assert claimed(catalog, 4) == "l0 l1 l2 l3"


def test_the_express_way_takes_what_is_nearly_done(catalog: Catalog) -> None:
    upload(catalog, "h", 3, size=SMALL_BYTES // 2)
    upload(catalog, "m", 2, size=100)
    upload(catalog, "s", 1, size=50)

    assert claimed(catalog, 1, small=True) == "s0"
    assert claimed(catalog, 1, small=True) == "m0"
    assert claimed(catalog, 1, small=True) == "m1"
    assert claimed(catalog, 1, small=True) == ""
    assert claimed(catalog, 1) == "h0"
    catalog.ingestion.changed()
    assert claimed(catalog, 1, small=True) == "h1"


def test_what_is_in_flight_still_is_not_claimed_whatever_its_row_says(catalog: Catalog) -> None:
    one, two = upload(catalog, "a", 2)
    assert claimed(catalog, without={one}) == "a1"
    assert claimed(catalog) == "a0"
    assert two != one


def test_an_interrupted_document_is_tried_alone(catalog: Catalog) -> None:
    """The innocent survive a file that ends the process, each time that it is in work."""
    ids = upload(catalog, "a", 6)
    poison = ids[2]
    upload(catalog, "b", 2)
    starts = 0
    live: set[str] = set()

    while catalog.ingestion.pending():
        starts += 1
        catalog.ingestion.resume()
        for collection, gone in catalog.ingestion.pending_vector_deletions().items():
            catalog.ingestion.vectors_deleted(collection, gone)
        while work := catalog.ingestion.claim(limit=4, max_bytes=1000):
            own = [item.id for item in work]
            assert catalog.ingestion.claim(limit=4, max_bytes=1000) == [] or starts == 1
            if poison in own:
                break  # the process ends here
            catalog.ingestion.expect(dict.fromkeys(own, 2))
            catalog.ingestion.go_live(1, [parsed(each, f"text of {each}") for each in own])
            live.update(own)

    assert starts == MAX_ATTEMPTS + 1
    assert catalog.status(poison) == "failed"
    assert {catalog.status(own) for own in ids if own != poison} == {"indexed"}
    assert len(live) == 7


def test_a_batch_that_broke_is_tried_one_by_one(catalog: Catalog) -> None:
    ids = upload(catalog, "a", 3)
    assert claimed(catalog) == "a0 a1 a2"
    catalog.ingestion.suspect(ids)
    upload(catalog, "b", 1)

    assert claimed(catalog, small=True) == "b0"
    assert claimed(catalog) == ""  # something else is in work
    ended(catalog, *[item.id for item in catalog.documents.find(q="b").items])
    assert claimed(catalog) == "a0"
    assert claimed(catalog) == claimed(catalog, small=True) == ""
    upload(catalog, "c", 1)
    assert claimed(catalog) == ""
    ended(catalog, ids[0])
    assert claimed(catalog) == "c0"


def test_what_is_deleted_while_it_is_embedded_leaves_no_vectors_after_a_stop(catalog: Catalog) -> None:
    """Deleted, its vectors forgotten, more of them written, killed: nothing but the note of the writing knows of them."""
    (own,) = upload(catalog, "a", 1)
    claimed(catalog)
    catalog.ingestion.expect({own: 2})
    catalog.documents.delete(own)
    catalog.ingestion.vectors_deleted(1, [own])
    assert catalog.ingestion.pending_vector_deletions() == {}

    catalog.ingestion.resume()

    assert catalog.ingestion.pending_vector_deletions() == {1: [own]}
    catalog.ingestion.vectors_deleted(1, [own])
    catalog.ingestion.resume()
    assert catalog.ingestion.pending_vector_deletions() == {}


@pytest.mark.parametrize("end", ["live", "failed", "abandoned"])
def test_the_note_of_the_writing_goes_with_its_end(catalog: Catalog, end: str) -> None:
    (own,) = upload(catalog, "a", 1)
    claimed(catalog)
    assert catalog.count("vector_writes") == 1
    catalog.ingestion.expect({own: 2})
    if end == "live":
        catalog.ingestion.go_live(1, [parsed(own, "two words")])
    elif end == "failed":
        ended(catalog, own)
    else:
        catalog.ingestion.abandon(1, [own])

    assert catalog.count("vector_writes") == 0
    assert catalog.ingestion.pending_vector_deletions() == ({1: [own]} if end == "abandoned" else {})
    catalog.ingestion.abandon(1, [own])
    assert (own in catalog.ingestion.pending_vector_deletions().get(1, [])) == (end != "live")


def test_too_much_is_not_queued_and_nothing_of_it_is_kept(catalog: Catalog) -> None:
    limited = IngestionCatalog(catalog.database, catalog.lexical, max_queued_bytes=100)
    number = catalog.collections.ensure("default").id
    first = [catalog.file("large", "x" * 150)]
    limited.register("job-a", number, first)  # nothing else waits: it must have its turn some time

    with pytest.raises(QueueFullError) as refused:
        limited.register("job-b", number, [catalog.file("b", "y" * 20)], idempotency_key="k")
    assert refused.value.code == "queue_full"
    assert (catalog.count("documents"), catalog.count("jobs"), catalog.count("job_documents")) == (1, 1, 1)
    assert limited.job_of_key("k") is None
    with pytest.raises(QueueFullError):
        limited.require_room(1)
    # what the collection has already costs nothing
    assert limited.register("job-c", number, [catalog.file("large", "x" * 150)])[0].duplicate_of == first[0].id

    limited.claim(limit=1, max_bytes=1)
    limited.fail(first[0].id, code="x", message="x")
    limited.require_room(100)
    limited.register("job-b", number, [catalog.file("b", "y" * 20)], idempotency_key="k")
    limited.register("job-d", number, [catalog.file("d", "z" * 80)])
    with pytest.raises(QueueFullError):
        limited.register("job-e", number, [catalog.file("e", "e")])


def test_old_jobs_are_forgotten_and_their_documents_stay(catalog: Catalog) -> None:
    own = catalog.add("old.txt", "old words")
    (waiting,) = upload(catalog, "w", 1)
    with catalog.database.write() as connection:
        long_ago = now() - timedelta(days=KEEP_JOBS_DAYS, hours=1)
        connection.execute(update(jobs).values(created_at=long_ago))
    assert catalog.count("jobs") == 2

    # as after a start
    IngestionCatalog(catalog.database, catalog.lexical).register("job-new", 1, [catalog.file("new", "new")])

    with catalog.database.read() as connection:
        left = set(connection.execute(text("SELECT job_id FROM job_documents")).scalars())
        of_waiting = connection.execute(
            text("SELECT job_id FROM job_documents WHERE document_id = :own"), {"own": waiting}
        ).scalar()
    assert left == {of_waiting, "job-new"}
    assert catalog.status(own) == "indexed"


def test_rate_and_time_left(catalog: Catalog) -> None:
    ids = upload(catalog, "a", 4, size=100)
    with catalog.database.read() as connection:
        job = str(connection.execute(text("SELECT id FROM jobs")).scalar())
    assert (catalog.jobs.get(job).rate, catalog.jobs.get(job).eta_seconds) == (None, None)
    catalog.ingestion.claim(limit=4, max_bytes=1000)
    with catalog.database.write() as connection:
        connection.execute(update(jobs).values(started_at=now() - timedelta(seconds=20)))
    assert (catalog.jobs.get(job).rate, catalog.jobs.get(job).eta_seconds) == (None, None)

    catalog.ingestion.expect(dict.fromkeys(ids, 10))
    ended(catalog, ids[0])
    catalog.ingestion.progress({ids[1]: 5})
    found = catalog.jobs.get(job)
    # one document and a half of another in 20 s; 250 of 400 bytes are left
    assert found.rate == pytest.approx(1 / 20, rel=0.1)
    assert found.eta_seconds == pytest.approx(20 * 250 / 150, rel=0.1)

    ended(catalog, *ids[1:])
    assert (catalog.jobs.get(job).rate, catalog.jobs.get(job).eta_seconds) == (None, None)
    catalog.jobs.queue_again(ids)
    assert catalog.jobs.get(job).rate is None
    with pytest.raises(NotFoundError):
        catalog.jobs.cancel("nothing")


def test_documents_without_a_job_have_their_turn(catalog: Catalog) -> None:
    own = catalog.add("a.txt", "words")
    with catalog.database.write() as connection:
        connection.execute(jobs.delete())
        connection.execute(update(documents).where(documents.c.id == own).values(status="queued", attempts=0))
    assert claimed(catalog) == "a.txt"
