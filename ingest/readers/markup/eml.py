"""E-mails (.eml): sender, receivers, date, subject and the body, forwarded messages included.

Owns which part of a message is its body. Attachments are named in a warning, never opened: upload those that matter. Uses
the parser's lenient policy, because the strict one raises on the headers of real mail.
"""

from __future__ import annotations

import re
from email import message_from_bytes, message_from_string
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from ingest.readers.markup.html import append_source, decode_html
from ingest.readers.text.normalisation import TextBuilder, collapse, normalise
from ingest.readers.text.plain import decode
from ingest.readers.warnings import named
from rag.errors import UnreadableError, UnsupportedTypeError
from rag.types import ParsedDocument

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_TELLING = (
    *_SHOWN,
    "Received",
    "Return-Path",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
)
_FILE_NAME = re.compile(r"""name\s*=\s*"?([^";\r\n]+)""", re.IGNORECASE)
_SHORT, _FULLER = 300, 4
"""Characters below which a plain text may be a mere hint at the formatted one, and how many times longer that then is."""
_BODIES = ("text/plain", "text/html")  # these may have a name and yet be what the message says
_MAX_DEPTH = 10
_MAX_PARTS = 1000


def read(path: Path) -> ParsedDocument:
    """Read a message; a file without any header is read as plain text. Raises UnreadableError for one that is damaged."""
    data = path.read_bytes().lstrip()
    try:
        message = message_from_bytes(data)
    except (RecursionError, ValueError, LookupError) as error:
        raise UnreadableError("The e-mail is damaged. Save it from the mail program anew.") from error
    if not any(message[name] for name in _TELLING):
        builder = TextBuilder()
        builder.warn("not_email")
        builder.add_block(normalise(decode(data)[0]))
        return builder.build()
    writer = _Writer()
    writer.append(message, depth=0)
    return writer.finish(message)


class _Writer:
    """Appends messages and their parts."""

    def __init__(self) -> None:
        self._builder = TextBuilder()
        self._attachments: list[str] = []
        self._unread = 0
        self._parts = 0

    def append(self, message: Message, *, depth: int) -> None:
        """Append the headers of a message and then its body."""
        lines = [f"{name}: {value}" for name in _SHOWN if (value := header(message, name))]
        start = self._builder.add_block("\n".join(lines))
        subject = header(message, "Subject")
        if subject and start is not None:
            self._builder.mark_heading(min(depth + 1, 6), subject, start)
        self._append_part(message, depth)

    def finish(self, message: Message) -> ParsedDocument:
        """The document with its warnings."""
        if self._attachments:
            self._builder.warn("attachments", names=named(self._attachments))
        if self._unread:
            self._builder.warn("parts_unread", n=self._unread)
        names = {"title": "Subject", "author": "From", "date": "Date"}
        return self._builder.build({key: header(message, name) for key, name in names.items()})

    def _append_part(self, part: Message, depth: int) -> None:
        self._parts += 1
        if depth > _MAX_DEPTH or self._parts > _MAX_PARTS:
            self._unread += 1
            return
        payload = part.get_payload()
        if part.is_multipart() is False and part.get_content_maintype() == "multipart":
            payload = _parts_of(part)
        if isinstance(payload, list):
            children = [child for child in payload if isinstance(child, Message)]
            if part.get_content_type() == "multipart/alternative":
                children = [_best(children)] if children else []
            for child in children:
                if part.get_content_type() == "message/rfc822":
                    self.append(child, depth=depth + 1)
                else:
                    self._append_part(child, depth + 1)
        elif part.get_content_disposition() == "attachment" or (
            part.get_filename() and part.get_content_type() not in _BODIES
        ):
            self._attachments.append(collapse(_file_name(part)) or part.get_content_type())
        elif part.get_content_maintype() in ("text", "multipart"):
            self._append_text(part)
        else:
            self._attachments.append(part.get_content_type())

    def _append_text(self, part: Message) -> None:
        data = _payload(part)
        try:
            if part.get_content_type() == "text/html":
                append_source(self._builder, decode_html(data, declared=_charset(part)), article_only=False)
            else:
                self._builder.add_block(normalise(decode(data, declared=_charset(part))[0]))
        except (UnreadableError, UnsupportedTypeError):
            self._unread += bool(data.strip())


def header(message: Message, name: str) -> str:
    """A header as it is meant to be read, on one line; "" when it is missing."""
    return collapse(" ".join(_decoded(_raw(message, name)).split()))


def _raw(message: Message, name: str) -> str:
    """A header as it stands there, its bytes above ASCII as surrogates; the library's own access loses them."""
    return next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _file_name(part: Message) -> str:
    name = part.get_filename() or ""
    if "\ufffd" not in name:
        return _decoded(name)
    found = _FILE_NAME.search(_raw(part, "Content-Disposition")) or _FILE_NAME.search(_raw(part, "Content-Type"))
    return _decoded(found[1].strip()) if found else name


def _parts_of(part: Message) -> list[Message] | None:
    """The parts of a message whose boundary is not the one that it announces; None where there is none at all."""
    text = str(part.get_payload())
    line = next((line for line in text.splitlines() if line.startswith("--") and len(line.strip()) > 4), "").strip()
    if not line or '"' in line:
        return None
    again = message_from_string(f'Content-Type: {part.get_content_type()}; boundary="{line[2:]}"\n\n{text}')
    payload = again.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else None


def _decoded(value: str) -> str:
    """Encoded words decoded; raw bytes above ASCII, which the parser keeps as surrogates, in the encoding that fits."""
    if any("\udc80" <= character <= "\udcff" for character in value):
        return decode(value.encode("utf-8", "surrogateescape"))[0]
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value


def _best(parts: list[Message]) -> Message:
    """Of several forms of one text: the plain one, unless it is empty or merely hints at HTML; then that, or what contains it."""
    plain = [part for part in parts if part.get_content_type() == "text/plain" and _payload(part).strip()]
    rich = [part for part in parts if part.get_content_type() == "text/html" or part.is_multipart()]
    if plain and len(_payload(plain[0]).strip()) < _SHORT:
        shown = [part for part in rich if len(_shown(part)) > _FULLER * len(_payload(plain[0]).strip())]
        plain = [] if shown else plain
    return (plain or rich or parts)[0]


def _shown(part: Message) -> str:
    """The text that an HTML part shows; "" for anything else."""
    if part.get_content_type() != "text/html":
        return ""
    builder = TextBuilder()
    try:
        append_source(builder, decode_html(_payload(part), declared=_charset(part)), article_only=False)
    except (UnreadableError, UnsupportedTypeError):
        return ""
    return builder.build().text


def _payload(part: Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError):
        data = None
    return data if isinstance(data, bytes) else b""


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except (LookupError, UnicodeError, ValueError):
        return None
