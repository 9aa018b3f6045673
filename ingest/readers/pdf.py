"""PDF files: text and layout by pdfium, with pypdf as the second reader when pdfium fails or finds no text.

Owns opening, encryption, outline, metadata and damage. Guesses about layout belong to `pdf_layout`. PDFium is not
thread-safe: one PDF at a time per process, which the reader pool keeps.
"""

from __future__ import annotations

import ctypes
import logging
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.readers.normalisation import TextBuilder, collapse
from ingest.readers.pdf_layout import Line, Page, tidy
from rag.errors import EncryptedError, UnreadableError
from rag.types import ParsedDocument

_BOLD_NAME = re.compile(rb"bold|black|heavy|cmbx|-bd", re.IGNORECASE)
_ENCRYPTED = "The PDF needs a password. Save a copy without one (print it to PDF, for example) and upload that."
_DAMAGED = "The PDF is damaged and cannot be read."
_LEADING_NUMBER = re.compile(r"^(?:chapter|section|第)?\s*[\dIVXivx.]+[.:章节)]?\s*", re.IGNORECASE)


@dataclass(slots=True)
class _Entry:
    """One entry of the outline. `page` 0-based; `top` in points from the page's lower edge, where it is given."""

    level: int
    title: str
    page: int
    top: float | None


@dataclass(slots=True)
class _Contents:
    """What a reader got out of a file. A page is None when it cannot be read; `scanned` pages hold no text."""

    pages: list[Page | None]
    scanned: set[int]
    outline: list[_Entry]
    metadata: dict[str, str]


def read(path: Path) -> ParsedDocument:
    """Read a PDF.

    Raises:
        EncryptedError: a password is needed to open it.
        UnreadableError: damaged, without pages, or without any text (code "no_text").
    """
    contents = _read_with_pdfium(path)
    if contents is None or not any(contents.pages):
        contents = _second_opinion(path, contents)
    if contents is None:
        raise UnreadableError(_DAMAGED)
    if not contents.pages:
        raise UnreadableError("The PDF has no pages.")
    if not any(contents.pages):
        if all(page is None for page in contents.pages):
            raise UnreadableError(_DAMAGED)
        raise UnreadableError(
            "The PDF holds no text, only pictures. Run OCR on it and upload the result.", code="no_text"
        )
    return _compose(contents)


def _compose(contents: _Contents) -> ParsedDocument:
    outline = contents.outline if _is_useful(contents.outline, len(contents.pages)) else []
    pages = tidy([page or [] for page in contents.pages], headings=not outline)
    builder = TextBuilder()
    for index, page in enumerate(pages):
        builder.begin_page(index + 1)
        starts = []
        for position, line in enumerate(page):
            start = builder.add_block(line.text, gap="\n" if position and not line.gap else "\n\n")
            starts.append(start or 0)
            if line.level:
                builder.mark_heading(line.level, line.text, start or 0)
        for entry in (entry for entry in outline if entry.page == index and page):
            builder.mark_heading(entry.level, entry.title, starts[_line_of(entry, page)])
    damaged = {index for index, page in enumerate(contents.pages) if page is None}
    if damaged:
        builder.warn(f"Damaged and left out: {_page_list(damaged)}.")
    if contents.scanned:
        builder.warn(f"No text, only pictures (needs OCR): {_page_list(contents.scanned)}.")
    return builder.build(contents.metadata)


def _is_useful(outline: list[_Entry], pages: int) -> bool:
    """A lone "Cover" entry is worth less than the headings that fonts show."""
    return len(outline) >= 2 and 10 * len(outline) >= pages


def _line_of(entry: _Entry, page: Page) -> int:
    """Index of the line an outline entry points to: the one that says its title, else the one at its height."""
    wanted = _folded(entry.title)
    for index, line in enumerate(page):
        text = _folded(line.text)
        following = _folded(page[index + 1].text) if index + 1 < len(page) else ""
        if text and (text == wanted or (wanted.startswith(text) and (text + following).startswith(wanted))):
            return index
    if entry.top is not None:
        below = (index for index, line in enumerate(page) if line.top <= entry.top)
        return next(below, 0)
    return 0


def _folded(title: str) -> str:
    return "".join(_LEADING_NUMBER.sub("", title).split()).casefold()


def _page_list(indexes: set[int]) -> str:
    """ "pages 2-4, 9" from 0-based indexes."""
    runs: list[list[int]] = []
    for number in sorted(index + 1 for index in indexes):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    listed = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
    return f"{'page' if len(indexes) == 1 else 'pages'} {listed}"


