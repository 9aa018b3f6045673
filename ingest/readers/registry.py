"""The table of accepted file types, and the door through which every file is read.

Owns which types exist and how a file's type is told from its name and its first bytes; the documentation, the error for
other types and the upload page all read `FILE_TYPES`. To add a format: one reader module with `read(path) ->
ParsedDocument`, and one row. Must not parse anything itself.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from ingest.readers.markup.eml import Attached
from ingest.readers.ocr.recognition import Ocr
from ingest.readers.pdf.picture import PagePicture, draw
from ingest.readers.text.code import EXTENSIONS as CODE_EXTENSIONS
from ingest.readers.text.plain import is_binary
from ingest.readers.warnings import sentence
from rag.errors import UnreadableError, UnsupportedTypeError
from rag.types import ParsedDocument

HEAD_BYTES = 4096
"""How much of a file `media_type_of` needs to see."""


@dataclass(frozen=True, slots=True)
class FileType:
    """An accepted type. `content` is what its first bytes must look like: "pdf", "zip", "text" or a kind of picture. `keeps`
    says, for people, what of such a file is kept. `pictured`: its reader takes `ocr`, because its pages may be pictures of
    text; `locked`: it takes `password`; `carrying`: it takes `attached`, which reads what such a file carries; `gathered`: it
    is taken from folders, archives and repositories too, not only when it is named itself.
    """

    name: str
    extensions: tuple[str, ...]
    media_type: str
    reader: str
    content: str
    keeps: str
    pictured: bool = False
    locked: bool = False
    carrying: bool = False
    gathered: bool = True


_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_R = "ingest.readers."
FILE_TYPES = (
    FileType("PDF", (".pdf",), "application/pdf", f"{_R}pdf.reader", "pdf",
             "pages, outline or headings by type size, columns in reading order, rows of tables, form fields; pages that are pictures by OCR",
             pictured=True, locked=True),
    FileType("Word document", (".docx", ".docm"), f"{_OFFICE}wordprocessingml.document", f"{_R}office.docx", "zip",
             "headings, lists with their numbers, tables, notes, comments, text boxes, charts, heads and feet of pages"),
    FileType("PowerPoint presentation", (".pptx", ".pptm", ".ppsx"), f"{_OFFICE}presentationml.presentation", f"{_R}office.pptx", "zip",
             "slides as pages, titles, lists, tables, the data of charts, diagrams, notes, comments"),
    FileType("Excel workbook", (".xlsx", ".xlsm"), f"{_OFFICE}spreadsheetml.sheet", f"{_R}office.xlsx", "zip",
             "sheets as headings, rows with their header, numbers and dates as shown, comments, text boxes"),
    FileType("OpenDocument text", (".odt", ".ott"), f"{_OPEN}text", f"{_R}office.odf", "zip", "headings, lists, tables, notes, comments"),
    FileType("OpenDocument spreadsheet", (".ods",), f"{_OPEN}spreadsheet", f"{_R}office.odf", "zip",
             "sheets as headings, rows with their header, values as shown, comments"),
    FileType("OpenDocument presentation", (".odp",), f"{_OPEN}presentation", f"{_R}office.odf", "zip", "slides as pages, titles, lists, tables, comments"),
    FileType("e-book", (".epub",), "application/epub+zip", f"{_R}markup.epub", "zip", "chapters in order, headings, lists, tables"),
    FileType("HTML page", (".html", ".htm", ".xhtml"), "text/html", f"{_R}markup.html", "text",
             "the article with headings, lists, tables; no menus, banners, scripts or hidden text"),
    FileType("Markdown", (".md", ".markdown"), "text/markdown", f"{_R}markup.markdown", "text", "the source, its headings, front matter"),
    FileType("reStructuredText", (".rst",), "text/x-rst", f"{_R}markup.rst", "text", "headings, lists, tables; nothing is included or executed"),
    FileType("Rich Text Format", (".rtf",), "application/rtf", f"{_R}office.rtf", "text", "headings by style, lists, tables, footnotes"),
    FileType("e-mail", (".eml",), "message/rfc822", f"{_R}markup.eml", "text",
             "sender, receivers, date, subject, the body, forwarded messages, what is attached and has a reader; the rest is named", carrying=True),
    FileType("table of values", (".csv", ".tsv", ".tab"), "text/csv", f"{_R}text.delimited", "text", "rows with their header"),
    FileType("JSON", (".json", ".geojson"), "application/json", f"{_R}text.json_lines", "text", "each value with its path"),
    FileType("JSON lines", (".jsonl", ".ndjson"), "application/x-ndjson", f"{_R}text.json_lines", "text", "each value with its path"),
    FileType("Jupyter notebook", (".ipynb",), "application/x-ipynb+json", f"{_R}markup.ipynb", "text",
             "headings, text, code and text output with the number of the cell"),
    FileType("plain text", (".txt", ".text", ".log"), "text/plain", f"{_R}text.plain", "text", "the text, in any common encoding"),
    FileType("source code", CODE_EXTENSIONS, "text/x-source", f"{_R}text.code", "text", "the source, its definitions as headings"),
    FileType("PNG picture", (".png",), "image/png", f"{_R}photograph", "png", "the text in it, by OCR", pictured=True, gathered=False),
    FileType("JPEG picture", (".jpg", ".jpeg"), "image/jpeg", f"{_R}photograph", "jpeg", "the text in it, by OCR", pictured=True, gathered=False),
    FileType("TIFF picture", (".tif", ".tiff"), "image/tiff", f"{_R}photograph", "tiff", "the text in it, by OCR, page by page", pictured=True, gathered=False),
    FileType("WebP picture", (".webp",), "image/webp", f"{_R}photograph", "webp", "the text in it, by OCR", pictured=True, gathered=False),
)  # fmt: skip
ARCHIVE_EXTENSIONS = (".zip",)
"""Archives of accepted files; no reader takes them, each of their members is a document (`ingest.storage.archives`)."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PDF = FILE_TYPES[0]
_PICTURES = {each.content: each for each in FILE_TYPES if each.media_type.startswith("image/")}
_PICTURE_MARKS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"II*\0", "tiff"), (b"MM\0*", "tiff"))
_RTF = next(each for each in FILE_TYPES if each.media_type == "application/rtf")
_SUCCESSORS = {
    ".doc": ".docx",
    ".dot": ".docx",
    ".xls": ".xlsx",
    ".ppt": ".pptx",
    ".pps": ".pptx",
    ".msg": ".eml",
    ".mobi": ".epub",
}

