"""Tables in text files (.csv, .tsv): the delimiter is found, the encoding is detected as for any text.

Owns the dialect. Values are kept as they are written. `sheets` decides how rows become text.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ingest.readers.text.normalisation import TextBuilder
from ingest.readers.text.plain import decode
from ingest.readers.text.sheets import MAX_CELLS, Row, write_sheet
from rag.types import ParsedDocument

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 100
_SAMPLE_CHARACTERS = 65_536
_SAID = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # how Excel is told
_MOST_LINES_IN_A_CELL = 300  # more of them mean a quotation mark that nobody closed


def read(path: Path) -> ParsedDocument:
    """Read a table of values. Raises UnsupportedTypeError for binary data."""
    text, _ = decode(path.read_bytes())
    said = _SAID.match(text)
    text = text[said.end() :] if said else text
    delimiter = said[1] if said else find_delimiter(text)
    builder = TextBuilder()
    quoting = csv.QUOTE_MINIMAL
    if any(
        cell.count("\n") > _MOST_LINES_IN_A_CELL
        for _, cells in _rows(text, delimiter, quoting)
        for cell in cells.values()
    ):
        quoting = csv.QUOTE_NONE
        builder.warn("quotation_mark")
    outcome = write_sheet(builder, "", _rows(text, delimiter, quoting), limit=MAX_CELLS)
    if outcome.cut:
        builder.warn("rows_cut", limit=MAX_CELLS, row=outcome.last_row + 1)
    return builder.build()


def find_delimiter(text: str) -> str:
    """The character that parts the most rows into the same number of cells, at least two; "," when none does."""
    sample = text[:_SAMPLE_CHARACTERS]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = Counter(len(cells) for _, cells in islice(_filled(sample, delimiter), _SAMPLE_ROWS))
        width, rows = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]), default=(0, 0))
        score = rows / max(widths.total(), 1) + min(width, 50) / 1000 if width > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _filled(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    rows = _parsed(text, delimiter, csv.QUOTE_MINIMAL)
    return ((number, row) for number, row in enumerate(rows, start=1) if any(cell.strip() for cell in row))


def _rows(text: str, delimiter: str, quoting: int) -> Iterator[Row]:
    for number, row in enumerate(_parsed(text, delimiter, quoting), start=1):
        yield number, {column: cell for column, cell in enumerate(row) if cell.strip()}


def _parsed(text: str, delimiter: str, quoting: int) -> Iterator[list[str]]:
    csv.field_size_limit(1 << 30)
    lines = (f"{line}\n" for line in text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=True)  # type: ignore[arg-type]
