"""PDF pages by pdfium: lines with their font and place, outline, form fields, and pictures for recognition.

Owns every call of pdfium for text. Places are given as the page is shown: a page that is turned has been turned back. Must
not judge layout; that is what `pdf_columns` and `pdf_layout` do.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.readers.ocr.recognition import Ocr
from ingest.readers.pdf.columns import Segment, arrange
from ingest.readers.pdf.forms import filled_fields
from ingest.readers.pdf.layout import Line, Page
from ingest.readers.pdf.opening import open_pdf
from ingest.readers.pdf.place import Place
from ingest.readers.pdf.recognised import recognised_lines
from ingest.readers.text.normalisation import collapse

_BOLD_NAME = re.compile(rb"bold|black|heavy|cmbx|-bd", re.IGNORECASE)
_UNDECODED = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")
_SWAPPED = re.compile("[" + "".join(chr(byte << 8) for byte in range(0x20, 0x7F)) + "]{3,}")
_SEGMENTS = 20  # of lines and areas: fewer draw no word
_MAX_NAMES = 100
_WIDE_GAP = 1.5  # in type sizes: wider than any space between words


@dataclass(slots=True)
class Entry:
    """One entry of the outline. `page` 0-based; `top` in points from the page's lower edge, where it is given."""

    level: int
    title: str
    page: int
    top: float | None


@dataclass(slots=True)
class Contents:
    """What a reader got out of a file. A page is None when it cannot be read; pages that are pictures are `scanned`, or
    `recognised` once they have been read. `fields` holds the filled form fields of a page.
    """

    pages: list[Page | None] = field(default_factory=list)
    scanned: set[int] = field(default_factory=set)
    recognised: set[int] = field(default_factory=set)
    outline: list[Entry] = field(default_factory=list)
    fields: dict[int, list[str]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    dynamic_form: bool = False
    attachments: list[str] = field(default_factory=list)


def read_with_pdfium(path: Path, ocr: Ocr | None, password: str | None = None) -> Contents | None:
    """The contents of a file, or None when pdfium cannot open it.

    Raises:
        EncryptedError: a password is needed, or another one.
    """
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        document = open_pdf(path, password)
    except pdfium.PdfiumError:
        return None
    with closing(document):
        contents = Contents(metadata=_metadata(document))
        kind = document.get_formtype()
        contents.dynamic_form = kind == raw.FORMTYPE_XFA_FULL
        if kind != raw.FORMTYPE_NONE:
            document.init_forms()
        for index in range(len(document)):
            try:
                page = document[index]
            except pdfium.PdfiumError:
                contents.pages.append(None)
                continue
            with closing(page):
                _read_page(contents, document, page, index, ocr)
            if ocr and index in contents.recognised:
                ocr.heard(index + 1, len(document))
        contents.outline = list(_outline(document))
        contents.attachments = _attachments(document)
        return contents


def _read_page(contents: Contents, document: Any, page: Any, index: int, ocr: Ocr | None) -> None:
    lines = page_lines(page)
    if fields := list(filled_fields(document, page)):
        contents.fields[index] = fields
    if is_picture(page, lines):
        recognised = recognised_lines(page, ocr) if ocr else []
        if recognised:
            contents.recognised.add(index)
            lines = recognised
        elif not contents.fields.get(index):
            contents.scanned.add(index)
            lines = []
    contents.pages.append(lines)


def is_picture(page: Any, lines: Page) -> bool:
    """Whether a page with these lines has its text in what it draws only."""
    import pypdfium2.raw as raw

    return _is_undecoded(lines) or (not lines and _is_drawn(raw, page))


def _is_drawn(raw: Any, page: Any) -> bool:
    """Whether there is anything on a page that might show text: a picture, or shapes in number."""
    segments = 0
    for index in range(raw.FPDFPage_CountObjects(page.raw)):
        item = raw.FPDFPage_GetObject(page.raw, index)
        if raw.FPDFPageObj_GetType(item) in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM):
            return True
        segments += max(raw.FPDFPath_CountSegments(item), 0)
        if segments > _SEGMENTS:
            return True
    return False


def _is_undecoded(lines: Page) -> bool:
    """Whether a page's fonts do not say which letters they draw."""
    letters = "".join(line.text for line in lines)
    return 2 * len(_UNDECODED.findall(letters)) > len(letters)


def _metadata(document: Any) -> dict[str, str]:
    return {"title": document.get_metadata_value("Title"), "author": document.get_metadata_value("Author")}


