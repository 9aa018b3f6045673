"""Charts and diagrams of Office documents, as the table or the list that they were drawn from.

Owns how a chart's cached values and a diagram's points become text, for every Office format that holds them. Must not know
where in a document they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.readers.package import elements, local_name
from ingest.readers.text.normalisation import TextBuilder, collapse
from ingest.readers.text.tables import write_table

_MAX_ROWS = 1000


def paragraph_lines(shape: Any) -> list[str]:
    """The paragraphs of drawing text within an element that are not blank."""
    return [text for paragraph in elements(shape, "p") if (text := drawing_text(paragraph)).strip()]


def drawing_text(paragraph: Any) -> str:
    """Text of the runs, fields and formulas of a paragraph of drawing text."""
    return "".join("\n" if local_name(node) == "br" else node.text or "" for node in elements(paragraph, "t", "br"))


def append_chart(builder: TextBuilder, root: Any) -> None:
    """Append a chart: its titles, then categories down and series across."""
    for title in chart_titles(root):
        builder.add_block(title)
    columns: list[tuple[str, dict[str, str]]] = []
    categories: dict[str, str] = {}
    for series in elements(root, "ser"):
        name = " ".join(_points(series, "tx").values()) or f"Series {len(columns) + 1}"
        categories = categories or _points(series, "cat") or _points(series, "xVal")
        columns.append((name, _points(series, "val") or _points(series, "yVal")))
    keys = sorted({key for _, values in columns for key in values}, key=lambda key: int(key) if key.isdigit() else 0)
    rows = [["", *(name for name, _ in columns)]]
    rows += [[categories.get(key, ""), *(values.get(key, "") for _, values in columns)] for key in keys[:_MAX_ROWS]]
    if len(rows) > 1:
        write_table(builder, rows)


def append_diagram(builder: TextBuilder, root: Any) -> None:
    """Append the points of a diagram as a list."""
    gap = "\n\n"
    for point in elements(root, "pt"):
        text = collapse(" ".join(paragraph_lines(point))).strip()
        if text:
            builder.add_block(f"- {text}", gap=gap)
            gap = "\n"


def chart_titles(root: Any) -> Iterator[str]:
    """The titles of the chart and of its axes."""
    for title in elements(root, "title"):
        text = " ".join(" ".join(paragraph_lines(title)).split())
        if text:
            yield text


def _points(series: Any, name: str) -> dict[str, str]:
    """Cached values of one part of a series by their index."""
    holder = series.find(f"{{*}}{name}")
    if holder is None:
        return {}
    points = {node.get("idx") or "": node.findtext("{*}v") or "" for node in elements(holder, "pt")}
    text = " ".join(node.text or "" for node in holder.iterchildren()).strip()
    return points or ({"0": text} if text else {})
