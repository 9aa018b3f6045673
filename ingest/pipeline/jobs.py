"""Jobs as people handle them: looked at, stopped, tried again, with a password where one was missing. Thread-safe."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.documents import DocumentCatalog, trashed
from catalog.jobs import AGAIN, JobCatalog
from ingest.pipeline.pipeline import Pipeline
from ingest.storage.passwords import Passwords
from rag.errors import ConflictError
from rag.types import Document, DocumentStatus, Job


class Jobs:
    """What the REST API and the command line ask about uploads."""

    def __init__(
        self, catalog: JobCatalog, documents: DocumentCatalog, passwords: Passwords, pipeline: Pipeline
    ) -> None:
        self._catalog = catalog
        self._documents = documents
        self._passwords = passwords
        self._pipeline = pipeline

    def get(self, job_id: str) -> Job:
        """The job as it stands. Raises NotFoundError."""
        return self._catalog.get(job_id)

    def cancel(self, job_id: str) -> Job:
        """Stop what is not finished, also in the middle of a file. What is indexed stays. Raises NotFoundError."""
        self._pipeline.drop(self._catalog.cancel(job_id))
        return self._catalog.get(job_id)

    def retry(self, job_id: str, *, password: str | None = None) -> Job:
        """Queue again what failed or was cancelled, to be opened with `password`. Raises NotFoundError."""
        ended = [item.id for item in self._catalog.get(job_id).documents if item.status in AGAIN]
        self._again(ended, password)
        return self._catalog.get(job_id)

    def retry_document(self, document_id: str, *, password: str | None = None) -> Document:
        """Queue one document again that failed or was cancelled.

        One that is indexed takes the password for the pictures of its pages.

        Raises:
            NotFoundError: there is none.
            ConflictError: it did not fail, and no password came; or it is in the trash.
        """
        found = self._documents.document(document_id)
        if found.status == DocumentStatus.TRASHED:
            raise trashed()
        if found.status in AGAIN:
            self._again([document_id], password)
        elif password is not None:
            self._passwords.offer(document_id, password)
        else:
            raise ConflictError(
                f"{found.filename!r} did not fail: its status is {found.status}.", code="document_not_failed"
            )
        return self._documents.document(document_id)

    def _again(self, ids: Sequence[str], password: str | None) -> None:
        if password is not None:  # before they can be claimed
            self._passwords.remember(ids, password)
        self._catalog.queue_again(ids)
        self._pipeline.wake()
