"""What a new file becomes: a document of its own, or the one that the collection has already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from catalog.mappers import now
from catalog.tables import documents
from rag.errors import DocentError
from rag.types import DocumentStatus

# Documents that are on their way to being searchable.
IN_FLIGHT = (DocumentStatus.PARSING, DocumentStatus.CHUNKING, DocumentStatus.EMBEDDING)
WAITING = (DocumentStatus.QUEUED, *IN_FLIGHT)
# Files looked up in one statement; SQLite takes 32,766 parameters.
LOOKUP = 5000


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


def register_files(connection: Connection, collection: int, files: Sequence[NewFile]) -> list[Registered]:
    """Record files in the caller's transaction: each as what the collection holds already, or as a queued document."""
    known = _Known(connection, collection, files)
    new: list[dict[str, Any]] = []
    outcomes = []
    for file in files:
        same = known.by_digest.get(file.sha256)
        older = known.by_name.get(file.filename)
        created = _later_than(older["created_at"] if older else None)
        if same is None or known.is_being_replaced(same):
            row = _row(collection, file, created, replaces=older["id"] if older else None)
            new.append(row)
            known.add(row)
            outcomes.append(Registered(file.id, row["status"], None))
        elif same["status"] in (DocumentStatus.FAILED, DocumentStatus.CANCELLED) and not file.rejected:
            again = {"filename": file.filename, "media_type": file.media_type, "metadata": dict(file.metadata)}
            connection.execute(_queued_again(same["id"]).values(created_at=created, **again))
            known.add({**same, **again, "status": DocumentStatus.QUEUED, "created_at": created})
            outcomes.append(Registered(same["id"], DocumentStatus.QUEUED, same["id"]))
        else:
            failed = same["status"] == DocumentStatus.FAILED
            status = DocumentStatus.FAILED if failed else DocumentStatus.UNCHANGED
            outcomes.append(Registered(same["id"], status, same["id"]))
    if new:
        connection.execute(insert(documents), new)
    return outcomes


class _Known:
    """The documents of a collection that have the digests or names of some files; the newest of each counts, and none
    that is in the trash.
    """

    def __init__(self, connection: Connection, collection: int, files: Sequence[NewFile]) -> None:
        self.by_digest: dict[str, dict[str, Any]] = {}
        self.by_name: dict[str, dict[str, Any]] = {}
        self._connection = connection
        columns = (documents.c.id, documents.c.filename, documents.c.sha256, documents.c.status, documents.c.created_at)
        for start in range(0, len(files), LOOKUP):
            part = files[start : start + LOOKUP]
            found = select(*columns).where(
                documents.c.collection_id == collection,
                documents.c.status != DocumentStatus.TRASHED,
                documents.c.sha256.in_([file.sha256 for file in part])
                | documents.c.filename.in_([file.filename for file in part]),
            )
            for row in connection.execute(found.order_by(documents.c.created_at)).mappings():
                self.add(dict(row))
        self._collection = collection

    def add(self, row: dict[str, Any]) -> None:
        """Take note of a document; it is newer than those noted before."""
        self.by_digest[row["sha256"]] = row
        self.by_name[row["filename"]] = row

    def is_being_replaced(self, same: dict[str, Any]) -> bool:
        """Whether a newer version of a document waits, so that it will be gone soon."""
        newer = self.by_name.get(same["filename"])
        if newer is not None and newer["created_at"] > same["created_at"]:
            return newer["status"] in WAITING
        waiting = select(documents.c.id).where(
            documents.c.collection_id == self._collection,
            documents.c.filename == same["filename"],
            documents.c.created_at > same["created_at"],
            documents.c.status.in_(WAITING),
        )
        return self._connection.execute(waiting.limit(1)).first() is not None


def _row(collection: int, file: NewFile, created: datetime, *, replaces: str | None) -> dict[str, Any]:
    return {
        "id": file.id,
        "collection_id": collection,
        "filename": file.filename,
        "media_type": file.media_type,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "status": DocumentStatus.FAILED if file.rejected else DocumentStatus.QUEUED,
        "live": False,
        "replaces": replaces,
        "error_code": file.rejected.code if file.rejected else None,
        "error_message": file.rejected.message if file.rejected else None,
        "metadata": dict(file.metadata),
        "created_at": created,
        "updated_at": created,
    }


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
