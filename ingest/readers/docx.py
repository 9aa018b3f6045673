"""Word documents (.docx): converted to HTML by mammoth, then walked like any HTML.

Owns the title style and what mammoth is given. Must not follow links or load pictures.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from ingest.readers.html import parse_html
from ingest.readers.html_walk import append_html
from ingest.readers.normalisation import TextBuilder
from ingest.readers.package import Package, open_package
from rag.errors import UnreadableError
from rag.types import ParsedDocument

_STYLES = """
p[style-name='Title'] => h1.title:fresh
p[style-name='title'] => h1.title:fresh
p[style-name='标题'] => h1.title:fresh
r[style-name='Strong'] =>
"""
# What mammoth raises on a damaged file, besides its own parse of XML.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    RecursionError,
)


def read(path: Path) -> ParsedDocument:
    """Read a Word document.

    Raises:
        EncryptedError: it needs a password.
        UnreadableError: damaged, no Word document, or an archive bomb (code "archive_bomb").
    """
    with open_package(path, "Word document", old=".doc", new=".docx") as package:
        _check(package)
        metadata = package.core_properties()
    with path.open("rb") as file:
        source, titled = _convert(file)
    builder = TextBuilder()
    if source:
        root, complete = parse_html(source)
        if not complete:
            builder.warn("The document is nested too deeply; a part of it was not read.")
        append_html(builder, root, article_only=False, shift=int(titled))
    return builder.build(metadata)


def _check(package: Package) -> None:
    """Refuse other packages, and XML that declares anything: mammoth's own parser would expand entities."""
    main = package.main_part() or "word/document.xml"
    if not package.has(main):
        raise UnreadableError("The file is a zip archive, but not a Word document (no word/document.xml).")
    package.refuse_doctypes()


def _convert(file: BinaryIO) -> tuple[str, bool]:
    """The document as HTML, and whether it has a paragraph in the title style."""
    from xml.parsers.expat import ExpatError
    from xml.sax import SAXException

    import mammoth

    def no_picture(_: Any) -> list[Any]:
        return []

    try:
        html: str = mammoth.convert_to_html(file, style_map=_STYLES, convert_image=no_picture).value
    except (*_DAMAGE, ExpatError, SAXException) as error:
        raise UnreadableError("The document is damaged: its text cannot be read.") from error
    return html, '<h1 class="title">' in html
