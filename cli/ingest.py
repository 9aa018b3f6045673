"""`docent ingest PATH…`: ingest files and folders, alone or through the server that owns the data folder."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.session import open_backend
from cli.terminal import note
from rag.errors import ConfigurationError
from rag.settings import Settings

if TYPE_CHECKING:
    from cli.backends import Backend, JobReport, Outcome
    from ingest.sources.folder import FoundFile, Scan

BATCH_FILES = 100
BATCH_BYTES = 8 << 20
POLL_SECONDS = 0.2


def run(
    *,
    paths: Sequence[Path],
    collection: str,
    include: Sequence[str],
    exclude: Sequence[str],
    dry_run: bool,
    as_json: bool,
    password: str | None,
    server: str | None,
) -> int:
    """Carry the command out; its exit status."""
    from ingest.readers.registry import ARCHIVE_EXTENSIONS, accepted_extensions
    from ingest.sources.folder import scan

    settings = Settings.load()
    accepted = (*accepted_extensions(), *ARCHIVE_EXTENSIONS)
    found = scan(paths, accepted=accepted, include=include, exclude=exclude)
    if dry_run:
        return _show_plan(found, as_json=as_json)
    if not found.files:
        raise ConfigurationError(f"Nothing to ingest ({len(found.skipped)} files of other types).")
    started = time.monotonic()
    try:
        with open_backend(settings, collection, server, password=password) as target:
            outcomes = ingest(target, found.files, quiet=as_json)
    except KeyboardInterrupt:
        note("stopped; what was registered goes on at the next start")
        return 130
    return _summarise(outcomes, found, time.monotonic() - started, as_json=as_json)


def ingest(target: Backend, files: Sequence[FoundFile], *, quiet: bool) -> list[Outcome]:
    """Send the files in batches and follow their jobs to the end."""
    with _progress(len(files), quiet=quiet) as show:
        refused: list[Outcome] = []
        jobs: list[str] = []
        reports: dict[str, JobReport] = {}
        for batch in batches(files):
            job_id, at_once = target.send(batch)
            refused += at_once
            jobs += [job_id] if job_id else []
        while True:
            for job_id in jobs:
                if job_id not in reports or not reports[job_id].ended:
                    reports[job_id] = target.report(job_id)
            show(len(refused) + sum(report.done for report in reports.values()))
            if all(report.ended for report in reports.values()):
                break
            time.sleep(POLL_SECONDS)
    return refused + [outcome for report in reports.values() for outcome in report.outcomes]


def batches(files: Sequence[FoundFile]) -> Iterator[list[FoundFile]]:
    """Files in groups of at most `BATCH_FILES` and, but for a single large one, `BATCH_BYTES`."""
    group: list[FoundFile] = []
    size = 0
    for file in files:
        length = file.path.stat().st_size if file.path.exists() else 0
        if group and (len(group) == BATCH_FILES or size + length > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(file)
        size += length
    if group:
        yield group


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; otherwise nothing, for the summary says it all."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

    columns: list[ProgressColumn] = [
        TextColumn("ingesting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    ]
    started = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("ingesting", total=total, rate="")

        def show(done: int) -> None:
            rate = done / max(time.monotonic() - started, 0.001)
            bar.update(task, completed=done, rate=f"{rate:.1f} files/s")

        yield show


def _show_plan(found: Scan, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"files": [file.name for file in found.files], "skipped": list(found.skipped)}))
        return 0
    for file in found.files:
        print(file.name)
    print(f"{len(found.files)} files would be ingested, {len(found.skipped)} of other types left out.")
    return 0


def _summarise(outcomes: Sequence[Outcome], found: Scan, seconds: float, *, as_json: bool) -> int:
    """One line a failure with its reason, then the counts."""
    counts = Counter(outcome.status for outcome in outcomes)
    failures = [outcome for outcome in outcomes if outcome.status in ("failed", "cancelled")]
    if as_json:
        summary = {
            "files": len(found.files),
            **{status: counts[status] for status in ("indexed", "unchanged", "failed", "cancelled")},
            "skipped": len(found.skipped),
            "seconds": round(seconds, 2),
            "failures": [{"file": outcome.name, "reason": outcome.reason} for outcome in failures],
        }
        print(json.dumps(summary, ensure_ascii=False))
    else:
        for outcome in failures:
            print(f"failed: {outcome.name}: {outcome.reason}", file=sys.stderr)
        said = ", ".join(
            f"{counts[status]} {status}" for status in ("indexed", "unchanged", "failed") if counts[status]
        )
        rest = f"{len(found.skipped)} of other types left out"
        print(f"{len(found.files)} files in {seconds:.1f} s: {said or 'nothing done'}; {rest}.")
    return 1 if failures else 0
