"""From the rows of a sheet to text: blocks between blank rows, titles, tables with their header.

Owns the limits of a sheet and the guess what on it is a table. Spreadsheets and CSV files are written through here. Must
not know where cells come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.readers.text.normalisation import TextBuilder
from ingest.readers.text.tables import TableWriter, is_header
from rag.errors import UnreadableError

MAX_CELLS = 1_000_000
"""Filled cells read of one file; about ten million characters."""

Row = tuple[int, dict[int, str]]
"""The 1-based number of a row, and its filled cells by their 0-based column."""


@dataclass(slots=True)
class SheetOutcome:
    """What became of a sheet: `cells` written, whether it was `cut` at the limit or broke off, and the last row read."""

    cells: int = 0
    cut: bool = False
    damaged: bool = False
    last_row: int = 0


def write_sheet(builder: TextBuilder, title: str, rows: Iterable[Row], *, limit: int) -> SheetOutcome:
    """Append a sheet under its `title` (none for ""), at most `limit` filled cells of it."""
    outcome = SheetOutcome()
    kept = list(_limited(rows, outcome, limit))
    if not kept:
        return outcome
    if title:
        builder.add_heading(1, title)
    header: Sequence[str] | None = None
    for block in _blocks(kept):
        header = _write_block(builder, block, header)
    return outcome


def _limited(rows: Iterable[Row], outcome: SheetOutcome, limit: int) -> Iterator[Row]:
    try:
        for number, cells in rows:
            if not cells:
                continue
            if outcome.cells + len(cells) > limit:
                outcome.cut = True
                return
            outcome.cells += len(cells)
            outcome.last_row = number
            yield number, cells
    except UnreadableError as error:
        if error.code != "damaged_part":
            raise
        outcome.damaged = True


def _blocks(rows: Sequence[Row]) -> Iterator[list[list[str]]]:
    """Runs of rows without a blank one between them, each as a rectangle of the columns that it uses."""
    begin = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index][0] != rows[index - 1][0] + 1:
            block = [cells for _, cells in rows[begin:index]]
            columns = sorted({column for cells in block for column in cells})
            yield [[cells.get(column, "") for column in columns] for cells in block]
            begin = index


def _write_block(builder: TextBuilder, rows: list[list[str]], above: Sequence[str] | None) -> Sequence[str] | None:
    """Append a block and return its header; `above` is the header of the block above, which a torn table goes on under."""
    first = 0
    while first < len(rows) and len(rows[0]) > 1 and _filled(rows[first]) == 1 and first < 5:
        first += 1
    if first == len(rows):
        first = 0
    for row in rows[:first]:
        builder.add_block(" ".join("".join(row).split()))
    table = rows[first:]
    header: Sequence[str] | None = None
    if is_header(table[0], table[1:20]):
        header, table = table[0], table[1:]
    elif above is not None and len(above) == len(table[0]):
        header = above
    writer = TableWriter(builder, header)
    for row in table:
        writer.add(row)
    return header


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell)
