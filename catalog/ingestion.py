"""The steps of ingestion in the catalog: register, claim, move on, go live, fail, resume.

Each step is one transaction and may be repeated. A document's chunks, keywords and status become visible together in
`go_live`; until then an older version of it keeps answering.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.documents import note_vector_deletion, remove
from catalog.engine import Database
from catalog.rows import now
from catalog.tables import chunks, documents, job_documents, jobs, texts, vector_deletions
from rag.errors import ConflictError, DocentError
from rag.types import Chunk, DocumentStatus, ParsedDocument
from vectorstore.lexical import Fts5Index

IN_FLIGHT = (DocumentStatus.PARSING, DocumentStatus.CHUNKING, DocumentStatus.EMBEDDING)
MAX_ATTEMPTS = 3
_UNTOUCHED: dict[str, Any] = {"status": DocumentStatus.QUEUED, "attempts": documents.c.attempts - 1}


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that has been stored under `id` and waits to be registered; `rejected` makes it a failed document."""

    id: str
    filename: str
    media_type: str
    bytes: int
    sha256: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rejected: DocentError | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a new file: the document it is, and whether that one was there already."""

    document_id: str
    status: DocumentStatus
    duplicate_of: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed document."""

    id: str
    filename: str
    collection_id: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document whose vectors are stored and that may go live."""

    id: str
    parsed: ParsedDocument
    chunks: Sequence[Chunk]


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
    ) -> list[Registered]:
        """Record an upload as a job. Bytes that the collection holds already give the document that they are.

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
            outcomes = [_register_one(connection, collection, file) for file in files]
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

    def advance(self, ids: Sequence[str], status: DocumentStatus, *, totals: Mapping[str, int] | None = None) -> None:
        """Move documents in flight on to `status`; deleted or cancelled ones stay as they are."""
        with self._database.write() as connection:
            for document_id in ids:
                values: dict[str, Any] = {"status": status, "updated_at": now()}
                if totals is not None:
                    values |= {"progress_total": totals.get(document_id, 0), "progress_done": 0}
                connection.execute(_in_flight(document_id).values(values))

    def progress(self, done: Mapping[str, int]) -> None:
        """Note how many chunks of each document are embedded."""
        with self._database.write() as connection:
            for document_id, count in done.items():
                connection.execute(_in_flight(document_id).values(progress_done=count))

    def go_live(self, collection: int, batch: Sequence[Indexed]) -> list[str]:
        """Make documents searchable, each instead of its older versions, all at once.

        Returns:
            The ids of documents that ended here: older versions, which are gone now.
        """
        gone: list[str] = []
        with self._database.write() as connection:
            for item in batch:
                row = connection.execute(
                    select(documents.c.filename, documents.c.created_at, documents.c.status).where(
                        documents.c.id == item.id, documents.c.collection_id == collection
                    )
                ).first()
                if row is not None and row.status == DocumentStatus.INDEXED:
                    continue  # cancelled and retried while it was embedded: the same work was done twice
                if row is None or row.status != DocumentStatus.EMBEDDING:
                    # deleted, moved or cancelled meanwhile: the vectors just written must go again
                    note_vector_deletion(connection, item.id, collection)
                    continue
                others = _versions(connection, collection, row.filename, item.id)
                if any(other.live and other.created_at > row.created_at for other in others):
                    gone.append(item.id)
                    continue
                gone.extend(other.id for other in others if other.created_at < row.created_at)
                _insert_text(connection, item)
                rows = _insert_chunks(connection, item)
                self._lexical.add(
                    connection,
                    collection,
                    [
                        (number, row.filename, chunk.heading, chunk.text)
                        for number, chunk in zip(rows, item.chunks, strict=True)
                    ],
                )
                _mark_live(connection, item)
            remove(connection, self._lexical, gone)
        return gone

    def fail(self, document_id: str, *, code: str, message: str) -> bool:
        """End a document's ingestion with its reason; False if it was not in flight."""
        with self._database.write() as connection:
            failed = connection.execute(
                _in_flight(document_id).values(
                    status=DocumentStatus.FAILED, error_code=code, error_message=message, updated_at=now()
                )
            )
            return failed.rowcount > 0

    def requeue(self, ids: Sequence[str]) -> None:
        """Put documents in flight back into the queue, untouched."""
        with self._database.write() as connection:
            for document_id in ids:
                connection.execute(_in_flight(document_id).values(**_UNTOUCHED, updated_at=now()))

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
        waiting = (DocumentStatus.QUEUED, *IN_FLIGHT)
        with self._database.read() as connection:
            query = select(func.count()).select_from(documents).where(documents.c.status.in_(waiting))
            return int(connection.execute(query).scalar_one())


