"""The library of this process, which owns the data folder. Models are loaded when the first file is sent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from catalog.folders import FolderFiles
from cli.backends import ENDED, PAGE, JobReport, Outcome, plan_body
from ingest.sources.folder import FoundFile
from rag.errors import DocentError, QueueFullError
from rag.types import DocumentStatus

if TYPE_CHECKING:
    from wiring import Services

POLL_SECONDS = 0.1


class LocalBackend:
    """See `Backend`."""

    def __init__(
        self,
        services: Services,
        collection: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        password: str | None = None,
    ) -> None:
        self._services = services
        self._name = collection
        self._metadata = metadata
        self._password = password
        self._begun = False

    def sync(self, folder: FolderFiles, *, apply: bool) -> dict[str, Any]:
        """See `Backend.sync`."""
        folders = self._services.folders
        return plan_body((folders.rearrange if apply else folders.diff)(self._name, folder))

    def settle(self) -> None:
        """See `Backend.settle`."""
        if self._services.pipeline.pending():
            self._begin()
        while not self._services.pipeline.wait(60):
            pass

    def find(self, status: DocumentStatus) -> dict[str, str]:
        """See `Backend.find`."""
        self._services.collections.get(self._name)
        found: dict[str, str] = {}
        for page in itertools.count(1):
            listed = self._services.documents.find(collection=self._name, status=status, page=page, limit=PAGE)
            found |= {item.id: item.filename for item in listed.items}
            if page * PAGE >= listed.total:
                return found
        raise AssertionError

    def retry(self, document_id: str) -> None:
        """See `Backend.retry`."""
        self._begin()
        self._services.jobs.retry_document(document_id, password=self._password)

    def outcome(self, document_id: str) -> tuple[bool, Outcome]:
        """See `Backend.outcome`."""
        item = self._services.documents.document(document_id)
        return item.status.terminal, Outcome(item.filename, item.status, item.error_message or "")

    def _begin(self) -> None:
        if not self._begun:
            self._services.startup.begin()
            self._begun = True
        self._services.startup.require(patience=3600)

    def send(self, files: Sequence[FoundFile]) -> tuple[str | None, list[Outcome]]:
        """See `Backend.send`."""
        collection = self._services.collections.ensure_writable(self._name)
        self._begin()
        staged, refused = [], []
        self._await_room(files)
        limit = self._services.settings.max_upload_mb
        for file in files:
            try:
                if file.path.stat().st_size > limit << 20:
                    refused.append(Outcome(file.name, "failed", f"is too large: at most {limit} MiB are accepted."))
                    continue
                with file.path.open("rb") as source:
                    staged.append(self._services.library.stage(source, file.name, metadata=self._metadata))
            except OSError as error:
                refused.append(Outcome(file.name, "failed", f"cannot be read: {error.strerror}"))
            except DocentError as error:
                refused.append(Outcome(file.name, "failed", error.message))
        if not staged:
            return None, refused
        try:
            files_found = self._services.library.unpacked(staged)
            job_id, _ = self._services.library.add(collection, files_found, password=self._password)
        except DocentError:
            for one in staged:
                one.path.unlink(missing_ok=True)
            raise
        return job_id, refused

    def _await_room(self, files: Sequence[FoundFile]) -> None:
        """Wait until the queue takes these files; the pipeline of this process is emptying it."""
        size = sum(file.path.stat().st_size for file in files if file.path.exists())
        while True:
            try:
                self._services.library.require_room(size)
            except QueueFullError:
                time.sleep(POLL_SECONDS)
            else:
                return

    def report(self, job_id: str) -> JobReport:
        """See `Backend.report`."""
        job = self._services.jobs.get(job_id)
        outcomes = tuple(Outcome(item.filename, item.status, item.error_message or "") for item in job.documents)
        return JobReport(job.status in ENDED, job.done, outcomes)
