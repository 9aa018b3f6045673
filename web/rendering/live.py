"""The tree of an answer that is still being written, sent again as it grows.

Owns how often: a page gets what has changed as soon as it costs the server little. The events themselves pass through
as they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rag.answering.events import Cited, Done, Event, Token, Verified
from web import serializers as values
from web.rendering.answer import Checked, tree_of
from web.rendering.markup import Node

# Of the time that passes, at most a tenth goes into rendering: 2,000 characters with 40 verdicts take 2.8 ms, so that a
# reader of a usual answer sees each token, and of one of 30,000 characters some two changes a second.
SHARE = 0.1

Frame = tuple[str, dict[str, Any]]


class _Draft:
    """What of an answer has been written, checked and sent."""

    def __init__(self) -> None:
        self._text = ""
        self._sentences: list[Checked] = []
        self._cited: list[int] = []
        self._sent: list[Node] = []
        self._next = 0.0

    def take(self, event: Event) -> Frame | None:
        """The change to send after an event, if it is time."""
        if isinstance(event, Token):
            self._text += event.text
        elif isinstance(event, Cited):
            self._cited.append(event.citation.n)
        elif isinstance(event, Verified):
            self._check(values.checked(event.sentence))
        due = isinstance(event, Verified) or (isinstance(event, Token) and time.perf_counter() >= self._next)
        return self._change() if due else None

    def _check(self, sentence: Checked) -> None:
        """A sentence that does not stand where it says, since the text was replaced, ends where the text ends now."""
        last = self._sentences[-1].end if self._sentences else 0
        if not last <= sentence.start < sentence.end <= len(self._text):
            sentence = sentence._replace(start=last, end=len(self._text))
        if sentence.start < sentence.end:
            self._sentences.append(sentence)

    def _change(self) -> Frame | None:
        began = time.perf_counter()
        nodes = tree_of(self._text, self._sentences, self._cited, unfinished=True)
        kept = 0
        while kept < min(len(nodes), len(self._sent)) and nodes[kept] == self._sent[kept]:
            kept += 1
        changed = kept < max(len(nodes), len(self._sent))
        self._sent = nodes
        ended = time.perf_counter()
        self._next = ended + (ended - began) * (1 / SHARE - 1)
        return ("rendering", {"keep": kept, "nodes": nodes[kept:]}) if changed else None


def rendered_frames(events: Iterator[Event]) -> Iterator[Frame]:
    """Each event as it goes over the wire, and after it what has changed of the tree."""
    draft = _Draft()
    for event in events:
        yield values.event(event, with_tree=True)
        if not isinstance(event, Done) and (change := draft.take(event)):
            yield change
