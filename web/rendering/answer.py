"""An answer's Markdown as a tree of harmless nodes, with its citations and verdicts where they stand.

Owns which markup an answer may have and what stands where a model has broken it with a mark. HTML and pictures of an
answer are shown as the characters they are written with, and only links to the web can be followed, so nothing in it
can load or run. The page builds elements from the tree and never parses markup. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from web.rendering.markdown import Dialect, blocks_of
from web.rendering.markup import Node, Span, paint

_TRAILING_MARKS = re.compile(r"(?:[ \t]*\[\d{1,3}\])+")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_MARKS_AT_END = re.compile(r"((?:[ \t]*\[\d{1,3}\])+)[ \t]*$")
_CLAIMED = "unsupported"  # the verdict whose sentences are wrapped, where the reader asked to see them
# The start of a line, or of a mark, of which it cannot be told yet what it will be.
_UNFINISHED = re.compile(r"(?:(?:^|\n)[ \t]*(?:[`~*_#>|+-]{1,6}|\d{1,3}[.)]?)[ \t]*|\[\d{0,3})$")


class Checked(NamedTuple):
    """A sentence at [start, end) of an answer, its verdict and what that rests on."""

    start: int
    end: int
    verdict: str
    checked_by: str | None = None


def tree_of(text: str, sentences: Sequence[Checked], cited: Sequence[int], *, unfinished: bool = False) -> list[Node]:
    """The nodes of an answer.

    Args:
        text: the answer, as Markdown.
        sentences: what was checked, ascending; marks such as [1] behind a sentence belong to it.
        cited: the numbers that have a citation; other brackets remain text.
        unfinished: it is still being written: what may become markup at its end is not shown yet.
    """
    if unfinished:
        text = _UNFINISHED.sub("", text)
    mended, places = _mended(text)
    dialect = Dialect(shift=2, cited=frozenset(cited), breaks=True, indented_code=False, leads=True)
    parts = [part for block in blocks_of(mended, dialect, places=places) for part in block.parts()]
    claimed = [Span(s.start, s.end, {"tag": "span", "claim": s.verdict}) for s in sentences if s.verdict == _CLAIMED]
    behind: list[tuple[int, Node]] = []
    for sentence in sentences:
        trailing = _TRAILING_MARKS.match(text, sentence.end)
        by = {"checked_by": sentence.checked_by} if sentence.checked_by else {}
        behind.append((trailing.end() if trailing else sentence.end, {"verdict": sentence.verdict, **by}))
    return paint(parts, spans=claimed, behind=behind)


def _mended(text: str) -> tuple[str, list[int]]:
    """The text with marks out of the way of its markup, and where each character stands in the text as it was.

    A mark behind the end of code would make it no end; one behind a row of a table would be a cell too many.
    """
    lines: list[str] = []
    places: list[int] = []
    fence, start = "", 0
    for line in text.split("\n"):
        found = _FENCE.match(line)
        marks = _MARKS_AT_END.search(line)
        end = start + len(line)
        order = list(range(start, end))
        if fence and found and found[1].startswith(fence) and marks and marks.start() == found.end():
            indent = line[: found.start(1)]
            line = f"{line[: marks.start()]}\n{indent}{line[marks.start() :].lstrip()}"
            order = [
                *order[: marks.start()],
                *[start + marks.start()] * (len(line) - len(order)),
                *order[marks.start() :],
            ]
        elif not fence and marks and line[: marks.start()].rstrip().endswith("|") and line.lstrip().startswith("|"):
            pipe = line[: marks.start()].rindex("|")
            line = line[:pipe] + line[marks.start() :] + line[pipe : marks.start()]
            order = order[:pipe] + order[marks.start() :] + order[pipe : marks.start()]
        if found:
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        lines.append(line)
        places += [*order, end]
        start = end + 1
    return "\n".join(lines), places[:-1]
