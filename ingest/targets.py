"""Where the command line sends files: into this process's own library, or to a running server over REST.

Both take a batch of files as one job and report it in the same shape.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ingest.scan import FoundFile
from rag.errors import ConfigurationError, DocentError
from rag.types import JobStatus

if TYPE_CHECKING:
    import httpx

    from wiring import Services

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


class Target(Protocol):
    """Takes batches, reports jobs."""

    def send(self, files: Sequence[FoundFile]) -> tuple[str | None, list[Outcome]]:
        """Hand over a batch: the job's id (None when nothing was taken) and the files that were refused at once."""

    def report(self, job_id: str) -> JobReport:
        """How that job stands."""


class LocalTarget:
    """The library of this process, which owns the data folder."""

    def __init__(self, services: Services, collection: str) -> None:
        self._services = services
        self._collection = services.collections.ensure(collection)

    def send(self, files: Sequence[FoundFile]) -> tuple[str | None, list[Outcome]]:
        """See `Target.send`."""
        staged, refused = [], []
        for file in files:
            try:
                with file.path.open("rb") as source:
                    staged.append(self._services.library.stage(source, file.name))
            except OSError as error:
                refused.append(Outcome(file.name, "failed", f"cannot be read: {error.strerror}"))
            except DocentError as error:
                refused.append(Outcome(file.name, "failed", error.message))
        if not staged:
            return None, refused
        job_id, _ = self._services.library.add(self._collection, staged)
        return job_id, refused

    def report(self, job_id: str) -> JobReport:
        """See `Target.report`."""
        job = self._services.jobs.get(job_id)
        outcomes = tuple(Outcome(item.filename, item.status, item.error_message or "") for item in job.documents)
        return JobReport(job.status in ENDED, job.done, outcomes)


class RestTarget:
    """A running server."""

    def __init__(self, url: str, collection: str, *, token: str = "") -> None:
        """Connect.

        Raises:
            ConfigurationError: no Docent answers there, or it wants another token.
        """
        import httpx

        self._collection = collection
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url.rstrip("/") + "/api/v1", headers=headers, timeout=600, trust_env=False)
        try:
            answer = self._client.get("/documents", params={"limit": 1})
        except httpx.HTTPError as error:
            raise ConfigurationError(f"No server answers at {url}: {error}.") from error
        if answer.status_code != 200:
            raise ConfigurationError(f"{url} refuses: {_message(answer)}")

    def send(self, files: Sequence[FoundFile]) -> tuple[str | None, list[Outcome]]:
        """See `Target.send`."""
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
            answer = self._call("POST", "/documents", data={"collection": self._collection}, files=parts)
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

    def report(self, job_id: str) -> JobReport:
        """See `Target.report`. `job_id` may be several, joined by commas."""
        jobs = [self._call("GET", f"/jobs/{one}").json() for one in job_id.split(",")]
        outcomes = [
            Outcome(item["filename"], item["status"], (item["error"] or {}).get("message", ""))
            for job in jobs
            for item in job["documents"]
        ]
        done = sum(job["progress"]["done"] for job in jobs)
        return JobReport(all(job["status"] in ENDED for job in jobs), done, tuple(outcomes))

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
