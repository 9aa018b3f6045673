"""How a spreadsheet shows a number: percentages, decimals, thousands, currencies, dates and times.

Owns the format codes of ECMA-376 part 1, section 18.8.31, as far as documents use them; what it does not know is shown as
the plain number. Dates whose form depends on the reader's country (codes 14 and 22) are shown as ISO dates. Pure functions.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 14: "yyyy-mm-dd",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "0.0E+0",
    **dict.fromkeys((27, 30, 31, 36, 50, 54, 57, 58), "yyyy-mm-dd"), **dict.fromkeys((32, 33, 34, 35), "h:mm:ss"),
}  # fmt: skip
"""Codes that files refer to by number only; 27 to 58 are the dates of Chinese, Japanese and Korean versions."""

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[(?P<elapsed>h+|m+|s+)\]|\[[^\]]*\]'
    r"|(?P<half>AM/PM|A/P|上午/下午)|(?P<date>[yY]+|[mM]+|[dD]+|[hH]+|[sS]+(?:\.0+)?|[eE]{1,4}(?![+-])|[gGbB]+)"
    r"|(?P<number>[0#?][0#?,.]*|\.[0#?]+)(?P<exponent>[eE][+-]0+)?|(?P<literal>.)",
    re.DOTALL,
)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LAST_SERIAL = 2_958_466  # the first day after year 9999

Tokens = tuple[tuple[str, str], ...]


def shown(value: float, code: str, *, epoch_1904: bool = False) -> str:
    """`value` as a cell with this format code shows it. Dates count days from 1900, or from 1904."""
    sections = _sections(code)
    if not sections or code.lower() in ("general", "@"):
        return general(value)
    index = 0 if len(sections) == 1 or value > 0 or (value == 0 and len(sections) < 3) else 1 if value < 0 else 2
    tokens = sections[index]
    kinds = {kind for kind, _ in tokens}
    if kinds & {"date", "elapsed"} and "number" not in kinds:
        moment = to_moment(value, epoch_1904=epoch_1904)
        return general(value) if moment is None else _date(tokens, value, moment)
    if "number" not in kinds:
        literal = "".join(text for kind, text in tokens if kind == "literal").strip()
        return literal if literal and index else general(value)
    magnitude = abs(value) if index == 1 and len(sections) > 1 else value
    return _number(tokens, magnitude)


def general(value: float) -> str:
    """A number without a format: eleven digits at most, as spreadsheets do."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.11G}"


def with_stored(text: str, stored: str | None) -> str:
    """What a cell shows, followed by the whole number that it holds where that has more digits than are shown: spreadsheets
    round beyond fifteen, and numbers of cards, accounts and parts are looked for by all of theirs.
    """
    if stored is None or len(stored) < 16 or len(stored) > 40:
        return text
    try:
        number = Decimal(stored.strip())
    except InvalidOperation:
        return text
    if not number.is_finite() or number != number.to_integral_value() or not 10**15 <= abs(number) < 10**30:
        return text
    digits = f"{number:.0f}"
    return text if digits.lstrip("-") in re.sub(r"\D", "", text) else f"{text} ({digits})"


def is_date(code: str) -> bool:
    """Whether a format code shows dates or times."""
    sections = _sections(code)
    return bool(sections) and any(kind in ("date", "elapsed") for kind, _ in sections[0])


def to_moment(value: float, *, epoch_1904: bool = False) -> datetime | None:
    """The moment that a serial day number means, to the millisecond; None outside of the years 1900 to 9999."""
    if not 0 <= value < _LAST_SERIAL:
        return None
    # Spreadsheets believe in a 29 February 1900, so days before it are off by one.
    start = datetime(1899, 12, 30) if value >= 60 else datetime(1899, 12, 31)
    if epoch_1904:
        start = datetime(1904, 1, 1)
    return start + timedelta(milliseconds=round(value * 86_400_000))


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[Tokens, ...]:
    """The sections of a code (positive; negative; zero; text), each as kinds and texts."""
    sections: list[list[tuple[str, str]]] = [[]]
    for match in _TOKEN.finditer(code[:255]):
        kind = match.lastgroup or "skip"
        if match["literal"] == ";":
            sections.append([])
        elif kind == "exponent":
            sections[-1].append(("number", match[0]))
        elif kind in ("quoted", "escaped", "currency", "literal"):
            sections[-1].append(("literal", match[kind]))
        elif kind != "skip":
            sections[-1].append((kind, match[kind]))
    return tuple(tuple(section) for section in sections[:4]) if code else ()


