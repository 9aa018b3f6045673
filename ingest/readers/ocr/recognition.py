"""Text recognition for pages that are pictures: what an engine is given and gives, and how long it may take for a file.

Owns the forms in which pages and lines pass, and the time. Must not know PDF nor any engine's library.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_LEAST_S = 1.0  # what a page takes at least


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as grey pixels, 8 bits each, row by row without padding. `dpi` is what it was drawn at, as far as known."""

    pixels: bytes
    width: int
    height: int
    dpi: int = 200


@dataclass(frozen=True, slots=True)
class OcrLine:
    """A recognised line: its text, its edges in pixels from the left upper corner of the picture, and how sure the engine
    is, 0 to 100.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float


class Engine(Protocol):
    """What recognises the text of a picture."""

    dpi: int
    """What pages are best drawn at for it."""

    @property
    def available(self) -> bool:
        """Whether it is installed."""

    def recognise(self, picture: Picture, *, seconds: float) -> list[OcrLine] | None:
        """The lines of a picture in no certain order, which may be none; None when it cannot be read."""


class Ocr:
    """A budget of `seconds` of recognition for one file. `heard` is told of pages read and pages in all."""

    def __init__(
        self, *, seconds: float, engine: Engine, heard: Callable[[int, int], None] = lambda _done, _total: None
    ) -> None:
        self._engine = engine
        self._until = time.monotonic() + seconds
        self.heard = heard

    @property
    def dpi(self) -> int:
        """What pages are to be drawn at."""
        return self._engine.dpi

    @property
    def why_unread(self) -> str:
        """Why a picture has not been read: a key of `warnings.WHY_UNREAD`."""
        if not self.available:
            return "install"
        return "empty" if self._time_left >= _LEAST_S else "time"

    @property
    def available(self) -> bool:
        """Whether the engine is installed."""
        return self._engine.available

    def recognise(self, picture: Picture) -> list[OcrLine] | None:
        """The lines of a page, which may be none; None when it cannot be read: no engine, no time left, a failure."""
        if not self.ready:
            return None
        return self._engine.recognise(picture, seconds=self._time_left)

    @property
    def ready(self) -> bool:
        """Whether a page can be read: there is an engine, and time."""
        return self.available and self._time_left >= _LEAST_S

    @property
    def _time_left(self) -> float:
        """Seconds left of the budget, 0 or more."""
        return max(self._until - time.monotonic(), 0.0)