def _read_with_pdfium(path: Path) -> _Contents | None:
    """None when pdfium cannot open the file."""
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise EncryptedError(_ENCRYPTED) from error
        return None
    with closing(document):
        contents = _Contents([], set(), [], _pdfium_metadata(document))
        for index in range(len(document)):
            try:
                page = document[index]
            except pdfium.PdfiumError:
                contents.pages.append(None)
                continue
            with closing(page):
                lines = _page_lines(page)
                if not lines and raw.FPDFPage_CountObjects(page.raw) > 0:
                    contents.scanned.add(index)
                contents.pages.append(lines)
        contents.outline = list(_pdfium_outline(document))
        return contents


def _pdfium_metadata(document: Any) -> dict[str, str]:
    return {"title": document.get_metadata_value("Title"), "author": document.get_metadata_value("Author")}


def _pdfium_outline(document: Any) -> Iterator[_Entry]:
    for bookmark in document.get_toc(max_depth=6):
        title, destination = collapse(bookmark.get_title()).strip(), bookmark.get_dest()
        page = destination.get_index() if destination else None
        if title and page is not None:
            _, view = destination.get_view()
            # Only the view "XYZ" has three values: left, top, zoom. The line's baseline lies under its top.
            yield _Entry(bookmark.level + 1, title, page, view[1] if len(view) == 3 else None)


def _page_lines(page: Any) -> Page:
    """The lines of a page in pdfium's reading order, each with its font and place."""
    import pypdfium2 as pdfium

    try:
        text_page = page.get_textpage()
    except pdfium.PdfiumError:
        return []
    with closing(text_page):
        text = text_page.get_text_range()
        astral = not text.isascii() and max(text) > "\uffff"  # pdfium counts UTF-16 units
        lines, position = [], 0
        for part in text.split("\r\n"):
            stripped = part.strip()
            if stripped:
                first = position + _units(part[: len(part) - len(part.lstrip())], astral)
                last = first + _units(stripped, astral) - 1
                lines.append(_measured(text_page.raw, stripped, first, last))
            position += _units(part, astral) + 2
        return lines


def _units(text: str, astral: bool) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if astral else len(text)


def _measured(text_page: Any, text: str, first: int, last: int) -> Line:
    import pypdfium2.raw as raw

    begin = raw.FPDFText_GetCharIndexFromTextIndex(text_page, first)
    end = raw.FPDFText_GetCharIndexFromTextIndex(text_page, last)
    top, bottom = _baseline(raw, text_page, begin), _baseline(raw, text_page, end)
    sizes = _font_size(raw, text_page, begin), _font_size(raw, text_page, end)
    # A drop capital or one bold word makes no heading, so both ends of the line must agree.
    bold = _is_bold(raw, text_page, begin) and _is_bold(raw, text_page, end)
    return Line(text, min(sizes), bold, top, bottom)


def _baseline(raw: Any, text_page: Any, index: int) -> float:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, index, x, y)
    return y.value


def _font_size(raw: Any, text_page: Any, index: int) -> float:
    """Size as drawn, in half points: many producers set size 1 and scale by the matrix."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text_page, index, matrix)
    scale = (matrix.c**2 + matrix.d**2) ** 0.5 or 1.0
    return float(round(2 * raw.FPDFText_GetFontSize(text_page, index) * scale) / 2)


def _is_bold(raw: Any, text_page: Any, index: int) -> bool:
    if raw.FPDFText_GetFontWeight(text_page, index) >= 600:
        return True
    name, flags = ctypes.create_string_buffer(96), ctypes.c_int()
    raw.FPDFText_GetFontInfo(text_page, index, name, 96, flags)
    return _BOLD_NAME.search(name.value) is not None


def _second_opinion(path: Path, first: _Contents | None) -> _Contents | None:
    """The file as pypdf reads it, where that yields text; else what pdfium made of it."""
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError, PyPdfError

    # Foreign damage shows as almost any error there; these are the ones its issues report.
    damage = (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        OverflowError,
        zlib.error,
    )
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path, strict=False)
        pages = list(reader.pages)
    except FileNotDecryptedError as error:
        raise EncryptedError(_ENCRYPTED) from error
    except damage:
        return first
    contents = _Contents([], set(), [], first.metadata if first else {})
    for index, page in enumerate(pages):
        try:
            lines = [Line(text, 0.0, False, 0.0, 0.0) for text in page.extract_text().split("\n") if text.strip()]
        except damage:
            contents.pages.append(None)
            continue
        contents.pages.append(lines)
        if not lines and "/Contents" in page:
            contents.scanned.add(index)
    return contents if any(contents.pages) or first is None else first
