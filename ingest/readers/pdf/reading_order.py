"""The columns of a page, found by the white strips between them, whatever the order in which the page was drawn.

Owns the cutting of a page into regions that are read one after the other: what stands above the columns, each column from
top to bottom, their footnotes, what stands below. The method is that of a recursive XY cut (Nagy and Seth, 1984) that
looks for strips beside a common left edge only. Where no columns of prose are found, it says so. Pure functions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_MIN_GUTTER = 8.0  # points of white; the least that is set is 12, less the space around letters
_MIN_WIDTH = 40.0  # points of a column
_MIN_LINES = 5  # of a column that is told by its looks alone
_MIN_WEIGHT = 16  # letters, wide ones count twice: half the lines of a column are longer, cells are mostly shorter
_MIN_FILL = 0.6  # half the lines fill that share of the widest one
_MIN_LOWER = 0.2  # share of lines that begin in lower case: cells and items begin with capitals
_SAME_ROW = 2.0  # points between baselines
_FAR = 2.2  # usual distances of lines, beyond which a line no longer belongs to the column above it
_SMALL = 0.92  # of the size of the column: footnotes are set so, or smaller
_MAX_EDGES = 10
_MAX_DEPTH = 8
_NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¹²³⁴-⁹]|\[\d{1,3}\])")
_CLOSED = re.compile(r"[.!?:;。！？：；]['\"”’)]?$")
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a line without a wide gap; `left` and `right` edge in points, `position` of its first character in pdfium's
    text (UTF-16 units), `size` of its type and `base` line in points.
    """

    text: str
    left: float
    right: float
    position: int
    size: float = 0.0
    base: float = 0.0
    bold: bool = False


Row = list[Segment]
Region = list[Row]
"""Rows from top to bottom, each from left to right."""


def rows_of(segments: Sequence[Segment]) -> Region:
    """Segments put on rows, those on one baseline on one."""
    rows: Region = []
    for segment in sorted(segments, key=lambda each: -each.base):
        if rows and rows[-1][0].base - segment.base < _SAME_ROW:
            rows[-1].append(segment)
        else:
            rows.append([segment])
    for row in rows:
        row.sort(key=lambda each: each.left)
    return rows


def regions(rows: Region) -> list[Region] | None:
    """The regions of a page in reading order; None for a page without columns of prose."""
    found, notes = _split(rows, _MAX_DEPTH)
    return [*found, *notes] if len(found) > 1 else None


@dataclass(frozen=True, slots=True)
class _Cut:
    """Rows [begin, end) have columns on either side of `edge`, the left edge of the right ones."""

    begin: int
    end: int
    edge: float
    lines: int  # of the shorter side


def _split(rows: Region, depth: int) -> tuple[list[Region], list[Region]]:
    """The regions of these rows, and the footnotes that go after them."""
    cut = _best_cut(rows) if depth and len(rows) > 1 else None
    if cut is None:
        return ([rows], []) if rows else ([], [])
    band = rows[cut.begin : cut.end]
    left, left_notes = _without_notes(_side(band, cut.edge, right=False))
    right, right_notes = _without_notes(_side(band, cut.edge, right=True))
    found, notes = _split(rows[: cut.begin], depth - 1)
    found += notes
    notes = []
    for side, own in ((left, left_notes), (right, right_notes)):
        inner, inner_notes = _split(side, depth - 1)
        found += inner
        notes += [*inner_notes, *([own] if own else [])]
    below, below_notes = _split(rows[cut.end :], depth - 1)
    if not below:
        return found, notes
    return [*found, *notes, *below], below_notes


def _side(rows: Region, edge: float, *, right: bool) -> Region:
    sides = ([each for each in row if (each.left >= edge - 1.5) == right] for row in rows)
    return [row for row in sides if row]


def _without_notes(rows: Region) -> tuple[Region, Region]:
    """The rows of a column and the footnotes at its end: set smaller, and beginning with a mark."""
    usual = median(row[0].size for row in rows)
    begin = len(rows)
    while begin > 1 and max(each.size for each in rows[begin - 1]) <= _SMALL * usual:
        begin -= 1
    return (rows[:begin], rows[begin:]) if begin < len(rows) and _NOTE.match(rows[begin][0].text) else (rows, [])


def _best_cut(rows: Region) -> _Cut | None:
    """The cut with the longest columns; of equal ones the leftmost."""
    first = min(row[0].left for row in rows)
    counts: Counter[int] = Counter()
    for row in rows:
        counts.update({round(each.left) for each in row if each.left > first + _MIN_WIDTH})
    best: _Cut | None = None
    frequent = [
        edge for edge, count in counts.most_common(_MAX_EDGES) if count + counts[edge - 1] + counts[edge + 1] > 1
    ]
    for edge in sorted(frequent):
        for begin, end in _bands(rows, float(edge)):
            cut = _judged(rows, begin, end, float(edge))
            if cut and (best is None or cut.lines > best.lines):
                best = cut
    return best


