"""Headers and file names of mail as they are meant to be read, and what an attachment is by its content.

Owns encoded words (RFC 2047), whose bytes may run over several of them. Must not read attachments.
"""

from __future__ import annotations

import binascii
import codecs
import io
import quopri
import re
import zipfile
from pathlib import PurePath

from ingest.readers.archive_limits import DAMAGE
from ingest.readers.text.plain import decode, is_binary
from rag.errors import UnsupportedTypeError

_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?\r\n]{0,2000})\?=")
_BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?)")
_PADDED = re.compile(r'"[ \t]*([^"]{0,300}?)[ \t]*"')
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "latin-1": "cp1252", "ks_c_5601-1987": "cp949"}
_MESSAGE = re.compile(
    rb"\s{0,20}(?:[\w-]{2,60}:[^\n]{0,2000}\n(?:[ \t][^\n]{0,2000}\n){0,20}){0,40}?"
    rb"(?:From|To|Subject|Date|Received|Return-Path|Message-ID|MIME-Version):",
    re.IGNORECASE,
)
_MAIN_PARTS = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "ppt/presentation.xml": ".pptx"}
_MIME_TYPES = {
    "application/epub+zip": ".epub",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
}


def decoded_words(value: str) -> str:
    """A header with its encoded words decoded, without the blanks that part them and those that pad quoted names."""
    if "=?" in value:
        value = _BETWEEN.sub("", value)
        result, end = [], 0
        charset, data = "", b""
        for match in _WORD.finditer(value):
            if match.start() > end or match[1].lower() != charset:
                result += [_spelt(data, charset), value[end : match.start()]]
                charset, data = match[1].lower(), b""
            data += _bytes(match[3], match[2])
            end = match.end()
        value = "".join([*result, _spelt(data, charset), value[end:]])
    return _PADDED.sub(r'"\1"', value)


def _bytes(text: str, encoding: str) -> bytes:
    raw = text.encode("ascii", "ignore")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw


def _spelt(data: bytes, charset: str) -> str:
    if not data:
        return ""
    try:
        return codecs.decode(data, _WIDER.get(charset, charset))
    except (LookupError, UnicodeError, ValueError):
        pass
    try:
        return decode(data)[0]
    except UnsupportedTypeError:
        return data.decode("latin-1")


def is_message(data: bytes) -> bool:
    """Whether bytes begin as a message does: with headers, one of which every mail has."""
    return _MESSAGE.match(data[:20_000]) is not None


def telling_name(name: str, data: bytes, *, accepted: tuple[str, ...]) -> str:
    """A name with an extension that says what an attachment is: its own where that is `accepted`, else by the content; ""
    where nothing tells.
    """
    if PurePath(name).suffix.lower() in accepted:
        return name
    head = data[:1024]
    if b"%PDF-" in head:
        return f"{name}.pdf"
    if head.startswith(b"{\\rtf"):
        return f"{name}.rtf"
    if head.startswith(b"PK\x03\x04"):
        extension = _office(data)
        return f"{name}{extension}" if extension else ""
    if PurePath(name).suffix or is_binary(head):
        return ""
    return f"{name}.html" if re.match(rb"\s*(?:<!doctype html|<html)", head, re.IGNORECASE) else f"{name}.txt"


def _office(data: bytes) -> str:
    """The extension of an Office file, OpenDocument file or e-book; "" for any other archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                return _MIME_TYPES.get(archive.read("mimetype").decode("ascii", "replace").strip(), "")
            return next((extension for part, extension in _MAIN_PARTS.items() if part in names), "")
    except DAMAGE:
        return ""