def _register_one(connection: Connection, collection: int, file: NewFile) -> Registered:
    same = connection.execute(
        select(documents.c.id, documents.c.filename, documents.c.status, documents.c.created_at)
        .where(documents.c.collection_id == collection, documents.c.sha256 == file.sha256)
        .order_by(documents.c.created_at.desc())
    ).first()
    older = connection.execute(
        select(documents.c.id, documents.c.created_at)
        .where(documents.c.collection_id == collection, documents.c.filename == file.filename)
        .order_by(documents.c.created_at.desc())
    ).first()
    created = _later_than(older.created_at if older else None)
    if same is not None and not _is_being_replaced(connection, collection, same):
        if same.status in (DocumentStatus.FAILED, DocumentStatus.CANCELLED):
            if file.rejected:
                return Registered(same.id, DocumentStatus.FAILED, same.id)
            connection.execute(
                _queued_again(same.id).values(
                    filename=file.filename, media_type=file.media_type, metadata=dict(file.metadata), created_at=created
                )
            )
            return Registered(same.id, DocumentStatus.QUEUED, same.id)
        return Registered(same.id, DocumentStatus.UNCHANGED, same.id)
    status = DocumentStatus.FAILED if file.rejected else DocumentStatus.QUEUED
    connection.execute(
        insert(documents).values(
            id=file.id,
            collection_id=collection,
            filename=file.filename,
            media_type=file.media_type,
            bytes=file.bytes,
            sha256=file.sha256,
            status=status,
            live=False,
            replaces=older.id if older else None,
            error_code=file.rejected.code if file.rejected else None,
            error_message=file.rejected.message if file.rejected else None,
            metadata=dict(file.metadata),
            created_at=created,
            updated_at=created,
        )
    )
    return Registered(file.id, status, None)


def _is_being_replaced(connection: Connection, collection: int, same: Any) -> bool:
    """Whether a newer version of the document waits, so that it will be gone soon."""
    waiting = select(documents.c.id).where(
        documents.c.collection_id == collection,
        documents.c.filename == same.filename,
        documents.c.created_at > same.created_at,
        documents.c.status.in_((DocumentStatus.QUEUED, *IN_FLIGHT)),
    )
    return connection.execute(waiting.limit(1)).first() is not None


def _later_than(moment: datetime | None) -> datetime:
    # versions of one file are ordered by this time, whatever the clock does
    present = now()
    return present if moment is None or present > moment else moment + timedelta(microseconds=1)


def _queued_again(document_id: str) -> Any:
    return (
        update(documents)
        .where(documents.c.id == document_id)
        .values(status=DocumentStatus.QUEUED, attempts=0, error_code=None, error_message=None, updated_at=now())
    )


def _in_flight(document_id: str) -> Any:
    return update(documents).where(documents.c.id == document_id, documents.c.status.in_(IN_FLIGHT))


def _versions(connection: Connection, collection: int, filename: str, but: str) -> Sequence[Any]:
    return connection.execute(
        select(documents.c.id, documents.c.created_at, documents.c.live).where(
            documents.c.collection_id == collection, documents.c.filename == filename, documents.c.id != but
        )
    ).all()


def _insert_text(connection: Connection, item: Indexed) -> None:
    connection.execute(
        insert(texts).values(
            document_id=item.id,
            text=item.parsed.text,
            pages=[[page.number, page.start, page.end] for page in item.parsed.pages],
            headings=[[heading.level, heading.title, heading.start] for heading in item.parsed.headings],
        )
    )


def _insert_chunks(connection: Connection, item: Indexed) -> list[int]:
    last = connection.execute(select(func.coalesce(func.max(chunks.c.row), 0))).scalar_one()
    rows = list(range(last + 1, last + 1 + len(item.chunks)))
    if rows:
        connection.execute(
            insert(chunks),
            [
                {
                    "row": number,
                    "id": chunk_id(item.id, chunk.ordinal),
                    "document_id": item.id,
                    "ordinal": chunk.ordinal,
                    "char_start": chunk.start,
                    "char_end": chunk.end,
                    "page": chunk.page,
                    "page_end": chunk.page_end,
                    "heading": chunk.heading,
                    "text": chunk.text,
                }
                for number, chunk in zip(rows, item.chunks, strict=True)
            ],
        )
    return rows


def _mark_live(connection: Connection, item: Indexed) -> None:
    title = item.parsed.metadata.get("title")
    connection.execute(
        update(documents)
        .where(documents.c.id == item.id)
        .values(
            status=DocumentStatus.INDEXED,
            live=True,
            chunks=len(item.chunks),
            pages=len(item.parsed.pages) or None,
            warnings=list(item.parsed.warnings),
            progress_done=len(item.chunks),
            progress_total=len(item.chunks),
            error_code=None,
            error_message=None,
            updated_at=now(),
            **({"metadata": func.json_patch(func.json_object("title", title), documents.c.metadata)} if title else {}),
        )
    )


def chunk_id(document_id: str, ordinal: int) -> str:
    """The id of a chunk in both indexes: the same for the same bytes and recipe, so that work may be repeated."""
    return f"{document_id}-{ordinal}"
