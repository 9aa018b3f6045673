"""The tokens of Rich Text Format, and the text that its bytes and code points add up to.

Owns code pages, escapes and embedded binary data. Must not know what a control word means for a document.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})?\x20?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z])|(?P<brace>[{}])"
    rb"|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
CHARSETS = {
    77: "mac-roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
"""Codecs by the charset of a font; others follow the code page of the document."""

SYMBOLS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
_ESCAPES = {b"~": "\u00a0", b"_": "-", b"-": "", b"\\": "\\", b"{": "{", b"}": "}", b"\t": "\t"}

Token = tuple[str, str, int | None]


def tokens(data: bytes) -> Iterator[Token]:
    """Kind, text and number of each token: "{", "}", "*", "word", "bytes" (as Latin-1) or "text"."""
    position = 0
    while position < len(data):
        match = _TOKEN.match(data, position)
        if match is None:  # a line end, or a lone backslash at the end
            position += 1
            continue
        position = match.end()
        if match["word"]:
            word, number = match["word"].decode("ascii"), int(match["number"]) if match["number"] else None
            if word == "bin":
                position += max(number or 0, 0)
            else:
                yield "word", word, number
        elif match["brace"]:
            yield match["brace"].decode("ascii"), "", None
        elif match["hex"]:
            yield "bytes", chr(int(match["hex"], 16)), None
        elif match["symbol"] == b"*":
            yield "*", "", None
        elif match["symbol"] in (b"\r", b"\n"):
            yield "word", "par", None
        elif match["symbol"]:
            yield "text", _ESCAPES.get(match["symbol"], ""), None
        else:
            yield "bytes", match["text"].decode("latin-1"), None


def codec_of(code_page: int) -> str:
    """The codec of a Windows code page; cp1252 for an unknown one."""
    name = {936: "gb18030", 65001: "utf-8", 10000: "mac-roman", 0: "cp1252"}.get(code_page, f"cp{code_page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


class Text:
    """Gathers bytes in their code pages and code points of UTF-16, and skips what stands in for the latter."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._bytes = bytearray()
        self._codec = "cp1252"
        self._to_skip = 0

    def add(self, kind: str, text: str, codec: str, fallback: int) -> None:
        """Add a token: "bytes" in `codec`, "text" as it is, or "unicode", whose next `fallback` characters are skipped."""
        if kind == "bytes":
            skipped = min(self._to_skip, len(text))
            self._to_skip -= skipped
            if codec != self._codec:
                self._flush()
                self._codec = codec
            self._bytes += text[skipped:].encode("latin-1")
            return
        self._flush()
        self._to_skip = 0
        if kind == "unicode":
            self._parts.append(chr(int(text) & 0xFFFF))
            self._to_skip = fallback
        else:
            self._parts.append(text)

    def take(self) -> str:
        """Everything so far; empties it."""
        self._flush()
        self._to_skip = 0
        text = "".join(self._parts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        self._parts.clear()
        return text

    def _flush(self) -> None:
        if self._bytes:
            self._parts.append(bytes(self._bytes).decode(self._codec, "replace"))
            self._bytes.clear()