def _attachments(document: Any) -> list[str]:
    """The names of files within the file."""
    return [
        collapse(document.get_attachment(index).get_name())
        for index in range(min(document.count_attachments(), _MAX_NAMES))
    ]


def _outline(document: Any) -> Iterator[Entry]:
    for bookmark in document.get_toc(max_depth=6):
        title, destination = collapse(bookmark.get_title()).strip(), bookmark.get_dest()
        page = destination.get_index() if destination else None
        if title and page is not None:
            _, view = destination.get_view()
            # Only the view "XYZ" has three values: left, top, zoom. The line's baseline lies under its top.
            yield Entry(bookmark.level + 1, title, page, view[1] if len(view) == 3 else None)


def page_lines(page: Any) -> Page:
    """The lines of a page in reading order, each with its font and place."""
    import pypdfium2 as pdfium

    try:
        text_page = page.get_textpage()
    except pdfium.PdfiumError:
        return []
    with closing(text_page):
        text = text_page.get_text_range()
        if not text.isascii():
            text = _SWAPPED.sub(_unswapped, text)
        astral = not text.isascii() and max(text, default="") > "\uffff"  # pdfium counts UTF-16 units
        parts = list(_parts(text, astral))
        left, bottom, right, top = page.get_mediabox()
        place = Place(text_page.raw, width=left + right, height=bottom + top)
        place.turn_to([first for _, first, _ in parts[:: max(len(parts) // 20, 1)]])
        lines, segments = [], []
        for part, first, last in parts:
            line, begin, end = _measured(place, part, first, last)
            lines.append(line)
            whole = end - begin == len(part) - 1
            segments.append(_segments(place, line, begin) if whole else [Segment(part, 0.0, 0.0, first)])
        if _runs_down(lines):
            order = sorted(range(len(lines)), key=lambda index: -segments[index][0].left)
            return [lines[index] for index in order]
        return arrange(lines, segments)


def _runs_down(lines: Page) -> bool:
    """Whether a page is written from top to bottom, in lines that follow each other from right to left."""
    down = sum(len(line.text) for line in lines if line.top - line.bottom > 2 * line.size > 0)
    return 2 * down > sum(len(line.text) for line in lines)


def _unswapped(match: re.Match[str]) -> str:
    """Letters whose font gives their codes with the bytes in the wrong order."""
    swapped = match[0]
    return "".join(chr(ord(each) >> 8) for each in swapped) if len(set(swapped)) > 2 else swapped


def _parts(text: str, astral: bool) -> Iterator[tuple[str, int, int]]:
    """The lines of a page's text with the positions of their first and last character, as pdfium counts."""
    position = 0
    for part in text.split("\r\n"):
        stripped = part.strip()
        if stripped:
            first = position + _units(part[: len(part) - len(part.lstrip())], astral)
            yield stripped, first, first + _units(stripped, astral) - 1
        position += _units(part, astral) + 2


def _units(text: str, astral: bool) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if astral else len(text)


def _measured(place: Place, text: str, first: int, last: int) -> tuple[Line, int, int]:
    """The line from text index `first` to `last`, and the indexes of its characters."""
    begin, end = place.index_of(first), place.index_of(last)
    sizes = place.font_size(begin), place.font_size(end)
    # A drop capital or one bold word makes no heading, so both ends of the line must agree.
    bold = _is_bold(place.text_page, begin) and _is_bold(place.text_page, end)
    line = Line(text, min(sizes), bold, place.baseline(begin), place.baseline(end), runs=((text, first),))
    return line, begin, end


def _segments(place: Place, line: Line, begin: int) -> list[Segment]:
    """The parts of a line between gaps that no space between words explains."""
    text, limit = line.text, _WIDE_GAP * max(line.size, 4.0)
    first = line.runs[0][1]
    left, right = place.extent(begin)
    segments, start = [], 0
    for match in re.finditer(r" +", text):
        before, after = place.extent(begin + match.start() - 1), place.extent(begin + match.end())
        if after[0] - before[1] > limit:
            segments.append(Segment(text[start : match.start()], left, before[1], first + start))
            start, left = match.end(), after[0]
    right = place.extent(begin + len(text) - 1)[1]
    return [*segments, Segment(text[start:], left, right, first + start)]


def _is_bold(text_page: Any, index: int) -> bool:
    import pypdfium2.raw as raw

    if raw.FPDFText_GetFontWeight(text_page, index) >= 600:
        return True
    name, flags = ctypes.create_string_buffer(96), ctypes.c_int()
    raw.FPDFText_GetFontInfo(text_page, index, name, 96, flags)
    return _BOLD_NAME.search(name.value) is not None
