"""Progress of long fetches, for people: a bar on a terminal, a plain line now and then elsewhere.

Owns nothing but what it writes to standard error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

MEBI = 1 << 20
QUIET_SECONDS = 10.0


class Progress(Protocol):
    """Called with the bytes that are there by now; `label` names what is being fetched."""

    def __call__(self, label: str, done: int, total: int) -> None: ...


def silent(label: str, done: int, total: int) -> None:
    """A progress that shows nothing."""


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """A bar on standard error when that is a terminal, else at most one line in ten seconds."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bar.add_task(label, total=total)
            bar.update(tasks[label], completed=done)

        yield show


class _Lines:
    """Plain lines: the first, the last, and one every `QUIET_SECONDS` between."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def __call__(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - self._last.get(label, -QUIET_SECONDS) < QUIET_SECONDS:
            return
        self._last[label] = now
        share = 100 * done // total if total else 100
        sys.stderr.write(f"{label}: {done / MEBI:,.0f} of {total / MEBI:,.0f} MiB ({share} %)\n")
        sys.stderr.flush()
