"""What a new file becomes: a document of its own, or the one that the collection has already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from catalog.rows import now
from catalog.tables import documents
from rag.errors import DocentError
from rag.types import DocumentStatus

# Documents that are on their way to being searchable.
IN_FLIGHT = (DocumentStatus.PARSING, DocumentStatus.CHUNKING, DocumentStatus.EMBEDDING)
WAITING = (DocumentStatus.QUEUED, *IN_FLIGHT)


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


def register_file(connection: Connection, collection: int, file: NewFile) -> Registered:
    """Record one file in the caller's transaction: as what the collection holds already, or as a queued document."""
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


def _is_being_replaced(connection: Connection, collection: int, same: Any) -> bool:
    """Whether a newer version of the document waits, so that it will be gone soon."""
    waiting = select(documents.c.id).where(
        documents.c.collection_id == collection,
        documents.c.filename == same.filename,
        documents.c.created_at > same.created_at,
        documents.c.status.in_(WAITING),
    )
    return connection.execute(waiting.limit(1)).first() is not None
