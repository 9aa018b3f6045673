"""The quantities a text states: value, unit and sign, from digits, number words and Chinese numerals. Pure.

Owns reading them and deciding whether one is stated by another; dates are not its business (see rag/dates.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from rag.verification.facts.numbers import (
    CARDINALS,
    ENGLISH,
    FRACTIONS,
    HAN,
    MYRIADS,
    ORDINALS,
    SCALES,
    TIMES,
    english_value,
    han_value,
    scale_value,
)
from rag.verification.facts.units import CURRENCY_BEFORE, UNIT, measured, unit_of

_HAN_SCALE = "[十百千万萬亿億兆]+"
_MEASURE = "个個名位人次家座条條种種项項支只隻部本张張场場届屆层層辆輛艘架台臺所口户戶间間队隊组組股股集章篇首枚颗顆株棵代世号號级級倍轮輪套批排节節步点點番版期战成员员"
_DIGITS = re.compile(
    rf"(?P<percent>百分之)?(?P<sign>(?<![\w.)\]%-])[-−+](?=[$€£¥\d])|(?:\bminus|\bnegative|零下|负|負)\s*)?"
    rf"(?P<money>{CURRENCY_BEFORE})?(?<![a-z_])(?P<number>\d+(?:,\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)(?:st|nd|rd|th)?(?![a-z_]*\d)"
    rf"(?:\s*(?P<han>{_HAN_SCALE})(?:(?P<rest>\d+)(?P<lower>[千万萬]))?|[\s-]?(?P<scale>{'|'.join(SCALES)}|bn|tn|mn|[kmb])(?![a-z]))?"
)
_NUMBER_WORDS = frozenset({*CARDINALS, *ORDINALS, *SCALES, *FRACTIONS, *TIMES, "third", "dozen", "dozens"})
_UNIT = re.compile(UNIT)
_HAN_UNIT = re.compile(rf"\s*[多余餘来來几幾]?(?:{UNIT}|[{_MEASURE}])")
_SHARE = re.compile(rf"(?P<below>百|{HAN.pattern}|\d+)分之(?P<above>{HAN.pattern}|\d+(?:\.\d+)?)")
_MORE_OR_UP_TO = re.compile(r"\s*(?:-|–|—|~|～|至|到|to|and|or|,|、|和|或)\s*(?=[\d$€£¥])")
_HALF_MORE = re.compile(r"\s+and\s+a\s+half\b")
_ABOUT = re.compile(
    r"(?:about|around|approximately|roughly|nearly|almost|some|over|more than|up to|约|約|近|大约|大概|左右|超过|逾)\s*[$€£¥]?$"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit as (dimension, factor), or None.

    `soft`: a word such as "one" or "half", or a numeral inside a Chinese word, that states a number to others but need
    not be one itself. `word`: written as a word. `about`: said to be rounded.
    """

    value: Fraction
    unit: tuple[str, Fraction] | None
    text: str
    start: int
    end: int
    soft: bool = False
    word: bool = False
    about: bool = False

    @property
    def plain(self) -> str:
        """The number without sign, unit or thousands separators."""
        value = abs(self.value)
        return str(value.numerator) if value.denominator == 1 else f"{float(value):.12g}"


def quantities(folded: str) -> list[Quantity]:
    """The quantities of a folded text (`rag.text.language.fold`), in no order."""
    found = [*_shares(folded), *_in_digits(folded), *_in_symbols(folded)]
    taken = [(item.start, item.end) for item in found]
    for item in (*_in_words(folded), *_in_han(folded)):
        if not any(item.start < end and start < item.end for start, end in taken):
            found.append(item)
    return found


def stated(wanted: Quantity, given: Iterable[Quantity]) -> str | None:
    """None when one of the given quantities states the wanted one; else what is wrong: "unit" or "number"."""
    wrong = "number"
    for item in given:
        if wanted.unit and item.unit:
            if wanted.unit[0] == item.unit[0]:
                if _same_amount(wanted, item) or _rounds(wanted, item):
                    return None
            elif {wanted.unit[0], item.unit[0]} == {"angle", "temperature"} and wanted.value == item.value:
                return None
            if wanted.value == item.value:
                wrong = "unit"
        elif wanted.value == item.value or _rounds(wanted, item) or _part(wanted, item) or _part(item, wanted):
            return None
    return wrong


def _same_amount(wanted: Quantity, item: Quantity) -> bool:
    """Whether two quantities of one dimension are equal; of bytes, 1 GB may be 1,000 MB and 1,024 MB."""
    mine, theirs = wanted.unit, item.unit
    if mine is None or theirs is None:
        return False
    if measured(wanted.value, mine) == measured(item.value, theirs):
        return True
    return mine[0] == "bytes" and wanted.value * _binary(mine[1]) == item.value * _binary(theirs[1])


def _binary(factor: Fraction) -> Fraction:
    """The power of 1,024 that a power of 1,000 is taken for where memory is counted."""
    power = (len(str(factor)) - 1) // 3 if factor > 1 and set(str(factor)) <= set("10") else 0
    return Fraction(1024) ** power if power else factor


def _part(share: Quantity, item: Quantity) -> bool:
    """Whether a percentage is a fraction: 50 % and "half"."""
    return bool(
        share.unit and share.unit[0] == "share" and item.value.denominator > 1 and share.value == item.value * 100
    )


def _rounds(wanted: Quantity, item: Quantity) -> bool:
    """Whether "about 6,100" stands for 6,127: equal in at least two digits."""
    if not wanted.about or (wanted.unit and item.unit and wanted.unit != item.unit) or wanted.value.denominator > 1:
        return False
    digits = wanted.plain.rstrip("0")
    step = 10 ** (len(wanted.plain) - len(digits))
    return len(digits) >= 2 and step > 1 and abs(wanted.value - item.value) <= Fraction(step, 2)


