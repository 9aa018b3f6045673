"""reStructuredText (.rst), read line by line: its headings, lists and tables, and otherwise its own words.

Owns the look of headings and of the two kinds of tables. No directive is carried out: files are not included, nothing raw is
passed on. docutils would do that too, but it keeps no offsets, and it replaces words of the author with its own messages.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from pathlib import Path

from ingest.readers.text.normalisation import TextBuilder, normalise
from ingest.readers.text.plain import decode
from ingest.readers.text.tables import row_text
from ingest.readers.warnings import named
from rag.types import ParsedDocument

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}$")
_GRID = re.compile(r"\+(?:[-=]+\+)+$")
_SIMPLE = re.compile(r"=+(?: +=+)+$")
_COMMENT = re.compile(r"\.\.(?:$| (?!\[|_|\||[\w:+.-]+::))")
_FILE = re.compile(r"\.\. (?:include|literalinclude|csv-table|image|figure)::\s*(\S+)|:file:\s*(\S+)")
_FILLER = "\0"  # stands behind a wide character
_MAX_DRAWN = 400_000  # characters of a grid whose cells are traced
_RAW = re.compile(r"\.\. raw::")


def read(path: Path) -> ParsedDocument:
    """Read a reStructuredText file. Raises UnsupportedTypeError for binary data."""
    text, _ = decode(path.read_bytes())
    writer = _Writer(normalise(text.expandtabs(8)).split("\n"))
    writer.write()
    return writer.finish()


class _Writer:
    """Goes over the lines once."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._builder = TextBuilder()
        self._styles: list[str] = []
        self._block: list[str] = []
        self._files: list[str] = []
        self._raw = 0

    def write(self) -> None:
        """Append everything."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if self._heading() or self._table(line) or self._left_out(line):
                continue
            if line:
                self._block.append(line)
                named_file = _FILE.match(line.strip())
                if named_file:
                    self._files.append(named_file[1] or named_file[2])
            else:
                self._flush()
            self._at += 1
        self._flush()

    def finish(self) -> ParsedDocument:
        """The document with its warnings."""
        if self._files:
            self._builder.warn("inclusions", names=named(self._files))
        if self._raw:
            self._builder.warn("raw_blocks", n=self._raw)
        return self._builder.build()

    def _line(self, offset: int) -> str:
        index = self._at + offset
        return self._lines[index] if 0 <= index < len(self._lines) else ""

    def _heading(self) -> bool:
        """A title over its adornment, or between two; both begin after a blank line."""
        if self._block:
            return False
        here, below, after = self._line(0), self._line(1), self._line(2)
        over = _ADORNMENT.match(here)
        if over and below.strip() and after == here:
            self._append_heading(f"{over[1]}{over[1]}", below.strip(), 3)
            return True
        under = _ADORNMENT.match(below)
        if (
            under
            and here.strip()
            and here[0] != " "
            and not _ADORNMENT.match(here)
            and len(below) + 2 >= len(here) // 2
        ):
            self._append_heading(under[1], here.strip(), 2)
            return True
        return False

    def _append_heading(self, style: str, title: str, lines: int) -> None:
        if style not in self._styles:
            self._styles.append(style)
        self._builder.add_heading(self._styles.index(style) + 1, title)
        self._at += lines

    def _table(self, line: str) -> bool:
        stripped = line.strip()
        grid = bool(_GRID.match(stripped))
        if not grid and not _SIMPLE.match(stripped):
            return False
        end = self._at + 1
        while end < len(self._lines) and (grid or self._at + 1 == end or not _closes(self._lines, end)):
            if grid and not self._lines[end].strip().startswith(("+", "|")):
                break
            end += 1
        last = end if grid else min(end + 1, len(self._lines))
        rows = self._lines[self._at : last]
        self._flush()
        for index, row in enumerate(_grid_rows(rows) if grid else _simple_rows(rows)):
            self._builder.add_block(row_text(row), gap="\n" if index else "\n\n")
        self._at = last
        return True

    def _left_out(self, line: str) -> bool:
        """Comments and raw blocks go, with what is indented under them."""
        raw = bool(_RAW.match(line))
        if self._block or not (raw or _COMMENT.match(line)):
            return False
        self._raw += raw
        self._at += 1
        while self._at < len(self._lines) and (not self._line(0) or self._line(0)[0] == " "):
            self._at += 1
        return True

    def _flush(self) -> None:
        self._builder.add_block("\n".join(self._block))
        self._block = []


def _closes(lines: list[str], index: int) -> bool:
    """Whether the border at `index` is the last one of a simple table: a blank line or the end follows."""
    return bool(_SIMPLE.match(lines[index].strip())) and (index + 1 >= len(lines) or not lines[index + 1].strip())


def _grid_rows(lines: list[str]) -> list[list[str]]:
    """Cells of a grid table. Borders may be left out between rows and columns that a cell spans, so each cell is traced from
    its upper left corner.
    """
    indent = len(lines[0]) - len(lines[0].lstrip())
    drawn = [_spread(line[indent:].rstrip()) for line in lines]
    width = max(map(len, drawn))
    if width * len(drawn) > _MAX_DRAWN:
        return _plain_grid_rows(drawn)
    drawn = [line.ljust(width) for line in drawn]
    heights = [y for y, line in enumerate(drawn) if re.search(r"\+[-=]", line)]
    edges = sorted({x for line in drawn if line[0] == "+" for x, sign in enumerate(line) if sign == "+"})
    rows: list[list[str]] = []
    below: dict[tuple[int, int], str] = {}
    for y in heights[:-1]:
        row = []
        for index, x in enumerate(edges[:-1]):
            text = below.get((y, x))
            if text is None and drawn[y][x] == "+":
                cell = _traced(drawn, x, y, edges[index + 1 :], heights)
                if cell is None:
                    return _plain_grid_rows(drawn)
                text, far, low = cell
                columns = [each for each in edges if x <= each < far]
                below.update({(line, each): text for line in heights if y <= line < low for each in columns})
            row.append(text or "")
        if len(set(row)) == 1 and len(row) > 1 and drawn[y + 1].count("|") <= 2:
            row = row[:1]  # one cell takes up the row: a title
        rows.append(row)
    return rows


def _traced(drawn: list[str], x: int, y: int, edges: list[int], heights: list[int]) -> tuple[str, int, int] | None:
    """The text of the cell whose upper left corner stands at (x, y), with its right edge and its lower one."""
    for far in edges:
        if drawn[y][far] != "+" or set(drawn[y][x + 1 : far]) - set("-=+"):
            continue
        for low in heights:
            if low <= y:
                continue
            if any(drawn[line][x] not in "|+" or drawn[line][far] not in "|+" for line in range(y, low + 1)):
                break
            if drawn[low][x] == drawn[low][far] == "+" and not set(drawn[low][x + 1 : far]) - set("-=+"):
                inner = " ".join(drawn[line][x + 1 : far].strip() for line in range(y + 1, low))
                return " ".join(inner.replace(_FILLER, "").split()), far, low
    return None


def _spread(line: str) -> str:
    """A line in which wide characters take the two places that they are drawn in."""
    if line.isascii():
        return line
    return "".join(f"{each}{_FILLER}" if unicodedata.east_asian_width(each) in "WF" else each for each in line)


def _plain_grid_rows(lines: list[str]) -> list[list[str]]:
    """Cells of a grid table that is not drawn true; lines between two borders make one row."""
    rows: list[list[str]] = []
    cells: list[str] = []
    for line in (each.replace(_FILLER, "").strip() for each in lines):
        if line.startswith("+"):
            rows += [cells] if cells else []
            cells = []
            continue
        parts = [part.strip() for part in line.strip("|").split("|")]
        width = max(len(parts), len(cells))
        cells = [
            f"{a} {b}".strip()
            for a, b in zip(cells + [""] * (width - len(cells)), parts + [""] * (width - len(parts)), strict=True)
        ]
    return rows + ([cells] if cells else [])


def _simple_rows(lines: list[str]) -> list[list[str]]:
    """Cells of a simple table, cut where the columns of its first border begin; a blank first cell goes on with the row."""
    starts = [match.start() for match in re.finditer("=+", lines[0])]
    rows: list[list[str]] = []
    for line in lines[1:]:
        if not line.strip() or _SIMPLE.match(line.strip()) or re.match(r"\s*-+(?: +-+)*$", line):
            continue
        cells = [line[start:end].strip() for start, end in pairwise([*starts, None])]
        if rows and not cells[0]:
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    return rows
