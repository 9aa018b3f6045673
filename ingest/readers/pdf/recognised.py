"""Pages that are pictures: their recognised lines in reading order, and where each character stands.

Owns what becomes of an engine's lines: rows of one height, columns and cells as on any page, places within a line. What is
recognised is not kept: a page is recognised anew to be marked, which yields the same lines. Must not know an engine.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from ingest.readers.ocr.recognition import Ocr, OcrLine, Picture
from ingest.readers.pdf.columns import arrange
from ingest.readers.pdf.forms import Box
from ingest.readers.pdf.layout import Line, Page
from ingest.readers.pdf.reading_order import Segment

_MAX_PIXELS = 40_000_000
_POINTS = 72


def page_of(found: Sequence[OcrLine], *, height: float, dpi: float) -> Page:
    """The lines of a page `height` pixels high, in reading order; their places are in points."""
    rows = list(_rows(found))
    scale = dpi / _POINTS

    def segment(part: OcrLine) -> Segment:
        size, base = (part.bottom - part.top) / scale, (height - part.bottom) / scale
        return Segment(part.text, part.left / scale, part.right / scale, 0, size=size, base=base)

    segments = [[segment(part) for part in row] for row in rows]
    lines = []
    for row in rows:
        base = (height - max(part.bottom for part in row)) / scale
        lines.append(Line(" ".join(part.text for part in row), 0.0, False, base, base))
    # the height of a recognised box tells no heading: letters with tails are higher
    return [replace(line, size=0.0) for line in arrange(lines, segments)]


def recognised_lines(page: Any, ocr: Ocr) -> Page:
    """The lines of a page of pypdfium2's that is a picture; none when nothing is recognised."""
    if not ocr.ready:
        return []
    picture = _drawn(page, ocr.dpi)
    return page_of(ocr.recognise(picture) or [], height=picture.height, dpi=picture.dpi)


def recognised_places(page: Any, ocr: Ocr) -> Iterator[tuple[str, list[Box]]]:
    """The lines of such a page in no certain order, each with the box of every character, in points as the page's own
    content is placed.
    """
    import pypdfium2.raw as raw

    if not ocr.ready:
        return
    picture = _drawn(page, ocr.dpi)
    across, up = ctypes.c_double(), ctypes.c_double()

    def point(x: float, y: float) -> tuple[float, float]:
        raw.FPDF_DeviceToPage(page.raw, 0, 0, picture.width, picture.height, 0, round(x), round(y), across, up)
        return across.value, up.value

    for line in ocr.recognise(picture) or []:
        boxes = []
        for left, top, right, bottom in character_edges(line):
            (one, two), (three, four) = point(left, bottom), point(right, top)
            boxes.append((min(one, three), min(two, four), max(one, three), max(two, four)))
        yield line.text, boxes


def character_edges(line: OcrLine) -> Iterator[tuple[float, float, float, float]]:
    """Left, upper, right and lower edge of each character of a line, in pixels: its box shared out by their usual widths."""
    widths = [_width(character) for character in line.text]
    ends = list(accumulate(widths, initial=0.0))
    down = line.bottom - line.top > 2 * (line.right - line.left) and len(line.text) > 1  # written from top to bottom
    length = (line.bottom - line.top if down else line.right - line.left) / (ends[-1] or 1.0)
    for begin, end in pairwise(ends):
        if down:
            yield line.left, line.top + begin * length, line.right, line.top + end * length
        else:
            yield line.left + begin * length, line.top, line.left + end * length, line.bottom


def _width(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 2.0
    return 0.6 if character in " .,;:!'|iljtfI()[]" else 1.4 if character in "mwMW" else 1.0


def _rows(found: Sequence[OcrLine]) -> Iterator[list[OcrLine]]:
    """Lines that stand on one height, from left to right; the rows from top to bottom."""
    rows: list[list[OcrLine]] = []
    for line in sorted(found, key=lambda each: each.top + each.bottom):
        if rows and all(_beside(line, other) for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    for row in rows:
        yield sorted(row, key=lambda each: each.left)


def _beside(line: OcrLine, other: OcrLine) -> bool:
    """Whether two lines share most of their height, and no more of their width than a box may be too wide."""
    shared = min(line.bottom, other.bottom) - max(line.top, other.top)
    height = min(line.bottom - line.top, other.bottom - other.top)
    return 2 * shared > height and min(line.right, other.right) - max(line.left, other.left) < height


def _drawn(page: Any, dpi: int) -> Picture:
    width, height = page.get_size()
    scale = min(dpi / _POINTS, (_MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    rows, stride = bytes(bitmap.buffer), bitmap.stride
    pixels = b"".join(rows[start : start + bitmap.width] for start in range(0, stride * bitmap.height, stride))
    return Picture(pixels, bitmap.width, bitmap.height, max(round(scale * _POINTS), 1))