def _shares(text: str) -> Iterator[Quantity]:
    for match in _SHARE.finditer(text):
        above = _either(match["above"])
        below = Fraction(100) if match["below"] == "百" else _either(match["below"])
        if above is None or not below:
            continue
        if below == 100:
            yield Quantity(above, ("share", Fraction(1)), match.group(), *match.span())
        else:
            yield Quantity(above / below, None, match.group(), *match.span())


def _in_symbols(text: str) -> Iterator[Quantity]:
    """Digits that letters hold ("O(n2)"): others may state them so, they state nothing."""
    for match in re.finditer(r"(?<=[a-z])\d+", text):
        yield Quantity(Fraction(int(match.group())), None, match.group(), *match.span(), soft=True)


def _either(number: str) -> Fraction | None:
    if number[0].isdigit() and number.isascii():
        return Fraction(number)
    value = han_value(number)
    return None if value is None else Fraction(value)


def _in_digits(text: str) -> Iterator[Quantity]:
    if not re.search(r"\d", text):
        return
    for match in _DIGITS.finditer(text):
        value = Fraction(match["number"].replace(",", ""))
        scale = match["han"] or match["scale"] or ""
        end = match.end()
        if scale in ("m", "b") and not match["money"]:
            end = match.start("scale")  # metres or bytes, not millions
            while text[end - 1] in " -":
                end -= 1
        elif scale:
            value *= scale_value(scale)
            if match["rest"]:
                value += int(match["rest"]) * scale_value(match["lower"])
        if half := _HALF_MORE.match(text, end):
            value, end = value + Fraction(1, 2), half.end()
        if match["sign"] and match["sign"].strip() != "+":
            value = -value
        unit, end = _unit_behind(text, end)
        if match["money"]:
            unit = unit_of(match["money"])
        about = _ABOUT.search(text, max(0, match.start() - 14), match.start("number")) is not None
        yield Quantity(value, unit, text[match.start() : end].strip(), match.start(), end, about=about)


def _unit_behind(text: str, end: int) -> tuple[tuple[str, Fraction] | None, int]:
    """The unit behind a number, or that of the next number of a range or list ("3 to 5 days")."""
    if text[end : end + 1] in "多余餘几幾" and text[end : end + 1]:
        end += 1
    if match := _UNIT.match(text, end):
        return unit_of(match.group()), match.end()
    if (
        (more := _MORE_OR_UP_TO.match(text, end))
        and (number := _DIGITS.match(text, more.end()))
        and not number["money"]
    ):
        after = number.start("scale") if number["scale"] in ("m", "b") else number.end()
        if match := _UNIT.match(text, after):
            return unit_of(match.group()), end
    return None, end


def _in_words(text: str) -> Iterator[Quantity]:
    if not _NUMBER_WORDS.intersection(re.findall(r"[a-z]+", text)):
        return
    for match in ENGLISH.finditer(text):
        values = english_value(match.group())
        unit, end = _unit_behind(text, match.end())
        alone = match.group() in ("one", "first", "second", "zero")
        step = match.group() in ORDINALS and text[match.end() : match.end() + 1] == ","  # "Second, ..."
        for value in values:
            last = unit if len(values) == 1 or value == values[-1] else None
            yield Quantity(
                Fraction(value),
                last,
                text[match.start() : end],
                match.start(),
                end,
                soft=(alone and not unit) or step,
                word=True,
            )
    for match in re.finditer(
        r"(?:(\w+)[\s-])?\b(half|halves|thirds?|quarters?|fifths|tenths|twice|double[sd]?|tripled?|thrice|dozens?)\b",
        text,
    ):
        word = match[2]
        times = english_value(match[1])[0] if match[1] and ENGLISH.fullmatch(match[1]) else 1
        if word.startswith("dozen"):
            yield Quantity(Fraction(12 * times), None, match.group(), *match.span(), soft=True, word=True)
            continue
        part = Fraction(1, 3) if word.startswith("third") else FRACTIONS.get(word) or Fraction(TIMES[word])
        yield Quantity(part * times, None, match.group(), *match.span(), soft=True, word=True)


def _in_han(text: str) -> Iterator[Quantity]:
    for match in HAN.finditer(text):
        if text[match.start() - 1 : match.start()].isdigit():
            continue
        value = han_value(match.group())
        if value is None:
            continue
        ordinal = text[match.start() - 1 : match.start()] == "第"
        unit_match = _HAN_UNIT.match(text, match.end())
        unit = unit_of(unit_match.group().lstrip("多余餘来來几幾")) if unit_match else None
        soft = not (ordinal or unit_match or (len(match.group()) > 1 and set(match.group()) & set("十百千万亿")))
        soft = soft or (match.group() in ("一", "十", "百", "千") and not ordinal and unit is None)
        soft = soft or any(c in MYRIADS for c in match.group()[:1])
        end = unit_match.end() if unit_match else match.end()
        sign = (
            -1
            if text[max(0, match.start() - 2) : match.start()] in ("零下",)
            or text[match.start() - 1 : match.start()] == "负"
            else 1
        )
        if text[match.end() : match.end() + 2] == "个半":
            yield Quantity(
                Fraction(value) + Fraction(1, 2), None, match.group(), match.start(), match.end(), soft=True, word=True
            )
        yield Quantity(
            Fraction(value * sign), unit, text[match.start() : end], match.start(), end, soft=soft, word=True
        )
    for match in re.finditer(r"(?<=[一两二三])?半(?![岛島径徑场場决決导導身路边邊])", text):
        yield Quantity(Fraction(1, 2), None, "半", *match.span(), soft=True, word=True)
