"""The table of accepted file types, and the door through which every file is read.

Owns which types exist and how a file's type is told from its name and its first bytes. To add a format: one reader
module with `read(path) -> ParsedDocument`, and one row in `FILE_TYPES`. Must not parse anything itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import cast

from ingest.readers.text import is_binary
from rag.errors import UnreadableError, UnsupportedTypeError
from rag.types import ParsedDocument

HEAD_BYTES = 4096
"""How much of a file `media_type_of` needs to see."""


@dataclass(frozen=True, slots=True)
class FileType:
    """An accepted type. `content` is what its first bytes must look like: "pdf", "zip" or "text"."""

    name: str
    extensions: tuple[str, ...]
    media_type: str
    reader: str
    content: str


_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FILE_TYPES = (
    FileType("PDF", (".pdf",), "application/pdf", "ingest.readers.pdf", "pdf"),
    FileType("Word document", (".docx",), _DOCX, "ingest.readers.docx", "zip"),
    FileType("HTML page", (".html", ".htm"), "text/html", "ingest.readers.html", "text"),
    FileType("Markdown", (".md", ".markdown"), "text/markdown", "ingest.readers.markdown", "text"),
    FileType("plain text", (".txt", ".text", ".log"), "text/plain", "ingest.readers.text", "text"),
)
_PDF = FILE_TYPES[0]


def accepted_extensions() -> tuple[str, ...]:
    """All accepted file name extensions, lower case, with their dot."""
    return tuple(extension for file_type in FILE_TYPES for extension in file_type.extensions)


def media_type_of(filename: str, head: bytes) -> str:
    """The media type of a file by its name and its first `HEAD_BYTES` bytes. A PDF is a PDF under any name.

    Raises:
        UnreadableError: the file is empty (code "empty"), or is not what its name says.
        UnsupportedTypeError: no reader takes such a file; `details["accepted"]` lists the extensions.
    """
    return _file_type(filename, head).media_type


def read_file(path: Path, filename: str) -> ParsedDocument:
    """Read the file at `path`, whose user-given name is `filename`.

    Raises:
        UnreadableError: empty, damaged, without any text (code "no_text"), or not what its name says.
        EncryptedError: the file needs a password.
        UnsupportedTypeError: no reader takes such a file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        file_type = _file_type(filename, head)
        document = cast(ParsedDocument, import_module(file_type.reader).read(path))
    except OSError as error:
        raise UnreadableError(f"The file cannot be opened: {error.strerror or error}.") from error
    if not document.text.strip():
        raise UnreadableError("The file holds no text.", code="no_text")
    if Path(filename).suffix.lower() not in file_type.extensions:
        warning = f"The file is named {Path(filename).suffix or 'without extension'} but is a {file_type.name}; it was read as that."
        document = replace(document, warnings=(warning, *document.warnings))
    return document


def _file_type(filename: str, head: bytes) -> FileType:
    if not head:
        raise UnreadableError("The file is empty.", code="empty")
    extension = Path(filename).suffix.lower()
    named = next((each for each in FILE_TYPES if extension in each.extensions), None)
    content = _content_of(head, text_expected=named is not None and named.content == "text")
    if content == "pdf":
        return _PDF
    if named is None:
        raise _unsupported(f"Files of type {extension or '(no extension)'} are not accepted.")
    if named.content == "text" and content != "text":
        raise _unsupported(f"The file is named {extension} but holds binary data.")
    if named.content != content and not (named.content == "zip" and content == "ole"):
        raise UnreadableError(f"The file is named {extension} but is not a {named.name}; its content is {content}.")
    return named


def _content_of(head: bytes, *, text_expected: bool) -> str:
    """ "pdf", "zip", "ole" (old Office, or an encrypted new one), "text" or "binary"."""
    # Some producers put up to a kilobyte before the marker; a text that merely mentions it is not a PDF.
    window = head[:16].lstrip(b"\xef\xbb\xbf \r\n\t") if text_expected else head[:1024]
    found = re.search(rb"%PDF-\d", window)
    if found and (found.start() == 0 or not text_expected):
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "ole"
    return "binary" if is_binary(head) else "text"


def _unsupported(message: str) -> UnsupportedTypeError:
    accepted = list(accepted_extensions())
    return UnsupportedTypeError(f"{message} Accepted: {', '.join(accepted)}.", details={"accepted": accepted})
