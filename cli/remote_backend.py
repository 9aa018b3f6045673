"""A running server, over REST."""

from __future__ import annotations

import itertools
import json
import mimetypes
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from catalog.folders import FolderFiles
from cli.backends import ENDED, PAGE, JobReport, Outcome
from ingest.sources.folder import FoundFile
from rag.errors import ConfigurationError
from rag.types import DocumentStatus

if TYPE_CHECKING:
    import httpx

LONGEST_WAIT = 60.0  # seconds between two tries at a server whose queue is full


class RemoteBackend:
    """See `Backend`."""

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
        """Have a collection's vectors made anew, however long it takes. Raises ConfigurationError when refused."""
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
