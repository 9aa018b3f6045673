"""A document's text as plain HTML: headings, paragraphs and tables, with a span marked.

Owns that markup. All text is escaped; no attribute, address, style or script comes from a document, so a document full of
HTML is shown as it was written. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from rag.types import Heading

MAX_CHARACTERS = 200_000
"""Of a text that one view shows; a longer one is shown in parts."""

_SLACK = 2000  # characters within which a part's edge is moved to a line's end
_CELLS = " | "
Line = tuple[int, str]
"""Where a line begins in the document, and the line."""


def part_of(length: int, *, at: int, focus: int | None = None) -> tuple[int, int]:
    """The part of a text of `length` characters that a view shows: from `at` on, or around `focus` if that is given."""
    if length <= MAX_CHARACTERS:
        return 0, length
    begin = at if focus is None else focus - MAX_CHARACTERS // 4
    begin = max(min(begin, length - 1), 0)
    return begin, min(begin + MAX_CHARACTERS, length)


def whole_lines(text: str, begin: int, length: int) -> tuple[int, str]:
    """A part that begins at `begin` of a text of `length`, cut to whole lines where its edges allow; and its new beginning."""
    end = begin + len(text)
    if begin > 0 and (cut := text.find("\n", 0, _SLACK)) >= 0:
        text, begin = text[cut + 1 :], begin + cut + 1
    if end < length and (cut := text.rfind("\n", max(len(text) - _SLACK, 0))) > 0:
        text = text[:cut]
    return begin, text


def body_of(text: str, headings: Sequence[Heading], *, offset: int = 0, start: int = 0, end: int = 0) -> str:
    """The HTML of `text`, which begins at `offset` of its document, with the document's characters [start, end) marked.

    The first mark has the id "cited" and is where a browser goes when the page opens.
    """
    levels = {heading.start: min(heading.level + 1, 6) for heading in headings}
    marker = _Marker(start, end)
    html = []
    position = offset
    for block in re.split(r"(\n{2,})", text):
        if block.strip("\n"):
            html += list(_block(block, position, levels, marker))
        position += len(block)
    return "\n".join(html)


def _block(block: str, position: int, levels: dict[int, int], marker: _Marker) -> Iterator[str]:
    lines: list[Line] = []
    for line in block.split("\n"):
        lines.append((position, line))
        position += len(line) + 1
    for kind, group in groupby(lines, key=lambda line: _kind(line, levels)):
        found = list(group)
        if kind == "heading":
            for start, line in found:
                yield f"<h{levels[start]}>{marker.marked(line, start)}</h{levels[start]}>"
        elif kind == "row":
            yield f"<table><tbody>{''.join(_row(line, marker) for line in found)}</tbody></table>"
        else:
            yield f'<p dir="auto">{marker.marked(chr(10).join(line for _, line in found), found[0][0])}</p>'


def _kind(line: Line, levels: dict[int, int]) -> str:
    if line[0] in levels:
        return "heading"
    return "row" if _CELLS in line[1] else "text"


def _row(line: Line, marker: _Marker) -> str:
    position, text = line
    cells = []
    for cell in text.split(_CELLS):
        cells.append(f'<td dir="auto">{marker.marked(cell, position)}</td>')
        position += len(cell) + len(_CELLS)
    return f"<tr>{''.join(cells)}</tr>"


class _Marker:
    """Escapes text and marks what of it lies in the span; the first mark is the one to go to."""

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end
        self._begun = False

    def marked(self, text: str, position: int) -> str:
        """The HTML of a text at `position` of the document."""
        first = min(max(self._start - position, 0), len(text))
        last = min(max(self._end - position, first), len(text))
        if not text[first:last].strip():
            return escape(text)
        # Focus (and view.css) brings it into view without a script; so does an address that ends in #cited.
        attributes = ' class="cited"' if self._begun else ' id="cited" class="cited" tabindex="-1" autofocus'
        self._begun = True
        return f"{escape(text[:first])}<mark{attributes}>{escape(text[first:last])}</mark>{escape(text[last:])}"
