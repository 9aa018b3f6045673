"""From an HTML tree to blocks of text: headings with levels, list items as "- item", table rows as "a | b".

Owns how elements become text; what is content at all is said by `html_content`. Must not recurse over the tree, whose depth
a hostile page chooses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from ingest.readers.markup.html_content import content_of, is_left_out, is_note_mark, named_chrome
from ingest.readers.text.normalisation import TextBuilder, collapse, normalise
from ingest.readers.text.spans import Cell, Grid, span_of
from ingest.readers.text.tables import row_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]  # ships no types

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "p div section article main header footer aside nav blockquote figure figcaption address ul ol dl dt dd li form"
    " fieldset details summary center hr pre table caption thead tbody tfoot tr td th body html".split()
)
_WHITE = re.compile(r"\s+")


def append_html(builder: TextBuilder, root: HtmlElement, *, article_only: bool = True, shift: int = 0) -> None:
    """Append the content of a tree. `article_only` leaves out menus, sidebars and footers around it; `shift` is added to
    heading levels (an `h1` of class "title" stays at 1).
    """
    from lxml import etree  # type: ignore[import-untyped]

    content = content_of(root) if article_only else [root]
    within_article = article_only and content != [root]
    chrome = named_chrome(root) if article_only else set()
    for element in content:
        walker = _Walker(builder, _layout_tables(element), shift)
        walk = etree.iterwalk(element, events=("start", "end"))
        skipped = None
        for event, node in walk:
            if event == "start":
                if is_left_out(node, chrome, article_only=article_only, within_article=within_article):
                    walk.skip_subtree()
                    skipped = node
                else:
                    walker.start(node)
                    if node.tag == "math":
                        walk.skip_subtree()
            else:
                if node is not skipped:
                    walker.end(node)
                skipped = None
                if node is not element:
                    walker.text(node.tail)
        walker.flush()


def formula(node: HtmlElement) -> str:
    """A formula as its author wrote it, where that is kept beside the marks that draw it; else the signs one by one."""
    for each in node.iter("annotation"):
        if "tex" in (each.get("encoding") or "").lower() and each.text:
            return str(each.text)
    if node.get("alttext"):
        return str(node.get("alttext"))
    signs = []
    for each in node.iter():
        if each.tag not in ("annotation", "annotation-xml"):
            signs.append(each.text or "")
        if each is not node:
            signs.append(each.tail or "")
    return "".join(sign.strip() for sign in signs)


def _layout_tables(root: HtmlElement) -> set[Any]:
    """Tables that lay out a page: those that hold tables or headings."""
    layout: set[Any] = set()
    for node in root.iter("table", *HEADINGS):
        for ancestor in node.iterancestors("table"):
            if ancestor in layout:
                break
            layout.add(ancestor)
    return layout


class _Walker:
    """FairScheduler start and end events into blocks."""

    def __init__(self, builder: TextBuilder, layout: set[Any], shift: int) -> None:
        self._builder = builder
        self._layout = layout
        self._shift = shift
        self._buffer: list[str] = []
        self._lists: list[int | None] = []  # the next number of an ordered list, None for bullets
        self._marker = ""
        self._tight = False  # whether the next block follows the one before without a blank line
        self._table: Any = None
        self._grid = Grid()
        self._cells: list[Cell] | None = None
        self._pre = 0
        self._marks: set[Any] = set()  # of notes, which are open

    def start(self, node: HtmlElement) -> None:
        tag = node.tag
        if tag == "br":
            self._buffer.append("\n")
        elif is_note_mark(node):
            self._buffer.append(" (")
            self._marks.add(node)
        elif self._table is not None:
            self._start_in_table(tag)
        elif tag in _BLOCKS or tag in HEADINGS:
            self.flush()
            self._start_block(node, tag)
        self.text(formula(node) if tag == "math" else node.text)

    def end(self, node: HtmlElement) -> None:
        tag = node.tag
        if node in self._marks:
            self._marks.discard(node)
            self._buffer.append(")")
        elif self._table is not None:
            self._end_in_table(node, tag)
        elif tag in HEADINGS:
            title = " ".join("".join(self._buffer).split())
            self._buffer.clear()
            titled = tag == "h1" and node.get("class") == "title"
            self._builder.add_heading(HEADINGS[tag] + (0 if titled else self._shift), collapse(title))
        elif tag in _BLOCKS:
            self.flush()
            if tag in {"ul", "ol"} and self._lists:
                self._lists.pop()
                self._tight = bool(self._lists)
            elif tag == "li":
                self._marker = ""
            elif tag == "dt":
                self._tight = True
            elif tag == "pre":
                self._pre -= 1

    def text(self, text: str | None) -> None:
        if text:
            self._buffer.append(text if self._pre else _WHITE.sub(" ", text))

    def flush(self) -> None:
        """Write the text gathered so far as a block."""
        joined = "".join(self._buffer)
        self._buffer.clear()
        if not joined.strip():
            return
        text = normalise(joined) if self._pre else "\n".join(collapse(line).strip() for line in joined.split("\n"))
        self._add(self._marker + normalise(text))
        self._marker = ""

    def _add(self, text: str) -> None:
        self._builder.add_block(text, gap="\n" if self._tight else "\n\n")
        self._tight = bool(self._lists)

    def _start_block(self, node: HtmlElement, tag: str) -> None:
        if tag == "table" and node not in self._layout:
            self._table, self._grid = node, Grid()
        elif tag in {"ul", "ol"}:
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            number = self._lists[-1] if self._lists else None
            if number is not None:
                self._lists[-1] = number + 1
            self._marker = "  " * (len(self._lists) - 1) + ("- " if number is None else f"{number}. ")
        elif tag == "pre":
            self._pre += 1
        elif tag in HEADINGS or (tag != "dd" and not self._lists):
            self._tight = False

    def _start_in_table(self, tag: str) -> None:
        if tag == "tr":
            self._cells = []
        elif tag in {"thead", "tbody", "tfoot"}:
            self._grid.end_group()
        if tag in {"td", "th", "tr", "caption"}:
            self._buffer.clear()
        elif tag in _BLOCKS:
            self._buffer.append(" ")

    def _end_in_table(self, node: HtmlElement, tag: str) -> None:
        if tag in {"td", "th", "caption"}:
            cell = collapse(" ".join("".join(self._buffer).split()))
            self._buffer.clear()
            if tag == "caption" or self._cells is None:
                self._add(cell)
            else:
                rows, columns = span_of(node.get("rowspan"), least=0), span_of(node.get("colspan"))
                self._cells.append(Cell(cell, rows, columns))
        elif tag == "tr" and self._cells is not None:
            row = row_text(self._grid.row(self._cells)) if any(cell.text for cell in self._cells) else ""
            if row:
                self._add(row)
                self._tight = True
            self._cells = None
        elif node is self._table:
            self._table = None
            self._buffer.clear()
            self._tight = bool(self._lists)
        elif tag in _BLOCKS:
            self._buffer.append(" ")


class FlatText(HTMLParser):
    """Text block by block from a stream of tags, for pages too deep for a tree."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in {"script", "style", "template", "noscript", "title"} and not self._silent:
            self._silent = tag
        elif tag in _BLOCKS or tag in HEADINGS or tag == "br":
            self._parts.append("\0")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in _BLOCKS or tag in HEADINGS:
            self._parts.append("\0")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(data.replace("\0", ""))

    def blocks(self) -> Iterable[str]:
        self.close()
        return (collapse(" ".join(block.split())) for block in "".join(self._parts).split("\0"))
