"""E-mails (.eml): sender, receivers, date, subject and the body, forwarded messages included.

Owns which part of a message is its body. What is attached is read where there is a reader for it, which the registry hands
in, under a heading that names it; the rest is named in a warning. Uses the parser's lenient policy, because the strict one
raises on the headers of real mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from pathlib import Path

from ingest.readers.markup.html import append_source, decode_html
from ingest.readers.markup.mail_parts import decoded_words, is_message, telling_name
from ingest.readers.text.normalisation import TextBuilder, collapse, normalise
from ingest.readers.text.plain import decode
from ingest.readers.warnings import named
from rag.errors import EncryptedError, UnreadableError, UnsupportedTypeError
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
_MAX_ATTACHED = 64 << 20  # bytes
_MAX_DEPTH = 10
_MAX_PARTS = 1000


@dataclass(frozen=True, slots=True)
class Attached:
    """How attachments are read: `accepted` are the extensions that have a reader, `read` takes a name and bytes."""

    accepted: tuple[str, ...]
    read: Callable[[str, bytes], ParsedDocument]


def read(path: Path, *, attached: Attached | None = None) -> ParsedDocument:
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
    writer = _Writer(attached)
    writer.append(message, depth=0)
    return writer.finish(message)


class _Writer:
    """Appends messages and their parts."""

    def __init__(self, attached: Attached | None) -> None:
        self._builder = TextBuilder()
        self._attached = attached
        self._attachments: list[str] = []
        self._unread = 0
        self._parts = 0

    def append(self, message: Message, *, depth: int, name: str = "") -> None:
        """Append the headers of a message and then its body; `name` is that of its file, for one without a subject."""
        lines = [f"{name}: {value}" for name in _SHOWN if (value := header(message, name))]
        start = self._builder.add_block("\n".join(lines))
        subject = header(message, "Subject") or name
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
                    self.append(_unpacked(part, child), depth=depth + 1, name=collapse(_file_name(part)))
                else:
                    self._append_part(child, depth + 1)
        elif part.get_content_disposition() == "attachment" or (
            part.get_filename() and part.get_content_type() not in _BODIES
        ):
            self._append_attachment(part, depth)
        elif part.get_content_maintype() in ("text", "multipart"):
            self._append_text(part)
        else:
            self._append_attachment(part, depth)

    def _append_attachment(self, part: Message, depth: int) -> None:
        """Read what is attached, if anything can; told by its content where its name and type do not say."""
        name, data = collapse(_file_name(part)), _payload(part)
        if part.get_content_maintype() in ("image", "audio", "video") or not data.strip():
            self._attachments.append(name or part.get_content_type())
        elif is_message(data) and (part.get_content_type() == "message/rfc822" or not _says_other(name)):
            self.append(message_from_bytes(data.lstrip()), depth=depth + 1, name=name)
        elif not self._append_read(name, data, depth):
            self._attachments.append(name or part.get_content_type())

    def _append_read(self, name: str, data: bytes, depth: int) -> bool:
        """Append a file as its reader reads it, under its name; whether there is a reader that can."""
        told = telling_name(name or "attachment", data, accepted=self._attached.accepted) if self._attached else ""
        if not told or not self._attached or len(data) > _MAX_ATTACHED:
            return False
        try:
            document = self._attached.read(told, data)
        except (UnreadableError, UnsupportedTypeError, EncryptedError):
            return False
        self._builder.add_heading(depth + 1, name or told)
        self._builder.adopt(document, level=depth + 1)
        return True

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
    return decoded_words(value)


def _unpacked(part: Message, child: Message) -> Message:
    """The message within a part; many programs encode it, which the standard forbids and the parser does not expect."""
    encoding = str(part.get("Content-Transfer-Encoding") or "").strip().lower()
    if encoding not in ("base64", "quoted-printable") or any(child[name] for name in _TELLING):
        return child
    child["Content-Transfer-Encoding"] = encoding
    data = _payload(child)
    return message_from_bytes(data.lstrip()) if is_message(data) else child


def _says_other(name: str) -> bool:
    """Whether a file name claims to be something else than a message."""
    return Path(name).suffix.lower() not in ("", ".eml", ".mht", ".dat", ".bin", ".msg", ".mail", ".txt")


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
