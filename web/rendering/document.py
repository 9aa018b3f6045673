"""A document's text as nodes and as plain HTML: headings, paragraphs, lists, tables and code, with a span marked.

Owns what each kind of document is shown as: Markdown and reStructuredText as what they are written for, programs as
code, all else as paragraphs and rows. What stands in a document is shown as text; no attribute, address, style or
script comes from it. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from html import escape
from itertools import groupby

from rag.types import Heading
from web.rendering.markdown import Block, Dialect, blocks_of
from web.rendering.markup import Element, Node, Part, Run, Span, paint
from web.rendering.restructured import restructured_blocks

MAX_CHARACTERS = 200_000
"""Of a text that one view shows; a longer one is shown in parts."""

MARKDOWN = "text/markdown"
RESTRUCTURED = "text/x-rst"
SOURCE = "text/x-source"
_SLACK = 2000  # characters within which a part's edge is moved to a line's end
_CELLS = " | "
# A line that was broken by the width of a page: the next one goes on with it. Short lines, lists and tables keep
# their breaks.
_WRAPPED = re.compile(r"(?<![^\n])[^\n|]{40,}\n(?=[^\n\s\-•*|#>\d])")
_WIDE = re.compile(r"[\u2e80-\uffef]")
_NO_ROW = re.compile(r"\s|(?:[-*+]|\d+[.)]) ")
_VOID = ("hr", "br")
Line = tuple[int, str]
"""Where a line begins in the document, and the line."""


def part_of(length: int, *, at: int, focus: int | None = None) -> tuple[int, int]:
    """The part of a text of `length` characters that a view shows: from `at` on, or around `focus` if that is given."""
    if length <= MAX_CHARACTERS:
        return 0, length
    begin = at if focus is None else focus - MAX_CHARACTERS // 4
    begin = max(min(begin, length - 1), 0)
    return begin, min(begin + MAX_CHARACTERS, length)


def whole_lines(text: str, begin: int, length: int, *, slack: int = _SLACK) -> tuple[int, str]:
    """A part at `begin` of a text of `length`, cut to whole lines where its edges allow; and its new beginning."""
    end = begin + len(text)
    if begin > 0 and (cut := text.find("\n", 0, slack)) >= 0:
        text, begin = text[cut + 1 :], begin + cut + 1
    if end < length and (cut := text.rfind("\n", max(len(text) - slack, 0))) > 0:
        text = text[:cut]
    return begin, text


def needs_context(media_type: str) -> bool:
    """Whether a part of such a text can be told for what it is only by what stands before it."""
    return media_type in (MARKDOWN, RESTRUCTURED)


def nodes_of(
    text: str,
    headings: Sequence[Heading],
    *,
    media_type: str = "text/plain",
    offset: int = 0,
    marked: tuple[int, int] = (0, 0),
    shown: tuple[int, int] | None = None,
) -> list[Node]:
    """The nodes of `text`, which begins at `offset` of its document.

    Args:
        text: the document's text, or a part of it that begins where a block does.
        headings: the document's.
        media_type: what it is written as.
        offset: where the text begins.
        marked: the document's characters [start, end) that are marked.
        shown: of the blocks only those in which some of these characters stand.
    """
    first, last = shown or (offset, offset + len(text))
    parts: list[Part] = []
    for block in _blocks(text, headings, media_type, offset):
        if block.start + offset < last and first < block.end + offset:
            parts += block.parts()
    return paint(parts, spans=[Span(*marked, {"tag": "mark"})])


def _blocks(text: str, headings: Sequence[Heading], media_type: str, offset: int) -> Iterator[Block]:
    places = range(offset, offset + len(text))
    if media_type == MARKDOWN:
        for block in blocks_of(text, Dialect(shift=1), places=places):
            yield Block(block.start, block.end, partial(_placed, block, block.start + offset))
    elif media_type == SOURCE:
        yield Block(0, len(text), lambda: [Element("pre", [Element("code", [Run(text, places)])])])
    else:
        yield from _lines(text, headings, offset, restructured=media_type == RESTRUCTURED)


def _placed(block: Block, start: int) -> list[Part]:
    """Headings that say where they stand, so that an outline can lead to them."""
    return [
        Element(part.tag, part.children, {**part.also, "at": start})
        if isinstance(part, Element) and re.fullmatch("h[2-6]", part.tag)
        else part
        for part in block.parts()
    ]


def _lines(text: str, headings: Sequence[Heading], offset: int, *, restructured: bool) -> Iterator[Block]:
    """The blocks of a text of which only the headings are known, and the rows of tables by their look."""
    levels = {heading.start - offset: min(heading.level + 1, 6) for heading in headings}
    lines: list[Line] = []
    position = 0
    for line in text.split("\n"):
        lines.append((position, line))
        position += len(line) + 1
    for kind, group in groupby(lines, key=lambda line: _kind(line, levels, restructured)):
        found = list(group)
        start, end = found[0][0], found[-1][0] + len(found[-1][1])
        if kind == "heading":
            for at, line in found:
                heading = Element(f"h{levels[at]}", [_run(line, at, offset)], {"at": at + offset})
                yield Block(at, at + len(line), lambda made=heading: [made])  # type: ignore[misc]
        elif kind == "row":
            table = Element("table", [Element("tbody", [_row(line, offset) for line in found])])
            yield Block(start, end, lambda made=table: [made])  # type: ignore[misc]
        elif restructured:
            for block in restructured_blocks(text[start:end], range(start + offset, end + offset)):
                yield Block(block.start + start, block.end + start, block.parts)
        else:
            yield from _paragraphs(text[start:end], start, offset)


def _kind(line: Line, levels: dict[int, int], restructured: bool) -> str:
    if line[0] in levels:
        return "heading"
    # in reStructuredText an indented line with bars may be code, and one of a list holds a literal
    return "row" if _CELLS in line[1] and not (restructured and _NO_ROW.match(line[1])) else "text"


def _run(text: str, at: int, offset: int) -> Run:
    return Run(text, range(at + offset, at + offset + len(text)))


def _row(line: Line, offset: int) -> Element:
    position, text = line
    cells: list[Part] = []
    for cell in text.split(_CELLS):
        cells.append(Element("td", [_run(cell, position, offset)]))
        position += len(cell) + len(_CELLS)
    return Element("tr", cells)


def _paragraphs(text: str, start: int, offset: int) -> Iterator[Block]:
    at = start
    for paragraph in re.split(r"(\n{2,})", text):
        if words := paragraph.strip("\n"):
            begin = at + len(paragraph) - len(paragraph.lstrip("\n"))
            element = Element("p", [_flowing(words, begin + offset)])
            yield Block(begin, begin + len(words), lambda made=element: [made])  # type: ignore[misc]
        at += len(paragraph)


def _flowing(text: str, place: int) -> Run:
    """A paragraph whose long lines were broken by a page's width, flowing again."""
    shown: list[str] = []
    places: list[int] = []
    at = 0
    for found in _WRAPPED.finditer(text):
        end = found.end() - 1
        shown.append(text[at:end])
        places += range(place + at, place + end)
        if not _WIDE.match(text[end - 1]):
            shown.append(" ")
            places.append(place + end)
        at = end + 1
    return Run("".join(shown) + text[at:], [*places, *range(place + at, place + len(text))])


