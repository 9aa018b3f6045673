"""A page of a PDF as a PNG, with a span of its text marked.

Owns the drawing. Runs in a reader's child process only: the file may be hostile, and PDFium is not thread-safe.
"""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.readers.ocr.recognition import Ocr
from ingest.readers.pdf.boxes import boxes_of
from ingest.readers.pdf.forms import Box
from ingest.readers.pdf.opening import open_pdf
from rag.errors import NotFoundError, UnreadableError

MAX_PIXELS = 16_000_000
MAX_SIDE = 8000
"""Of one picture, in pixels; a page of strange proportions is drawn smaller than asked for."""

_MARK = (255, 226, 110)
_DARK = 96  # mean brightness, 0..255, below which a mark has to lighten what it covers
_FINE = 64  # parts of a pixel that places are told in


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """What to draw: page `number` (1-based), `width` pixels wide, with characters [start, end) of `text` marked, which is
    the document's text on that page.
    """

    number: int
    width: int
    text: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A drawn page. Of `wanted` characters to be marked, `found` are."""

    png: bytes
    wanted: int
    found: int


def draw(path: Path, order: Mapping[str, Any], *, password: str | None = None, ocr: Ocr | None = None) -> PagePicture:
    """Draw a page; `order` has the fields of `PictureOrder`. On a page that is a picture `ocr` finds what is to be marked.

    Raises:
        NotFoundError: the file has no such page (code "page_not_found").
        EncryptedError: a password is needed to open it, or another one.
        UnreadableError: the file or the page is damaged.
    """
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    wanted = PictureOrder(**order)
    try:
        document = open_pdf(path, password)
    except pdfium.PdfiumError as error:
        raise UnreadableError("The PDF is damaged, so its pages cannot be drawn.") from error
    with closing(document):
        if not 1 <= wanted.number <= len(document):
            raise NotFoundError(
                f"There is no page {wanted.number}: the document has {len(document)}.", code="page_not_found"
            )
        if document.get_formtype() != raw.FORMTYPE_NONE:
            document.init_forms()
        try:
            page = document[wanted.number - 1]
        except pdfium.PdfiumError as error:
            raise UnreadableError(f"Page {wanted.number} is damaged and cannot be drawn.") from error
        with closing(page):
            return _drawn(document, page, wanted, ocr)


def _drawn(document: Any, page: Any, order: PictureOrder, ocr: Ocr | None) -> PagePicture:
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise UnreadableError(f"Page {order.number} has no size and cannot be drawn.")
    scale = min(order.width / width, (MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))
    marked = boxes_of(document, page, order.text, start=order.start, end=order.end, ocr=ocr)
    drawn = page.render(scale=scale).to_pil().convert("RGB")
    buffer = io.BytesIO()
    image = coloured(drawn, [_pixels(page, box, drawn.size) for box in marked.boxes])
    image.save(buffer, "PNG", compress_level=6)
    return PagePicture(buffer.getvalue(), marked.wanted, marked.found)


def _pixels(page: Any, box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, upper, right and lower edge of a box in a picture of that size; the right and lower one excluded."""
    import pypdfium2.raw as raw

    width, height = size
    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for across, up in ((box[0], box[1]), (box[2], box[3])):
        raw.FPDF_PageToDevice(page.raw, 0, 0, _FINE * width, _FINE * height, 0, across, up, x, y)
        corners.append((x.value / _FINE, y.value / _FINE))
    (one, two), (three, four) = corners
    left, right, upper, lower = min(one, three), max(one, three), min(two, four), max(two, four)
    return max(int(left), 0), max(int(upper), 0), min(int(right) + 1, width), min(int(lower) + 1, height)


def coloured(drawn: Any, parts: Iterable[tuple[int, int, int, int]]) -> Any:
    """A copy of a Pillow picture with parts of it marked: left, upper, right and lower edge, the last two excluded."""
    image = drawn.copy()
    for pixels in parts:
        _mark(image, drawn, pixels)
    return image


def _mark(image: Any, drawn: Any, pixels: tuple[int, int, int, int]) -> None:
    """Colour a part of the picture as a marker pen would: what is dark on light stays legible, and light on dark too.

    `drawn` is the picture without marks, so that boxes of neighbouring lines may overlap.
    """
    from PIL import Image, ImageChops, ImageStat

    if pixels[0] >= pixels[2] or pixels[1] >= pixels[3]:  # outside what is shown
        return
    part = drawn.crop(pixels)
    colour = Image.new("RGB", part.size, _MARK)
    if ImageStat.Stat(part.convert("L")).mean[0] >= _DARK:
        image.paste(ImageChops.multiply(part, colour), pixels)
    else:
        image.paste(Image.blend(part, colour, 0.4), pixels)
