"""HTML pages, and HTML inside other formats: e-mails, e-books, notebooks.

Owns the encoding a page declares, its metadata, and the way out for pages too deep for a tree. Must not fetch anything.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.readers.markup.html_walk import FlatText, append_html
from ingest.readers.text.normalisation import TextBuilder, normalise
from ingest.readers.text.plain import decode
from rag.errors import UnreadableError
from rag.types import ParsedDocument

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]  # ships no types

_DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I
)


def read(path: Path) -> ParsedDocument:
    """Read an HTML page. Raises UnsupportedTypeError for binary data, UnreadableError when no tree can be made of it."""
    builder = TextBuilder()
    root = append_source(builder, decode_html(path.read_bytes()))
    return builder.build({"title": root.findtext(".//title") or "", "author": _meta(root, "author")})


def decode_html(data: bytes, *, declared: str | None = None) -> str:
    """The source of a page in the encoding it declares, or that its carrier `declared`, or the one that fits."""
    found = _DECLARED.search(data[:4096])
    return decode(data, declared=found[1].decode("ascii") if found else declared)[0]


def append_source(builder: TextBuilder, source: str, *, article_only: bool = True) -> HtmlElement:
    """Append the content of a page and return the root of its tree.

    `article_only` leaves out menus and banners, unless that leaves nothing. Raises UnreadableError as `parse_html`.
    """
    root, complete = parse_html(source)
    if not complete:
        builder.warn("nested")
        flat = FlatText()
        flat.feed(source)
        for block in flat.blocks():
            builder.add_block(block)
        return root
    before = builder.length
    append_html(builder, root, article_only=article_only)
    if builder.length == before and article_only:
        append_html(builder, root, article_only=False)
    return root


def parse_html(source: str) -> tuple[HtmlElement, bool]:
    """The root of the tree, and whether the whole source is in it (the parser stops at 256 nested elements).

    Raises:
        UnreadableError: no tree at all.
    """
    from lxml import etree, html  # type: ignore[import-untyped]

    # lxml refuses text with an encoding declaration, hence bytes; lone surrogates cannot be encoded.
    data = normalise(source).encode("utf-8", "ignore")
    parser = html.HTMLParser(encoding="utf-8", huge_tree=False, remove_comments=True, remove_pis=True, no_network=True)
    try:
        root = html.document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise UnreadableError("The page holds no HTML that can be read.", code="no_text") from error
    # An entry of the log may be a mere warning; what matters is a stop before the end.
    return root, not any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)


def _meta(root: HtmlElement, name: str) -> str:
    return next(
        (node.get("content") or "" for node in root.iter("meta") if (node.get("name") or "").lower() == name), ""
    )
