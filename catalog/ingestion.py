"""The steps of ingestion in the catalog: register, claim, move on, go live, fail, resume.

Each step is one transaction and may be repeated. A document's chunks, keywords and status become visible together in
`go_live`; until then an older version of it keeps answering.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.documents import note_vector_deletion, remove
from catalog.engine import Database
from catalog.publication import Indexed, publish
from catalog.registration import IN_FLIGHT, WAITING, NewFile, Registered, register_files
from catalog.rows import now
from catalog.tables import documents, job_documents, jobs, vector_deletions
from rag.errors import ConflictError
from rag.types import DocumentStatus
from vectorstore.lexical import Fts5Index

MAX_ATTEMPTS = 3
_UNTOUCHED: dict[str, Any] = {"status": DocumentStatus.QUEUED, "attempts": documents.c.attempts - 1}


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed document."""

    id: str
    filename: str
    collection_id: int
    bytes: int


class IngestionCatalog:
    """The catalog's side of the pipeline."""

    def __init__(self, database: Database, lexical: Fts5Index) -> None:
        self._database = database
        self._lexical = lexical

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
            outcomes = register_files(connection, collection, files)
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
        return outcomes

    def job_of_key(self, idempotency_key: str) -> tuple[str, str] | None:
        """The job that was made with this key, and the digest of what came with it."""
        with self._database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.idempotency_key == idempotency_key)).first()
        return (row.id, row.idempotency_digest) if row else None

    def claim(self, *, limit: int, max_bytes: int) -> list[Work]:
        """Take the oldest queued documents of one collection for parsing: at least one, if there is any."""
        with self._database.write() as connection:
            queued = (
                select(documents.c.id, documents.c.filename, documents.c.collection_id, documents.c.bytes)
                .where(documents.c.status == DocumentStatus.QUEUED)
                .order_by(documents.c.created_at)
            )
            first = connection.execute(queued.limit(1)).first()
            if first is None:
                return []
            rows = connection.execute(queued.where(documents.c.collection_id == first.collection_id).limit(limit))
            work: list[Work] = []
            size = 0
            for row in rows:
                size += row.bytes
                if work and size > max_bytes:
                    break
                work.append(Work(row.id, row.filename, row.collection_id, row.bytes))
            connection.execute(
                update(documents)
                .where(documents.c.id.in_([item.id for item in work]))
                .values(status=DocumentStatus.PARSING, attempts=documents.c.attempts + 1, updated_at=now())
            )
        return work

    def advance(self, ids: Sequence[str], status: DocumentStatus) -> None:
        """Move documents in flight on to `status`; deleted or cancelled ones stay as they are."""
        with self._database.write() as connection:
            connection.execute(_in_flight(ids).values(status=status, updated_at=now()))

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
        return gone

    def fail(self, document_id: str, *, code: str, message: str) -> bool:
        """End a document's ingestion with its reason; False if it was not in flight."""
        with self._database.write() as connection:
            failed = connection.execute(
                _in_flight([document_id]).values(
                    status=DocumentStatus.FAILED, error_code=code, error_message=message, updated_at=now()
                )
            )
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
        """Note that the dense index has forgotten these documents."""
        with self._database.write() as connection:
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
            query = select(func.count()).select_from(documents).where(documents.c.status.in_(IN_FLIGHT))
            return int(connection.execute(query).scalar_one())


def _in_flight(ids: Sequence[str]) -> Any:
    return update(documents).where(documents.c.id.in_(ids), documents.c.status.in_(IN_FLIGHT))


def _versions(connection: Connection, collection: int, ids: Sequence[str]) -> dict[str, Any]:
    """These documents of a collection and all others of the same file names, by id."""
    names = select(documents.c.filename).where(documents.c.id.in_(ids))
    rows = connection.execute(
        select(
            documents.c.id, documents.c.filename, documents.c.created_at, documents.c.status, documents.c.live
        ).where(documents.c.collection_id == collection, documents.c.filename.in_(names))
    )
    return {row.id: row for row in rows}
