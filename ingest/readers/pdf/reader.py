"""PDF files: text and layout by pdfium, with pypdf as the second reader when pdfium fails or finds no text.

Owns what becomes of a file: encryption, damage, outline, warnings. `pdf_pdfium` reads pages, `pdf_columns` and `pdf_layout`
guess at layout. PDFium is not thread-safe: one PDF at a time per process, which the reader pool keeps.
"""

from __future__ import annotations

import logging
import re
import struct
import zlib
from pathlib import Path

from ingest.readers.ocr.recognition import Ocr
from ingest.readers.pdf.layout import Line, Page, tidy
from ingest.readers.pdf.opening import locked
from ingest.readers.pdf.pdfium import Contents, Entry, read_with_pdfium
from ingest.readers.text.normalisation import TextBuilder
from ingest.readers.warnings import WHY_UNREAD, named, numbered
from rag.errors import UnreadableError
from rag.types import ParsedDocument

_DAMAGED = (
    "The PDF is damaged and cannot be read. Fetch it anew, or print it to a new PDF from a viewer that still shows it."
)
_LEADING_NUMBER = re.compile(r"^(?:chapter|section|第)?\s*[\dIVXivx.]+[.:章节)]?\s*", re.IGNORECASE)


def read(path: Path, *, ocr: Ocr | None = None, password: str | None = None) -> ParsedDocument:
    """Read a PDF. Pages that are pictures are read by `ocr`, if given.

    Raises:
        EncryptedError: a password is needed to open it (code "encrypted"), or another one (code "wrong_password").
        UnreadableError: damaged, without pages, or without any text (code "no_text").
    """
    contents = read_with_pdfium(path, ocr, password)
    if contents is None or not any(contents.pages):
        contents = _second_opinion(path, contents, password)
    if contents is None:
        raise UnreadableError(_DAMAGED)
    if not contents.pages:
        raise UnreadableError("The PDF has no pages that can be found; it may be cut off. Fetch or save it anew.")
    if not any(contents.pages) and not contents.fields:
        if all(page is None for page in contents.pages):
            raise UnreadableError(_DAMAGED)
        if not contents.scanned:
            raise UnreadableError("The PDF holds no text: its pages are blank, or damaged.", code="no_text")
        raise UnreadableError(f"The PDF holds no text, only pictures: {WHY_UNREAD[_why_unread(ocr)]}.", code="no_text")
    return _compose(contents, ocr)


def _compose(contents: Contents, ocr: Ocr | None) -> ParsedDocument:
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
        _append_fields(builder, contents.fields.get(index, []))
        for entry in (entry for entry in outline if entry.page == index and page):
            builder.mark_heading(entry.level, entry.title, starts[_line_of(entry, page)])
    _warn(builder, contents, ocr)
    return builder.build(contents.metadata)


def _append_fields(builder: TextBuilder, fields: list[str]) -> None:
    """The values of form fields, at the end of their page."""
    for index, field in enumerate(fields):
        builder.add_block(field, gap="\n" if index else "\n\n")


def _warn(builder: TextBuilder, contents: Contents, ocr: Ocr | None) -> None:
    damaged = {index for index, page in enumerate(contents.pages) if page is None}
    if damaged:
        builder.warn("pages_damaged", **numbered(damaged))
    if contents.scanned:
        builder.warn(f"pages_unread_{_why_unread(ocr)}", **numbered(contents.scanned))
    if contents.recognised:
        builder.warn("pages_recognised", **numbered(contents.recognised))
    if contents.attachments:
        builder.warn("attachments", names=named(contents.attachments))
    if contents.dynamic_form:
        builder.warn("xfa")


def _why_unread(ocr: Ocr | None) -> str:
    """Why pictures have not been read: a key of `warnings.WHY_UNREAD`."""
    return ocr.why_unread if ocr else "off"


def _is_useful(outline: list[Entry], pages: int) -> bool:
    """A lone "Cover" entry is worth less than the headings that fonts show."""
    return len(outline) >= 2 and 10 * len(outline) >= pages


def _line_of(entry: Entry, page: Page) -> int:
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


def _second_opinion(path: Path, first: Contents | None, password: str | None) -> Contents | None:
    """The file as pypdf reads it, where that yields text; else what pdfium made of it."""
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError, PyPdfError

    # Foreign damage shows as almost any error there; these are the ones that damaged files have brought up.
    damage = (
        PyPdfError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
        RuntimeError,
        ArithmeticError,
        EOFError,
        struct.error,
        zlib.error,
    )
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path, strict=False)
        if password is not None and reader.is_encrypted:
            reader.decrypt(password)
        pages = list(reader.pages)
    except FileNotDecryptedError as error:
        raise locked(password) from error
    except damage:
        return first
    contents = Contents(metadata=first.metadata, scanned=first.scanned, fields=first.fields) if first else Contents()
    for page in pages:
        try:
            lines = [Line(text, 0.0, False, 0.0, 0.0) for text in page.extract_text().split("\n") if text.strip()]
        except damage:
            contents.pages.append(None)
            continue
        contents.pages.append(lines)
    return contents if any(contents.pages) or first is None else first
