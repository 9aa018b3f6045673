"""Where pdfium's characters stand on a page as it is shown, and how large they are.

Owns the turning of sideways text and the reused buffers that make these calls cheap. Must not outlive its text page.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from dataclasses import dataclass, replace
from math import cos, pi, radians, sin
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """The direction that the text of a page runs in: `degrees` counter-clockwise (0 to 359), on a page of `width` and
    `height` points. A page that is shown turned has its text turned the other way, so this alone tells how to read it.
    """

    degrees: int
    width: float
    height: float

    def back(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page as a point of the page turned so that its text runs from left to right."""
        if self.degrees == 90:
            return y, self.width - x
        if self.degrees == 180:
            return self.width - x, self.height - y
        if self.degrees == 270:
            return self.height - y, x
        cosine, sine = cos(radians(self.degrees)), sin(radians(self.degrees))
        return x * cosine + y * sine, y * cosine - x * sine


class Place:
    """Asks pdfium about characters of one text page, by their index."""

    def __init__(self, text_page: Any, *, width: float, height: float) -> None:
        import pypdfium2.raw as raw

        self.text_page = text_page
        self._raw = raw
        self._turn = Turn(0, width, height)
        self._doubles = tuple(ctypes.c_double() for _ in range(4))
        self._matrix = raw.FS_MATRIX()

    def turn_to(self, positions: list[int]) -> None:
        """Take the direction of most of the characters at these positions of the text for that of the page."""
        # pdfium counts angles clockwise, in radians; -1 says that it does not know.
        angles = (self._raw.FPDFText_GetCharAngle(self.text_page, self.index_of(position)) for position in positions)
        degrees = Counter(-round(angle * 180 / pi) % 360 for angle in angles if angle >= 0)
        if degrees:
            self._turn = replace(self._turn, degrees=degrees.most_common(1)[0][0])

    def index_of(self, position: int) -> int:
        """The index of the character at a position of the text."""
        return int(self._raw.FPDFText_GetCharIndexFromTextIndex(self.text_page, position))

    def baseline(self, index: int) -> float:
        """Height of a character's origin over the lower edge of what is shown, in points."""
        x, y = self._doubles[0], self._doubles[1]
        self._raw.FPDFText_GetCharOrigin(self.text_page, index, x, y)
        return self._turn.back(x.value, y.value)[1]

    def extent(self, index: int) -> tuple[float, float]:
        """Left and right edge of a character in what is shown, in points."""
        left, right, bottom, top = self._doubles
        self._raw.FPDFText_GetCharBox(self.text_page, index, left, right, bottom, top)
        if not self._turn.degrees:
            return left.value, right.value
        if (
            self._turn.degrees % 90
        ):  # the box is wider than the letter, so go from its origin to the far side of its middle
            middle = self._turn.back((left.value + right.value) / 2, (bottom.value + top.value) / 2)[0]
            x, y = ctypes.c_double(), ctypes.c_double()
            self._raw.FPDFText_GetCharOrigin(self.text_page, index, x, y)
            begin = self._turn.back(x.value, y.value)[0]
            return begin, max(2 * middle - begin, begin)
        one, other = self._turn.back(left.value, bottom.value)[0], self._turn.back(right.value, top.value)[0]
        return min(one, other), max(one, other)

    def font_size(self, index: int) -> float:
        """Size as drawn, in half points: many producers set size 1 and scale by the matrix."""
        matrix = self._matrix
        self._raw.FPDFText_GetMatrix(self.text_page, index, matrix)
        scale = (matrix.c**2 + matrix.d**2) ** 0.5 or 1.0
        return float(round(2 * self._raw.FPDFText_GetFontSize(self.text_page, index) * scale) / 2)
