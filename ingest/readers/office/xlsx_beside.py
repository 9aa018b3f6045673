"""What lies on a sheet beside its cells: comments, text boxes, the titles of charts.

Owns the parts that a sheet's relations point to. Damage in them costs their text, with no word about it lost from the cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.readers.office.charts import chart_titles, paragraph_lines
from ingest.readers.package import Package, elements, local_name
from ingest.readers.text.normalisation import collapse

_THREADED = "[Threaded comment]"  # how Excel begins what it shows to its older versions


def texts_beside(package: Package, part: str) -> Iterator[str]:
    """The texts, each as a block, of the sheet in `part`."""
    for relation in package.relations(part).values():
        if relation.kind == "comments":
            yield from _comments(package.xml(relation.target))
        elif relation.kind == "drawing":
            yield from _drawn(package, relation.target)


def embedded_files(package: Package, part: str) -> int:
    """How many files are embedded in the sheet in `part`."""
    return sum(each.kind in ("oleObject", "package") for each in package.relations(part).values())


def _comments(root: Any | None) -> Iterator[str]:
    for node in () if root is None else elements(root, "comment"):
        text = "".join(each.text or "" for each in elements(node, "t") if local_name(each.getparent()) != "rPh")
        if text.startswith(_THREADED):
            text = text.partition("Comment:")[2]
        text = collapse(" ".join(text.split()))
        if text:
            yield f"Comment on {node.get('ref')}: {text}"


def _drawn(package: Package, part: str) -> Iterator[str]:
    root = package.xml(part)
    for shape in () if root is None else elements(root, "sp", "cxnSp"):
        lines = [collapse(" ".join(line.split())) for line in paragraph_lines(shape)]
        if lines:
            yield "\n".join(lines)
    for relation in package.relations(part).values():
        chart = package.xml(relation.target) if relation.kind == "chart" else None
        if chart is not None:
            yield from (f"Chart: {title}" for title in chart_titles(chart))
