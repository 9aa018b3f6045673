"""From the rows of a sheet to text: blocks between blank rows, titles, tables with their header.

Owns the limits of a sheet and the guess what on it is a table. Spreadsheets and CSV files are written through here. Must
not know where cells come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.readers.text.normalisation import TextBuilder
from ingest.readers.text.tables import TableWriter, is_header, is_number
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
    header: _Header | None = None
    for block in _blocks(kept):
        header = _write_block(builder, block, header)
    return outcome


@dataclass(frozen=True, slots=True)
class _Header:
    """The columns of a table by their place on the sheet, and what they are called."""

    columns: tuple[int, ...]
    names: tuple[str, ...]


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


def _blocks(rows: Sequence[Row]) -> Iterator[list[dict[int, str]]]:
    """Runs of rows without a blank one between them."""
    begin = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index][0] != rows[index - 1][0] + 1:
            yield [cells for _, cells in rows[begin:index]]
            begin = index


def _write_block(builder: TextBuilder, block: list[dict[int, str]], above: _Header | None) -> _Header | None:
    """Append a block and return its header; `above` is the header of the block above, which a torn table goes on under."""
    columns = tuple(sorted({column for cells in block for column in cells}))
    rows = _rectangle(block, columns)
    first = 0
    while first < len(rows) and len(columns) > 1 and _filled(rows[first]) == 1 and first < 5:
        first += 1
    if first == len(rows):
        first = 0
    header: _Header | None = None
    if is_header(rows[first], rows[first + 1 : first + 21]):
        header = _Header(columns, tuple(rows[first]))
    elif above is not None and _goes_on(block[first:], above):
        columns = tuple(sorted({*columns, *above.columns}))
        rows = _rectangle(block, columns)
        names = dict(zip(above.columns, above.names, strict=True))
        header = _Header(columns, tuple(names.get(column, "") for column in columns))
    for row in rows[:first]:
        builder.add_block(" ".join("".join(row).split()))
    writer = TableWriter(builder, header.names if header else None)
    for row in rows[first + (header is not None and header.names == tuple(rows[first])) :]:
        writer.add(row)
    return header


def _rectangle(block: list[dict[int, str]], columns: Sequence[int]) -> list[list[str]]:
    return [[cells.get(column, "") for column in columns] for cells in block]


def _goes_on(block: list[dict[int, str]], above: _Header) -> bool:
    """Whether a block after a blank row is more of the table above: most of its cells stand in columns that are named there.
    A lone text in the first column is a remark.
    """
    places = [column for cells in block for column in cells]
    if max(len(cells) for cells in block) == 1 and not any(
        is_number(text) for cells in block for text in cells.values()
    ):
        return False
    named = {column for column, name in zip(above.columns, above.names, strict=True) if name}
    return 2 * sum(column in named for column in places) > len(places)


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell)