_MAX_ATTACHED_DEPTH = 4
_SAVE_ANEW = "Save it as .docx, .xlsx, .pptx or .eml and upload that."


def accepted_extensions() -> tuple[str, ...]:
    """The file name extensions, lower case, with their dot, that are taken from folders, archives and repositories. Pictures
    are not among them: most that lie beside documents show no text.
    """
    return tuple(extension for file_type in FILE_TYPES if file_type.gathered for extension in file_type.extensions)


def all_extensions() -> tuple[str, ...]:
    """The extensions of all that can be read, lower case, with their dot."""
    return tuple(extension for file_type in FILE_TYPES for extension in file_type.extensions)


def is_archive(filename: str, head: bytes) -> bool:
    """Whether a file is an archive whose members are to be documents, by its name and its first bytes."""
    return Path(filename).suffix.lower() in ARCHIVE_EXTENSIONS and head.startswith(_ZIP)


def media_type_of(filename: str, head: bytes) -> str:
    """The media type of a file by its name and its first `HEAD_BYTES` bytes. A PDF is a PDF under any name.

    Raises:
        UnreadableError: the file is empty (code "empty"), or is not what its name says.
        UnsupportedTypeError: no reader takes such a file; `details["accepted"]` lists the extensions.
    """
    return _file_type(filename, head).media_type


