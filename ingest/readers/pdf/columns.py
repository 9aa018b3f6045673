"""Columns of prose and rows of tables, told apart by the gaps within the lines of a page.

Owns what becomes of them: columns are put one after the other (`reading_order` finds them), cells are parted by " | ";
where neither is clear, a line stays as it is. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from ingest.readers.pdf.layout import Line, Page
from ingest.readers.pdf.reading_order import Segment, regions, rows_of

_MAX_LINES = 2000  # of a page that is searched for columns
_SAME_ROW = 2.0  # points between baselines
_MIN_ROWS = 3
_MAX_CELL = 24  # characters; half the cells of a column are shorter
_WIDE_GAP = 1.5  # in type sizes: wider than any space between words
_MARKER = re.compile(r"^(?:[•▪●○◦‣·\-–—*\uf0b7\uf0a7]|\(?[0-9a-zA-Z]{1,3}[.)]|\[\d{1,3}\]|\d{1,2}(?:\.\d{1,2})*\.?)$")

Segments = Sequence[Segment]


def arrange(lines: Page, segments: Sequence[Segments]) -> Page:
    """The lines in reading order; `segments` are the parts of each line, parted by gaps that may be gutters."""
    falling = all(above.top - below.top >= _SAME_ROW for above, below in pairwise(lines))
    if falling and all(len(parts) == 1 for parts in segments) and not _beside(segments):
        return lines
    pairs = _on_rows(lines, segments)
    if len(lines) <= _MAX_LINES:
        found = regions(rows_of([part for _, parts in pairs for part in parts]))
        if found is not None:
            return [line for region in found for line in _of_region(region)]
    pairs = [_rejoined(line, parts) for line, parts in pairs]
    lines, segments = [line for line, _ in pairs], [parts for _, parts in pairs]
    if len(lines) <= _MAX_LINES:
        lines, segments = _rows_of_columns(lines, segments)
        lines, segments = _from_above(lines, segments)
    return lines if all(len(parts) == 1 for parts in segments) else _with_cells(lines, segments)


def _of_region(rows: Sequence[Segments]) -> Page:
    """The lines of a column, or of what stands above or below columns."""
    pairs = [_rejoined(_measured(row), row) for row in rows]
    return _with_cells([line for line, _ in pairs], [parts for _, parts in pairs])


def _measured(row: Segments) -> Line:
    """A line of these parts, as large as the smallest of them."""
    runs = tuple((part.text, part.position) for part in row)
    text, bold = " ".join(part.text for part in row), all(part.bold for part in row)
    return Line(text, min(part.size for part in row), bold, row[0].base, row[-1].base, runs=runs)


def _on_rows(lines: Page, segments: Sequence[Segments]) -> list[tuple[Line, Segments]]:
    """The lines as they stand on the page. pdfium makes two of one, for a cell of a single letter, and one of two that
    begin at different heights; it gives the parts of a line that is turned upside down from the last to the first.
    """
    pairs: list[tuple[Line, Segments]] = []
    for line, parts in zip(lines, segments, strict=True):
        begins: list[int] = []
        for index in range(1, len(parts)):
            row = parts[begins[-1] if begins else 0 : index]
            if abs(row[-1].base - parts[index].base) >= _SAME_ROW / 2 and not _disjoint(row, parts[index : index + 1]):
                begins.append(index)
        for begin, end in pairwise([0, *begins, len(parts)]):
            row = parts[begin:end]
            above = pairs[-1][1] if pairs else ()
            if above and abs(above[-1].base - row[0].base) < _SAME_ROW and _disjoint(above, row):
                row = sorted((*above, *row), key=lambda part: part.left)
                pairs[-1] = (_measured(row), row)
                continue
            ordered = sorted(row, key=lambda part: part.left)
            same = len(row) == len(parts) and ordered == list(row)
            pairs.append((line if same else _measured(ordered), ordered))
    return pairs


def _disjoint(above: Segments, row: Segments) -> bool:
    """Whether parts that stand on one height stand side by side."""
    return all(one.right <= two.left or two.right <= one.left for one in above for two in row)


def _beside(segments: Sequence[Segments]) -> bool:
    """Whether lines stand side by side though each is alone on its height: columns that are drawn in turns."""
    return any(
        above[-1].right < below[0].left or below[-1].right < above[0].left for above, below in pairwise(segments)
    )


def _rejoined(line: Line, parts: Segments) -> tuple[Line, list[Segment]]:
    """A line and its parts, those joined again that no wide gap parts."""
    if len(parts) == 1:
        return line, list(parts)
    joined: list[Segment] = []
    runs: list[tuple[str, int]] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is None or part.left - last.right > _WIDE_GAP * max(part.size, last.size, 4.0):
            joined.append(part)
            runs.append((part.text, part.position))
            continue
        end = runs[-1][1] + _units(runs[-1][0])
        if 0 < part.position - end <= 3:  # the same piece of pdfium's text goes on
            runs[-1] = (f"{runs[-1][0]}{' ' * (part.position - end)}{part.text}", runs[-1][1])
        else:
            runs.append((part.text, part.position))
        joined[-1] = replace(last, text=f"{last.text} {part.text}", right=part.right)
    return replace(line, text=" ".join(part.text for part in joined), runs=tuple(runs)), joined


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _from_above(lines: Page, segments: Sequence[Segments]) -> tuple[Page, list[Segments]]:
    """The lines from top to bottom where they are drawn in another order and no two of them stand side by side."""
    order = sorted(range(len(lines)), key=lambda index: -lines[index].top)
    if order == list(range(len(lines))):
        return lines, list(segments)
    for one, two in pairwise(order):
        above, below = segments[one], segments[two]
        if lines[one].top - lines[two].top < 2 or (
            min(above[-1].right, below[-1].right) <= max(above[0].left, below[0].left)
            and lines[one].bottom - lines[two].top < 3 * max(lines[one].size, 4.0)
        ):
            return lines, list(segments)
    return [lines[index] for index in order], [segments[index] for index in order]


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
