"""Workbooks (.xlsx): each sheet under its name, rows as lines of cells, numbers and dates as shown, then comments.

Owns the parts of a workbook and the values of cells; `sheets` decides how rows become text. Formulas are not computed: the
stored value is what was last shown. Reads the XML as a stream, so that a huge sheet costs no more than it may.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.readers.office.number_format import BUILT_IN, general, shown, with_stored
from ingest.readers.office.xlsx_beside import embedded_files, texts_beside
from ingest.readers.office.xlsx_merged import Merged, column_of, merges
from ingest.readers.package import Package, Relation, elements, local_name, open_package
from ingest.readers.text.normalisation import TextBuilder
from ingest.readers.text.sheets import MAX_CELLS, Row, write_sheet
from ingest.readers.warnings import PHRASES, named
from rag.errors import UnreadableError
from rag.types import ParsedDocument

_MAX_STRINGS = 2_000_000


def read(path: Path) -> ParsedDocument:
    """Read a workbook.

    Raises:
        EncryptedError: it needs a password.
        UnreadableError: damaged, no workbook, or an archive bomb (code "archive_bomb").
    """
    with open_package(path, "workbook", old=".xls", new=".xlsx") as package:
        package.refuse_doctypes()
        main = package.main_part() or "xl/workbook.xml"
        root = package.xml(main)
        if root is None or local_name(root) != "workbook":
            raise UnreadableError(
                "The file is a zip archive, but not a workbook (no xl/workbook.xml). Name it .zip if it is an archive of files."
            )
        relations = package.relations(main)
        workbook = _Workbook(package, root, {each.kind: each.target for each in relations.values()})
        for node in elements(root, "sheet"):
            workbook.append(node, relations)
        return workbook.finish(package.core_properties())


class _Workbook:
    """Appends sheets one by one, within one limit of cells."""

    def __init__(self, package: Package, root: Any, parts: dict[str, str]) -> None:
        self._builder = TextBuilder()
        self._package = package
        self._left = MAX_CELLS
        self._epoch_1904 = any(node.get("date1904") in ("1", "true") for node in elements(root, "workbookPr"))
        self._strings = _strings(package, parts.get("sharedStrings", "xl/sharedStrings.xml"))
        self._formats = _formats(package.xml(parts.get("styles", "xl/styles.xml")))
        self._names: list[str] = []
        self._damaged: list[str] = []
        self._cut: list[str] = []
        self._hidden: list[str] = []
        self._formulas = 0
        self._lost_strings = 0
        self._embedded = 0

    def append(self, node: Any, relations: dict[str, Relation]) -> None:
        """Append the sheet that a `sheet` element of the workbook points to; one without cells leaves nothing."""
        name = " ".join((node.get("name") or "").split())
        relation = next((relations[value] for value in node.attrib.values() if value in relations), None)
        self._names.append(name)
        if relation is None or not self._package.has(relation.target):
            self._damaged.append(name)
            return
        if relation.kind != "worksheet":
            return  # a chart on a sheet of its own
        if node.get("state") in ("hidden", "veryHidden"):
            self._hidden.append(name)
        outcome = write_sheet(self._builder, name, self._rows(relation.target), limit=self._left)
        self._left -= outcome.cells
        if outcome.cut:
            self._cut.append(name + PHRASES["from_row"].format(row=outcome.last_row + 1))
        if outcome.damaged:
            self._damaged.append(name)
        self._append_beside(name, relation.target, titled=outcome.cells > 0)

    def finish(self, metadata: dict[str, str]) -> ParsedDocument:
        """The document with its warnings. Raises UnreadableError when damage left no text at all."""
        if self._damaged and not self._builder.length:
            raise UnreadableError(
                "The workbook is damaged: none of its sheets can be read. Open it in Excel or LibreOffice and save it anew."
            )
        if self._damaged:
            self._builder.warn("sheets_damaged", n=len(self._damaged), names=named(self._damaged))
        if self._cut:
            self._builder.warn("sheets_cut", n=len(self._cut), names=named(self._cut), limit=MAX_CELLS)
        if self._hidden:
            self._builder.warn("sheets_hidden", n=len(self._hidden), names=named(self._hidden))
        if self._formulas:
            self._builder.warn("formulas", n=self._formulas)
        if self._lost_strings:
            self._builder.warn("cells_lost", n=self._lost_strings)
        if self._embedded:
            self._builder.warn("embedded", n=self._embedded)
        return self._builder.build(metadata)

    def _append_beside(self, name: str, part: str, *, titled: bool) -> None:
        """Comments and text boxes, under the sheet's name where its cells have not brought that already."""
        self._embedded += embedded_files(self._package, part)
        for text in texts_beside(self._package, part):
            if not titled:
                self._builder.add_heading(1, name)
                titled = True
            self._builder.add_block(text)

    def _rows(self, part: str) -> Iterator[Row]:
        number = 0
        merged = Merged(merges(self._package, part))
        for row in self._package.stream(part, "row"):
            number = int(row.get("r")) if (row.get("r") or "").isdigit() else number + 1
            space = row.tag[:-3]
            cells: dict[int, str] = {}
            column = -1
            for cell in row.iterchildren(f"{space}c"):
                column = column_of((cell.get("r") or "").rstrip("0123456789"), column + 1)
                text = self._value(cell, space)
                if text:
                    cells[column] = text
            yield merged.filled(number, cells)

    def _value(self, cell: Any, space: str) -> str:
        kind = cell.get("t") or "n"
        if kind == "inlineStr":
            return _joined(cell)
        value = cell.findtext(f"{space}v")
        if value is None or not value.strip():
            self._formulas += kind != "str" and cell.find(f"{space}f") is not None
            return ""
        if kind == "s":
            return self._shared(value)
        if kind == "b":
            return "TRUE" if value.strip() == "1" else "FALSE"
        return value if kind in ("str", "e", "d") else self._number(value, cell.get("s") or "0")

    def _shared(self, index: str) -> str:
        try:
            return self._strings[int(index)] if int(index) >= 0 else ""
        except (ValueError, IndexError):
            self._lost_strings += 1
            return ""

    def _number(self, value: str, style: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        if number != number or number in (float("inf"), float("-inf")):
            return value
        code = self._formats[int(style)] if style.isdigit() and int(style) < len(self._formats) else ""
        text = shown(number, code, epoch_1904=self._epoch_1904) if code else general(number)
        return with_stored(text, value) if abs(number) >= 1e15 else text


def _strings(package: Package, part: str) -> list[str]:
    """The table of texts that cells point into; as far as it can be read."""
    found: list[str] = []
    try:
        for node in package.stream(part, "si"):
            found.append(_joined(node))
            if len(found) >= _MAX_STRINGS:
                break
    except UnreadableError as error:
        if error.code != "damaged_part":
            raise
    return found


def _joined(node: Any) -> str:
    """The runs of a rich text, without the phonetic ones that stand above Japanese."""
    if len(node) == 1 and not len(node[0]):  # hardly any text is rich
        return node[0].text or ""
    texts = []
    for text in elements(node, "t"):
        if local_name(text.getparent()) != "rPh":
            texts.append(text.text or "")
    return "".join(texts)


def _formats(root: Any | None) -> list[str]:
    """The number format of each cell style by its index; "" for general."""
    if root is None:
        return []
    codes: dict[str, str] = {str(number): code for number, code in BUILT_IN.items()}
    codes.update((node.get("numFmtId") or "", node.get("formatCode") or "") for node in elements(root, "numFmt"))
    styles = root.find("{*}cellXfs")
    nodes = () if styles is None else styles.iterchildren("{*}xf")
    return [codes.get(node.get("numFmtId") or "0", "") for node in nodes]
