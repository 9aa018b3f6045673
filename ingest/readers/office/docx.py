"""Word documents (.docx), read from their XML: headings, lists with their numbers, tables, notes, comments, text boxes.

Owns the order in which the parts become text. A library that converts to HTML was here before: it lost fields, formulas,
comments, headers, diagrams and the numbers of lists, and gave up documents that Word opens. Must not follow links or load
pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.readers.markup.html import append_source, decode_html
from ingest.readers.office.charts import append_chart, append_diagram
from ingest.readers.office.docx_styles import Numbering, Styles, numbering_of, outline_level, value_of
from ingest.readers.office.docx_text import Anchored, paragraph_text
from ingest.readers.package import Package, Relation, attribute, elements, local_name, open_package
from ingest.readers.text.normalisation import TextBuilder, collapse
from ingest.readers.text.spans import REPEATED
from ingest.readers.text.tables import TableWriter, write_table
from rag.errors import UnreadableError
from rag.types import ParsedDocument

_WRAPPERS = frozenset(
    "sdt sdtContent customXml ins moveTo smartTag AlternateContent Choice body document hdr ftr tbl tr".split()
)
_PAGE_NUMBER = re.compile(r"(?:page|seite|of|von|第|页|頁|共|[\W\d_])*", re.IGNORECASE)
_MAX_CELL = 600
"""Characters of a cell beyond which a table is held for the layout of a page."""


def read(path: Path) -> ParsedDocument:
    """Read a Word document.

    Raises:
        EncryptedError: it needs a password.
        UnreadableError: damaged, no Word document, or an archive bomb (code "archive_bomb").
    """
    with open_package(path, "Word document", old=".doc", new=".docx") as package:
        main = package.main_part() or "word/document.xml"
        if not package.has(main):
            raise UnreadableError(
                "The file is a zip archive, but not a Word document (no word/document.xml). Name it .zip if it is an archive of files."
            )
        package.refuse_doctypes()
        root, whole = package.xml_or_what_is_left(main)
        if root is None or local_name(root) != "document":
            raise UnreadableError(
                "The document is damaged: its text cannot be read. Open it in Word or LibreOffice and save it anew."
            )
        document = _Document(package, main)
        document.append(root)
        return document.finish(package.core_properties(), whole=whole)


@dataclass(slots=True)
class _Lost:
    """What a document holds that is not text."""

    pictures: int = 0
    objects: int = 0
    parts: list[str] = field(default_factory=list)


class _Document:
    """Appends the body, then what stands outside it."""

    def __init__(self, package: Package, main: str) -> None:
        self._package = package
        self._relations: dict[str, Relation] = package.relations(main)
        parts = {each.kind: each.target for each in self._relations.values()}
        self._styles = Styles(package.xml(parts.get("styles", "")))
        self._numbering = Numbering(package.xml(parts.get("numbering", "")))
        self._builder = TextBuilder()
        self._listed = False  # whether the block before is a list item
        self._titled = False
        self._lost = _Lost()
        self._notes: dict[str, str] = {}
        for kind in ("footnote", "endnote"):
            self._notes.update(self._note_texts(kind, parts.get(f"{kind}s", "")))
        self._comments = self._comment_texts(parts.get("comments", ""))

    def append(self, root: Any) -> None:
        """Append the text of the body, then the heads and feet of its pages, each once."""
        self._titled = any(self._styles.is_title(value_of(node, "pPr", "pStyle") or "") for node in elements(root, "p"))
        for node in _blocks(root):
            self._append_block(node)
        for kind, label in (("headerReference", "Header"), ("footerReference", "Footer")):
            self._append_edges([attribute(node, "id") or "" for node in elements(root, kind)], label)

    def finish(self, metadata: dict[str, str], *, whole: bool) -> ParsedDocument:
        """The document with its warnings. Raises UnreadableError when there is no text in it."""
        lost = self._lost
        if not self._builder.length:
            if not whole:
                raise UnreadableError(
                    "The document is damaged: its text cannot be read. Open it in Word or LibreOffice and save it anew."
                )
            if lost.pictures:
                raise UnreadableError(
                    "The document holds no text, only pictures. Print it to PDF and upload that, to have them read by OCR.",
                    code="no_text",
                )
        if not whole:
            self._builder.warn("damaged")
        if lost.objects:
            self._builder.warn("embedded", n=lost.objects)
        if lost.parts:
            self._builder.warn("insertions", n=len(lost.parts))
        return self._builder.build(metadata)

    def _append_block(self, node: Any) -> None:
        name = local_name(node)
        if name == "p":
            self._append_paragraph(node)
        elif name == "tbl":
            self._append_table(node)
        else:
            self._append_inserted(attribute(node, "id") or "")

    def _append_paragraph(self, node: Any) -> None:
        anchored = Anchored()
        text = collapse(paragraph_text(node, anchored, self._notes)).strip()
        properties = node.find("{*}pPr")
        style = value_of(properties, "pStyle") or ""
        if self._styles.is_contents(style):
            return  # the headings are there themselves
        own = numbering_of(properties)
        inherited = self._styles.numbering(style)
        number = own[0] if own[0] is not None else inherited[0]
        depth = (own[1] if own[1] is not None else inherited[1]) or 0
        outline = outline_level(value_of(properties, "outlineLvl"))
        level = outline if outline is not None else self._styles.level(style)
        if text:
            marker = self._numbering.marker(number, depth)
            if level:
                shift = 0 if not self._titled or self._styles.is_title(style) else 1
                bare = "" if marker is None or marker == "- " else marker
                self._builder.add_heading(level + shift, bare + " ".join(text.split()))
                self._listed = False
            elif marker is None:
                self._builder.add_block(text)
                self._listed = False
            else:
                self._builder.add_block("  " * min(depth, 8) + marker + text, gap="\n" if self._listed else "\n\n")
                self._listed = True
        self._append_anchored(anchored)

    def _append_anchored(self, anchored: Anchored) -> None:
        self._lost.pictures += anchored.pictures
        self._lost.objects += anchored.objects
        for box in anchored.boxes:
            for node in _blocks(box):
                self._append_block(node)
        for keys, append in ((anchored.charts, append_chart), (anchored.diagrams, append_diagram)):
            for key in keys:
                relation = self._relations.get(key)
                root = self._package.xml(relation.target) if relation else None
                if root is not None:
                    append(self._builder, root)
                    self._listed = False
        for key in anchored.comments:
            if text := self._comments.pop(key, ""):
                self._builder.add_block(text)
                self._listed = False

    def _append_table(self, table: Any) -> None:
        self._listed = False
        rows = [list(_cells(row)) for row in _rows(table)]
        if self._is_layout(rows):
            for row in rows:
                for cell in row:
                    for node in _blocks(cell):
                        self._append_block(node)
            return
        anchored = Anchored()
        texts: list[list[str]] = []
        for row, node in zip(rows, _rows(table), strict=True):
            before = value_of(node, "trPr", "gridBefore") or "0"
            texts.append(
                self._row(row, texts[-1] if texts else [], anchored, begin=int(before) if before.isdigit() else 0)
            )
        headed = [next(elements(row, "tblHeader"), None) is not None for row in _rows(table)]
        if len(texts) > 1 and headed[0] and not headed[1]:
            writer = TableWriter(self._builder, texts[0])
            for cells in texts[1:]:
                writer.add(cells)
        else:
            write_table(self._builder, texts)
        self._append_anchored(anchored)

    def _is_layout(self, rows: list[list[Any]]) -> bool:
        """Whether a table lays out a page: a single column, or cells that hold tables, headings or long text."""
        if max(map(len, rows), default=0) < 2:
            return True
        for cell in (cell for row in rows for cell in row):
            if next(elements(cell, "tbl"), None) is not None:
                return True
            paragraphs = list(elements(cell, "p"))
            if len(paragraphs) > 1 and sum(len(node.text or "") for node in elements(cell, "t")) > _MAX_CELL:
                return True
            if len(paragraphs) > 1 and any(self._styles.level(value_of(p, "pPr", "pStyle") or "") for p in paragraphs):
                return True
        return False

    def _row(self, cells: list[Any], above: list[str], anchored: Anchored, *, begin: int) -> list[str]:
        """The texts of a row that leaves the first `begin` columns out; a cell that spans several stands in each."""
        texts = [""] * min(begin, 64)
        for cell in cells:
            properties = cell.find("{*}tcPr")
            merge = None if properties is None else properties.find("{*}vMerge")
            if merge is not None and attribute(merge, "val") != "restart" and len(texts) < len(above):
                text = above[len(texts)] if len(above[len(texts)]) <= REPEATED else ""
            else:
                text = " ".join(paragraph_text(node, anchored, self._notes) for node in elements(cell, "p"))
                text = collapse(" ".join(text.split()))
            span = value_of(properties, "gridSpan") or "1"
            more = min(int(span), 64) - 1 if span.isdigit() else 0
            texts += [text, *[text if len(cells) > 1 and len(text) <= REPEATED else ""] * more]
        return texts

    def _append_inserted(self, key: str) -> None:
        """A whole document in another format within this one."""
        relation = self._relations.get(key)
        data = self._package.read(relation.target) if relation else None
        if (
            relation is None
            or data is None
            or not relation.target.lower().endswith((".html", ".htm", ".xhtml", ".mht", ".txt"))
        ):
            self._lost.parts.append(key)
            return
        if relation.target.lower().endswith(".txt"):
            self._builder.add_block(collapse(decode_html(data)))
        else:
            append_source(self._builder, decode_html(data), article_only=False)

    def _append_edges(self, keys: list[str], label: str) -> None:
        seen: set[str] = set()
        for relation in (self._relations.get(key) for key in keys):
            root = self._package.xml(relation.target) if relation else None
            if root is None:
                continue
            text = " ".join(" ".join(self._plain(node)) for node in _blocks(root)).strip()
            if text not in seen and not _PAGE_NUMBER.fullmatch(text):
                seen.add(text)
                self._builder.add_block(f"{label}: {text}")

    def _note_texts(self, kind: str, part: str) -> dict[str, str]:
        root = self._package.xml(part)
        if root is None:
            return {}
        return {f"{kind} {attribute(node, 'id')}": " ".join(self._plain(node)) for node in elements(root, kind)}

    def _comment_texts(self, part: str) -> dict[str, str]:
        root = self._package.xml(part)
        found: dict[str, str] = {}
        for node in () if root is None else elements(root, "comment"):
            author, text = attribute(node, "author") or "", " ".join(self._plain(node))
            if text:
                found[attribute(node, "id") or ""] = f"Comment by {author}: {text}" if author else f"Comment: {text}"
        return found

    def _plain(self, node: Any) -> Iterator[str]:
        """The paragraphs within an element, each on one line."""
        paragraphs = [node] if local_name(node) == "p" else elements(node, "p")
        for paragraph in paragraphs:
            text = " ".join(paragraph_text(paragraph, Anchored(), {}).split())
            if text:
                yield collapse(text)


def _blocks(node: Any) -> Iterator[Any]:
    """Paragraphs, tables and inserted documents within an element, out of whatever wraps them."""
    for child in node.iterchildren():
        name = local_name(child)
        if name in ("p", "tbl", "altChunk"):
            yield child
        elif name in _WRAPPERS:
            yield from _blocks(child)


def _rows(table: Any) -> list[Any]:
    return list(_children(table, "tr"))


def _cells(row: Any) -> Iterator[Any]:
    return _children(row, "tc")


def _children(node: Any, wanted: str) -> Iterator[Any]:
    """Children of this local name, out of content controls and marks of changes; deleted rows are left out."""
    for child in node.iterchildren():
        name = local_name(child)
        if name == wanted:
            if child.find("{*}trPr/{*}del") is None:
                yield child
        elif name in _WRAPPERS and name not in ("tbl", "tr"):
            yield from _children(child, wanted)
