"""The smallest spans a chunk is made of: sentences, table rows, and pieces of sentences that are too long.

Owns where a document may be cut and what each place costs; `ingest.pipeline.chunking` picks among them. Pure functions over text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rag.text.language import CJK, sentences, trim
from rag.types import ParsedDocument

# What it costs to cut before a unit, in units of "a chunk 100 % off its target".
_CUT_SECTION, _CUT_PARAGRAPH, _CUT_LINE, _CUT_SENTENCE = 0.0, 0.04, 0.12, 0.2
_CUT_AFTER_COLON, _CUT_CLAUSE, _CUT_SPACE, _CUT_WORD, _CUT_AFTER_HEADING = 0.5, 0.6, 0.9, 2.0, 3.0
_RUN_PAGE = 0.3  # and to run on over the end of a page

_PARAGRAPH_GAP = re.compile(r"\n\s*\n")
_LONG_PARAGRAPH = 4000  # characters; longer ones are cut first, so that no regular expression sees a megabyte
_CLAUSE_MARKS = "，；：、。！？,;:|"
_ATOM = re.compile(f"\\n|[^\\S\\n]+|[{_CLAUSE_MARKS}]+|[^\\s{_CLAUSE_MARKS}{CJK}]+|[{CJK}]+")
_JOINERS = frozenset("\u200c\u200d")


@dataclass(slots=True)
class Unit:
    """A span that is kept whole. `cut`: cost of cutting before it; `run`: cost of running over that place; `blank`: characters
    of white space in it that `tokens`, being a sum over sentences, leaves out.
    """

    start: int
    end: int
    cut: float
    run: float = 0.0
    section: int = -1  # index of the heading in force
    opens: int = 0  # level of the heading that begins here, 0 for none
    tokens: int = 0
    blank: int = 0


def split_units(document: ParsedDocument) -> list[Unit]:
    """Sentences and table rows, with the cost of each place between them."""
    text, headings, units = document.text, document.headings, list[Unit]()
    page_starts = {page.start for page in document.pages}
    bounds = [*dict.fromkeys([0, *(heading.start for heading in headings)]), len(text)]
    section = -1
    for begin, end in pairwise(bounds):
        while section + 1 < len(headings) and headings[section + 1].start <= begin:
            section += 1
        opens = headings[section].level if section >= 0 and headings[section].start == begin else 0
        for start, stop in _sentences(text, begin, end):
            unit = Unit(start, stop, _CUT_SECTION, section=section, opens=opens)
            if units:
                _weigh(document, page_starts, units[-1], unit)
            opens = 0
            units.append(unit)
    # A chunk that begins with a title and, right under it, a subtitle is about the subtitle.
    for unit, following in zip(units[-2::-1], units[:0:-1], strict=True):
        if following.opens > unit.opens > 0 and _is_bare_heading(document, unit):
            unit.section = following.section
    return units


def _weigh(document: ParsedDocument, page_starts: set[int], before: Unit, unit: Unit) -> None:
    """Set the costs of cutting before `unit` and of running on into it."""
    text = document.text
    if before.opens and _is_bare_heading(document, before) and not 0 < unit.opens <= before.opens:
        unit.cut = _CUT_AFTER_HEADING
        return
    if not unit.opens:
        unit.cut = _cut_cost(text, before, unit.start)
    if unit.start in page_starts:
        _weigh_page(text, before.end, unit)


def _is_bare_heading(document: ParsedDocument, unit: Unit) -> bool:
    """Whether a unit is a heading and nothing else; Markdown adds a few marks to the title."""
    return bool(unit.opens) and unit.end - unit.start <= len(document.headings[unit.section].title) + 8


def _sentences(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    position = begin
    while position < end:
        gap = _PARAGRAPH_GAP.search(text, position, min(end, position + _LONG_PARAGRAPH))
        stop = gap.start() if gap else min(end, position + _LONG_PARAGRAPH)
        if not gap and stop < end:
            space = text.rfind(" ", position + 1, stop)
            stop = space if space > 0 else safe_cut(text, stop, position + 1)
        for start, last in sentences(text[position:stop]):
            yield from _rows(text, position + start, position + last)
        position = gap.end() if gap else stop


def _rows(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Rows of a table one by one; any other sentence whole."""
    if " | " not in text[start:end]:
        yield start, end
        return
    for line in text[start:end].split("\n"):
        span = trim(text, start, start + len(line))
        if span[0] < span[1]:
            yield span
        start += len(line) + 1


