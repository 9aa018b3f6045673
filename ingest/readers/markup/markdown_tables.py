"""Tables that a Markdown file draws in HTML because their cells span rows or columns, as tables of Markdown.

Owns that exchange: the source of such a table cannot be searched or cited by its rows. Any other source stays as it is.
Must not touch code.
"""

from __future__ import annotations

import re
from typing import Any

from ingest.readers.markup.html import parse_html
from ingest.readers.text.normalisation import collapse
from ingest.readers.text.spans import Cell, Grid, span_of
from rag.errors import UnreadableError

_TABLE = re.compile(r"^ {0,3}<table\b(?:(?!<table\b).)*?</table>[ \t]*$", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"\b(?:row|col)span\s*=", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_MAX_TABLE = 500_000  # characters


def with_tables(text: str) -> str:
    """The text with those tables written anew."""
    if not _SPAN.search(text):
        return text
    code = [match.span() for match in _FENCE.finditer(text)]

    def written(match: re.Match[str]) -> str:
        inside = any(start <= match.start() < end for start, end in code)
        if inside or not _SPAN.search(match[0]) or len(match[0]) > _MAX_TABLE:
            return match[0]
        return _written(match[0]) or match[0]

    return _TABLE.sub(written, text)


def _written(source: str) -> str:
    """An HTML table as one of Markdown; "" where that is not possible."""
    try:
        root, complete = parse_html(source)
    except UnreadableError:
        return ""
    if not complete:
        return ""
    grid = Grid()
    rows = []
    for node in root.iter("thead", "tbody", "tfoot", "tr"):
        if node.tag != "tr":
            grid.end_group()
            continue
        cells = [_cell(each) for each in node.iterchildren("td", "th")]
        rows.append(grid.row(cells))
    width = max(map(len, rows), default=0)
    if not width:
        return ""
    caption = root.find(".//caption")
    above = "" if caption is None else f"{_text(caption)}\n\n"
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows if any(row)]
    return above + "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])


def _cell(node: Any) -> Cell:
    return Cell(_text(node).replace("|", r"\|"), span_of(node.get("rowspan"), least=0), span_of(node.get("colspan")))


def _text(node: Any) -> str:
    for line_end in node.iter("br", "p", "li", "div"):
        line_end.tail = f" {line_end.tail or ''}"
    return collapse(" ".join("".join(node.itertext()).split()))
