"""Photographs and scans that are picture files: PNG, JPEG, WebP, and TIFF with its pages.

Owns their opening within limits, their upright and grey form, and the drawing of a page with a span marked. Their text is what
recognition finds; layout is guessed as for scanned PDFs. Runs in a reader's child process only.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.readers.ocr.recognition import Ocr, Picture
from ingest.readers.pdf.boxes import mark_text
from ingest.readers.pdf.forms import Box
from ingest.readers.pdf.layout import Page, tidy
from ingest.readers.pdf.picture import MAX_PIXELS as MAX_DRAWN_PIXELS
from ingest.readers.pdf.picture import MAX_SIDE, PagePicture, PictureOrder, coloured
from ingest.readers.pdf.recognised import character_edges, page_of
from ingest.readers.text.normalisation import TextBuilder
from ingest.readers.warnings import WHY_UNREAD, numbered
from rag.errors import NotFoundError, TooLargeError, UnreadableError
from rag.types import ParsedDocument

MAX_PIXELS = 64_000_000
"""Of one picture: a photograph of the finest telephones, or a page of A3 at 500 dpi."""
MAX_PAGES = 2000

_READ_PIXELS = 8_000_000
"""What is given to recognition: a page of A4 at 250 dpi. More is made smaller."""
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
_TOO_LARGE = f"The picture is larger than {MAX_PIXELS // 1_000_000} million pixels, so it was not opened. Make it smaller and upload it anew."


def read(path: Path, *, ocr: Ocr | None = None) -> ParsedDocument:
    """Read the text of a picture, by `ocr`.

    Raises:
        TooLargeError: over `MAX_PIXELS`, or `MAX_PAGES`.
        UnreadableError: damaged, or without text that can be read (code "no_text").
    """
    pages: list[Page] = []
    unread, damaged = set(), set()
    with _opened(path) as image:
        count = _count(image)
        for index in range(count):
            picture = _picture(image, index)
            if picture is None:
                damaged.add(index)
            found = ocr.recognise(picture) if ocr and picture else None
            if not found and picture:
                unread.add(index)
            pages.append(page_of(found or [], height=picture.height, dpi=picture.dpi) if picture else [])
            if ocr:
                ocr.heard(index + 1, count)
    if not any(pages):
        if len(damaged) == count:
            raise _damaged()
        raise UnreadableError(
            f"No text was read in the picture: {WHY_UNREAD[ocr.why_unread if ocr else 'off']}.", code="no_text"
        )
    return _composed(pages, unread, damaged, ocr)


def draw(path: Path, order: Mapping[str, Any], *, ocr: Ocr | None = None) -> PagePicture:
    """Draw a page; as `pdf.picture.draw`."""
    wanted = PictureOrder(**order)
    with _opened(path) as image:
        if not 1 <= wanted.number <= _count(image):
            raise NotFoundError(f"There is no page {wanted.number} in the picture.", code="page_not_found")
        page = _upright(image, wanted.number - 1)
        if page is None:
            raise _damaged()
    characters, places = [], list[Box]()
    if ocr and wanted.start < wanted.end:
        picture = _grey(page)
        scale = page.width / picture.width
        for line in ocr.recognise(picture) or []:
            boxes = [(scale * a, scale * b, scale * c, scale * d) for a, b, c, d in character_edges(line)]
            characters.append(line.text)
            places += [*boxes, boxes[-1]]
    marked = mark_text("\n".join([*characters, ""]), places, wanted.text, start=wanted.start, end=wanted.end)
    area, longest = page.width * page.height, max(page.size)
    shrunk = min(wanted.width / page.width, (MAX_DRAWN_PIXELS / area) ** 0.5, MAX_SIDE / longest)
    drawn = page.resize((max(round(shrunk * page.width), 1), max(round(shrunk * page.height), 1)))
    pixels = [
        (int(a * shrunk), int(b * shrunk), int(c * shrunk) + 1, int(d * shrunk) + 1) for a, b, c, d in marked.boxes
    ]
    buffer = io.BytesIO()
    coloured(drawn, pixels).save(buffer, "PNG", compress_level=6)
    return PagePicture(buffer.getvalue(), marked.wanted, marked.found)


def _composed(pages: list[Page], unread: set[int], damaged: set[int], ocr: Ocr | None) -> ParsedDocument:
    builder = TextBuilder()
    for index, page in enumerate(tidy(pages, headings=False)):
        builder.begin_page(index + 1)
        for position, line in enumerate(page):
            builder.add_block(line.text, gap="\n" if position and not line.gap else "\n\n")
    if damaged:
        builder.warn("pages_damaged", **numbered(damaged))
    if unread:
        builder.warn(f"pages_unread_{ocr.why_unread if ocr else 'off'}", **numbered(unread))
    builder.warn("pages_recognised", **numbered(index for index, page in enumerate(pages) if page))
    return builder.build()


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A picture file of which no more than its head has been read.

    Raises:
        TooLargeError: its head says that it is over `MAX_PIXELS`.
        UnreadableError: damaged.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow about large pictures, whose limit is ours, and about odd metadata
        try:
            image = Image.open(path, formats=_FORMATS)
        except Image.DecompressionBombError as error:
            raise TooLargeError(_TOO_LARGE) from error
        except _DAMAGE as error:
            raise _damaged() from error
        with image:
            yield image


def _count(image: Any) -> int:
    """Pages of a TIFF; a picture that moves is its first one."""
    try:
        count = int(image.n_frames) if image.format == "TIFF" else 1
    except _DAMAGE as error:
        raise _damaged() from error
    if count > MAX_PAGES:
        raise TooLargeError(f"The picture has {count} pages; the limit is {MAX_PAGES}. Split it.")
    return count


def _upright(image: Any, index: int) -> Any:
    """A page as it is to be seen, on white; None when it is damaged."""
    from PIL import Image, ImageOps

    try:
        image.seek(index)
        if image.width * image.height > MAX_PIXELS:
            raise TooLargeError(_TOO_LARGE)
        if image.format in ("JPEG", "MPO") and image.width * image.height > 4 * _READ_PIXELS:
            image.draft(
                "RGB", (image.width // 2, image.height // 2)
            )  # decoded at half the size, in a quarter of the memory
        page = ImageOps.exif_transpose(image)
        if page.mode.startswith("I"):  # 16 bits
            page = page.convert("I").point(lambda value: value / 256).convert("L")
        if page.mode in ("RGBA", "LA", "PA") or "transparency" in page.info:
            page = page.convert("RGBA")
            page = Image.alpha_composite(Image.new("RGBA", page.size, "white"), page)
        return page.convert("RGB")
    except Image.DecompressionBombError as error:
        raise TooLargeError(_TOO_LARGE) from error
    except _DAMAGE:
        return None


def _picture(image: Any, index: int) -> Picture | None:
    page = _upright(image, index)
    return None if page is None else _grey(page)


def _grey(page: Any) -> Picture:
    scale = min(1.0, (_READ_PIXELS / (page.width * page.height)) ** 0.5)
    grey = page.convert("L")
    if scale < 1:
        grey = grey.resize((max(int(scale * page.width), 1), max(int(scale * page.height), 1)))
    return Picture(grey.tobytes(), grey.width, grey.height)


def _damaged() -> UnreadableError:
    return UnreadableError("The picture is damaged and cannot be read. Save or fetch it anew.")
