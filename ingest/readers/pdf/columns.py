"""Columns of prose and rows of tables, told apart by the gaps within the lines of a page.

Owns that guess. Lines come as pdfium gives them: what stands on one height is one line, even across columns. Columns are
put one after the other, cells are parted by " | "; where neither is clear, a line stays as it is. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from ingest.readers.pdf.layout import Line, Page

_MIN_COLUMN_LINES = 5
_MIN_COLUMN_CHARACTERS = 16  # half the lines of a column of prose are longer than that, cells are mostly shorter
_MIN_FILL = 0.6  # half the lines of a column fill that share of its width
_MAX_LINES = 2000  # of a page that is searched for columns drawn one by one
_MIN_ROWS = 3
_MAX_CELL = 24  # characters; half the cells of a column are shorter
_MARKER = re.compile(r"^(?:[•▪●○◦‣·\-–—*\uf0b7\uf0a7]|\(?[0-9a-zA-Z]{1,3}[.)]|\[\d{1,3}\]|\d{1,2}(?:\.\d{1,2})*\.?)$")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a line without a wide gap; `left` and `right` edge in points, `position` of its first character in pdfium's
    text (UTF-16 units).
    """

    text: str
    left: float
    right: float
    position: int


Segments = Sequence[Segment]


def arrange(lines: Page, segments: Sequence[Segments]) -> Page:
    """The lines in reading order; `segments` are the parts of each line."""
    if len(lines) <= _MAX_LINES:
        lines, segments = _rows_of_columns(lines, segments)
    if all(len(parts) == 1 for parts in segments):
        return lines
    gutter = _gutter(segments)
    if gutter is not None:
        return _in_columns(lines, segments, gutter)
    return _with_cells(lines, segments)


def _rows_of_columns(lines: Page, segments: Sequence[Segments]) -> tuple[Page, list[Segments]]:
    """Tables that are drawn column by column, put together row by row.

    A column begins where a line stands higher than the one before it. It belongs to a table when its first lines are short
    and stand on the heights of lines to their left.
    """
    kept = list(range(len(lines)))
    merged = [list(parts) for parts in segments]
    begin = 0  # of the column to the left
    for index in range(1, len(lines)):
        if lines[index].top <= lines[index - 1].bottom + 2:
            continue
        pairs = _same_heights(lines, merged, [i for i in kept if begin <= i < index], index)
        if len(pairs) >= _MIN_ROWS and median(len(lines[ours].text) for _, ours in pairs) <= _MAX_CELL:
            for row, ours in pairs:
                merged[row] += merged[ours]
                kept.remove(ours)
        else:
            begin = index
    joined = [_line_of(lines[i], merged[i], " ") for i in kept]
    return joined, [merged[i] for i in kept]


def _same_heights(lines: Page, merged: Sequence[Segments], above: list[int], start: int) -> list[tuple[int, int]]:
    """Pairs of a line to the left and a line from `start` on that stand on one height, up to the first without partner."""
    pairs = []
    for ours in range(start, len(lines)):
        if ours > start and lines[ours].top > lines[ours - 1].bottom + 2:
            break
        level = [row for row in above if abs(lines[row].top - lines[ours].top) < 2]
        if len(level) != 1 or merged[level[0]][-1].right > merged[ours][0].left:
            break
        pairs.append((level[0], ours))
    return pairs


def _gutter(segments: Sequence[Segments]) -> float | None:
    """The x between two columns of prose; None when the page has no such columns."""
    pairs = [parts for parts in segments if len(parts) == 2 and not _MARKER.match(parts[0].text)]
    if len(pairs) < _MIN_COLUMN_LINES or 2 * len(pairs) < sum(1 for parts in segments if len(parts) > 1):
        return None
    middle = median((left.right + right.left) / 2 for left, right in pairs)
    low = [pair for pair in pairs if pair[0].right <= middle <= pair[1].left]
    if len(low) < 0.8 * len(pairs):
        return None
    for side in (0, 1):
        column = [pair[side] for pair in low]
        width = max(part.right for part in column) - min(part.left for part in column)
        if median(len(part.text) for part in column) < _MIN_COLUMN_CHARACTERS:
            return None
        if median(part.right - part.left for part in column) < _MIN_FILL * width:
            return None
    # The middle of the white strip between the columns, so that short lines count to their side.
    return (max(pair[0].right for pair in low) + min(pair[1].left for pair in low)) / 2


def _in_columns(lines: Page, segments: Sequence[Segments], gutter: float) -> Page:
    """Left column before right column, between lines that run across both."""
    arranged: Page = []
    left: Page = []
    right: Page = []
    for line, parts in zip(lines, segments, strict=True):
        before = [part for part in parts if part.right <= gutter]
        after = [part for part in parts if part.left >= gutter]
        if len(before) + len(after) < len(parts):  # it crosses the gutter
            arranged += [*left, *right, line]
            left, right = [], []
            continue
        if before:
            left.append(_line_of(line, before, " "))
        if after:
            right.append(_line_of(line, after, " "))
    return [*arranged, *left, *right]


def _with_cells(lines: Page, segments: Sequence[Segments]) -> Page:
    """Lines whose gaps stand under one another become rows."""
    arranged = []
    for index, (line, parts) in enumerate(zip(lines, segments, strict=True)):
        neighbours = segments[max(index - 1, 0) : index] + segments[index + 1 : index + 2]  # type: ignore[operator]
        if len(parts) > 1 and not _is_item(parts) and any(_aligned(parts, other) for other in neighbours):
            line = _line_of(line, parts, " | ")
        arranged.append(line)
    return arranged


def _line_of(line: Line, parts: Segments, joint: str) -> Line:
    """The line as made of these parts alone."""
    runs = tuple((part.text, part.position) for part in parts)
    return replace(line, text=joint.join(part.text for part in parts), runs=runs)


def _is_item(parts: Segments) -> bool:
    return len(parts) == 2 and bool(_MARKER.match(parts[0].text))


def _aligned(parts: Segments, other: Segments) -> bool:
    """Whether a gap of one line lies over a gap of the other."""
    if len(other) < 2 or _is_item(other):
        return False
    ours = [(one.right, two.left) for one, two in pairwise(parts)]
    theirs = [(one.right, two.left) for one, two in pairwise(other)]
    return any(min(a[1], b[1]) - max(a[0], b[0]) > 2 for a in ours for b in theirs)