def _bands(rows: Region, edge: float) -> list[tuple[int, int]]:
    """Runs of rows that nothing on them crosses at the left of `edge`, and that are no rows of a table across it."""
    closed = [any(each.left < edge - 1.5 and each.right > edge - _MIN_GUTTER for each in row) for row in rows]
    tabular = [0 if shut else _columns_of_cells(row, edge) for row, shut in zip(rows, closed, strict=True)]
    run = 0
    for index, width in enumerate([*tabular, 0]):
        if width:
            run += 1
            continue
        if run >= 2 and (run >= 3 or max(tabular[index - run : index]) > 2):
            closed[index - run : index] = [True] * run
        run = 0
    found, begin = [], 0
    for index in range(len(rows) + 1):
        if index == len(rows) or closed[index]:
            if index - begin > 1:
                found.append((begin, index))
            begin = index + 1
    return found


def _columns_of_cells(row: Row, edge: float) -> int:
    """How many short parts a row has that stand on both sides of `edge` with nothing long among them; 0 for any other."""
    if len(row) < 2 or row[0].left >= edge - 1.5 or row[-1].left < edge - 1.5:
        return 0
    short = sum(weight(each.text) < _MIN_WEIGHT for each in row)
    return len(row) if short == len(row) or (len(row) > 3 and 4 * short >= 3 * len(row)) else 0


def _judged(rows: Region, begin: int, end: int, edge: float) -> _Cut | None:
    """The columns within a band, without what stands above and below them; None where they are none."""
    lefts = [index for index in range(begin, end) if rows[index][0].left < edge - 1.5]
    rights = [index for index in range(begin, end) if rows[index][-1].left >= edge - 1.5]
    if not lefts or not rights:
        return None
    lefts, rights = _together(rows, lefts, rights), _together(rows, rights, lefts)
    if not lefts or not rights:
        return None
    begin, end = min(lefts[0], rights[0]), max(lefts[-1], rights[-1]) + 1
    band = rows[begin:end]
    left = [each for row in _side(band, edge, right=False) for each in row]
    right = [each for row in _side(band, edge, right=True) for each in row]
    if not left or not right or not _are_columns(left, right):
        return None
    return _Cut(begin, end, edge, min(len(left), len(right)))


def _together(rows: Region, ours: list[int], others: list[int]) -> list[int]:
    """The rows of one side, less those beyond the other side that stand far from the rest."""
    steps = [rows[one][0].base - rows[two][0].base for one, two in pairwise(ours)]
    limit = _FAR * median(steps) if steps else 0.0
    first, last = 0, len(ours)
    for index, step in enumerate(steps):
        if step > limit and ours[index] < others[0]:
            first = index + 1
        if step > limit and ours[index + 1] > others[-1]:
            last = index + 1
            break
    return ours[first:last]


def weight(text: str) -> int:
    """The length of a text, ideographs counted twice."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def _are_columns(left: Sequence[Segment], right: Sequence[Segment]) -> bool:
    """Whether the lines of both sides are prose: by their looks, or, of a few lines, because sentences go on in them."""
    strong = [side for side in (left, right) if len(side) >= _MIN_LINES and _is_prose(side)]
    if len(strong) == 2:
        return True
    if not strong:
        return max(len(left), len(right)) < 2 * _MIN_LINES and _goes_on(left) and _goes_on(right)
    other = right if strong[0] is left else left
    if len(other) >= 2 * _MIN_LINES:
        return False
    width, widest = _widest(strong[0]), _widest(other)
    return widest <= 1.25 * width and (_goes_on(other) or (widest >= 0.7 * width and len(other) < _MIN_LINES))


def _is_prose(lines: Sequence[Segment]) -> bool:
    if median(weight(each.text) for each in lines) < _MIN_WEIGHT:
        return False
    fill = median(each.right - each.left for each in lines) / (_widest(lines) or 1.0)
    cased = [each.text[0] for each in lines if each.text[0].lower() != each.text[0].upper()]
    if 2 * len(cased) < len(lines):
        return fill >= _MIN_FILL
    return fill >= _MIN_FILL and sum(letter.islower() for letter in cased) >= _MIN_LOWER * len(cased)


def _goes_on(lines: Sequence[Segment]) -> bool:
    """Whether a sentence goes on from one line to the next."""
    widest = _widest(lines)
    for above, below in pairwise(lines):
        if _CLOSED.search(above.text) or weight(above.text) < _MIN_WEIGHT or above.base - below.base < _SAME_ROW:
            continue
        wide = above.right - above.left >= 0.85 * widest
        if below.text[0].islower() or (wide and _WIDE.match(above.text[-1]) and _WIDE.match(below.text[0])):
            return True
    return False


def _widest(lines: Sequence[Segment]) -> float:
    return max(each.right - each.left for each in lines)
