"""Plain text, and the decoding of bytes that all text formats share.

Owns the choice of character encoding: byte order marks, UTF-8, UTF-16, ISO 2022, what is declared; `charset` guesses the
rest. Must not interpret the text.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from ingest.readers.text.charset import MULTIBYTE, legacy_encoding
from ingest.readers.text.normalisation import TextBuilder, normalise
from rag.errors import UnsupportedTypeError
from rag.types import ParsedDocument

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 65536
_CHANCE = 2
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
# What stands before text in the encodings of seven bits that Japanese and Korean mail is written in.
_SEVEN_BITS = {
    b"\x1b$)C": "iso2022_kr",
    b"\x1b$B": "iso2022_jp_2",
    b"\x1b$@": "iso2022_jp_2",
    b"\x1b(J": "iso2022_jp_2",
}


def read(path: Path) -> ParsedDocument:
    """Read a plain text file. Raises UnsupportedTypeError for binary data."""
    text, _ = decode(path.read_bytes())
    builder = TextBuilder()
    builder.add_block(normalise(text))
    return builder.build()


def decode(data: bytes, *, declared: str | None = None) -> tuple[str, str]:
    """The text and the name of the encoding it was in. `declared` is believed where the bytes do not speak against it.

    Bytes that are wrong in the chosen encoding become U+FFFD. Raises UnsupportedTypeError for binary data.
    """
    if is_binary(data):
        raise UnsupportedTypeError("The file holds binary data, not text.")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), encoding
    encoding = _seven_bits(data[:_SAMPLE]) or _utf16_without_mark(data[:_SAMPLE]) or _trusted(declared, data) or "utf-8"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        pass
    if _mostly_utf8(data):
        return data.decode("utf-8", "replace"), "utf-8"
    encoding = legacy_encoding(data)
    return data.decode(encoding, "replace"), encoding


def is_binary(data: bytes) -> bool:
    """Whether the bytes (or the beginning of them) cannot be text: too many NULs or control characters."""
    sample = data[:_SAMPLE]
    if not sample or sample.startswith(tuple(mark for mark, _ in _BOMS[1:])) or _utf16_without_mark(sample):
        return False
    if _seven_bits(sample):
        sample = sample.translate(None, b"\x0e\x0f")
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    return controls > max(len(sample) * 0.02, 1)


def _trusted(declared: str | None, data: bytes) -> str | None:
    """What a text is declared to be, unless its bytes say otherwise; many a program declares the same whatever it writes."""
    encoding = _known(declared)
    if encoding in (None, "utf-8") or data.isascii():
        return encoding
    if encoding == "cp1252" and legacy_encoding(data) in MULTIBYTE:
        return None
    try:
        # one letter may be UTF-8 by chance
        return None if len(data.decode("utf-8")) <= len(data) - _CHANCE else encoding
    except UnicodeDecodeError:
        return encoding


def _known(label: str | None) -> str | None:
    """The codec for a label as browsers read it: gb2312 means GB18030, and iso-8859-1 means Windows-1252."""
    if not label:
        return None
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    if name in {"gb2312", "gbk", "gb18030"}:
        return "gb18030"
    # Codecs like "rot13" or "zlib" are not encodings of text; UTF-16 without a mark was ruled out before.
    if name.startswith(("utf-16", "utf-32")) or not codecs.lookup(label)._is_text_encoding:
        return None
    return "cp1252" if name in {"iso8859-1", "ascii"} else name


def _seven_bits(sample: bytes) -> str | None:
    """An encoding that switches character sets by escape sequences, if the sample holds one of these."""
    if b"\x1b" not in sample:
        return None
    return next((encoding for mark, encoding in _SEVEN_BITS.items() if mark in sample), None)


def _utf16_without_mark(sample: bytes) -> str | None:
    """UTF-16 of Western text shows as zeros in every second byte."""
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else None


def _mostly_utf8(data: bytes) -> bool:
    """UTF-8 with a few damaged bytes; other encodings hardly ever form valid sequences."""
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return good >= 10 * bad