def read_file(
    path: Path, filename: str, *, ocr: Ocr | None = None, password: str | None = None, depth: int = 0
) -> ParsedDocument:
    """Read the file at `path`, whose user-given name is `filename`. Pages that are pictures are read by `ocr`, if given.

    `password` is for types that can be opened with one; `depth` is how many messages the file is attached in.

    Raises:
        UnreadableError: empty, damaged, without any text (code "no_text"), or not what its name says.
        EncryptedError: the file needs a password (code "encrypted"), or another one (code "wrong_password").
        UnsupportedTypeError: no reader takes such a file.
        TooLargeError: over `normalisation.MAX_CHARACTERS`.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        file_type = _file_type(filename, head)
        reader = import_module(file_type.reader)
        options: dict[str, Any] = {"ocr": ocr} if file_type.pictured else {}
        options |= {"password": password} if file_type.locked else {}
        options |= (
            {"attached": Attached(accepted_extensions(), partial(_read_attached, depth=depth))}
            if file_type.carrying
            else {}
        )
        document = cast(ParsedDocument, reader.read(path, **options))
    except OSError as error:
        raise UnreadableError(f"The file cannot be opened: {error.strerror or error}.") from error
    if not document.text.strip():
        raise UnreadableError(" ".join(("The file holds no text.", *document.warnings)), code="no_text")
    if Path(filename).suffix.lower() not in file_type.extensions:
        extension = Path(filename).suffix
        key = "named_otherwise" if extension else "named_without"
        warning = sentence(key, extension=extension, type=file_type.name)
        document = replace(document, warnings=(warning, *document.warnings))
    return document


def _read_attached(filename: str, data: bytes, *, depth: int) -> ParsedDocument:
    """What is attached to a message, as a file of its own. Pictures are left to uploads, where they have time."""
    if depth >= _MAX_ATTACHED_DEPTH:
        raise UnreadableError("Attached too deeply.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "attached"
        path.write_bytes(data)
        return read_file(path, filename, depth=depth + 1)


def draw_page(
    path: Path, order: Mapping[str, Any], *, ocr: Ocr | None = None, password: str | None = None
) -> PagePicture:
    """Draw a page of a PDF or of a picture file; see `pdf.picture.draw`."""
    with path.open("rb") as file:
        content = _content_of(file.read(HEAD_BYTES), text_expected=False)
    if content in _PICTURES:
        return import_module(_PICTURES[content].reader).draw(path, order, ocr=ocr)  # type: ignore[no-any-return]
    return draw(path, order, password=password, ocr=ocr)


def _file_type(filename: str, head: bytes) -> FileType:
    if not head:
        raise UnreadableError("The file is empty.", code="empty")
    extension = Path(filename).suffix.lower()
    named = next((each for each in FILE_TYPES if extension in each.extensions), None)
    content = _content_of(head, text_expected=named is not None and named.content == "text")
    if content == "pdf":
        return _PDF
    if content in _PICTURES and (named is None or named.media_type.startswith("image/")):
        return _PICTURES[content]
    if named is None and head.startswith(b"{\\rtf"):  # many a .doc is one
        return _RTF
    if named is None:
        if extension in _SUCCESSORS:
            raise _unsupported(f"Files of type {extension} are not accepted; save it as {_SUCCESSORS[extension]}.")
        raise _unsupported(f"Files of type {extension or '(no extension)'} are not accepted.")
    if content == "ole" and named.content != "zip":
        raise _unsupported(
            f"The file is named {extension} but is an old Office file or an Outlook message. {_SAVE_ANEW}"
        )
    if named.content == "text" and content != "text":
        raise _unsupported(f"The file is named {extension} but holds binary data.")
    if named.content != content and not (named.content == "zip" and content == "ole"):
        raise UnreadableError(
            f"The file is named {extension} but is not a {named.name}; its content is {content}. Name it by what it is, or save it anew as {extension}."
        )
    return named


def _content_of(head: bytes, *, text_expected: bool) -> str:
    """ "pdf", "zip", "ole" (old Office, or an encrypted new one), a kind of picture, "text" or "binary"."""
    # Some producers put up to a kilobyte before the marker; a text that merely mentions it is not a PDF.
    window = head[:16].lstrip(b"\xef\xbb\xbf \r\n\t") if text_expected else head[:1024]
    found = re.search(rb"%PDF-\d", window)
    if found and (found.start() == 0 or not text_expected):
        return "pdf"
    if head.startswith(_ZIP):
        return "zip"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "ole"
    for mark, kind in _PICTURE_MARKS:
        if head.startswith(mark):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return "binary" if is_binary(head) else "text"


def _unsupported(message: str) -> UnsupportedTypeError:
    kinds = ", ".join(
        f"{each.name} ({' '.join(each.extensions[:3])}{' …' if len(each.extensions) > 3 else ''})"
        for each in FILE_TYPES
    )
    return UnsupportedTypeError(f"{message} Accepted: {kinds}.", details={"accepted": list(all_extensions())})
