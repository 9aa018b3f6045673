"""Jupyter notebooks (.ipynb): the text and code of their cells with the text that the code put out.

Owns the two layouts of notebooks (format 4, and 3 with worksheets). Pictures are counted and left out. Must not run code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingest.readers.markup.html import append_source
from ingest.readers.markup.markdown import headings_of
from ingest.readers.text.json_lines import parse_json
from ingest.readers.text.normalisation import TextBuilder, normalise
from ingest.readers.text.plain import decode
from rag.errors import UnreadableError
from rag.types import ParsedDocument

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LEVELS = frozenset("123456")
_MAX_OUTPUT = 20_000


def read(path: Path) -> ParsedDocument:
    """Read a notebook. Raises UnreadableError when the file is none."""
    text, _ = decode(path.read_bytes())
    try:
        notebook = parse_json(text)
    except ValueError as error:
        raise UnreadableError(
            "The notebook is damaged: it is no valid JSON. Open it in Jupyter and save it anew, or upload it as .txt."
        ) from error
    cells = _cells(notebook)
    if cells is None:
        raise UnreadableError(
            "The file is JSON, but not a notebook (it has no cells). Name it .json to have it read as that."
        )
    writer = _Writer()
    for number, cell in enumerate(cells, start=1):
        if isinstance(cell, Mapping):
            writer.append(number, cell)
    return writer.finish()


def _cells(notebook: Any) -> list[Any] | None:
    if not isinstance(notebook, Mapping):
        return None
    cells = notebook.get("cells")
    if cells is None and isinstance(notebook.get("worksheets"), list):
        sheets = (sheet for sheet in notebook["worksheets"] if isinstance(sheet, Mapping))
        cells = [cell for sheet in sheets for cell in _list(sheet.get("cells"))]
    return cells if isinstance(cells, list) else None


class _Writer:
    """Appends cells."""

    def __init__(self) -> None:
        self._builder = TextBuilder()
        self._pictures = 0
        self._shortened = 0

    def append(self, number: int, cell: Mapping[str, Any]) -> None:
        """Append a cell; `number` counts all cells from 1."""
        kind = cell.get("cell_type")
        source = normalise(_text(cell.get("source", cell.get("input"))))
        if kind == "heading":  # format 3
            said = str(cell.get("level"))
            self._builder.add_heading(int(said) if said in _LEVELS else 1, " ".join(source.split()))
        elif kind == "code":
            if source:
                self._builder.add_block(f"Code of cell {number}:\n{source}")
            outputs = [text for each in _list(cell.get("outputs")) if (text := self._output(each).strip("\n")).strip()]
            if outputs:
                self._builder.add_block(f"Output of cell {number}:\n" + "\n".join(outputs))
        else:
            start = self._builder.add_block(source)
            if kind == "markdown" and start is not None:
                for level, title, offset in headings_of(source):
                    self._builder.mark_heading(level, title, start + offset)

    def finish(self) -> ParsedDocument:
        """The document with its warnings."""
        if self._pictures:
            self._builder.warn("output_pictures", n=self._pictures)
        if self._shortened:
            self._builder.warn("output_cut", n=self._shortened, limit=_MAX_OUTPUT)
        return self._builder.build()

    def _output(self, output: Any) -> str:
        if not isinstance(output, Mapping):
            return ""
        kind = output.get("output_type")
        if kind in ("error", "pyerr"):
            return f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
        # Format 3 keeps the types of data beside the rest, without their "text/".
        data = output.get("data") if isinstance(output.get("data"), Mapping) else output
        assert isinstance(data, Mapping)
        self._pictures += any(str(key).removeprefix("image/") in ("png", "jpeg", "svg+xml", "svg") for key in data)
        for key in ("text/markdown", "text/plain", "text"):
            if text := _text(data.get(key)):
                return self._bounded(_ANSI.sub("", text))
        for key in ("text/html", "html"):
            if text := _text(data.get(key)):
                return self._bounded(_from_html(text))
        return ""

    def _bounded(self, text: str) -> str:
        self._shortened += len(text) > _MAX_OUTPUT
        return normalise(text[:_MAX_OUTPUT])


def _from_html(source: str) -> str:
    builder = TextBuilder()
    try:
        append_source(builder, source, article_only=False)
    except UnreadableError:
        return ""
    return builder.build().text


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Notebooks keep texts as one string or as a list of lines."""
    return "".join(str(line) for line in value) if isinstance(value, list) else value if isinstance(value, str) else ""
