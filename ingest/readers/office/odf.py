"""OpenDocument files: texts (.odt), spreadsheets (.ods) and presentations (.odp), from their one content.xml.

Owns the walk over that XML: headings, lists, tables, notes, sheets and slides. Deleted text of tracked changes is left
out; comments follow their paragraph, table or sheet. Must not recurse over the tree.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest.readers.office.odf_cells import comment_of, comments_in, sheet_rows, text_of
from ingest.readers.package import Package, attribute, elements, local_name, open_package
from ingest.readers.text.normalisation import TextBuilder, collapse
from ingest.readers.text.sheets import MAX_CELLS, write_sheet
from ingest.readers.text.tables import write_table
from rag.errors import EncryptedError, UnreadableError
from rag.types import ParsedDocument

_DAMAGED = "The document is damaged: its content cannot be read. Open it in LibreOffice and save it anew."
_SKIPPED = frozenset({"tracked-changes", "annotation-end", "forms", "sequence-decls", "table-of-content"})
_SKIPPED |= frozenset({"alphabetical-index", "illustration-index", "table-index", "bibliography", "settings"})


def read(path: Path) -> ParsedDocument:
    """Read an OpenDocument file.

    Raises:
        EncryptedError: it needs a password.
        UnreadableError: damaged, no such document, or an archive bomb (code "archive_bomb").
    """
    with open_package(path, "document") as package:
        manifest = package.xml("META-INF/manifest.xml")
        if manifest is not None and next(elements(manifest, "encryption-data"), None) is not None:
            raise EncryptedError("The document needs a password. Save it without one and upload it again.")
        if not package.has("content.xml"):
            raise UnreadableError(
                "The file is a zip archive, but not an OpenDocument file (no content.xml). Name it .zip if it is an archive of files."
            )
        root, whole = package.xml_or_what_is_left("content.xml")
        if root is None:
            raise UnreadableError(_DAMAGED)
        metadata = _metadata(package)
    builder = TextBuilder()
    body = next(elements(root, "body"), None)
    if body is None or not len(body):
        raise UnreadableError("The document is damaged: it has no body. Open it in LibreOffice and save it anew.")
    kind = local_name(body[0])
    if kind == "spreadsheet":
        _append_sheets(builder, body[0])
    else:
        _Walker(builder, slides=kind == "presentation").append(body[0])
    if not whole:
        if not builder.length:
            raise UnreadableError(_DAMAGED)
        builder.warn("damaged")
    return builder.build(metadata)


def _metadata(package: Package) -> dict[str, str]:
    root = package.xml("meta.xml")
    if root is None:
        return {}
    tags = {"title": ("title",), "author": ("creator", "initial-creator")}
    return {key: next((node.text or "" for node in elements(root, *names)), "") for key, names in tags.items()}


def _append_sheets(builder: TextBuilder, body: Any) -> None:
    left = MAX_CELLS
    for table in body.iterchildren("{*}table"):
        name = attribute(table, "name") or ""
        outcome = write_sheet(builder, name, sheet_rows(table), limit=left)
        left -= outcome.cells
        comments = list(comments_in(table))
        if comments and not outcome.cells:
            builder.add_heading(1, name)
        for comment in comments:
            builder.add_block(comment)
        if outcome.cut:
            builder.warn("sheet_cut", limit=MAX_CELLS, name=name, row=outcome.last_row + 1)


class _Walker:
    """FairScheduler the elements of a text or a presentation into blocks."""

    def __init__(self, builder: TextBuilder, *, slides: bool) -> None:
        self._builder = builder
        self._slides = slides
        self._page = 0
        self._lists = 0
        self._items = 0  # paragraphs so far in the list item at hand
        self._fresh = True  # whether no paragraph of the outermost list has come yet

    def append(self, body: Any) -> None:
        """Append everything in `body`."""
        from lxml import etree  # type: ignore[import-untyped]  # ships no types

        walk = etree.iterwalk(body, events=("start", "end"))
        for event, node in walk:
            name = local_name(node)
            if event == "end":
                self._lists -= name == "list"
            elif name in _SKIPPED or self._start(node, name):
                walk.skip_subtree()

    def _start(self, node: Any, name: str) -> bool:
        """Handle an opening; whether its children are done with."""
        if name == "page" and self._slides:
            self._page += 1
            self._builder.begin_page(self._page)
        elif name == "list":
            self._fresh = self._fresh or not self._lists
            self._lists += 1
        elif name == "list-item":
            self._items = 0
        elif name == "note":
            return True  # stands in the text of its paragraph
        elif name == "frame" and attribute(node, "class") == "title":
            self._builder.add_heading(1 if self._page == 1 else 2, " ".join(text_of(node).split()))
            return True
        elif name == "table":
            rows = [[cells.get(i, "") for i in range(max(cells) + 1)] for _, cells in sheet_rows(node) if cells]
            write_table(self._builder, rows)
            self._append_comments(node)
            return True
        elif name == "annotation":  # of a slide
            self._builder.add_block(comment_of(node))
            return True
        elif name == "h":
            level = attribute(node, "outline-level") or "1"
            title = " ".join(collapse(text_of(node)).split())
            self._builder.add_heading(int(level) if level.isdigit() else 1, title)
            self._append_comments(node)
            return not self._holds_frames(node)
        elif name == "p":
            self._append_paragraph(collapse(text_of(node)).strip())
            self._append_comments(node)
            return not self._holds_frames(node)
        return False

    def _append_paragraph(self, text: str) -> None:
        if not text:
            return
        if not self._lists:
            self._builder.add_block(text)
            self._fresh = True
            return
        marker = "  " * min(self._lists - 1, 8) + ("  " if self._items else "- ")
        self._builder.add_block(marker + text, gap="\n\n" if self._fresh else "\n")
        self._items += 1
        self._fresh = False

    def _append_comments(self, node: Any) -> None:
        for comment in comments_in(node):
            self._builder.add_block(comment)
            self._fresh = True

    def _holds_frames(self, node: Any) -> bool:
        return next(elements(node, "text-box"), None) is not None
