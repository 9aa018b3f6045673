"""The steps of ingestion in the catalog: register, claim, move on, go live, fail, resume.

Each step is one transaction and may be repeated. A document's chunks, keywords and status become visible together in
`go_live`; until then an older version of it keeps answering.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.documents import note_vector_deletion, present, remove
from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.mappers import now
from catalog.publication import Indexed, publish
from catalog.queue import Queue, Work, in_work, waiting_bytes
from catalog.registration import IN_FLIGHT, WAITING, NewFile, Registered, register_files
from catalog.tables import documents, job_documents, jobs, vector_deletions, vector_writes
from catalog.token_vectors import drop_of
from rag.errors import ConflictError, QueueFullError
from rag.types import DocumentStatus

MAX_ATTEMPTS = 3
KEEP_JOBS_DAYS = 30
"""Jobs that ended are forgotten after this; their documents stay."""

PRUNE_SECONDS = 3600.0
_UNTOUCHED: dict[str, Any] = {"status": DocumentStatus.QUEUED, "attempts": documents.c.attempts - 1}


class IngestionCatalog:
    """The catalog's side of the pipeline."""

    def __init__(self, database: Database, lexical: Fts5Index, *, max_queued_bytes: int | None = None) -> None:
        self._database = database
        self._lexical = lexical
        self._max_queued_bytes = max_queued_bytes
        self._queue = Queue(database)
        self._pruned_at = 0.0

    def register(
        self,
        job_id: str,
        collection: int,
        files: Sequence[NewFile],
        *,
        idempotency_key: str | None = None,
        idempotency_digest: str | None = None,
        before_commit: Callable[[Sequence[Registered]], None] = lambda _: None,
    ) -> list[Registered]:
        """Record an upload as a job. Bytes that the collection holds already give the document that they are.

        `before_commit` hears the outcomes before anything can be claimed.

        Raises:
            ConflictError: the idempotency key has been used.
        """
        with self._database.write() as connection:
            if idempotency_key and self.job_of_key(idempotency_key):
                raise ConflictError("This Idempotency-Key has been used.", code="idempotency_conflict")
            connection.execute(
                insert(jobs).values(
                    id=job_id,
                    collection_id=collection,
                    created_at=now(),
                    idempotency_key=idempotency_key,
                    idempotency_digest=idempotency_digest,
                )
            )
            before = waiting_bytes(connection)
            outcomes = register_files(connection, collection, files)
            self._require_room(before, waiting_bytes(connection))
            if outcomes:
                connection.execute(
                    insert(job_documents),
                    [
                        {
                            "job_id": job_id,
                            "position": position,
                            "document_id": outcome.document_id,
                            "unchanged": outcome.status == DocumentStatus.UNCHANGED,
                        }
                        for position, outcome in enumerate(outcomes)
                    ],
                )
            before_commit(outcomes)
            self._prune(connection)
        self._queue.changed()
        return outcomes

    def changed(self) -> None:
        """Something may have been queued otherwise than by `register`."""
        self._queue.changed()

    def require_room(self, more: int = 0) -> None:
        """Refuse an upload that would have too much waiting. Raises QueueFullError."""
        if self._max_queued_bytes is not None:
            with self._database.read() as connection:
                waiting = waiting_bytes(connection)
            self._require_room(waiting, waiting + more)

    def _require_room(self, before: int, after: int) -> None:
        # what is larger than the limit by itself must have its turn some time: when nothing else waits
        if self._max_queued_bytes is not None and before and after > max(self._max_queued_bytes, before):
            raise QueueFullError(
                f"{before / (1 << 20):.0f} MiB wait to be indexed already, and DOCENT_MAX_QUEUED_MB is "
                f"{self._max_queued_bytes >> 20}. Nothing of this upload was kept: send it again later.",
                details={"limit_mb": self._max_queued_bytes >> 20},
            )

    def _prune(self, connection: Connection) -> None:
        """Forget jobs that ended long ago, with their idempotency keys; once an hour."""
        if self._pruned_at and time.monotonic() - self._pruned_at < PRUNE_SECONDS:
            return
        self._pruned_at = time.monotonic()
        unfinished = (
            select(job_documents.c.job_id)
            .join(documents, documents.c.id == job_documents.c.document_id)
            .where(documents.c.status.in_(WAITING))
        )
        old = jobs.c.created_at < now() - timedelta(days=KEEP_JOBS_DAYS)
        connection.execute(delete(jobs).where(old, jobs.c.id.not_in(unfinished)))

    def job_of_key(self, idempotency_key: str) -> tuple[str, str] | None:
        """The job that was made with this key, and the digest of what came with it."""
        with self._database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.idempotency_key == idempotency_key)).first()
        return (row.id, row.idempotency_digest) if row else None

    def claim(self, *, limit: int, max_bytes: int, small: bool = False, without: Collection[str] = ()) -> list[Work]:
        """See `catalog.queue.Queue.claim`."""
        return self._queue.claim(limit=limit, max_bytes=max_bytes, small=small, without=without)

    def advance(self, ids: Sequence[str], status: DocumentStatus) -> None:
        """Move documents in flight on to `status`; deleted or cancelled ones stay as they are."""
        with self._database.write() as connection:
            connection.execute(_in_flight(ids).values(status=status, updated_at=now()))

    def reached(self, document_id: str, page: int, pages: int) -> None:
        """Note how far the reading of a document in flight has come."""
        with self._database.write() as connection:
            connection.execute(
                _in_flight([document_id]).values(progress_done=page, progress_total=pages, updated_at=now())
            )

    def expect(self, chunks: Mapping[str, int]) -> None:
        """Move documents on to embedding; `chunks` says how many chunks each has."""
        with self._database.write() as connection:
            for count in set(chunks.values()):
                ids = [document_id for document_id, own in chunks.items() if own == count]
                connection.execute(
                    _in_flight(ids).values(
                        status=DocumentStatus.EMBEDDING, progress_done=0, progress_total=count, updated_at=now()
                    )
                )

    def progress(self, done: Mapping[str, int]) -> None:
        """Note how many more chunks of each document are embedded."""
        with self._database.write() as connection:
            for document_id, count in done.items():
                more = documents.c.progress_done + count
                connection.execute(_in_flight([document_id]).values(progress_done=more))

    def go_live(self, collection: int, batch: Sequence[Indexed]) -> list[str]:
        """Make documents searchable, each instead of its older versions, all at once.

        Returns:
            The ids of documents that ended here: older versions, which are gone now.
        """
        gone: list[str] = []
        with self._database.write() as connection:
            versions = _versions(connection, collection, [item.id for item in batch])
            newest: dict[str, datetime] = {}
            for row in versions.values():
                if row.live:
                    newest[row.filename] = max(newest.get(row.filename, row.created_at), row.created_at)
            living: list[Indexed] = []
            for item in batch:
                own = versions.get(item.id)
                if own is not None and own.status == DocumentStatus.INDEXED:
                    continue  # cancelled and retried while it was embedded: the same work was done twice
                if own is None or own.status != DocumentStatus.EMBEDDING:
                    # deleted, moved or cancelled meanwhile: the vectors just written must go again
                    note_vector_deletion(connection, item.id, collection)
                elif newest.get(own.filename, own.created_at) > own.created_at:
                    gone.append(item.id)
                else:
                    newest[own.filename] = own.created_at
                    living.append(item)
            superseded = [
                row.id for row in versions.values() if row.created_at < newest.get(row.filename, row.created_at)
            ]
            gone += [document_id for document_id in superseded if document_id not in gone]
            living = [item for item in living if item.id not in gone]
            rows = publish(connection, living)
            self._lexical.add(
                connection,
                collection,
                [(number, versions[item.id].filename, chunk.heading, chunk.text) for number, item, chunk in rows],
            )
            remove(connection, self._lexical, gone)
            _writing_ended(connection, collection, [item.id for item in batch])
        return gone

    def abandon(self, collection: int, ids: Sequence[str]) -> None:
        """The vectors of documents will not be completed: note them for deletion, unless the document is live."""
        with self._database.write() as connection:
            live = set(
                connection.execute(select(documents.c.id).where(documents.c.id.in_(ids), documents.c.live)).scalars()
            )
            for document_id in set(ids) - live:
                note_vector_deletion(connection, document_id, collection)
            _writing_ended(connection, collection, ids)

    def suspect(self, ids: Sequence[str]) -> None:
        """Put documents of a batch that broke back into the queue, to be tried one by one."""
        with self._database.write() as connection:
            connection.execute(_in_flight(ids).values(status=DocumentStatus.QUEUED, updated_at=now()))

    def fail(self, document_id: str, *, code: str, message: str) -> bool:
        """End a document's ingestion with its reason; False if it was not in flight."""
        with self._database.write() as connection:
            failed = connection.execute(
                _in_flight([document_id]).values(
                    status=DocumentStatus.FAILED, error_code=code, error_message=message, updated_at=now()
                )
            )
            connection.execute(delete(vector_writes).where(vector_writes.c.document_id == document_id))
            return failed.rowcount > 0

    def requeue(self, ids: Sequence[str]) -> None:
        """Put documents in flight back into the queue, untouched."""
        with self._database.write() as connection:
            for document_id in ids:
                connection.execute(_in_flight([document_id]).values(**_UNTOUCHED, updated_at=now()))

    def release(self) -> None:
        """At an orderly stop: queue everything in flight again. It does not count as an attempt."""
        in_flight = documents.c.status.in_(IN_FLIGHT)
        with self._database.write() as connection:
            for row in connection.execute(select(documents.c.id, documents.c.collection_id).where(in_flight)).all():
                note_vector_deletion(connection, row.id, row.collection_id)
            connection.execute(update(documents).where(in_flight).values(**_UNTOUCHED))

    def resume(self) -> int:
        """After a start: queue what was cut off, fail what was cut off too often. Returns the number queued."""
        with self._database.write() as connection:
            cut = connection.execute(
                select(documents.c.id, documents.c.collection_id, documents.c.attempts).where(
                    documents.c.status.in_(IN_FLIGHT)
                )
            ).all()
            # also of documents that were deleted while they were embedded, which have no row any more
            for row in connection.execute(select(vector_writes)).all():
                live = select(documents.c.id).where(
                    documents.c.id == row.document_id, documents.c.collection_id == row.collection_id, documents.c.live
                )
                if connection.execute(live).first() is None:
                    note_vector_deletion(connection, row.document_id, row.collection_id)
            connection.execute(delete(vector_writes))
            for row in cut:
                note_vector_deletion(connection, row.id, row.collection_id)
                values: dict[str, Any] = {"status": DocumentStatus.QUEUED}
                if row.attempts >= MAX_ATTEMPTS:
                    values = {
                        "status": DocumentStatus.FAILED,
                        "error_code": "interrupted",
                        "error_message": f"Ingestion was cut off {row.attempts} times. Retry it, or check the file.",
                    }
                connection.execute(update(documents).where(documents.c.id == row.id).values(values))
        return len(cut)

    def pending_vector_deletions(self) -> dict[int, list[str]]:
        """Documents whose vectors are to be forgotten, by collection."""
        found: dict[int, list[str]] = {}
        with self._database.read() as connection:
            for row in connection.execute(select(vector_deletions)):
                found.setdefault(row.collection_id, []).append(row.document_id)
        return found

    def vectors_deleted(self, collection: int, ids: Sequence[str]) -> None:
        """Note that the dense index has forgotten these documents, and forget what was kept of their tokens since."""
        with self._database.write() as connection:
            drop_of(connection, collection, ids)
            connection.execute(
                delete(vector_deletions).where(
                    vector_deletions.c.collection_id == collection, vector_deletions.c.document_id.in_(ids)
                )
            )

    def pending(self) -> int:
        """Documents that are queued or in flight."""
        with self._database.read() as connection:
            query = select(func.count()).select_from(documents).where(documents.c.status.in_(WAITING))
            return int(connection.execute(query).scalar_one())

    def in_flight(self) -> int:
        """Documents between the queue and their end."""
        with self._database.read() as connection:
            return in_work(connection)


def _writing_ended(connection: Connection, collection: int, ids: Sequence[str]) -> None:
    connection.execute(
        delete(vector_writes).where(vector_writes.c.collection_id == collection, vector_writes.c.document_id.in_(ids))
    )


def _in_flight(ids: Sequence[str]) -> Any:
    return update(documents).where(documents.c.id.in_(ids), documents.c.status.in_(IN_FLIGHT))


def _versions(connection: Connection, collection: int, ids: Sequence[str]) -> dict[str, Any]:
    """These documents of a collection and all others of the same file names, by id; without those in the trash, which
    no newer version replaces.
    """
    names = select(documents.c.filename).where(documents.c.id.in_(ids))
    rows = connection.execute(
        select(
            documents.c.id, documents.c.filename, documents.c.created_at, documents.c.status, documents.c.live
        ).where(documents.c.collection_id == collection, documents.c.filename.in_(names), present())
    )
    return {row.id: row for row in rows}
