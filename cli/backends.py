"""Where the command line sends files: into this process's own library, or to a running server over REST.

Both take a batch of files as one job and report it in the same shape.
"""

from __future__ import annotations

import itertools
import json
import mimetypes
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from catalog.folders import FolderFiles, SyncPlan
from ingest.sources.folder import FoundFile
from rag.errors import ConfigurationError, DocentError, QueueFullError
from rag.types import DocumentStatus, JobStatus

if TYPE_CHECKING:
    import httpx

    from wiring import Services

POLL_SECONDS = 0.1
PAGE = 500
LONGEST_WAIT = 60.0  # seconds between two tries at a server whose queue is full
ENDED = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file so far: a document status, and the reason where it failed."""

    name: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JobReport:
    """How a job stands."""

    ended: bool
    done: int
    outcomes: tuple[Outcome, ...]


class Backend(Protocol):
    """Takes batches, reports jobs."""

    def send(self, files: Sequence[FoundFile]) -> tuple[str | None, list[Outcome]]:
        """Hand over a batch: the job's id (None when nothing was taken) and the files that were refused at once."""

    def report(self, job_id: str) -> JobReport:
        """How that job stands."""

    def sync(self, folder: FolderFiles, *, apply: bool) -> dict[str, Any]:
        """What makes the collection equal to a folder, as `plan_body`; with `apply`, moved and deleted already."""

    def settle(self) -> None:
        """Wait until nothing is queued that only this process would index."""

    def find(self, status: DocumentStatus) -> dict[str, str]:
        """Names of the collection's documents of that status, by id."""

    def retry(self, document_id: str) -> None:
        """Queue a document again that failed or was cancelled."""

    def outcome(self, document_id: str) -> tuple[bool, Outcome]:
        """Whether a document has come to its end, and how it stands."""


def plan_body(plan: SyncPlan) -> dict[str, Any]:
    """A plan as the REST API tells it."""
    return {
        "add": plan.add,
        "replace": plan.replace,
        "unchanged": plan.unchanged,
        "move": [{"from": old, "to": new} for old, new in plan.move],
        "delete": plan.delete,
        "kept": plan.kept,
        "failed": plan.failed,
        "adopt": len(plan.adopted),
    }


class LocalBackend:
    """The library of this process, which owns the data folder. Models are loaded when the first file is sent."""

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


