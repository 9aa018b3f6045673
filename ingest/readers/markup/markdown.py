"""Markdown, kept as its source so that a quotation is recognisable to the person who wrote it.

Owns the positions of headings, found by a Markdown parser so that a `#` in code is no heading. Must not
render anything.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.readers.markup.front_matter import split_front_matter
from ingest.readers.markup.markdown_tables import with_tables
from ingest.readers.text.normalisation import TextBuilder, normalise
from ingest.readers.text.plain import decode
from rag.types import ParsedDocument

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


def read(path: Path) -> ParsedDocument:
    """Read a Markdown file. Raises UnsupportedTypeError for binary data."""
    source, _ = decode(path.read_bytes())
    matter, text, metadata = split_front_matter(normalise(source))
    text = with_tables(text)
    builder = TextBuilder()
    builder.add_block(matter)  # without its fences, which would make a heading of it
    begin = builder.add_block(text) or 0
    for level, title, start in headings_of(text):
        builder.mark_heading(level, title, begin + start)
    return builder.build(metadata)


def headings_of(text: str) -> list[tuple[int, str, int]]:
    """Level, plain title and offset of each heading outside lists, quotations and code."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])  # inline parsing is most of the cost, and only titles need it
    inline = MarkdownIt("commonmark", {"html": False})
    starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    tokens = parser.parse(text)
    found = []
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.map:
            title = _plain(inline, content.content)
            if title:
                found.append(
                    (int(opening.tag[1]), title, starts[opening.map[0]] + _indent(text, starts[opening.map[0]]))
                )
    return found


def _indent(text: str, start: int) -> int:
    return next((i for i in range(4) if text[start + i : start + i + 1] != " "), 0)


def _plain(parser: MarkdownIt, source: str) -> str:
    """The visible text of one line of Markdown."""
    tokens = parser.parseInline(source)
    children = (tokens[0].children or []) if tokens else []
    visible = {"text", "code_inline", "text_special", "softbreak"}
    return "".join(child.content or " " for child in children if child.type in visible).strip()
