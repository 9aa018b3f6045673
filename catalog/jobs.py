"""Jobs: uploads as their documents stand. A job's status is derived from its documents, never stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select, update

from catalog.documents import joined, present
from catalog.engine import Database
from catalog.mappers import now, to_document
from catalog.registration import WAITING
from catalog.tables import documents, job_documents, jobs
from rag.errors import NotFoundError
from rag.types import Document, DocumentStatus, Job, JobStatus

AGAIN = (DocumentStatus.FAILED, DocumentStatus.CANCELLED)
"""States of documents that may be tried again."""


class JobCatalog:
    """Reads, cancels and retries jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, job_id: str) -> Job:
        """The job as it stands; documents that were deleted or put into the trash since count as done. Raises
        NotFoundError.
        """
        with self._database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
            if row is None:
                raise NotFoundError(f"There is no job {job_id[:64]!r}.", code="job_not_found")
            items = connection.execute(
                select(job_documents).where(job_documents.c.job_id == job_id).order_by(job_documents.c.position)
            ).all()
            ids = {item.document_id for item in items}
            rows = connection.execute(joined().where(documents.c.id.in_(ids), present()))
            found = {row.id: to_document(row) for row in rows}
        rate, left = _speed(found.values(), row.started_at)
        there = [_as_in_job(found[item.document_id], item.unchanged) for item in items if item.document_id in found]
        done = len(items) - sum(not document.status.terminal for document in there)
        return Job(
            id=row.id,
            status=_status(there, done, len(items)),
            done=done,
            total=len(items),
            documents=tuple(there),
            created_at=row.created_at.replace(tzinfo=UTC),
            rate=rate,
            eta_seconds=left,
        )

    def cancel(self, job_id: str) -> list[str]:
        """Mark what is not finished as cancelled: which documents. What is indexed stays. Raises NotFoundError."""
        running = [item.id for item in self.get(job_id).documents if not item.status.terminal]
        with self._database.write() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.id.in_(running), documents.c.status.in_(WAITING))
                .values(status=DocumentStatus.CANCELLED, updated_at=now())
            )
        return running

    def queue_again(self, ids: Sequence[str]) -> None:
        """Queue documents again that failed or were cancelled; others stay as they are."""
        with self._database.write() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.id.in_(ids), documents.c.status.in_(AGAIN))
                .values(status=DocumentStatus.QUEUED, attempts=0, error_code=None, error_message=None, updated_at=now())
            )
            # rate and time left are those of the new attempt
            belonging = select(job_documents.c.job_id).where(job_documents.c.document_id.in_(ids))
            connection.execute(update(jobs).where(jobs.c.id.in_(belonging)).values(started_at=None))


def _speed(held: Collection[Document], started: datetime | None) -> tuple[float | None, float | None]:
    """Documents a second since a job began, and the seconds that are left at the pace, in bytes, that it has had.

    None where nothing can be said: before the first document is done, and after the last.
    """
    if started is None or all(item.status.terminal for item in held):
        return None, None
    began = started.replace(tzinfo=UTC)
    seconds = max((datetime.now(UTC) - began).total_seconds(), 0.001)
    ended = [item for item in held if item.status.terminal and item.updated_at >= began]
    moving = [item for item in held if not item.status.terminal]
    shares = [(item.bytes, item.progress_done / max(item.progress_total, 1)) for item in moving]
    done = sum(item.bytes for item in ended) + sum(size * share for size, share in shares)
    left = sum(size * (1 - share) for size, share in shares)
    return (len(ended) / seconds if ended else None), (seconds * left / done if done else None)


def _as_in_job(document: Document, unchanged: bool) -> Document:
    if unchanged and document.status == DocumentStatus.INDEXED:
        return replace(document, status=DocumentStatus.UNCHANGED)
    return document


def _status(there: list[Document], done: int, total: int) -> JobStatus:
    states = {document.status for document in there}
    if done < total:
        return JobStatus.QUEUED if states == {DocumentStatus.QUEUED} else JobStatus.RUNNING
    if states and states <= {DocumentStatus.FAILED}:
        return JobStatus.FAILED
    if states and states <= {DocumentStatus.CANCELLED, DocumentStatus.FAILED}:
        return JobStatus.CANCELLED
    return JobStatus.DONE
