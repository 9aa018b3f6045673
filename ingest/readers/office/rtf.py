"""Rich Text Format (.rtf): paragraphs, headings by style, lists, tables, footnotes.

Owns what each control word means for the text; `rtf_tokens` cuts the file into them. Pictures, objects and unknown
destinations are left out. Groups may nest as deeply as they like: nothing here recurses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest.readers.office.rtf_tables import Rows
from ingest.readers.office.rtf_tokens import CHARSETS, SYMBOLS, Text, codec_of, tokens
from ingest.readers.text.normalisation import TextBuilder, collapse
from ingest.readers.text.tables import write_table
from rag.errors import UnreadableError
from rag.types import ParsedDocument

_SKIPPED = frozenset(
    "colortbl pict object header headerl headerr headerf footer footerl footerr footerf fldinst themedata datastore xmlnstbl"
    " listtable listoverridetable rsidtbl generator nonshppict revtbl filetbl ftnsep ftnsepc aftnsep aftnsepc tc xe bkmkstart"
    " bkmkend annotation atnid atnauthor atrfstart atrfend template mmathPr latentstyles operator company doccomm sn sv".split()
)
_HEADING_NAME = re.compile(r"\s*heading ([1-6])\b", re.IGNORECASE)
_COLLECTED = frozenset({"title", "author"})


@dataclass(slots=True)
class _Group:
    """What a "{" saves and its "}" brings back."""

    skipped: bool = False
    hidden: bool = False
    target: str = ""  # "", "fonttbl", "stylesheet", "info", "title", "author", "listtext", "footnote"
    fallback: int = 1  # characters after \u that stand for it in old readers
    codec: str = "cp1252"


@dataclass(slots=True)
class _Paragraph:
    """Properties since the last \\pard."""

    level: int = 0  # of a heading, 0 for body text
    in_table: bool = False
    marker: str = ""


def read(path: Path) -> ParsedDocument:
    """Read a rich text. Raises UnreadableError when the file is none."""
    data = path.read_bytes()
    if not data.lstrip()[:6].startswith(b"{\\rtf"):
        raise UnreadableError(
            "The file is named .rtf but is not in Rich Text Format. Name it by what it is, such as .txt."
        )
    reader = _Reader()
    reader.feed(data)
    return reader.finish()


@dataclass(slots=True)
class _Tables:
    """Fonts and styles as the head of the file declares them."""

    codecs: dict[int, str] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


class _Reader:
    """Runs over the tokens once."""

    def __init__(self) -> None:
        self._builder = TextBuilder()
        self._tables = _Tables()
        self._groups = [_Group()]
        self._paragraph = _Paragraph()
        self._text = Text()
        self._table = Rows()
        self._number = 0  # of the font or style being declared
        self._codec = "cp1252"
        self._pending_star = False
        self._listed = False

    def feed(self, data: bytes) -> None:
        """Read everything."""
        for kind, word, number in tokens(data):
            group = self._groups[-1]
            if kind == "{":
                self._groups.append(replace(group))
            elif kind == "}":
                self._close()
            elif kind == "*":
                self._pending_star = True
                continue
            elif kind == "word":
                self._control(word, number, group)
            elif not group.skipped and not group.hidden:
                self._text.add(kind, word, group.codec, group.fallback)
            self._pending_star = False

    def finish(self) -> ParsedDocument:
        """The document with its warnings."""
        if len(self._groups) > 1:
            self._builder.warn("breaks_off")
        while len(self._groups) > 1:
            self._close()
        self._end_paragraph()
        self._end_table()
        return self._builder.build(self._tables.metadata)

    def _close(self) -> None:
        if len(self._groups) < 2:
            return
        group, outer = self._groups.pop(), self._groups[-1]
        if group.target == outer.target == "stylesheet":
            named = _HEADING_NAME.match(self._text.take())
            if named:
                self._tables.levels.setdefault(self._number, int(named[1]))
        if group.target in ("", outer.target):
            return
        if group.target == "footnote":
            self._text.add("text", "] ", "ascii", 0)
        elif group.target == "listtext":
            self._paragraph.marker = _marker(self._text.take())
        elif group.target in _COLLECTED and not group.skipped:
            self._tables.metadata[group.target] = self._text.take()
        else:
            self._text.take()

    def _control(self, word: str, number: int | None, group: _Group) -> None:
        if group.target in ("fonttbl", "stylesheet") and word != "u":
            self._declare(word, number, group)
        elif self._opens(word, group) or group.skipped:
            return
        elif word in SYMBOLS:
            if not group.hidden:
                self._text.add("text", SYMBOLS[word], "utf-8", 0)
        elif word == "u" and number is not None:
            if not group.hidden:
                self._text.add("unicode", str(number), group.codec, group.fallback)
        elif word in ("par", "sect", "page", "column"):
            self._end_paragraph()
        elif word in ("cell", "nestcell"):
            self._end_cell()
        elif word in ("row", "nestrow"):
            self._table.end_row()
        elif not self._table.define(word, number):
            self._format(word, number, group)

    def _opens(self, word: str, group: _Group) -> bool:
        """Whether the word begins a destination."""
        if word in _SKIPPED or (self._pending_star and word not in ("listtext", "pntext", "shptxt", "shpinst")):
            group.skipped = True
        elif word in ("fonttbl", "stylesheet", "info") or (word in _COLLECTED and group.target == "info"):
            group.target = word
        elif word in ("listtext", "pntext"):
            group.target = "listtext"
        elif word == "footnote":
            group.target = word
            self._text.add("text", " [", "ascii", 0)
        else:
            return False
        return True

    def _format(self, word: str, number: int | None, group: _Group) -> None:
        paragraph = self._paragraph
        if word == "ansicpg" and number:
            self._codec = group.codec = codec_of(number)
            self._groups[0].codec = self._codec
        elif word == "uc" and number is not None:
            group.fallback = min(max(number, 0), 16)
        elif word in ("f", "plain"):
            group.codec = self._tables.codecs.get(number or 0, self._codec) if word == "f" else self._codec
            group.hidden = group.hidden and word == "f"
        elif word in ("v", "deleted"):
            group.hidden = number != 0
        elif word == "pard":
            self._paragraph = _Paragraph(marker=paragraph.marker)
        elif word == "intbl":
            paragraph.in_table = True
        elif word == "s" and number is not None:
            paragraph.level = self._tables.levels.get(number, paragraph.level)
        elif word == "outlinelevel" and number is not None:
            paragraph.level = number + 1 if 0 <= number < 9 else 0

    def _declare(self, word: str, number: int | None, group: _Group) -> None:
        """One control word in the table of fonts or styles."""
        if self._pending_star and word not in ("s", "cs", "ts", "ds"):
            group.skipped = True
        elif word in ("f", "s") and number is not None:
            self._number = number
            self._text.take()
        elif word == "fcharset" and number is not None:
            self._tables.codecs[self._number] = CHARSETS.get(number, self._codec)
        elif word == "outlinelevel" and group.target == "stylesheet" and number is not None and 0 <= number < 9:
            self._tables.levels[self._number] = number + 1

    def _end_paragraph(self) -> None:
        text = collapse(self._text.take()).strip()
        if self._paragraph.in_table:
            self._text.add("text", text + " ", "utf-8", 0)
            return
        if self._table.cells:  # the last row was never closed
            self._table.end_row()
        self._end_table()
        if not text:
            self._paragraph.marker = ""
            return
        if self._paragraph.level:
            self._builder.add_heading(self._paragraph.level, " ".join(text.split()))
        else:
            marker = self._paragraph.marker
            self._builder.add_block(marker + text, gap="\n" if marker and self._listed else "\n\n")
        self._listed = bool(self._paragraph.marker)
        self._paragraph.marker = ""

    def _end_cell(self) -> None:
        self._table.cells.append(self._text.take())

    def _end_table(self) -> None:
        if rows := self._table.take():
            write_table(self._builder, rows)
            self._listed = False


def _marker(text: str) -> str:
    """What stands before a list item: its number, or a dash for any bullet."""
    text = "".join(text.split())
    return f"{text} " if any(character.isalnum() for character in text) and len(text) < 10 else "- "
