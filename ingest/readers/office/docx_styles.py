"""What a Word document's styles and numberings say about a paragraph: its heading level, and the marker of a list item.

Owns the way from names and numbers in `styles.xml` and `numbering.xml` to levels and markers such as "2.1" or "-". Damage in
these parts costs a level or a marker, never text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ingest.readers.package import attribute, elements

_HEADING = re.compile(
    r"\s*(?:heading|标题|標題|見出し|제목|überschrift|titre|título|titolo|заголовок)\s*([1-9])\b", re.I
)
_CONTENTS = re.compile(r"toc [1-9]$", re.I)
_TITLES = frozenset({"title", "标题", "標題"})
_MAX_BASES = 20  # styles based on styles; a circle ends there
_COUNTED = frozenset(
    "chineseCounting chineseCountingThousand japaneseCounting taiwaneseCountingThousand ideographTraditional".split()
)
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style. `level` of a heading 1..9, 0 for body text, None where the style it is based on decides."""

    name: str
    base: str = ""
    level: int | None = None
    numbering: tuple[str | None, int | None] = (None, None)


class Styles:
    """The paragraph styles of a document by their ids."""

    def __init__(self, root: Any | None) -> None:
        self._styles: dict[str, Style] = {}
        self._default = ""
        for node in () if root is None else elements(root, "style"):
            key = attribute(node, "styleId") or ""
            if attribute(node, "type") != "paragraph":
                continue
            self._styles[key] = _style(node)
            if attribute(node, "default") in ("1", "true", "on"):
                self._default = key

    def level(self, style: str) -> int:
        """The heading level that a style gives, 0 for body text."""
        for each in self._line(style):
            if each.level is not None:
                return each.level
        named = _HEADING.match(style) if style not in self._styles else None
        return int(named[1]) if named else 0

    def is_title(self, style: str) -> bool:
        """Whether it is the style of the title of the whole document."""
        return style in self._styles and self._styles[style].name.casefold() in _TITLES

    def is_contents(self, style: str) -> bool:
        """Whether it is the style of an entry in a table of contents."""
        return style in self._styles and bool(_CONTENTS.match(self._styles[style].name))

    def numbering(self, style: str) -> tuple[str | None, int | None]:
        """Number and level of the list that a style belongs to, as far as it says."""
        number: str | None = None
        level: int | None = None
        for each in self._line(style):
            number = each.numbering[0] if number is None else number
            level = each.numbering[1] if level is None else level
        return number, level

    def _line(self, style: str) -> list[Style]:
        """A style and those that it is based on."""
        found: list[Style] = []
        key = style or self._default
        while key in self._styles and len(found) < _MAX_BASES:
            found.append(self._styles[key])
            key = self._styles[key].base
        return found


def _style(node: Any) -> Style:
    name = value_of(node, "name") or ""
    heading = _HEADING.match(name)
    properties = node.find("{*}pPr")
    outline = value_of(properties, "outlineLvl")
    level = int(heading[1]) if heading else outline_level(outline)
    if level is None and name.casefold() in _TITLES:
        level = 1
    return Style(name, value_of(node, "basedOn") or "", level, numbering_of(properties))


def value_of(node: Any | None, *path: str) -> str | None:
    """The attribute "val" of a descendant by the local names on the way to it."""
    for name in path:
        node = None if node is None else node.find(f"{{*}}{name}")
    return None if node is None else attribute(node, "val")


def outline_level(value: str | None) -> int | None:
    """The heading level of an outline level: 0 is level 1, 9 is body text; None when there is none."""
    if value is None or not value.isdigit():
        return None
    return int(value) + 1 if int(value) < 9 else 0


def numbering_of(properties: Any | None) -> tuple[str | None, int | None]:
    """Number and level of the list that the properties of a paragraph or style name."""
    level = value_of(properties, "numPr", "ilvl")
    return value_of(properties, "numPr", "numId"), int(level) if level and level.isdigit() else None


