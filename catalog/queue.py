"""Whose turn it is in the queue: collections in turns, uploads within a collection in turns, interrupted documents
alone.

Owns the order in which queued documents are claimed, and how much may wait. Turns are kept in memory: after a
start everybody begins anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from catalog.engine import Database
from catalog.mappers import now
from catalog.registration import IN_FLIGHT, WAITING
from catalog.tables import documents, job_documents, jobs, vector_deletions, vector_writes
from rag.types import DocumentStatus

SMALL_BYTES = 1 << 20
"""What an upload may have left to do to be let past a large one."""

FILL_BYTES = 256 << 10
"""Small uploads of a collection share a batch up to this size, so that a thousand of one file each go fast."""

# The overview of the queue is made anew after this time, and later if making it takes long.
_FRESH_SECONDS = 1.0
_SHARE = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an upload has waiting in a collection; `job` None: documents whose job is gone."""

    job: str | None
    collection: int
    documents: int
    bytes: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed document."""

    id: str
    filename: str
    collection_id: int
    bytes: int


class Queue:
    """Hands out what is queued. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = FairScheduler()
        self._claiming = threading.Lock()

    def changed(self) -> None:
        """Something was queued: look at the queue anew."""
        self._turns.changed()

    def claim(self, *, limit: int, max_bytes: int, small: bool = False, without: Collection[str] = ()) -> list[Work]:
        """Take queued documents of one collection for parsing: those of the upload whose turn it is.

        Where it has none left, other uploads that fit as a whole come along. At least one document, if there is any;
        `small`: only of an upload with little left to do. Documents `without` are left alone. A document that was
        interrupted before comes when no other waits, and alone.
        """
        with self._claiming, self._database.write() as connection:
            if _tried_alone(connection):
                return []
            rows, begun = self._next_rows(connection, limit, max_bytes, small=small, without=without)
            if not rows and not small:
                rows = _interrupted(connection, without=without)
            work = [Work(row.id, row.filename, row.collection_id, row.bytes) for row in rows]
            if work:
                connection.execute(
                    update(documents)
                    .where(documents.c.id.in_([item.id for item in work]))
                    .values(status=DocumentStatus.PARSING, attempts=documents.c.attempts + 1, updated_at=now())
                )
                written = [{"document_id": item.id, "collection_id": item.collection_id} for item in work]
                connection.execute(insert(vector_writes).prefix_with("OR REPLACE"), written)
                unbegun = jobs.c.id.in_(begun) & jobs.c.started_at.is_(None)
                connection.execute(update(jobs).where(unbegun).values(started_at=now()))
        return work

    def _next_rows(
        self, connection: Connection, limit: int, max_bytes: int, *, small: bool, without: Collection[str]
    ) -> tuple[list[Any], list[str]]:
        """The documents of a batch, and the uploads that they belong to."""
        ordered = self._turns.ordered(self._turns.overview(connection), small=small)
        for chosen in ordered:
            rows = _within(_queued_rows(connection, chosen, limit=limit, without=without), max_bytes)
            self._turns.took(chosen) if rows else self._turns.done_with(chosen)
            if not rows:
                continue
            begun = [chosen.job]
            if len(rows) == chosen.documents:
                self._turns.done_with(chosen)
                room = min(max_bytes, FILL_BYTES) - sum(row.bytes for row in rows)
                for other in _companions(ordered, chosen, room, limit - len(rows)):
                    taken = {*without, *(row.id for row in rows)}
                    rows += _queued_rows(connection, other, limit=limit - len(rows), without=taken)
                    self._turns.took(other)
                    self._turns.done_with(other)
                    begun.append(other.job)
            return rows, [job for job in begun if job is not None]
        return [], []


