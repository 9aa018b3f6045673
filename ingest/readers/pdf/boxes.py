"""Where a span of a document's text stands on its PDF page: boxes, one a line.

Owns the way from characters of the text to pdfium's characters and their boxes. Boxes are in points as the page's own
content is placed, neither turned nor cropped. Must not draw.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ingest.readers.ocr.recognition import Ocr
from ingest.readers.pdf.alignment import align, fold
from ingest.readers.pdf.forms import Box, placed_fields
from ingest.readers.pdf.hyphens import HYPHEN
from ingest.readers.pdf.pdfium import is_picture, page_lines
from ingest.readers.pdf.recognised import recognised_places

_MAX_HOLE = 3  # letters without partner that are marked with their neighbours: a bullet, a hyphen that was joined
_LOOSE = 1.7  # of the type size: boxes of some fonts are far higher than their letters
_SAME_LINE = 1.3  # of the height of one character: the height of a line

Place = int | Box
"""A character's position in pdfium's text (UTF-16 units), or a box: of the form field that it belongs to, or its own in a picture."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The boxes of a span. `wanted` characters of it can be seen on a page (blanks and bars between cells cannot),
    `found` of them stand in the boxes.
    """

    boxes: tuple[Box, ...]
    wanted: int
    found: int


def boxes_of(document: Any, page: Any, text: str, *, start: int, end: int, ocr: Ocr | None = None) -> Marked:
    """The boxes of characters [start, end) of `text`, which is the document's text on this page of pypdfium2's.

    A page that is a picture is recognised once more by `ocr`; without it, nothing is found there.
    """
    wanted = _wanted(text, start, end)
    if not wanted:
        return Marked((), 0, 0)
    characters, places = _page_text(document, page, ocr)
    picked, found = _picked(characters, text, wanted)
    with closing(page.get_textpage()) as text_page:
        boxes = tuple(_boxes(_Measure(text_page.raw).box, characters, places, picked))
    return Marked(boxes, len(wanted), found)


def mark_text(characters: str, places: Sequence[Box], text: str, *, start: int, end: int) -> Marked:
    """The boxes of characters [start, end) of `text` on a page of which each character's box is known."""
    wanted = _wanted(text, start, end)
    picked, found = _picked(characters, text, wanted)
    return Marked(tuple(_boxes(lambda _: None, characters, places, picked)), len(wanted), found)


def _wanted(text: str, start: int, end: int) -> set[int]:
    """Indexes of the characters that can be seen on a page."""
    return {index for index in range(max(start, 0), min(end, len(text))) if text[index] != "|" and fold(text[index])}


def _picked(characters: str, text: str, wanted: set[int]) -> tuple[list[bool], int]:
    """Which characters of the page are to be marked, and how many of the wanted ones are among them."""
    partners = align(text, characters)
    picked = [index in wanted for index in partners]
    _close_holes(picked, partners, characters)
    return picked, len(wanted.intersection(partners))


def _page_text(document: Any, page: Any, ocr: Ocr | None) -> tuple[str, list[Place]]:
    """The page's characters in reading order, runs parted by line ends, and the place of each."""
    parts: list[str] = []
    places: list[Place] = []
    lines = page_lines(page)
    recognised = list(recognised_places(page, ocr)) if ocr and is_picture(page, lines) else []
    for text, boxes in recognised:
        parts.append(f"{text}\n")
        places += [*boxes, boxes[-1]]
    for line in lines if not recognised else ():
        for text, position in line.runs:
            parts.append(text if text.endswith(HYPHEN) else f"{text}\n")  # a broken word goes on
            for character in parts[-1]:
                places.append(position)  # or of the line end that parts the runs
                position += 2 if character > "\uffff" else 1
    for text, box in placed_fields(document, page):
        parts.append(f"{text}\n")
        places += [box] * (len(text) + 1)
    return "".join(parts), places


def _close_holes(picked: list[bool], partners: list[int], characters: str) -> None:
    """Pick also the few letters without partner that stand between picked ones on one line."""
    last, hole = -1, 0
    for index, partner in enumerate(partners):
        if characters[index] == "\n":
            last = -1
        elif picked[index]:
            if last >= 0 and 0 < hole <= _MAX_HOLE:
                picked[last:index] = [True] * (index - last)
            last, hole = index, 0
        elif partner >= 0:
            last = -1  # what stands between belongs to another span
        elif not characters[index].isspace():
            hole += 1


def _boxes(
    measure: Callable[[int], Box | None], characters: str, places: Sequence[Place], picked: list[bool]
) -> Iterator[Box]:
    """The boxes of the picked characters, joined as long as they follow one another on a line."""
    line: _Line | None = None
    previous = -1
    for index, place in enumerate(places):
        if not picked[index] or characters[index].isspace():
            continue
        box = measure(place) if isinstance(place, int) else place
        if box is None:
            continue
        follows = line is not None and all(picked[i] or characters[i] == " " for i in range(previous + 1, index))
        if line is None or not follows or not line.take(box):
            if line is not None:
                yield line.box
            line = _Line(box)
        previous = index
    if line is not None:
        yield line.box


class _Line:
    """A box that grows along its line, whichever way that runs."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self._width, self._height = box[2] - box[0], box[3] - box[1]  # of the largest character so far

    def take(self, box: Box) -> bool:
        """Grow over another character; False if that does not continue the line."""
        left, bottom = min(self.box[0], box[0]), min(self.box[1], box[1])
        right, top = max(self.box[2], box[2]), max(self.box[3], box[3])
        width, height = max(self._width, box[2] - box[0]), max(self._height, box[3] - box[1])
        if right - left > _SAME_LINE * width and top - bottom > _SAME_LINE * height:
            return False
        self.box, self._width, self._height = (left, bottom, right, top), width, height
        return True


class _Measure:
    """Asks pdfium for the boxes of characters of one text page."""

    def __init__(self, text_page: Any) -> None:
        import pypdfium2.raw as raw

        self._raw = raw
        self._page = text_page
        self._edges = raw.FS_RECTF()
        self._doubles = tuple(ctypes.c_double() for _ in range(4))
        self._matrix = raw.FS_MATRIX()

    def box(self, position: int) -> Box | None:
        """The box of the character at a position of the text; None for one that is not drawn."""
        index = self._raw.FPDFText_GetCharIndexFromTextIndex(self._page, position)
        left, right, bottom, top = self._doubles
        if index < 0 or not self._raw.FPDFText_GetCharBox(self._page, index, left, right, bottom, top):
            return None
        tight = left.value, bottom.value, right.value, top.value
        size = self._size(index)
        if self._raw.FPDFText_GetLooseCharBox(self._page, index, self._edges):
            edges = self._edges
            loose = edges.left, edges.bottom, edges.right, edges.top
            width, height = loose[2] - loose[0], loose[3] - loose[1]
            if width > 0 and height > 0 and max(width, height) <= max(_LOOSE * size, 2 * _longest(tight)):
                return loose
        return tight if tight[2] > tight[0] or tight[3] > tight[1] else None

    def _size(self, index: int) -> float:
        """Type size as drawn, in points."""
        matrix = self._matrix
        self._raw.FPDFText_GetMatrix(self._page, index, matrix)
        scale = (matrix.c**2 + matrix.d**2) ** 0.5 or 1.0
        return float(self._raw.FPDFText_GetFontSize(self._page, index) * scale)


def _longest(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])