class RemoteBackend:
    """A running server."""

    def __init__(
        self,
        url: str,
        collection: str,
        *,
        token: str = "",
        metadata: Mapping[str, Any] | None = None,
        password: str | None = None,
    ) -> None:
        """Connect.

        Raises:
            ConfigurationError: no Docent answers there, or it wants another token.
        """
        import httpx

        self._collection = collection
        self._fields = {"collection": collection}
        if metadata:
            self._fields["metadata"] = json.dumps(metadata)
        self._password = password
        if password:
            self._fields["password"] = password
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url.rstrip("/") + "/api/v1", headers=headers, timeout=600, trust_env=False)
        try:
            answer = self._client.get("/documents", params={"limit": 1})
        except httpx.HTTPError as error:
            raise ConfigurationError(f"No server answers at {url}: {error}.") from error
        if answer.status_code != 200:
            raise ConfigurationError(f"{url} refuses: {_message(answer)}")

    def send(self, files: Sequence[FoundFile]) -> tuple[str | None, list[Outcome]]:
        """See `Backend.send`. Waits while the server's queue is full."""
        while True:
            answer, refused = self._post(files)
            if answer is None or answer.status_code != 429:
                break
            time.sleep(min(float(answer.headers.get("Retry-After", "5")), LONGEST_WAIT))  # nothing was kept
        if answer is None:
            return None, refused
        if answer.status_code == 202:
            return answer.json()["job_id"], refused
        if answer.status_code == 401:
            raise ConfigurationError(f"The server refuses: {_message(answer)}")
        if len(files) == 1:
            return None, [Outcome(files[0].name, "failed", _message(answer))]
        # one of them is to blame: find out which
        singles = [self.send([file]) for file in files]
        jobs = [job_id for job_id, _ in singles if job_id]
        return ",".join(jobs) or None, [outcome for _, found in singles for outcome in found]

    def _post(self, files: Sequence[FoundFile]) -> tuple[httpx.Response | None, list[Outcome]]:
        """Upload files: the answer (None when none could be opened), and those that could not."""
        with ExitStack() as opened:
            parts, refused = [], []
            for file in files:
                try:
                    source = opened.enter_context(file.path.open("rb"))
                except OSError as error:
                    refused.append(Outcome(file.name, "failed", f"cannot be read: {error.strerror}"))
                    continue
                kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
                parts.append(("file", (file.name, source, kind)))
            if not parts:
                return None, refused
            return self._call("POST", "/documents", data=self._fields, files=parts), refused

    def report(self, job_id: str) -> JobReport:
        """See `Backend.report`. `job_id` may be several, joined by commas."""
        jobs = [self._call("GET", f"/jobs/{one}").json() for one in job_id.split(",")]
        outcomes = [
            Outcome(item["filename"], item["status"], (item["error"] or {}).get("message", ""))
            for job in jobs
            for item in job["documents"]
        ]
        done = sum(job["progress"]["done"] for job in jobs)
        return JobReport(all(job["status"] in ENDED for job in jobs), done, tuple(outcomes))

    def sync(self, folder: FolderFiles, *, apply: bool) -> dict[str, Any]:
        """See `Backend.sync`. Raises ConfigurationError when the server refuses."""
        body = {
            "files": [{"name": name, "sha256": digest} for name, digest in folder.files.items()],
            "source": folder.source,
            "keep": sorted(folder.keep),
            "prune": folder.prune,
        }
        path = f"/collections/{quote(self._collection, safe='')}/sync" + ("" if apply else "/diff")
        answer = self._call("POST", path, json=body)
        if answer.status_code != 200:
            raise ConfigurationError(f"The server refuses: {_message(answer)}")
        plan: dict[str, Any] = answer.json()
        return plan

    def collections(self) -> list[str]:
        """The names of the server's collections."""
        return [item["name"] for item in self._call("GET", "/collections").json()["data"]]

    def reindex(self, name: str, **changes: bool) -> dict[str, Any]:
        """Have a collection's vectors made anew, however long it takes. Raises ConfigurationError when it is refused."""
        path = f"/collections/{quote(name, safe='')}/reindex"
        answer = self._call("POST", path, json=changes, timeout=None)
        if answer.status_code != 200:
            raise ConfigurationError(f"The server refuses: {_message(answer)}")
        done: dict[str, Any] = answer.json()
        return done

    def settle(self) -> None:
        """See `Backend.settle`; a server indexes by itself."""

    def find(self, status: DocumentStatus) -> dict[str, str]:
        """See `Backend.find`."""
        found: dict[str, str] = {}
        for page in itertools.count(1):
            query = {"collection": self._collection, "status": status, "page": page, "limit": PAGE}
            listed = self._call("GET", "/documents", params=query).json()
            found |= {item["id"]: item["filename"] for item in listed["data"]}
            if not listed["has_more"]:
                return found
        raise AssertionError

    def retry(self, document_id: str) -> None:
        """See `Backend.retry`. Raises ConfigurationError when the server refuses."""
        body = {"password": self._password} if self._password else {}
        answer = self._call("POST", f"/documents/{document_id}/retry", json=body)
        if answer.status_code != 200:
            raise ConfigurationError(f"The server refuses: {_message(answer)}")

    def outcome(self, document_id: str) -> tuple[bool, Outcome]:
        """See `Backend.outcome`."""
        item = self._call("GET", f"/documents/{document_id}").json()
        reason = (item["error"] or {}).get("message", "")
        return DocumentStatus(item["status"]).terminal, Outcome(item["filename"], item["status"], reason)

    def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        import httpx

        try:
            return self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise ConfigurationError(f"The server stopped answering: {error or type(error).__name__}.") from error


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
