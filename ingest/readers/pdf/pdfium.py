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
from ingest.readers.pdf.columns import arrange
from ingest.readers.pdf.forms import filled_fields
from ingest.readers.pdf.hyphens import HYPHEN
from ingest.readers.pdf.layout import Line, Page
from ingest.readers.pdf.opening import open_pdf
from ingest.readers.pdf.place import Place
from ingest.readers.pdf.reading_order import Segment
from ingest.readers.pdf.recognised import recognised_lines
from ingest.readers.text.normalisation import collapse

_BOLD_NAME = re.compile(rb"bold|black|heavy|cmbx|-bd", re.IGNORECASE)
_UNDECODED = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")
_SWAPPED = re.compile("[" + "".join(chr(byte << 8) for byte in range(0x20, 0x7F)) + "]{3,}")
_LINE = re.compile(f"[^{HYPHEN}]*{HYPHEN}|[^{HYPHEN}]+")
_LEFTWARDS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_BLANKS = re.compile(" +")
_SEGMENTS = 20  # of lines and areas: fewer draw no word
_MAX_NAMES = 100
_GAP = 0.75  # in type sizes: wider than most spaces between words, and no wider than gutters may be


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
            whole = end - begin == len(part) - 1  # else characters stand there that the text leaves out
            segments.append(_segments(place, line, begin if whole else None))
        if _runs_down(lines, segments):
            order = sorted(range(len(lines)), key=lambda index: -segments[index][0].left)
            return [lines[index] for index in order]
        return arrange(lines, segments)


def _runs_down(lines: Page, segments: list[list[Segment]]) -> bool:
    """Whether a page is written from top to bottom, in lines that follow each other from right to left."""
    down = 0
    for line, parts in zip(lines, segments, strict=True):
        if line.top - line.bottom > 2 * line.size > 0:
            wide = max(part.right for part in parts) - min(part.left for part in parts)
            down += len(line.text) if wide < 2 * line.size else 0
    return 2 * down > sum(len(line.text) for line in lines)


def _unswapped(match: re.Match[str]) -> str:
    """Letters whose font gives their codes with the bytes in the wrong order."""
    swapped = match[0]
    return "".join(chr(ord(each) >> 8) for each in swapped) if len(set(swapped)) > 2 else swapped


def _parts(text: str, astral: bool) -> Iterator[tuple[str, int, int]]:
    """The lines of a page's text with the positions of their first and last character, as pdfium counts. A word that it
    joined across two lines is parted again, for what follows may stand in another column.
    """
    position = 0
    for joined in text.split("\r\n"):
        for part in _LINE.findall(joined):
            stripped = part.strip()
            if stripped:
                first = position + _units(part[: len(part) - len(part.lstrip())], astral)
                yield stripped, first, first + _units(stripped, astral) - 1
            position += _units(part, astral)
        position += 2


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


def _segments(place: Place, line: Line, begin: int | None) -> list[Segment]:
    """The parts of a line between gaps that may part columns, and ends of lines that pdfium has not seen. `begin` is the index of its first character where those of
    the others follow it one by one; None where they do not.
    """
    text, first = line.runs[0]
    wide = not text.isascii()

    def index(offset: int) -> int:
        return begin + offset if begin is not None else place.index_of(first + _units(text[:offset], wide))

    limit, extent = _GAP * max(line.size, 4.0), place.extent
    left = extent(index(0))[0]
    parts, start = [], 0
    for match in _BLANKS.finditer(text):
        last, following = match.span()
        if begin is None:
            before, after = extent(index(last - 1))[1], extent(index(following))[0]
        else:
            before, after = extent(begin + last - 1)[1], extent(begin + following)[0]
        if after - before > limit or (
            after < left + limit and _goes_back(place, index(last - 1), index(following), left, text)
        ):
            parts.append((start, last, left, before))
            start, left = following, after
    right = extent(index(len(text) - 1))[1]
    if not parts:
        return [Segment(text, left, right, first, line.size, line.top, line.bold)]
    parts.append((start, len(text), left, right))
    found = []
    for begins, ends, near, far in parts:
        one, two = index(begins), index(ends - 1)
        size = min(place.font_size(one), place.font_size(two))
        bold = _is_bold(place.text_page, one) and _is_bold(place.text_page, two)
        position = first + _units(text[:begins], wide)
        found.append(Segment(text[begins:ends], near, far, position, size, place.baseline(one), bold))
    return found


def _goes_back(place: Place, one: int, other: int, left: float, text: str) -> bool:
    """Whether what follows stands on a line of its own, which pdfium took for one with the line before where columns are
    set off; or on the same line, but before what it follows, as where a page is turned upside down.
    """
    if abs(place.baseline(one) - place.baseline(other)) > 1:
        return True
    return place.extent(other)[1] <= left and not _LEFTWARDS.search(text)


def _is_bold(text_page: Any, index: int) -> bool:
    import pypdfium2.raw as raw

    if raw.FPDFText_GetFontWeight(text_page, index) >= 600:
        return True
    name, flags = ctypes.create_string_buffer(96), ctypes.c_int()
    raw.FPDFText_GetFontInfo(text_page, index, name, 96, flags)
    return _BOLD_NAME.search(name.value) is not None
