"""Tables whose cells span rows and columns, as rows of texts in which each cell stands everywhere that it spans.

Owns the laying out of such a table, whatever its format: a reader says what each cell holds and how far it reaches. A
cell that spans is written in each row and in each column, so that every line can be read, found and cited by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_COLUMNS = 2000
MAX_SPAN = 1000
_MAX_CELLS = 1_000_000
REPEATED = 300
"""Characters up to which the text of a cell that spans is written again; a longer one stands once."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of `rows` and `columns`; `rows` 0 reaches to the end of the table, as HTML has it."""

    text: str
    rows: int = 1
    columns: int = 1


def span_of(value: str | None, *, least: int = 1) -> int:
    """A number of rows or columns as an attribute says it; 1 where it says nothing sensible."""
    text = (value or "").strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return min(max(number, least), MAX_SPAN)


def laid_out(rows: Iterable[Sequence[Cell]]) -> list[list[str]]:
    """The texts of all places of a table, row by row."""
    result: list[list[str]] = []
    reaching: dict[int, tuple[int, str]] = {}  # columns that a cell from above reaches into: rows left (-1: all), its text
    left = _MAX_CELLS
    for cells in rows:
        row: dict[int, str] = {}
        after: dict[int, tuple[int, str]] = {}
        for column, (more, text) in reaching.items():
            row[column] = text
            if more != 1:
                after[column] = (more - 1, text)
        column = 0
        for cell in cells:
            while column in row:
                column += 1
            for index in range(column, min(column + cell.columns, MAX_COLUMNS)):
                if index in row:
                    break  # the table contradicts itself: what came first holds its place
                row[index] = cell.text if index == column or len(cell.text) <= REPEATED else ""
                if cell.rows != 1:
                    after[index] = (cell.rows - 1, cell.text if len(cell.text) <= REPEATED else "")
            column += cell.columns
        reaching = after
        left -= len(row)
        if left < 0:
            break
        result.append([row.get(index, "") for index in range(max(row) + 1)] if row else [])
    return result