@dataclass(slots=True)
class _Level:
    form: str = "decimal"
    text: str = ""
    start: int = 1
    legal: bool = False


@dataclass(slots=True)
class _List:
    """One abstract numbering: its levels, and how far it has counted. `link` names the style that it takes them from."""

    levels: dict[int, _Level] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    link: str = ""


class Numbering:
    """Counts list items as a word processor does. `marker` must be called once for each, in the order of the document."""

    def __init__(self, root: Any | None) -> None:
        self._lists: dict[str, _List] = {}
        self._numbers: dict[str, str] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        if root is None:
            return
        for node in elements(root, "abstractNum"):
            self._lists[attribute(node, "abstractNumId") or ""] = _list(node)
        styled = {
            value_of(node, "styleLink"): attribute(node, "abstractNumId") for node in elements(root, "abstractNum")
        }
        for node in elements(root, "num"):
            key, target = attribute(node, "numId") or "", value_of(node, "abstractNumId") or ""
            linked = self._lists[target].link if target in self._lists else ""
            self._numbers[key] = (styled.get(linked) if linked else None) or target
            starts = {
                _number(attribute(each, "ilvl"), 0): _number(value_of(each, "startOverride"), 1)
                for each in elements(node, "lvlOverride")
                if value_of(each, "startOverride") is not None
            }
            if starts:
                self._restarts[key] = starts

    def marker(self, number: str | None, level: int | None) -> str | None:
        """What stands before the next item of a list: "- ", "3. ", "(a) "; None where the paragraph is in no list."""
        if number is None or number == "0" or number not in self._numbers:
            return None
        depth = min(level or 0, 8)
        found = self._lists.get(self._numbers[number])
        if found is None:
            return "- "
        for restarted, start in self._restarts.pop(number, {}).items():
            found.counts[restarted] = start - 1
        own = found.levels.get(depth, _Level())
        found.counts[depth] = found.counts.get(depth, own.start - 1) + 1
        for deeper in [each for each in found.counts if each > depth]:
            del found.counts[deeper]
        if own.form == "bullet":
            return "- "
        if own.form == "none":
            return ""
        shown = re.sub(r"%([1-9])", lambda match: _counted(found, int(match[1]) - 1, legal=own.legal), own.text)
        return f"{shown.strip()} " if any(each.isalnum() for each in shown) else "- "


def _list(node: Any) -> _List:
    found = _List(link=value_of(node, "numStyleLink") or "")
    for each in node.iterchildren("{*}lvl"):
        found.levels[_number(attribute(each, "ilvl"), 0)] = _Level(
            value_of(each, "numFmt") or "decimal",
            value_of(each, "lvlText") or "",
            _number(value_of(each, "start"), 1),
            each.find("{*}isLgl") is not None,
        )
    return found


def _counted(found: _List, level: int, *, legal: bool) -> str:
    own = found.levels.get(level, _Level())
    number = found.counts.get(level, own.start)
    return str(number) if legal else formatted(number, own.form)


def formatted(number: int, form: str) -> str:
    """A number in one of Word's forms; decimal in those that are not known here."""
    if form in ("lowerLetter", "upperLetter") and number > 0:
        letters = chr(97 + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters[:8] if form == "lowerLetter" else letters[:8].upper()
    if form in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        roman = _roman(number)
        return roman if form == "upperRoman" else roman.lower()
    if form in _COUNTED and 0 < number < 100:
        tens, ones = divmod(number, 10)
        return (
            ("" if tens < 2 else _DIGITS[tens]) + ("十" if tens else "") + (_DIGITS[ones] if ones or not tens else "")
        )
    return f"{number:02}" if form == "decimalZero" else str(number)


def _roman(number: int) -> str:
    parts = []
    for value, letters in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    ):
        count, number = divmod(number, value)
        parts.append(letters * count)
    return "".join(parts)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else default
