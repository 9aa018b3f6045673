"""The dates and times of day a text states, in English and Chinese and in the forms of tables. Pure.

A less exact date is stated by a more exact one ("in 2021" by "5 March 2021"), never the other way round. `03/05/2021` is
both 3 May and 5 March. Lengths of time are quantities, not dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from rag.text.language import is_cjk
from rag.verification.facts.numbers import ORDINALS, han_value
from rag.verification.facts.units import UNIT

_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_MONTH_NUMBERS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ORDINAL = "|".join(word for word, n in ORDINALS.items() if n <= 31)
_H = "(?:\\d+|[〇零一二三四五六七八九十廿卅]+)"
_YEAR = r"(?:1\d{3}|20\d{2})"
_DAY = r"(?:(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?!\d)|(?:twenty-|thirty-)?(?:" + _ORDINAL + r")\b)"

_FORMS = [
    re.compile(form)
    for form in (
        rf"(?<!\d)(?P<year>{_YEAR})[-/.](?P<month>1[0-2]|0?[1-9])[-/.](?P<day>3[01]|[12]\d|0?[1-9])(?!\d)",
        rf"(?<![\d/.])(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<year>{_YEAR})(?!\d)",
        rf"\b(?P<month>{_MONTHS})\b\.?\s+(?:the\s+)?(?P<day>{_DAY})(?:\s?(?:-|–|—|to|and|through)\s?(?P<until>\d{{1,2}})(?!\d))?(?:,?\s+(?:in\s+)?(?P<year>{_YEAR})\b)?",
        rf"\b(?:the\s+)?(?P<day>{_DAY})(?:\s?(?:-|–|—|to|and)\s?(?P<until>\d{{1,2}}(?!\d)))?\s+(?:of\s+)?(?P<month>{_MONTHS})\b\.?(?:,?\s+(?:of\s+)?(?P<year>{_YEAR})\b)?",
        rf"\b(?P<month>{_MONTHS})\b\.?,?\s+(?:of\s+|in\s+)?(?P<year>{_YEAR})\b",
        r"(?P<hyear>\d{4}|[〇零一二三四五六七八九]{4})\s*(?:年|-|/)(?:代)?\s*"
        rf"(?:(?<=年)\s*(?P<hmonth>{_H})\s*月(?:份)?(?:\s*(?P<hday>{_H})\s*[日号號])?)",
        r"(?P<hyear>\d{4}|[〇零一二三四五六七八九]{4})\s*年第?(?P<hquarter>[一二三四1-4])季度?",
        r"(?P<hdecade>\d{4}|(?<!\d)\d0|[二三四五六七八九]十)\s*年代",
        r"(?P<hyear>\d{4}|[〇零一二三四五六七八九]{4})\s*年(?!代)",
        rf"(?<![个個\d])(?P<hmonth>{_H})\s*月(?:份)?\s*(?P<hday>{_H})\s*[日号號](?![楼线院])",
        r"(?<![个個\d])(?P<hmonth>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])\s*月(?![球光亮饼票])",
        r"(?:星期|周|礼拜|週)(?P<hweekday>[一二三四五六日天])(?![个])",
        rf"(?:第(?P<hquarter>[一二三四1-4])季度?|\bq(?P<quarter>[1-4])\b(?:\s*(?P<year>{_YEAR}))?|\b(?P<oquarter>first|second|third|fourth)\s+quarter\b(?:\s+of\s+(?P<qyear>{_YEAR}))?)",
        r"(?<!\d)(?P<decade>(?:1\d|20)\d0)'?s\b|['’](?P<short>\d0)s\b",
        rf"\b(?P<weekday>{'|'.join(_WEEKDAYS)})s?\b",
        r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4])[:：](?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:])(?:\s*(?P<half>[ap])\.?m\b\.?)?",
        r"(?<![\d:.])(?P<hour>1[0-2]|0?[1-9])\s*(?P<half>[ap])\.?m\b\.?",
        r"(?:(?P<part>上午|早上|凌晨|清晨|中午|下午|晚上|傍晚|夜间|晚间)\s*[约約]?)(?P<hhour>\d{1,2}|[一二三四五六七八九十]+)\s*[时時点點](?:(?P<hminute>\d{1,2}|[一二三四五六七八九十]+)分?|(?P<halfpast>半))?",
        r"(?<![\d.])(?P<hhour>[01]?\d|2[0-4])\s*[时時点點](?:(?P<hminute>[0-5]?\d)分|(?P<halfpast>半))",
        rf"(?<![\d.,$€£¥/-])(?P<bare>{_YEAR})(?![\d%]|[.,]\d|\s?[万亿余多个位名人米公千平项次]|[ -]?(?:million|billion|thousand|people|employees)|{UNIT})",
    )
]
# A text without any of these has no date; a form with such a group needs Chinese characters.
_ANY = re.compile(
    rf"\d|[〇零一二三四五六七八九十]|(?:{'|'.join(_WEEKDAYS)})|jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec|quarter"
)
_HAN_FORM = re.compile("P<h(?!our|alf)(?!quarter.*oquarter)")
_RANGE_OF_YEARS = re.compile(
    rf"(?<!\d)(?P<from>{_YEAR})年?\s?[-–—~～/至到]\s?(?P<to>\d{{4}}|\d{{2}})(?![\d.])(?!\s?月|-\d)"
)
_MONTH_ALONE = re.compile(
    r"\b(?:January|February|March|April|June|July|August|September|October|November|December|(?<=in )May|(?<=[Ii]n )March)\b"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What is said of a date or a time of day; None is left open. `weekday` 0 is Monday, `hour` 0 to 24."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    quarter: int | None = None
    decade: int | None = None
    hour: int | None = None
    minute: int | None = None
    halved: bool = False  # whether it is known which half of the day an hour is in


@dataclass(frozen=True, slots=True)
class Date:
    """A date at `start:end` of a folded text, with each of its readings."""

    readings: tuple[Moment, ...]
    text: str
    start: int
    end: int


def dates(folded: str) -> list[Date]:
    """The dates of a folded text (`rag.text.language.fold`), in order, without overlap."""
    if not _ANY.search(folded):
        return []
    cjk = is_cjk(folded)
    found: list[Date] = []
    free = folded
    for match in _RANGE_OF_YEARS.finditer(folded):
        first = int(match["from"])
        last = int(match["to"]) if len(match["to"]) == 4 else first // 100 * 100 + int(match["to"])
        if first < last < 2100:
            found.append(Date((Moment(year=first),), match["from"], match.start(), match.end("from")))
            found.append(Date((Moment(year=last),), match["to"], match.start("to"), match.end()))
            free = _blank(free, match.start(), match.end())
    for form in _FORMS:
        if not cjk and _HAN_FORM.search(form.pattern):
            continue
        for match in form.finditer(free):
            for readings in _readings(match.groupdict()):
                found.append(Date(readings, match.group().strip(), *match.span()))
                free = _blank(free, *match.span())
    return sorted(found, key=lambda item: item.start)


def months_alone(text: str, folded: str, taken: Sequence[Date]) -> list[Date]:
    """English months written with a capital (the text is not folded) and without a day or year."""
    if len(text) != len(folded):
        return []
    return [
        Date((Moment(month=_month(match.group().lower())),), match.group(), *match.span())
        for match in _MONTH_ALONE.finditer(text)
        if not any(item.start < match.end() and match.start() < item.end for item in taken)
    ]


def dated(wanted: Date, given: Iterable[Date]) -> bool:
    """Whether the dates of a text state the wanted one, alone or the year apart from the day ("In 2021 ... on 5 March")."""
    moments = [moment for item in given for moment in item.readings]
    years = {moment.year for moment in moments if moment.year and not moment.month}
    for reading in wanted.readings:
        for moment in moments:
            if _covers(moment, reading):
                return True
            yearless = moment.year is None and moment.hour is None
            if yearless and reading.year in years and _covers(replace(moment, year=reading.year), reading):
                return True
    return False


def _covers(given: Moment, wanted: Moment) -> bool:
    for item in fields(wanted):
        value = getattr(wanted, item.name)
        if value is None or item.name in ("halved", "hour") or getattr(given, item.name) == value:
            continue
        if (
            item.name == "decade"
            and given.year is not None
            and (given.year // 10 * 10 == value or given.year // 10 % 10 * 10 == value)
        ):
            continue
        if (
            item.name == "decade"
            and given.decade is not None
            and given.decade % 100 == value % 100
            and min(value, given.decade) < 100
        ):
            continue
        if item.name == "quarter" and given.month is not None and (given.month + 2) // 3 == value:
            continue
        if item.name == "weekday" and _weekday(given) == value:
            continue
        return False
    return wanted.hour is None or _same_hour(given, wanted)


def _same_hour(given: Moment, wanted: Moment) -> bool:
    if given.hour is None or wanted.hour is None:
        return False
    if given.halved and wanted.halved:
        return given.hour % 24 == wanted.hour % 24
    return given.hour % 12 == wanted.hour % 12


def _weekday(moment: Moment) -> int | None:
    if moment.year is None or moment.month is None or moment.day is None:
        return None
    try:
        return date(moment.year, moment.month, moment.day).weekday()
    except ValueError:
        return None


def _readings(said: dict[str, str | None]) -> Iterator[tuple[Moment, ...]]:
    """The readings of each date in what a form matched; none when it is no date."""
    if (first := said.get("a")) and (second := said.get("b")):
        year, a, b = int(said["year"] or 0), int(first), int(second)
        both = [Moment(year, month, day) for month, day in ((a, b), (b, a)) if 1 <= month <= 12 and 1 <= day <= 31]
        if both:
            yield tuple(both)
        return
    moment = _moment(said)
    if moment is None:
        return
    yield (moment,)
    if until := said.get("until"):
        yield (Moment(moment.year, moment.month, int(until)),)


def _moment(said: dict[str, str | None]) -> Moment | None:
    year = _number(said, "year", "hyear", "qyear", "bare")
    month = _month(name) if (name := said.get("month")) else _number(said, "hmonth")
    day = _day(name) if (name := said.get("day")) else _number(said, "hday")
    quarter = _number(said, "quarter", "hquarter")
    if word := said.get("oquarter"):
        quarter = ORDINALS[word]
    if (month or 1) > 12 or (day or 1) > 31 or month == 0 or day == 0:
        return None
    decade = _number(said, "decade", "short", "hdecade")
    weekday = None
    if name := said.get("weekday"):
        weekday = _WEEKDAYS.index(name)
    elif name := said.get("hweekday"):
        weekday = "一二三四五六日天".index(name) % 7 if name != "天" else 6
    return Moment(year, month, day, weekday, quarter, decade, *_time(said))


def _time(said: dict[str, str | None]) -> tuple[int | None, int | None, bool]:
    hour, minute = _number(said, "hour", "hhour"), _number(said, "minute", "hminute")
    if hour is None:
        return None, None, False
    if said.get("halfpast"):
        minute = 30
    half, part = said.get("half"), said.get("part")
    if half == "p" or part in ("下午", "晚上", "傍晚", "晚间"):
        hour = hour % 12 + 12
    elif half == "a" or part in ("凌晨", "清晨"):
        hour %= 12
    return hour, minute, bool(half or part or hour > 12)


def _number(said: dict[str, str | None], *names: str) -> int | None:
    for name in names:
        if written := said.get(name):
            return int(written) if written.isdigit() and written.isascii() else han_value(written)
    return None


def _month(written: str) -> int:
    return int(written) if written.isdigit() else _MONTH_NUMBERS[written[:3]]


def _day(written: str) -> int:
    if digits := re.match(r"\d+", written):
        return int(digits.group())
    tens = 20 if written.startswith("twenty-") else 30 if written.startswith("thirty-") else 0
    return tens + ORDINALS[written.rpartition("-")[2]]


def _blank(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{' ' * (end - start)}{text[end:]}"
