"""What commands tell people on standard error, beside their output."""

from __future__ import annotations

import sys
from collections.abc import Callable


def note(text: str) -> None:
    """One line from Docent."""
    print(f"docent: {text}", file=sys.stderr)


def counter(what: str, total: int) -> Callable[[int], None]:
    """Counts up in one line on a terminal; elsewhere it shows nothing."""
    if not sys.stderr.isatty():
        return lambda _done: None
    return lambda done: print(
        f"\r{what} {done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True
    )