def _number(tokens: Tokens, value: float) -> str:
    body = "".join(text for kind, text in tokens if kind == "number")
    percents = sum(text.count("%") for kind, text in tokens if kind == "literal")
    if any(text == "/" for kind, text in tokens if kind == "literal"):  # a fraction
        return general(value)
    value *= 100**percents
    exponent = re.search(r"[eE][+-]0+", body)
    digits = body[: exponent.start()] if exponent else body
    whole, _, decimals = digits.partition(".")
    while whole.endswith(",") or decimals.endswith(","):  # commas at the end divide by a thousand
        value /= 1000
        whole, decimals = (whole, decimals[:-1]) if decimals.endswith(",") else (whole[:-1], decimals)
    places = min(len(re.sub(r"[^0#?]", "", decimals)), 15)
    if exponent:
        text = f"{value:.{places}E}"
    else:
        text = f"{_rounded(value, places):{',' if ',' in whole else ''}.{places}f}"
        text = _without_optional(text, decimals)
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    text = text.zfill(whole.count("0")) if "," not in whole and "." not in text else text
    result, placed = sign, False
    for kind, part in tokens:
        if kind == "literal":
            result += part
        elif kind == "number" and not placed:
            result, placed = result + text, True
    return result.strip()


def _rounded(value: float, places: int) -> float:
    """Halves go away from zero, on the number as written (fifteen digits), not on its binary neighbour."""
    scaled = float(f"{abs(value) * 10**places:.15g}")
    result = float(int(scaled + 0.5)) / 10.0**places
    return -result if value < 0 and result else result


def _without_optional(text: str, decimals: str) -> str:
    """Digits under "#" and "?" go when they are zeros at the end."""
    optional = len(decimals) - len(decimals.rstrip("#?"))
    for _ in range(optional):
        if "." in text and text.endswith("0"):
            text = text[:-1]
    return text.rstrip(".") if optional else text


def _date(tokens: Tokens, value: float, moment: datetime) -> str:
    if not any(kind == "date" and "s" in text.lower() and "." in text for kind, text in tokens):
        moment += timedelta(milliseconds=500)  # shown to the second, so round to it
    halves = any(kind == "half" for kind, _ in tokens)
    result, hours_seen = "", False
    for index, (kind, text) in enumerate(tokens):
        if kind == "literal":
            result += text
        elif kind == "half":
            result += "AM" if moment.hour < 12 else "PM"
        elif kind == "elapsed":
            seconds = round(value * 86400)
            result += str(seconds // {"h": 3600, "m": 60, "s": 1}[text[0]]).zfill(len(text))
            hours_seen = True
        elif kind == "date":
            letter = text[0].lower()
            minutes = letter == "m" and len(text) < 3 and (hours_seen or _before_seconds(tokens, index))
            result += _date_part("n" if minutes else letter, text, moment, halves=halves)
            hours_seen = letter == "h" or (hours_seen and letter not in "sm")
    return result.strip()


def _before_seconds(tokens: Tokens, index: int) -> bool:
    following = next((text for kind, text in tokens[index + 1 :] if kind in ("date", "elapsed")), "")
    return following[:1].lower() == "s"


def _date_part(letter: str, text: str, moment: datetime, *, halves: bool) -> str:
    wide = len(text)
    if letter in "ye":
        return f"{moment.year % 100:02d}" if letter == "y" and wide <= 2 else str(moment.year)
    if letter == "m":
        name = _MONTHS[moment.month - 1]
        return {1: str(moment.month), 2: f"{moment.month:02d}", 3: name[:3], 5: name[0]}.get(wide, name)
    if letter == "d":
        name = _DAYS[moment.weekday()]
        return {1: str(moment.day), 2: f"{moment.day:02d}", 3: name[:3]}.get(wide, name)
    if letter == "h":
        hour = (moment.hour % 12 or 12) if halves else moment.hour
        return str(hour).zfill(min(wide, 2))
    if letter == "n":
        return str(moment.minute).zfill(min(wide, 2))
    if letter == "s":
        whole, _, fraction = text.partition(".")
        seconds = str(moment.second).zfill(min(len(whole), 2))
        return (
            f"{seconds}.{moment.microsecond // 1000:03d}"[: len(seconds) + 1 + len(fraction)] if fraction else seconds
        )
    return ""
