"""Where the command line sends files: into this process's own library, or to a running server over REST.

Both take a batch of files as one job and report it in the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from catalog.folders import FolderFiles, SyncPlan
from ingest.sources.folder import FoundFile
from rag.types import DocumentStatus, JobStatus

PAGE = 500
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
