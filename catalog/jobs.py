"""Jobs: uploads as their documents stand. A job's status is derived from its documents, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from sqlalchemy import select, update

from catalog.documents import joined
from catalog.engine import Database
from catalog.rows import now, to_document
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
        """The job as it stands; documents that were deleted since count as done. Raises NotFoundError."""
        with self._database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
            if row is None:
                raise NotFoundError(f"There is no job {job_id[:64]!r}.", code="job_not_found")
            items = connection.execute(
                select(job_documents).where(job_documents.c.job_id == job_id).order_by(job_documents.c.position)
            ).all()
            ids = {item.document_id for item in items}
            found = {row.id: to_document(row) for row in connection.execute(joined().where(documents.c.id.in_(ids)))}
        present = [_as_in_job(found[item.document_id], item.unchanged) for item in items if item.document_id in found]
        done = len(items) - sum(not document.status.terminal for document in present)
        return Job(
            id=row.id,
            status=_status(present, done, len(items)),
            done=done,
            total=len(items),
            documents=tuple(present),
            created_at=row.created_at.replace(tzinfo=UTC),
        )

    def cancel(self, job_id: str) -> Job:
        """Stop what is not finished. What is indexed stays. Raises NotFoundError."""
        running = [item.id for item in self.get(job_id).documents if not item.status.terminal]
        self._set(running, status=DocumentStatus.CANCELLED)
        return self.get(job_id)

    def queue_again(self, ids: Sequence[str]) -> None:
        """Queue documents again that failed or were cancelled; others stay as they are."""
        with self._database.write() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.id.in_(ids), documents.c.status.in_(AGAIN))
                .values(status=DocumentStatus.QUEUED, attempts=0, error_code=None, error_message=None, updated_at=now())
            )

    def _set(self, ids: list[str], **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.id.in_(ids), documents.c.status != DocumentStatus.INDEXED)
                .values(updated_at=now(), **values)
            )


def _as_in_job(document: Document, unchanged: bool) -> Document:
    if unchanged and document.status == DocumentStatus.INDEXED:
        return replace(document, status=DocumentStatus.UNCHANGED)
    return document


def _status(present: list[Document], done: int, total: int) -> JobStatus:
    states = {document.status for document in present}
    if done < total:
        return JobStatus.QUEUED if states == {DocumentStatus.QUEUED} else JobStatus.RUNNING
    if states and states <= {DocumentStatus.FAILED}:
        return JobStatus.FAILED
    if states and states <= {DocumentStatus.CANCELLED, DocumentStatus.FAILED}:
        return JobStatus.CANCELLED
    return JobStatus.DONE
