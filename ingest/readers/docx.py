"""Word documents (.docx): converted to HTML by mammoth, then walked like any HTML.

Owns the measuring of the archive before anything in it is unpacked, and the title style. Must not follow links or load
pictures.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from ingest.readers.html import append_html, parse_html
from ingest.readers.normalisation import TextBuilder
from rag.errors import EncryptedError, UnreadableError
from rag.types import ParsedDocument

MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 512 << 20
MAX_RATIO = 200
_RATIO_FREE_BYTES = 16 << 20  # small archives may be as tight as they like
_ENCRYPTED_MARK = "EncryptedPackage".encode("utf-16-le")
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
    with path.open("rb") as file:
        metadata = _inspect(file)
        file.seek(0)
        source, titled = _convert(file)
    builder = TextBuilder()
    if source:
        root, complete = parse_html(source)
        if not complete:
            builder.warn("The document is nested too deeply; a part of it was not read.")
        append_html(builder, root, article_only=False, shift=int(titled))
    return builder.build(metadata)


def check_archive(archive: zipfile.ZipFile) -> None:
    """Refuse an archive whose own directory says that it unpacks to too much. `zipfile` holds members to those sizes.

    Raises:
        UnreadableError: code "archive_bomb".
    """
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    too_tight = unpacked > _RATIO_FREE_BYTES and unpacked > MAX_RATIO * max(packed, 1)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED_BYTES or too_tight:
        raise UnreadableError(
            f"The archive unpacks to {unpacked >> 20} MiB in {len(members)} members, {unpacked // max(packed, 1)} times its "
            f"size; the limits are {MAX_UNPACKED_BYTES >> 20} MiB, {MAX_MEMBERS} members and {MAX_RATIO} times.",
            code="archive_bomb",
        )


def _inspect(file: BinaryIO) -> dict[str, str]:
    """Check that this is a Word document of a sane size; its title and author."""
    head = file.read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        if _ENCRYPTED_MARK in file.read():
            raise EncryptedError("The document needs a password. Save it without one and upload it again.")
        raise UnreadableError("The file is an old .doc document. Save it as .docx and upload it again.")
    try:
        with zipfile.ZipFile(file) as archive:
            check_archive(archive)
            names = set(archive.namelist())
            if "word/document.xml" not in names:
                raise UnreadableError("The file is a zip archive, but not a Word document (no word/document.xml).")
            core = archive.read("docProps/core.xml") if "docProps/core.xml" in names else b""
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnreadableError("The document is damaged: its archive cannot be opened.") from error
    return _core_properties(core)


def _core_properties(core: bytes) -> dict[str, str]:
    from lxml import etree  # type: ignore[import-untyped]  # ships no types

    if not core:
        return {}
    try:
        root = etree.fromstring(core, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError:
        return {}
    tags = {"title": "{http://purl.org/dc/elements/1.1/}title", "author": "{http://purl.org/dc/elements/1.1/}creator"}
    return {key: root.findtext(tag) or "" for key, tag in tags.items()}


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