def _cut_cost(text: str, before: Unit, after: int) -> float:
    newlines = text.count("\n", before.end, after)
    if text[before.end - 1] in ":：":
        return _CUT_AFTER_COLON  # "The plan covers:" belongs to its list
    if newlines > 1:
        # A short line without an end, apart from the rest, is mostly a heading that the reader did not know.
        headline = before.end - before.start <= 60 and text[before.end - 1].isalnum() and text[before.start].isupper()
        return _CUT_AFTER_COLON if headline else _CUT_PARAGRAPH
    return _CUT_LINE if newlines else _CUT_SENTENCE


def _weigh_page(text: str, before: int, unit: Unit) -> None:
    """A page's end is a good place to cut, unless a sentence goes on over it."""
    unfinished = text[before - 1].isalnum() or text[before - 1] in ",，、-–("
    if unfinished and not unit.opens and (text[unit.start].islower() or _is_wide(text[unit.start])):
        unit.cut = _CUT_CLAUSE
    else:
        unit.run += _RUN_PAGE


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def join_tiny(units: list[Unit], grain: int) -> list[Unit]:
    """Units with runs of neighbours under `grain` tokens made one, up to about `grain`; headings and page ends stay apart.

    Lists of single words would otherwise cost a hundred times more to group than prose of the same length.
    """
    joined: list[Unit] = []
    for unit in units:
        above = joined[-1] if joined else None
        if above and not unit.opens and not above.opens and not unit.run and above.tokens + unit.tokens <= grain:
            above.blank += unit.blank + unit.start - above.end
            above.end = unit.end
            above.tokens += unit.tokens
        else:
            joined.append(unit)
    return joined


def split_atoms(text: str, unit: Unit, length: int) -> list[Unit]:
    """Words and runs of at most `length` characters, punctuation kept with what it closes."""
    atoms: list[Unit] = []
    cut = unit.cut
    for match in _ATOM.finditer(text, unit.start, unit.end):
        start, end = match.span()
        if text[start].isspace():
            cut = min(cut, _CUT_LINE if text[start] == "\n" else _CUT_SPACE)
            continue
        follows = bool(atoms) and atoms[-1].end == start and end - atoms[-1].start <= length + 8
        if text[start] in _CLAUSE_MARKS and follows:
            atoms[-1].end = end
            cut = _CUT_CLAUSE
            continue
        while start < end:
            stop = end if end - start <= length else safe_cut(text, start + length, start + 1)
            stop = min(stop, end)
            atoms.append(Unit(start, stop, cut, section=unit.section))
            start, cut = stop, _CUT_WORD
        cut = _CUT_WORD
    if atoms:
        atoms[0].cut, atoms[0].run, atoms[0].opens = unit.cut, unit.run, unit.opens
    return atoms


def safe_cut(text: str, cut: int, least: int) -> int:
    """The last place up to `cut`, but not before `least`, that does not part a letter from its accents or an emoji."""
    position = cut
    while least < position < len(text) and cut - position < 32:
        here = text[position]
        attached = unicodedata.combining(here) or unicodedata.category(here) == "Me" or "\ufe00" <= here <= "\ufe0f"
        if (
            not attached
            and here not in _JOINERS
            and text[position - 1] not in _JOINERS
            and not "\U0001f3fb" <= here <= "\U0001f3ff"
        ):
            return position
        position -= 1
    return cut
