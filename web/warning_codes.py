"""Warnings about documents for other languages than English: which one a sentence is, and what stands in its places.

A reader's warning is an English sentence, made from a template that the page's catalogue holds too (`warning.*`); so
the sentence is told by it, also one that was stored long ago. A test holds the two against each other. Pure functions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from web.i18n import WARNING, catalogue

_LISTED = "names"
_PHRASES = ("and_more", "from_row")  # what stands in a list of names beside the names
_NUMBERS = {"n", "bad", "limit", "more", "row"}
_PLACE = re.compile(r"\{(\w+)\}")
Notice = dict[str, Any]
"""`key`, and `values` by place: a text, a number, or a list of texts and notices that stand behind one another."""


@lru_cache(maxsize=4096)
def notice_of(warning: str) -> Notice | None:
    """The warning as a key of the catalogue and the values of its places; None for one that no template makes.

    `n` is 1 or 2 where a sentence has a form for one thing and one for several, and does not say how many.
    """
    for key, number, pattern in _templates():
        if found := pattern.fullmatch(warning):
            values = {place: _value(place, text) for place, text in found.groupdict().items()}
            return {"key": key, "values": {**({"n": number} if number else {}), **values}}
    return None


@lru_cache(maxsize=1)
def _templates() -> list[tuple[str, int, re.Pattern[str]]]:
    """Key, number and pattern of each sentence, those that say the most first: a place takes whatever stands there."""
    found = []
    for key, text in catalogue("en").items():
        name = key.removeprefix(WARNING)
        if name == key or name in _PHRASES:
            continue
        forms = enumerate(text, start=1) if isinstance(text, list) else [(0, text)]
        found += [(name, number, form) for number, form in forms]
    found.sort(key=lambda each: len(_PLACE.sub("", each[2])), reverse=True)
    return [(name, number, _pattern(form)) for name, number, form in found]


def _pattern(template: str) -> re.Pattern[str]:
    parts = _PLACE.split(template)
    for at in range(0, len(parts), 2):
        parts[at] = re.escape(parts[at])
    for at in range(1, len(parts), 2):
        what = r"\d+" if parts[at] in _NUMBERS else ".+?"
        parts[at] = f"(?P<{parts[at]}>{what})"
    return re.compile("".join(parts), re.DOTALL)


def _value(place: str, text: str) -> Any:
    if place in _NUMBERS:
        return int(text)
    return _list(text) if place == _LISTED else text


def _list(text: str) -> str | list[str | Notice]:
    """A list of names, taken apart where a phrase of ours stands in it."""
    parts: list[str | Notice] = [text]
    for name in _PHRASES:
        pattern = _pattern(str(catalogue("en")[WARNING + name]))
        parts = [piece for part in parts for piece in _split(part, name, pattern)]
    return text if len(parts) == 1 else parts


def _split(part: str | Notice, name: str, pattern: re.Pattern[str]) -> list[str | Notice]:
    if not isinstance(part, str):
        return [part]
    pieces: list[str | Notice] = []
    end = 0
    for found in pattern.finditer(part):
        pieces += [
            part[end : found.start()],
            {"key": name, "values": {k: int(v) for k, v in found.groupdict().items()}},
        ]
        end = found.end()
    return [piece for piece in (*pieces, part[end:]) if piece]
