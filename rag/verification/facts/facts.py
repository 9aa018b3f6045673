"""The facts of a text that can be checked one by one, its dates and quantities, and which of them a span does not state. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text.language import fold
from rag.verification.facts.dates import Date, dated, dates, months_alone
from rag.verification.facts.quantities import Quantity, quantities, stated

_SEPARATOR = re.compile(r"、|,|，|\band\b|\bor\b|和|与|及|或")


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be checked of a text: `dates` and `quantities` of it, and the quantities that are not part of a date."""

    dates: tuple[Date, ...]
    quantities: tuple[Quantity, ...]
    undated: tuple[Quantity, ...]

    @property
    def hard(self) -> list[Quantity]:
        """The quantities apart from dates that are surely stated as such."""
        return [item for item in self.undated if not item.soft]

    @property
    def parts(self) -> list[tuple[int, int]]:
        """Where the dates and hard quantities stand in the folded text."""
        return [(item.start, item.end) for item in self.dates] + [(item.start, item.end) for item in self.hard]


# A run of more digits, or of more Chinese numerals, is no number that anybody would state: looking at one takes time that
# grows with its square, and Python refuses to convert it.
LONGEST_NUMBER = 40
_ENDLESS = re.compile(
    rf"[\d.,]{{{LONGEST_NUMBER + 1},}}|[零〇一二三四五六七八九十百千万萬亿億兆两兩]{{{LONGEST_NUMBER + 1},}}"
)
_OTHER_DIGITS = re.compile(r"(?![0-9])\d")


def _readable(folded: str) -> str:
    """A folded text of the same length with digits of every script as 0 to 9, and blanks for endless numbers."""
    if not folded.isascii():
        folded = _OTHER_DIGITS.sub(lambda digit: str(unicodedata.decimal(digit.group())), folded)
    return _ENDLESS.sub(lambda run: " " * len(run.group()), folded)


@lru_cache(maxsize=512)
def facts_of(text: str) -> Facts:
    """The facts of a text."""
    folded = _readable(fold(text))
    found = dates(folded)
    found += months_alone(text, folded, found)
    undated = quantities(without(folded, [(item.start, item.end) for item in found]))
    return Facts(tuple(found), tuple({*quantities(folded), *undated}), tuple(undated))


def facts_within(text: str, start: int, end: int) -> Facts:
    """The facts of a text that characters [start, end) touch; none where folding changes its length."""
    facts = facts_of(text)
    if len(fold(text)) != len(text):
        return Facts((), (), ())

    def touched(item: Date | Quantity) -> bool:
        return item.start < end and start < item.end

    return Facts(
        tuple(filter(touched, facts.dates)),
        tuple(filter(touched, facts.quantities)),
        tuple(filter(touched, facts.undated)),
    )


def unstated(sentence: str, span: str, context: str) -> Iterator[tuple[str, str]]:
    """Dates and numbers of the sentence that the span does not state."""
    mine, given = facts_of(sentence), facts_of(span)
    around = (*given.dates, *(item for item in facts_of(context).dates if item.readings[0].month is None))
    for item in mine.dates:
        if not dated(item, given.dates if _year_alone(item) else around) and not _counted(item, given.quantities):
            yield "date", item.text
    folded = fold(sentence)
    for number in mine.hard:
        if number.value == 1 and re.match(r"/\d", folded[number.end :]):
            continue  # "1/26" is a share, whose number is the one below
        wrong = stated(number, given.quantities)
        if wrong == "number" and number.word and number.value <= 10 and _enumerates(span, int(number.value)):
            continue
        if wrong:
            yield wrong, number.plain if wrong == "number" else number.text


def _year_alone(item: Date) -> bool:
    return all(reading.month is None and reading.day is None for reading in item.readings)


def _counted(item: Date, given: Sequence[Quantity]) -> bool:
    """Whether what looks like a year is a number that the span states."""
    return item.text.isdigit() and any(number.value == int(item.text) for number in given)


def _enumerates(span: str, count: int) -> bool:
    """Whether a sentence of the span lists that many things: "Bash, Zsh and Fish" are three."""
    for part in re.split(r"[.;:。；：!?！？\n]", span):
        items = 1 + len(_SEPARATOR.findall(re.sub(r",\s*(?:and|or)\b", ",", part)))
        if items == count and not any(item.value <= 12 and not item.soft for item in facts_of(part).quantities):
            return True
    return False


def stated_facts(sentence: str, text: str) -> list[bool]:
    """For each date and number of a sentence whether the text states it."""
    mine = facts_of(sentence)
    if not (mine.dates or mine.hard):
        return []
    given = facts_of(text)
    stands = [dated(item, given.dates) or _counted(item, given.quantities) for item in mine.dates]
    return [*stands, *(stated(item, given.quantities) is None for item in mine.hard)]


def without(folded: str, parts: Sequence[tuple[int, int]]) -> str:
    """The text with blanks for some of its parts (start, end)."""
    for start, end in parts:
        folded = f"{folded[:start]}{' ' * (end - start)}{folded[end:]}"
    return folded
