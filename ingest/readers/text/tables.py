"""Tables as text: a row is a line of cells joined by " | ", and a long table repeats its header.

Owns the form of a row, the guess whether a first row is a header, and how often it comes back. Every reader of tables
writes them through here. Must not know where cells come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ingest.readers.text.normalisation import TextBuilder, collapse

HEADER_EVERY = 20
"""Rows after which a header is repeated: about two chunks of text, so that hardly any chunk lacks it."""

_NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?\d[\d.,\s%:/-]*\)?%?$")
_YEAR = re.compile(r"(?:19|20)\d\d$")


def row_text(cells: Iterable[str]) -> str:
    """One line; line breaks within a cell become spaces, "|" is kept as it is. Empty cells at the end go."""
    flat = [collapse(" ".join(cell.split())) if cell else "" for cell in cells]
    while flat and not flat[-1]:
        flat.pop()
    return " | ".join(flat)


def is_header(row: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """Whether a first row names columns: several cells, all of them words or years, none twice, and as wide as the rows below.
    A cell that spans columns stands in each of them.
    """
    texts = [cell.strip() for cell in row]
    filled = [(index, text) for index, text in enumerate(texts) if text and (not index or text != texts[index - 1])]
    if len(filled) < 2 or len({cell for _, cell in filled}) < len(filled) or not following:
        return False
    words = 0
    for index, cell in filled:
        if len(cell) > 80:
            return False
        if not _NUMBER.match(cell):
            words += 1
        elif not _YEAR.match(cell) or any(index < len(each) and _YEAR.match(each[index]) for each in following):
            return False
    widest = max(sum(1 for cell in each if cell.strip()) for each in following)
    return words > 0 and 2 * sum(map(bool, texts)) >= widest


def is_number(cell: str) -> bool:
    """Whether a cell holds a number, a sum, a percentage, a date in digits."""
    return bool(_NUMBER.match(cell.strip()))


class TableWriter:
    """Appends the rows of one table to a builder. The header, if there is one, is repeated each `HEADER_EVERY` rows."""

    def __init__(self, builder: TextBuilder, header: Sequence[str] | None = None) -> None:
        self._builder = builder
        self._header = row_text(header) if header else ""
        self._rows = 0

    def add(self, cells: Iterable[str]) -> None:
        """Append a row; an empty one is left out."""
        text = row_text(cells)
        if not text:
            return
        gap = "\n" if self._rows else "\n\n"
        if self._header and self._rows % HEADER_EVERY == 0:
            self._builder.add_block(self._header)
            gap = "\n"
        self._builder.add_block(text, gap=gap)
        self._rows += 1


def write_table(builder: TextBuilder, rows: Sequence[Sequence[str]]) -> None:
    """Append a whole table, its first row as a header where it looks like one."""
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    headed = len(rows) > 1 and is_header(rows[0], rows[1:10])
    writer = TableWriter(builder, rows[0] if headed else None)
    for row in rows[headed:]:
        writer.add(row)
