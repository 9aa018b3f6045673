"""The text of OpenDocument paragraphs and the cells of its tables, for `odf`.

Owns repeated rows and columns, which a small file may claim by the million, and what is shown of a paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.readers.office.number_format import with_stored
from ingest.readers.package import attribute, elements, local_name
from ingest.readers.text.normalisation import collapse
from ingest.readers.text.sheets import Row
from ingest.readers.text.spans import REPEATED

_UNSHOWN = frozenset({"annotation", "annotation-end", "tracked-changes", "text-box", "bookmark", "ruby-text", "table"})
_MAX_REPEATS = 1000
_MAX_COLUMNS = 2000
_MAX_ABOUT = 60  # characters of a cell that a comment names


def text_of(node: Any) -> str:
    """The text of a paragraph (or of the paragraphs in a cell or frame), tabs and breaks included, notes in brackets."""
    from lxml import etree  # type: ignore[import-untyped]  # ships no types

    parts: list[str] = []
    walk = etree.iterwalk(node, events=("start", "end"))
    skipped = None
    for event, each in walk:
        name = local_name(each)
        if event == "start":
            if each is not node and name in _UNSHOWN and not (name == "text-box" and local_name(node) == "frame"):
                walk.skip_subtree()
                skipped = each
                continue
            parts.append(_opening(each, name))
            parts.append(each.text or "" if name not in ("note", "note-citation") else "")
        else:
            if name == "note":
                while parts and parts[-1] in ("\n", ""):
                    parts.pop()  # the end of its last paragraph
            if each is not skipped:
                parts.append({"note": "]", "p": "\n"}.get(name, ""))
            skipped = None
            if each is not node:
                parts.append(each.tail or "")
    return "".join(parts).strip("\n")


def sheet_rows(table: Any) -> Iterator[Row]:
    """The rows of a table with their filled cells; header rows and groups of rows are looked into. A cell that spans others
    stands in each of them; rows that hold nothing but what reaches into them do not count.
    """
    number = reached = 0
    reaching: dict[int, tuple[int, str]] = {}  # columns that a cell from above reaches into: the last row, its text
    for row in table.iter("{*}table-row"):
        if next(row.iterancestors("{*}table")) is not table:
            continue  # of a table within a cell
        repeats = _repeats(row, "number-rows-repeated")
        below = {column: text for column, (last, text) in reaching.items() if last > number}
        cells = _cells_of(row, below, reaching, number)
        if below and not cells:
            reached += repeats
        else:
            for index in range(min(repeats, _MAX_REPEATS) if cells else 1):
                yield number + index + 1 - reached, {**below, **cells}
        number += repeats


def comments_in(node: Any) -> Iterator[str]:
    """The comments within a paragraph, a table or a sheet; those of cells name what their cell holds."""
    for note in elements(node, "annotation"):
        if next(note.iterancestors("{*}text-box"), node) is not node and local_name(node) != "table":
            continue  # what stands in a frame is walked by itself
        cell = note.getparent()
        holds = " ".join(text_of(cell).split()) if local_name(cell) == "table-cell" else ""
        if text := comment_of(note, about=holds):
            yield text


def comment_of(note: Any, *, about: str = "") -> str:
    """A comment with its author and what it is about; "" for one without words."""
    author = next((each.text or "" for each in elements(note, "creator")), "").strip()
    text = collapse(" ".join(" ".join(text_of(each) for each in elements(note, "p")).split()))
    named = f" by {author}" if author else ""
    where = f" on {about if len(about) <= _MAX_ABOUT else f'{about[:_MAX_ABOUT]}…'}" if about else ""
    return f"Comment{named}{where}: {text}" if text else ""


def _cells_of(row: Any, below: dict[int, str], reaching: dict[int, tuple[int, str]], number: int) -> dict[int, str]:
    """The cells of row `number` (0-based) by their column, without those that are `below` one that reaches into them."""
    cells: dict[int, str] = {}
    column = filled = 0
    spans = False
    for cell in row.iterchildren("{*}table-cell", "{*}covered-table-cell"):
        times = _repeats(cell, "number-columns-repeated")
        text = " ".join(text_of(cell).split()) if len(cell) else ""
        if text and column not in below:
            text = with_stored(text, attribute(cell, "value"))
            again = len(text) <= REPEATED
            wide, high = _repeats(cell, "number-columns-spanned"), _repeats(cell, "number-rows-spanned")
            filled += times
            spans = spans or wide > 1
            for index in range(
                column, min(column + max(times, wide if again else 1), column + _MAX_REPEATS, _MAX_COLUMNS)
            ):
                cells.setdefault(index, text)
                if high > 1 and again:
                    reaching[index] = (number + high, text)
        column += times
    return dict([min(cells.items())]) if spans and filled == 1 and not below else cells


def _opening(node: Any, name: str) -> str:
    if name == "s":
        count = attribute(node, "c") or "1"
        return " " * min(int(count) if count.isdigit() else 1, 100)
    return {"tab": "\t", "line-break": "\n", "note": " ["}.get(name, "")


def _repeats(node: Any, name: str) -> int:
    value = attribute(node, name) or "1"
    return int(value) if value.isdigit() and len(value) < 8 and int(value) else 1
