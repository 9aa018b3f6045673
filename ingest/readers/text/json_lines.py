"""JSON (.json, .jsonl): one line "path: value" for each value, so that a value is found and quoted with where it stands.

Owns the form of a path, and what happens to text that only resembles JSON: it is read as plain text, with a warning. Numbers
keep the form they are written in. Must not recurse over the data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.readers.text.normalisation import TextBuilder, normalise
from ingest.readers.text.plain import decode
from rag.types import ParsedDocument

_PLAIN_KEY = re.compile(r"[\w$@-]+$")
_BLOB = re.compile(r"[^\s]{2000,}$")  # pictures and keys in base 64
_MAX_HEADINGS = 200


def read(path: Path) -> ParsedDocument:
    """Read a JSON file, one value or one on each line. Raises UnsupportedTypeError for binary data."""
    text, _ = decode(path.read_bytes())
    builder = TextBuilder()
    try:
        _Writer(builder).append(parse_json(text))
    except ValueError as error:
        _append_lines(builder, text, str(error))
    return builder.build()


def parse_json(text: str) -> Any:
    """The value of a JSON text, its numbers as the strings that they are written as.

    Raises:
        ValueError: no JSON, or nested too deeply.
    """
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _append_lines(builder: TextBuilder, text: str, reason: str) -> None:
    """A value on each line; lines that are none stay as they are. Plain text if hardly a line is JSON."""
    lines = [line for line in text.splitlines() if line.strip()]
    values: list[tuple[bool, Any]] = []
    for line in lines:
        try:
            values.append((True, parse_json(line)))
        except ValueError:
            values.append((False, line))
    good = sum(1 for parsed, value in values if parsed and isinstance(value, dict | list))
    if 2 * good <= len(values):
        builder.warn("not_json", reason=reason[:80])
        builder.add_block(normalise(text))
        return
    writer = _Writer(builder)
    for parsed, value in values:
        if parsed:
            writer.append(value, headings=False)
        else:
            builder.add_block(normalise(str(value)))
    if bad := sum(1 for parsed, _ in values if not parsed):
        builder.warn("lines_not_json", n=len(values), bad=bad)


class _Writer:
    """Appends values as lines, a blank line between the objects of a list."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._blobs = 0

    def append(self, value: Any, *, headings: bool = True) -> None:
        """Append a value. With `headings`, the keys of the outermost object that hold more than a value are headings."""
        headings = headings and isinstance(value, dict) and len(value) <= _MAX_HEADINGS
        top = ""
        for path, key, scalar, apart in _walk(value):
            line = f"{path}: {self._shown(scalar)}" if path else self._shown(scalar)
            start = self._builder.add_block(normalise(line), gap="\n\n" if apart else "\n")
            if headings and start is not None and key != top and path != key:
                self._builder.mark_heading(1, key, start)
            top = key
        if self._blobs:
            self._builder.warn("long_values", n=self._blobs, limit=2000)
            self._blobs = 0

    def _shown(self, scalar: Any) -> str:
        if scalar is None or isinstance(scalar, bool):
            return json.dumps(scalar)
        text = str(scalar)
        if text.isascii() and _BLOB.match(text):
            self._blobs += 1
            return f"({len(text)} characters of data)"
        return text or '""'


def _walk(value: Any) -> Iterator[tuple[str, str, Any, bool]]:
    """Path, outermost key, scalar and whether a new object begins with it, in the order of the file."""
    stack: list[tuple[str, str, Any, bool]] = [("", "", value, True)]
    apart = True
    while stack:
        path, key, item, begins = stack.pop()
        apart = apart or begins
        children: list[tuple[str, str, Any, bool]] = []
        if isinstance(item, dict):
            for name, child in item.items():
                shown = name if _PLAIN_KEY.match(name) else json.dumps(name, ensure_ascii=False)
                outer = not path and isinstance(child, dict | list)
                children.append((f"{path}.{shown}" if path else shown, key or name, child, outer))
        elif isinstance(item, list):
            scalars = not any(isinstance(child, dict | list) for child in item)
            children = [(f"{path}[{index}]", key, child, not scalars) for index, child in enumerate(item)]
        if children:
            stack.extend(reversed(children))
        elif isinstance(item, dict | list):
            yield path, key, "(empty)", apart
            apart = False
        else:
            yield path, key, item, apart
            apart = False
