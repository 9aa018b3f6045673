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
REPEATED = 200
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


class Grid:
    """Lays out the rows of one table as they come."""

    def __init__(self) -> None:
        self._reaching: dict[
            int, tuple[int, str]
        ] = {}  # columns that a cell from above reaches into: rows left, its text
        self._left = _MAX_CELLS

    def end_group(self) -> None:
        """End what reaches down from above: in HTML no cell leaves its group of rows."""
        self._reaching = {}

    def row(self, cells: Sequence[Cell]) -> list[str]:
        """The texts of all places of a row. One that a single cell takes up holds its text once: it is a title."""
        row = {column: text for column, (_, text) in self._reaching.items()}
        after = {column: (more - 1, text) for column, (more, text) in self._reaching.items() if more != 1}
        alone = len(cells) == 1 and not row
        column = 0
        for cell in cells:
            while column in row:
                column += 1
            again = cell.text if len(cell.text) <= REPEATED else ""
            for index in range(column, min(column + max(cell.columns, 1), MAX_COLUMNS)):
                if index in row:
                    break  # the table contradicts itself: what came first holds its place
                row[index] = cell.text if index == column else again if not alone else ""
                if cell.rows != 1:
                    after[index] = (cell.rows - 1, again)
            column += max(cell.columns, 1)
        self._left -= len(row)
        self._reaching = after if self._left > 0 else {}
        return [row.get(index, "") for index in range(max(row) + 1)] if row else []


def laid_out(rows: Iterable[Sequence[Cell]]) -> list[list[str]]:
    """The texts of all places of a table, row by row."""
    grid = Grid()
    return [grid.row(cells) for cells in rows]