def html_of(nodes: Sequence[Node]) -> str:
    """The HTML of nodes. The first mark has the id "cited" and is where a browser goes when the page opens."""
    return "\n".join(_Html().pieces(nodes))


class _Html:
    """Writes nodes as HTML, all texts escaped; knows whether it has come to the first mark."""

    def __init__(self) -> None:
        self._begun = False

    def pieces(self, nodes: Sequence[Node]) -> Iterator[str]:
        """The HTML of each node."""
        for node in nodes:
            if isinstance(node, str):
                yield escape(node)
            elif node["tag"] in _VOID:
                yield f"<{node['tag']}>"
            else:
                opening = f"<{node['tag']}{self._attributes(node)}>"
                yield f"{opening}{''.join(self.pieces(node['children']))}</{node['tag']}>"

    def _attributes(self, node: dict[str, object]) -> str:
        tag = node["tag"]
        if tag == "mark":
            # Focus (and view.css) brings it into view without a script; so does an address that ends in #cited.
            attributes = ' class="cited"' if self._begun else ' id="cited" class="cited" tabindex="-1" autofocus'
            self._begun = True
            return attributes
        if tag in ("p", "td", "th", "li"):
            return ' dir="auto"'
        if tag == "pre":
            return ' tabindex="0"'
        if tag == "ol" and isinstance(node.get("start"), int):
            return f' start="{node["start"]}"'
        return f' class="{node["kind"]}"' if node.get("kind") in ("link", "address") else ""
