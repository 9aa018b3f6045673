"""Rows of tables in Rich Text Format: how far each cell reaches, from what stands before its row.

Owns the definitions of cells (their right edges and marks of merging) and the grid that the edges of all rows make. Text
comes from `rtf`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.readers.text.spans import Cell, laid_out

_NEAR = 60  # twips between edges that are drawn as one; 1440 are an inch
_MARKS = {"clvmgf": "top", "clvmrg": "below", "clmgf": "first", "clmrg": "next"}


@dataclass(slots=True)
class Rows:
    """Gathers the rows of one table. Each row has its texts, and the right edge and the marks of each cell where given."""

    cells: list[str] = field(default_factory=list)
    _edges: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    _marks: set[str] = field(default_factory=set)
    _rows: list[tuple[list[str], list[tuple[int, frozenset[str]]]]] = field(default_factory=list)

    def define(self, word: str, number: int | None) -> bool:
        """Take a control word that is about cells; whether it is one."""
        if word == "trowd":
            self._edges, self._marks = [], set()
        elif word in _MARKS:
            self._marks.add(_MARKS[word])
        elif word == "cellx":
            self._edges.append((number or 0, frozenset(self._marks)))
            self._marks = set()
        else:
            return False
        return True

    def end_row(self) -> None:
        """Close the row at hand."""
        self._rows.append((self.cells, list(self._edges)))
        self.cells = []

    def take(self) -> list[list[str]]:
        """The texts of the whole table, which is over then."""
        rows, self._rows = self._rows, []
        grid = _grid([edges for _, edges in rows])
        return laid_out(_with_heights([_placed(texts, edges, grid) for texts, edges in rows]))


@dataclass(slots=True)
class _Placed:
    """A cell with the columns that it takes up; `below` one that it is merged with."""

    text: str
    columns: int
    begin: int
    below: bool


def _grid(rows: Sequence[Sequence[tuple[int, frozenset[str]]]]) -> list[int]:
    """The right edges of the columns; none where no row has them all, so that rows are too uneven to tell."""
    found: list[int] = []
    for edge in sorted(edge for row in rows for edge, _ in row):
        if not found or edge - found[-1] > _NEAR:
            found.append(edge)
    return found if any(len(row) == len(found) for row in rows) else []


def _placed(texts: list[str], edges: list[tuple[int, frozenset[str]]], grid: list[int]) -> list[_Placed]:
    placed: list[_Placed] = []
    column = 0
    for index, text in enumerate(texts):
        edge, marks = edges[index] if index < len(edges) else (0, frozenset[str]())
        end = sum(each <= edge + _NEAR for each in grid) if grid and edge else column + 1
        columns = max(end - column, 1)
        if "next" in marks and placed:
            placed[-1].columns += columns
        else:
            placed.append(_Placed(text, columns, column, "below" in marks))
        column += columns
    return placed


def _with_heights(rows: list[list[_Placed]]) -> list[list[Cell]]:
    """Cells with the number of rows that they span, without those that they span."""
    heights: dict[tuple[int, int], int] = {}
    above: dict[int, tuple[int, int]] = {}  # column -> the cell that reaches into it
    for number, row in enumerate(rows):
        now: dict[int, tuple[int, int]] = {}
        for cell in row:
            origin = above.get(cell.begin) if cell.below else None
            if origin is None:
                origin = (number, cell.begin)
                cell.below = False
            heights[origin] = number - origin[0] + 1
            now[cell.begin] = origin
        above = now
    return [
        [Cell(cell.text, heights[number, cell.begin], cell.columns) for cell in row if not cell.below]
        for number, row in enumerate(rows)
    ]
