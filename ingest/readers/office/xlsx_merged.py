"""Merged cells of a sheet (.xlsx): their text stands in each row and in each column that they span.

Owns the ranges of a sheet, which its XML names behind the rows. A row that holds nothing but what reaches into it from
above does not count; a row that one merged cell takes up holds its text once. Must not judge what a row means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from ingest.readers.archive_limits import DAMAGE
from ingest.readers.package import Package
from ingest.readers.text.sheets import Row
from ingest.readers.text.spans import MAX_COLUMNS, REPEATED

_BLOCK = 1 << 20
_LONGEST = 200  # bytes of an element that names a range
_MAX_RANGES = 50_000
_RANGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]{0,80}?ref=\"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})\"")


@dataclass(slots=True)
class Range:
    """A merged cell: rows 1-based, columns 0-based, all of them included; and its text once that is known."""

    top: int
    bottom: int
    left: int
    right: int
    text: str = ""


def merges(package: Package, part: str) -> list[Range]:
    """The merged cells of the sheet in `part`; those that can be found of a damaged one."""
    return list(_found(package, part)) if package.has(part) else []


def _found(package: Package, part: str) -> Iterator[Range]:
    rest, count = b"", 0
    try:
        with package.open(part) as stream:
            while block := stream.read(_BLOCK):
                data, end = rest + block, 0
                for match in _RANGE.finditer(data):
                    end = match.end()
                    count += 1
                    if count > _MAX_RANGES:
                        return
                    left, right = column_of(match[1].decode(), 0), column_of(match[3].decode(), 0)
                    yield Range(int(match[2]), int(match[4]), left, min(right, left + MAX_COLUMNS))
                rest = data[max(end, len(data) - _LONGEST) :]
    except DAMAGE:
        return


class Merged:
    """Fills rows, which must come from top to bottom, with the text of the merged cells that span them."""

    def __init__(self, ranges: list[Range]) -> None:
        self._waiting = sorted(ranges, key=attrgetter("top"), reverse=True)
        self._open: list[Range] = []
        self._reached = 0  # rows so far that held nothing of their own

    def filled(self, number: int, cells: dict[int, str]) -> Row:
        """Row `number` with all its cells, and its number less the rows that did not count."""
        while self._waiting and self._waiting[-1].top <= number:
            self._open.append(self._waiting.pop())
        if not self._open:
            return number - self._reached, cells
        self._open = [each for each in self._open if each.bottom >= number]
        own = dict(cells)
        below = False
        for each in self._open:
            if each.top == number:
                each.text = cells.get(each.left, "")
            elif each.text:
                below = True
                own.pop(each.left, None)  # left over from before the cells were merged
        if below and not own:
            self._reached += 1
            return number - self._reached, {}
        row = dict(cells)
        alone = len(own) == 1 and not below
        for each in self._open:
            if not each.text:
                continue
            if each.top < number and len(each.text) <= REPEATED:
                row[each.left] = each.text
            again = len(each.text) <= REPEATED and not alone
            for column in range(each.left + 1, each.right + 1) if again else ():
                row[column] = each.text
        return number - self._reached, row


@lru_cache(maxsize=20_000)
def column_of(letters: str, default: int) -> int:
    """The 0-based index of a column: A is 0, AA is 26; `default` where the file does not say."""
    if not letters or len(letters) > 3 or not (letters.isascii() and letters.isupper()):
        return default
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1
