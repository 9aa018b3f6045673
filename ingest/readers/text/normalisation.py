"""The one form of text that Docent keeps, and the builder that keeps positions true while it is put together.

Owns what a character of a document may be. Every reader's text passes through `normalise`; offsets of pages and headings
are taken on the final text, by `TextBuilder`, and nowhere else. Must not know any file format.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from ingest.readers.warnings import sentence
from rag.errors import TooLargeError
from rag.types import Heading, PageSpan, ParsedDocument

MAX_CHARACTERS = 50_000_000
"""Text that one document may hold; some twenty thousand pages."""

_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Control characters, soft hyphens, zero-width and direction marks, invisible tag characters (a way to hide instructions
# from the reader of a page), lone surrogates and non-characters. Joiners U+200C and U+200D carry meaning and stay.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BLANK_LINES = re.compile("\n{3,}")
_RUN = re.compile("[ \t]{2,}|\t")


def normalise(text: str) -> str:
    """The text in NFC with `\\n` line ends, plain spaces, and without invisible characters or surplus blank lines.

    Trailing blanks go from every line, two newlines are the most in a row, and no blank line stands at either end.
    Idempotent. Indentation and runs of spaces inside a line stay: see `collapse` for text where they mean nothing.
    """
    text = _NEWLINES.sub("\n", text)
    text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _SPACES.sub(" ", text))
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def collapse(text: str) -> str:
    """`normalise`, and each run of blanks becomes one space."""
    return _RUN.sub(" ", normalise(text))


class TextBuilder:
    """Appends normalised blocks and records where pages and headings begin. Not thread-safe; use once.

    Appending raises TooLargeError beyond `MAX_CHARACTERS`: a small file may name a long text a million times.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._pages: list[PageSpan] = []
        self._page: int | None = None
        self._page_start: int | None = None
        self._warnings: list[str] = []

    @property
    def length(self) -> int:
        """Characters so far; the offset of the next block, less its gap."""
        return self._length

    @property
    def headings(self) -> int:
        """How many headings have been recorded so far."""
        return len(self._headings)

    def add_block(self, text: str, *, gap: str = "\n\n") -> int | None:
        """Append a block after `gap` and return its offset, or None for a blank block, which is left out."""
        text = text.strip("\n").rstrip()
        if not text.strip():
            return None
        if self._length:
            self._append(gap)
        start = self._length
        if self._page is not None and self._page_start is None:
            self._page_start = start
        self._append(text)
        return start

    def add_heading(self, level: int, title: str, *, gap: str = "\n\n") -> None:
        """Append a heading as a block of its own. `level` is clamped to 1..6; a blank title is left out."""
        start = self.add_block(title, gap=gap)
        if start is not None:
            self.mark_heading(level, title, start)

    def mark_heading(self, level: int, title: str, start: int) -> None:
        """Record a heading whose text has been added already, at offset `start`."""
        self._headings.append(Heading(min(max(level, 1), 6), " ".join(title.split()), start))

    @property
    def tail(self) -> str:
        """The last characters so far."""
        return self._parts[-1][-20:] if self._parts else ""

    def adopt(self, document: ParsedDocument, *, level: int, gap: str = "\n\n") -> int | None:
        """Append a document that another reader has read, its headings below `level`, with its warnings; its offset."""
        start = self.add_block(document.text, gap=gap)
        for heading in document.headings if start is not None else ():
            self.mark_heading(level + heading.level, heading.title, (start or 0) + heading.start)
        self._warnings += document.warnings
        return start

    def begin_page(self, number: int) -> None:
        """End the page before and begin page `number`, 1-based."""
        self._end_page()
        self._page, self._page_start = number, None

    def warn(self, key: str, *, n: int = 0, **places: object) -> None:
        """Record what could not be read: a warning of `wording.WARNINGS`."""
        self._warnings.append(sentence(key, n=n, **places))

    def build(self, metadata: Mapping[str, str] | None = None) -> ParsedDocument:
        """The document; blank metadata is left out."""
        self._end_page()
        pairs = ((key, collapse(value).strip()) for key, value in (metadata or {}).items())
        return ParsedDocument(
            text="".join(self._parts),
            pages=tuple(self._pages),
            headings=tuple(sorted(self._headings, key=lambda heading: heading.start)),
            metadata={key: value for key, value in pairs if value},
            warnings=tuple(self._warnings),
        )

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise TooLargeError(f"The file holds more than {MAX_CHARACTERS // 1_000_000} million characters. Split it.")

    def _end_page(self) -> None:
        if self._page is not None:
            start = self._length if self._page_start is None else self._page_start
            self._pages.append(PageSpan(self._page, start, self._length))
        self._page = None
