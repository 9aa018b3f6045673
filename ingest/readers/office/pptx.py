"""Presentations (.pptx): one page for each slide, with its title, lists, tables, charts, diagrams, notes and
comments.

Owns the order of slides and of what stands on them. Reads the XML itself: a library would load every picture, and give up
the file for one missing part. Must not draw anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.readers.office.charts import append_chart, append_diagram, drawing_text, paragraph_lines
from ingest.readers.package import Package, Relation, attribute, elements, local_name, open_package
from ingest.readers.text.normalisation import TextBuilder, collapse
from ingest.readers.text.spans import Cell, laid_out, span_of
from ingest.readers.text.tables import write_table
from ingest.readers.warnings import numbered
from rag.errors import UnreadableError
from rag.types import ParsedDocument

_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml$")
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
_FEET = frozenset({"ftr", "hdr"})
_MAX_SLIDES = 5000


def read(path: Path) -> ParsedDocument:
    """Read a presentation; its pages are its slides.

    Raises:
        EncryptedError: it needs a password.
        UnreadableError: damaged, no presentation, or an archive bomb (code "archive_bomb").
    """
    builder = TextBuilder()
    with open_package(path, "presentation", old=".ppt", new=".pptx") as package:
        package.refuse_doctypes()
        slides = _slides(package)
        if not slides:
            root = package.xml(package.main_part() or "ppt/presentation.xml")
            if root is not None and local_name(root) == "presentation":
                raise UnreadableError("The presentation has no slides.", code="no_text")
            raise UnreadableError(
                "The file is a zip archive, but not a presentation (no ppt/presentation.xml). Name it .zip if it is an archive of files."
            )
        damaged, pictures, hidden = set(), set(), set()
        seen: set[str] = set()  # feet, which come back on every slide
        embedded = 0
        for index, part in enumerate(slides[:_MAX_SLIDES]):
            builder.begin_page(index + 1)
            root = package.xml(part) if part else None
            if root is None:
                damaged.add(index)
                continue
            before = builder.length
            slide = _Slide(package, part, builder, seen)
            slide.append(root, first=index == 0)
            embedded += slide.embedded
            if root.get("show") in ("0", "false"):
                hidden.add(index)
            if builder.length == before and next(elements(root, "pic"), None) is not None:
                pictures.add(index)
        if len(damaged) == len(slides):
            raise UnreadableError(
                "The presentation is damaged: none of its slides can be read. Open it in PowerPoint or LibreOffice and save it anew."
            )
        metadata = package.core_properties()
    if damaged:
        builder.warn("slides_damaged", **numbered(damaged))
    if pictures:
        builder.warn("slides_pictures", **numbered(pictures))
    if hidden:
        builder.warn("slides_hidden", **numbered(hidden))
    if embedded:
        builder.warn("embedded", n=embedded)
    if len(slides) > _MAX_SLIDES:
        builder.warn("slides_cut", n=len(slides), limit=_MAX_SLIDES)
    return builder.build(metadata)


def _slides(package: Package) -> list[str]:
    """The parts of the slides as they are shown; "" for one that is announced but missing."""
    main = package.main_part() or "ppt/presentation.xml"
    root = package.xml(main)
    if root is not None:
        relations = package.relations(main)
        # Sections of a presentation name slides by an element of the same name, but outside this list.
        listing = next(elements(root, "sldIdLst"), None)
        ids = [] if listing is None else [node.attrib.values() for node in elements(listing, "sldId")]
        found = [next((relations[value] for value in values if value in relations), None) for values in ids]
        if any(found):
            return [relation.target if relation and package.has(relation.target) else "" for relation in found]
    names = [match for name in package.names() if (match := _SLIDE.match(name))]
    return [match[0] for match in sorted(names, key=lambda match: int(match[1]))]


class _Slide:
    """Appends one slide."""

    def __init__(self, package: Package, part: str, builder: TextBuilder, seen: set[str]) -> None:
        self._package = package
        self._builder = builder
        self._seen = seen
        self._relations: dict[str, Relation] = package.relations(part)

    @property
    def embedded(self) -> int:
        """How many files are embedded in the slide."""
        return sum(each.kind in ("oleObject", "package") for each in self._relations.values())

    def append(self, root: Any, *, first: bool) -> None:
        """Title first, then the shapes in their order, feet that are new, notes and comments."""
        shapes = list(_shapes(next(elements(root, "spTree"), root)))
        titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
        for shape in titles:
            self._builder.add_heading(1 if first else 2, " ".join(" ".join(paragraph_lines(shape)).split()))
        for shape in shapes:
            if shape not in titles and _placeholder(shape) not in _FURNITURE:
                self._append_shape(shape)
        for shape in shapes:
            if _placeholder(shape) in _FEET:
                self._append_foot(collapse(" ".join(" ".join(paragraph_lines(shape)).split())))
        self._append_notes()
        self._append_comments()

    def _append_foot(self, text: str) -> None:
        if text not in self._seen:
            self._seen.add(text)
            self._builder.add_block(text)

    def _append_comments(self) -> None:
        for relation in self._relations.values():
            root = self._package.xml(relation.target) if relation.kind == "comments" else None
            for node in () if root is None else elements(root, "cm", "reply"):
                texts = [each.text or "" for each in node.iterchildren("{*}text")]
                body = node.find("{*}txBody")  # of a thread, as newer versions write them
                texts += [] if body is None else paragraph_lines(body)
                text = " ".join(" ".join(texts).split())
                if text:
                    self._builder.add_block(f"Comment: {collapse(text)}")

    def _append_shape(self, shape: Any) -> None:
        if local_name(shape) == "graphicFrame":
            self._append_graphic(shape)
            return
        body = next(elements(shape, "txBody"), None)
        if body is None:
            return
        listing = _placeholder(shape) in ("body", "obj", "")
        above = False
        for text, level, bullet in _paragraphs(body):
            item = listing if bullet is None else bullet
            marker = "  " * level + "- " if item else ""
            self._builder.add_block(marker + text, gap="\n" if above and item else "\n\n")
            above = item

    def _append_graphic(self, frame: Any) -> None:
        for table in elements(frame, "tbl"):
            write_table(self._builder, laid_out([_cells(row) for row in elements(table, "tr")]))
        for node in elements(frame, "chart", "relIds"):
            relation = self._relations.get(attribute(node, "id") or attribute(node, "dm") or "")
            root = self._package.xml(relation.target) if relation else None
            if root is None:
                continue
            if local_name(node) == "chart":
                append_chart(self._builder, root)
            else:
                append_diagram(self._builder, root)

    def _append_notes(self) -> None:
        for relation in self._relations.values():
            root = self._package.xml(relation.target) if relation.kind == "notesSlide" else None
            if root is None:
                continue
            shapes = (shape for shape in _shapes(root) if _placeholder(shape) not in _FURNITURE)
            text = "\n".join(line for shape in shapes for line in paragraph_lines(shape))
            if text.strip():
                self._builder.add_block(f"Notes: {collapse(text).strip()}")


def _shapes(tree: Any) -> Iterator[Any]:
    """Shapes and frames in document order, out of groups too; of alternatives the first."""
    from lxml import etree  # type: ignore[import-untyped]  # ships no types

    walk = etree.iterwalk(tree, events=("start",))
    for _, node in walk:
        name = local_name(node)
        if name in ("sp", "graphicFrame", "cxnSp"):
            walk.skip_subtree()
            yield node
        elif name == "Fallback":
            walk.skip_subtree()


def _placeholder(shape: Any) -> str | None:
    """The type of a placeholder ("" for a plain one); None for any other shape."""
    found = next(elements(shape, "ph"), None)
    return None if found is None else found.get("type") or ""


def _paragraphs(body: Any) -> Iterator[tuple[str, int, bool | None]]:
    """Text, level from 0 and whether it is a list item (None: as the layout says) of each paragraph."""
    for paragraph in elements(body, "p"):
        text = collapse(drawing_text(paragraph)).strip()
        properties = next(elements(paragraph, "pPr"), None)
        level, bullet = 0, None
        if properties is not None:
            level = int(properties.get("lvl") or 0) if (properties.get("lvl") or "0").isdigit() else 0
            if next(elements(properties, "buNone"), None) is not None:
                bullet = False
            elif next(elements(properties, "buChar", "buAutoNum", "buBlip"), None) is not None:
                bullet = True
        if text:
            yield text.replace("\n", " ") if bullet is not False else text, min(level, 8), bullet


def _cells(row: Any) -> list[Cell]:
    """The cells of a row without the places that another one reaches into."""
    own = (cell for cell in elements(row, "tc") if not {cell.get("hMerge"), cell.get("vMerge")} & {"1", "true"})
    return [
        Cell(" ".join(paragraph_lines(cell)), span_of(cell.get("rowSpan")), span_of(cell.get("gridSpan")))
        for cell in own
    ]
