"""Marked-up text whose every character knows its place in the source, and its way to the nodes that the page builds.

Owns the values of which such a text is made, and the painting of it: spans that are wrapped, marks that are set
behind a character. Nothing here parses; nodes hold texts and known names only, never markup. Pure functions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

Node = str | dict[str, Any]
"""A text; {"tag", "children"} with what the tag has beside them; {"cite": n}; or {"verdict", "checked_by"}."""

# A verdict on what ends with strong words stands behind them.
_STRESSED = frozenset({"strong", "em"})
# Nothing but text may stand within these: no button in a link, no verdict in code.
_SEALED = frozenset({"code", "pre", "a"})


@dataclass(frozen=True, slots=True)
class Run:
    """A text as it is shown. `places`: the source offset of each of its characters, ascending."""

    text: str
    places: Sequence[int]


@dataclass(frozen=True, slots=True)
class Cite:
    """A mark such as [1] at a source offset."""

    n: int
    place: int


@dataclass(frozen=True, slots=True)
class Element:
    """A tag around parts. `also` holds what else its node says, such as the language of code.

    `aside`: shown only where some of it lies in the span that is painted, such as where a link leads.
    """

    tag: str
    children: list[Part]
    also: Mapping[str, Any] = field(default_factory=dict)
    aside: bool = False


Part = Run | Cite | Element


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the source that are wrapped, and in what."""

    start: int
    end: int
    wrapping: Mapping[str, Any]


def places_of(parts: Sequence[Part]) -> Iterator[int]:
    """The source offsets of all that is shown, in its order."""
    for part in parts:
        if isinstance(part, Run):
            yield from part.places
        elif isinstance(part, Cite):
            yield part.place
        else:
            yield from places_of(part.children)


def paint(parts: Sequence[Part], *, spans: Sequence[Span] = (), behind: Sequence[tuple[int, Node]] = ()) -> list[Node]:
    """The nodes of a text.

    Args:
        parts: the text.
        spans: what is wrapped, ascending, none over another.
        behind: source offsets, ascending, and nodes; each is set behind the last character before its offset.
    """
    places = sorted(places_of(parts))
    marks: dict[int, list[Node]] = {}
    for offset, node in behind:
        if at := bisect_left(places, offset):
            marks.setdefault(places[at - 1], []).append(node)
    return _Painter(spans, marks).nodes(parts)


class _Painter:
    """FairScheduler parts into nodes."""

    def __init__(self, spans: Sequence[Span], marks: dict[int, list[Node]]) -> None:
        self._spans = spans
        self._marks = marks

    def nodes(self, parts: Sequence[Part]) -> list[Node]:
        """The nodes of parts, each mark behind its character."""
        found: list[Node] = []
        for part in _whole(parts):
            if isinstance(part, Element):
                found += self._element(part)
            elif isinstance(part, Cite):
                found += [{"cite": part.n}, *self._marks.pop(part.place, [])]
            else:
                found += self._run(part)
        return _joined(found)

    def _element(self, element: Element) -> list[Node]:
        if element.aside and not any(self._span_at(place) for place in places_of(element.children)):
            return []
        children = self.nodes(element.children)
        outside: list[Node] = []
        if element.tag in _SEALED:
            outside = [node for node in children if _is(node, "verdict", "cite")]
            children = _joined([node for node in children if not _is(node, "verdict", "cite")])
        elif element.tag in _STRESSED:
            while children and _is(children[-1], "verdict"):
                outside.insert(0, children.pop())
        return [{"tag": element.tag, "children": children, **element.also}, *outside]

    def _run(self, run: Run) -> Iterator[Node]:
        """The text, cut where a span begins or ends and where a mark stands."""
        begin = 0
        for at in range(1, len(run.text) + 1):
            place = run.places[at - 1]
            span = self._span_at(place)
            ends = at == len(run.text) or self._span_at(run.places[at]) is not span
            if not ends and place not in self._marks:
                continue
            text = run.text[begin:at]
            yield {**span.wrapping, "children": [text]} if span and text.strip() else text
            yield from self._marks.pop(place, [])
            begin = at

    def _span_at(self, place: int) -> Span | None:
        return next((span for span in self._spans if span.start <= place < span.end), None)


def _whole(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts, of runs that follow each other one."""
    for together, group in groupby(parts, key=lambda part: isinstance(part, Run)):
        runs = list(group)
        if not together or len(runs) == 1:
            yield from runs
        else:
            found = [run for run in runs if isinstance(run, Run)]
            yield Run("".join(run.text for run in found), [place for run in found for place in run.places])


def _is(node: Node, *names: str) -> bool:
    return isinstance(node, dict) and any(name in node for name in names)


def _joined(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, of texts that follow each other one."""
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, str) and found and isinstance(found[-1], str):
            found[-1] += node
        else:
            found.append(node)
    return found