class FairScheduler:
    """Decides which upload is next. Used under the lock of whoever claims."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, str | None] | int, datetime] = {}
        self._overview: list[Waiting] = []
        self._stale_at = 0.0

    def changed(self) -> None:
        """Something was queued: look at the queue anew."""
        self._stale_at = 0.0

    def overview(self, connection: Connection) -> list[Waiting]:
        """What waits, without interrupted documents; up to a second old, or a little more for a very long queue."""
        started = time.monotonic()
        if started >= self._stale_at or not self._overview:
            self._overview = list(_waiting(connection))
            ended = time.monotonic()
            self._stale_at = ended + max(_FRESH_SECONDS, _SHARE * (ended - started))
        return self._overview

    def done_with(self, upload: Waiting) -> None:
        """An upload of the overview has nothing left."""
        self._overview = [each for each in self._overview if each is not upload]

    def ordered(self, waiting: Sequence[Waiting], *, small: bool) -> list[Waiting]:
        """The uploads in the order of their turns; `small`: only those with little left, the least first."""
        if small:
            return sorted((each for each in waiting if each.bytes <= SMALL_BYTES), key=lambda each: each.bytes)
        since: dict[int, datetime] = {}
        for each in waiting:
            since[each.collection] = min(since.get(each.collection, each.since), each.since)

        def turn(each: Waiting) -> tuple[datetime, datetime]:
            of_collection = self._last.get(each.collection, since[each.collection])
            return of_collection, self._last.get((each.collection, each.job), each.since)

        return sorted(waiting, key=turn)

    def took(self, upload: Waiting) -> None:
        """An upload has had its turn; it and its collection go to the end."""
        present = now()
        self._last[upload.collection] = present
        self._last[upload.collection, upload.job] = present
        if len(self._last) > 10_000:
            known = {(each.collection, each.job) for each in self._overview}
            self._last = {key: at for key, at in self._last.items() if isinstance(key, int) or key in known}


def _within(rows: Sequence[Any], max_bytes: int) -> list[Any]:
    """The first rows whose files are within a size together; at least one, if there is any."""
    sizes = accumulate(row.bytes for row in rows)
    return [row for number, (row, size) in enumerate(zip(rows, sizes, strict=True)) if not number or size <= max_bytes]


def _companions(ordered: Sequence[Waiting], chosen: Waiting, room: int, seats: int) -> Iterator[Waiting]:
    """Other uploads of the chosen one's collection that fit as a whole into what a batch has left, in bytes and
    documents.
    """
    for each in ordered:
        fits = each.bytes <= room and each.documents <= seats
        if fits and each is not chosen and each.collection == chosen.collection:
            room -= each.bytes
            seats -= each.documents
            yield each


def _queued_rows(connection: Connection, upload: Waiting, *, limit: int, without: Collection[str]) -> list[Any]:
    """The oldest queued documents of an upload."""
    query = _queued().where(documents.c.collection_id == upload.collection, documents.c.attempts == 0)
    own = select(job_documents.c.document_id).where(job_documents.c.document_id == documents.c.id)
    if upload.job is None:
        query = query.where(~exists(own))
    else:
        query = query.where(exists(own.where(job_documents.c.job_id == upload.job)))
    rows = connection.execute(query.order_by(documents.c.created_at).limit(limit + len(without)))
    return [row for row in rows if row.id not in without][:limit]


def _interrupted(connection: Connection, *, without: Collection[str]) -> list[Any]:
    """The oldest queued document that was in work when a process or its batch ended, if nothing else is in work.

    It is tried alone, so that a file that ends the process takes no other one along.
    """
    query = _queued().where(documents.c.attempts > 0).order_by(documents.c.attempts, documents.c.created_at)
    row = next((row for row in connection.execute(query.limit(1 + len(without))) if row.id not in without), None)
    if row is None or in_work(connection):
        return []
    return [row]


def in_work(connection: Connection) -> int:
    """Documents between the queue and their end."""
    query = select(func.count()).select_from(documents).where(documents.c.status.in_(IN_FLIGHT))
    return int(connection.execute(query).scalar_one())


def _tried_alone(connection: Connection) -> bool:
    """Whether a document that was interrupted before is in work now."""
    query = select(documents.c.id).where(documents.c.status.in_(IN_FLIGHT), documents.c.attempts > 1)
    return connection.execute(query.limit(1)).first() is not None


def waiting_bytes(connection: Connection) -> int:
    """Bytes of the documents that are queued or in work."""
    query = select(func.coalesce(func.sum(documents.c.bytes), 0)).where(documents.c.status.in_(WAITING))
    return int(connection.execute(query).scalar_one())


def _queued() -> Any:
    columns = (documents.c.id, documents.c.filename, documents.c.collection_id, documents.c.bytes)
    # whose vectors are still to be forgotten waits for that, or it would lose the new ones
    leftover = select(vector_deletions.c.document_id).where(
        vector_deletions.c.document_id == documents.c.id,
        vector_deletions.c.collection_id == documents.c.collection_id,
    )
    return select(*columns).where(documents.c.status == DocumentStatus.QUEUED, ~exists(leftover))


def _waiting(connection: Connection) -> Iterator[Waiting]:
    query = (
        select(
            job_documents.c.job_id,
            documents.c.collection_id,
            func.count(),
            func.sum(documents.c.bytes),
            func.min(documents.c.created_at),
        )
        .join(job_documents, job_documents.c.document_id == documents.c.id, isouter=True)
        .where(documents.c.status == DocumentStatus.QUEUED, documents.c.attempts == 0)
        .group_by(job_documents.c.job_id, documents.c.collection_id)
    )
    for row in connection.execute(query):
        yield Waiting(*row)
