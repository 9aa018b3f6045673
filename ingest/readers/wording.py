"""The wording that warnings of several formats share.

Owns how pages, slides and sheets are listed in a message. Must not hold messages of one format alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def listed(noun: str, indexes: Iterable[int]) -> str:
    """ "pages 2-4, 9" from 0-based indexes and the noun "page"."""
    runs: list[list[int]] = []
    numbers = sorted({index + 1 for index in indexes})
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    spans = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
    return f"{noun if len(numbers) == 1 else noun + 's'} {spans}"


def named(names: Sequence[str], *, most: int = 10) -> str:
    """Names joined by commas, the first `most` of them, each cut at 80 characters."""
    shown = ", ".join(name if len(name) <= 80 else f"{name[:79]}…" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
