"""The text of one paragraph of a Word document, and what is anchored in it.

Owns what each element within a paragraph means: deleted and hidden text goes, fields show their result, formulas are
written in one line, notes stand in brackets where they are called. Must not know styles, lists or tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.readers.package import attribute, local_name

_SKIPPED = frozenset(
    "del moveFrom instrText delText delInstrText rt rPr pPr sdtPr sdtEndPr fldData ffData oMathParaPr ctrlPr rubyPr binData"
    " sectPr tblPr trPr tcPr".split()
)
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
# How a formula is written in one line: before these parts of it.
_FORMULA = {"den": "/", "sup": "^", "sub": "_"}


@dataclass(slots=True)
class Anchored:
    """What hangs on a paragraph: text boxes (their content elements), relations of charts and diagrams, ids of comments."""

    boxes: list[Any] = field(default_factory=list)
    charts: list[str] = field(default_factory=list)
    diagrams: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    pictures: int = 0
    objects: int = 0


def paragraph_text(paragraph: Any, anchored: Anchored, notes: Mapping[str, str]) -> str:
    """The text of a paragraph, not yet normalised. `notes` are the texts of foot- and endnotes, by "footnote ID"."""
    from lxml import etree  # type: ignore[import-untyped]  # ships no types

    parts: list[str] = []
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, node in walk:
        name = local_name(node)
        if name == "t":
            parts.append(node.text or "")
        elif name in _CHARACTERS:
            parts.append(_CHARACTERS[name])
        elif name in _FORMULA:
            if len(node):
                parts.append(_FORMULA[name])
        elif name in _SKIPPED or (name == "r" and _is_hidden(node)) or _is_spare(node, name):
            walk.skip_subtree()
        elif name == "sym":
            parts.append(_symbol(attribute(node, "char") or ""))
        elif name in ("footnoteReference", "endnoteReference"):
            note = notes.get(f"{name[:-9]} {attribute(node, 'id')}")
            parts.append(f" [{note}]" if note else "")
        elif name == "commentReference":
            anchored.comments.append(attribute(node, "id") or "")
        elif name == "txbxContent":
            anchored.boxes.append(node)
            walk.skip_subtree()
        elif name == "chart":
            anchored.charts.append(attribute(node, "id") or "")
        elif name == "relIds":
            anchored.diagrams.append(attribute(node, "dm") or "")
        elif name in ("pic", "imagedata"):
            anchored.pictures += 1
        elif name == "OLEObject":
            anchored.objects += 1
    return "".join(parts)


def _is_hidden(run: Any) -> bool:
    properties = run.find("{*}rPr")
    mark = None if properties is None else properties.find("{*}vanish")
    return mark is not None and attribute(mark, "val") not in ("0", "false", "off")


def _is_spare(node: Any, name: str) -> bool:
    """Whether it is the second form of something whose first form is read."""
    return name == "Fallback" and node.getparent() is not None and node.getparent().find("{*}Choice") is not None


def _symbol(code: str) -> str:
    """A character given by its code; those of symbol fonts, whose codes mean nothing by themselves, are left out."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    return chr(number) if 0x20 <= number < 0xD800 else ""
