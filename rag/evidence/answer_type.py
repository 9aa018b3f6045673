"""What kind of thing a question asks for, and whether a sentence holds one: a date, a quantity, a name or a place. Pure.

A cheap signal with few mistakes: "When ...?" is not answered by a sentence without a date. It only ever adds to a
sentence's score; it never excludes one.
"""

from __future__ import annotations

import re
from enum import StrEnum

from rag.text.language import STOP_WORDS, is_cjk, query_terms


class Kind(StrEnum):
    """What an answer must hold."""

    DATE = "date"
    QUANTITY = "quantity"
    NAME = "name"
    PLACE = "place"


_MEASURES = (
    "(?:percent|percentage|number|share|proportion|amount|price|cost|fee|population|rate|height|length|width|depth|weight|size|age"
    "|distance|area|speed|temperature|pressure|duration|salary|budget|capacity)"
)
_ASKED = {
    "en": (
        (Kind.DATE, r"\b(?:when|(?:what|which) (?:year|date|century|decade|day|month|time)|how (?:long ago|recently)|deadline|due date)\b"),
        (
            Kind.QUANTITY,
            r"\bhow (?:many|much|long|old|far|tall|high|large|big|often|fast|deep|heavy|wide)\b"
            rf"|\b(?:what|which) {_MEASURES}\b|\bwhat(?:['’]s| is| was| are| were) the (?:\w+ ){{0,2}}{_MEASURES}\b",
        ),
        (Kind.NAME, r"\b(?:who|whose|whom)\b"),
        (
            Kind.PLACE,
            r"\bwhere\b|\b(?:what|which) (?:city|country|town|place|region|island|continent|county|province|street|building|room|office)\b",
        ),
    ),
    "zh": (
        (Kind.DATE, r"哪一?年|何时|何年|什么时候|哪一?天|几月|几号|什么时间|哪个(?:年代|世纪)|日期|年份|截止"),
        (Kind.QUANTITY, r"多少|多大|多长|多高|多久|多远|多重|多宽|几(?:个|年|次|岁|人|名|种|天|条|座|层|位|家|所|公里|小时)"),
        (Kind.NAME, r"谁|何人|哪(?:位|些人)|什么人"),
        (Kind.PLACE, r"哪里|哪儿|何处|何地|什么地方|哪个(?:国家|地方|城市|省|地区|州|县|市)|哪(?:国|省|州|县|市)|位于|地点|地址"),
    ),
}  # fmt: skip
# A question of several parts has this many at most, in so many characters.
MOST_PARTS, LONGEST = 4, 500
_QUOTES = re.compile('["“”„«「『《]')
_ASKING = "(?:what|how|when|where|who|why|which|whose|whom)"
_ASKS_EN = re.compile(rf"\b{_ASKING}\b", re.IGNORECASE)
_ASKS_ZH = re.compile(
    r"为什么|为何|什么|哪|多少|多[大久长高]|怎么|怎样|如何|是否|有没有|是不是|何[时地处人年]|谁|几[个年次位种岁天家条]|吗"
)
_CUT_EN = re.compile(rf"[,;]? (?:and|or|but) (?:also )?(?={_ASKING}\b)|[?;] (?=\w)", re.IGNORECASE)
_CUT_ZH = re.compile(r"[，,；;？?]\s*(?=\w)(?:以及|并且|而且|同时|还有|那么?)?|以及|并且")
_HELD = {
    Kind.DATE: re.compile(
        r"\b\d{4}\b|\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{1,2}:\d\d\b|century|\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b"
        r"|\bMay \d|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[\d一二三四五六七八九十〇零]\s*(?:年|月|日|世纪)|年代"
    ),
    Kind.QUANTITY: re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty|hundred|thousand|million|billion"
        r"|half|third|quarter|dozen|twice|once|none|no)\b|[一二三四五六七八九十百千万亿两半]",
        re.IGNORECASE,
    ),
    Kind.PLACE: re.compile(
        r"\b(?:in|at|near|from|to|of|on|through|around|outside|into)\s+(?:the\s+)?[A-Z]"
        r"|位于|坐落|地处|分布|栖息|附近|[省市县区州国岛镇村路街湾港]"
    ),
    Kind.NAME: re.compile(rf"\S\s+[A-Z][\w'’-]+|[A-Z]{{2,}}|·|[{'一'}-{'龥'}]{{2,}}"),
}


def parts(question: str) -> list[str]:
    """The questions that one question asks ("What is X and how does it work?"), each with words of its own; none where it asks one.

    "Which country signed and which other?" asks one: its second half has nothing to search for. Nor is what quotes cut, what is
    longer than `LONGEST` or asks more than `MOST_PARTS` things.
    """
    if len(question) > LONGEST or _QUOTES.search(question):
        return []
    cut, asks = (_CUT_ZH, _ASKS_ZH) if is_cjk(question) else (_CUT_EN, _ASKS_EN)
    found = list(dict.fromkeys(part for part in cut.split(" ".join(question.split())) if part.strip()))
    asked = all(asks.search(part) and not set(query_terms(part)) <= STOP_WORDS for part in found)
    return found if 1 < len(found) <= MOST_PARTS and asked else []


def expected(question: str) -> Kind | None:
    """What the question asks for; None where its wording does not tell."""
    folded = question.lower()
    for kind, pattern in _ASKED["zh" if is_cjk(question) else "en"]:
        if re.search(pattern, folded):
            return kind
    return None


def holds(kind: Kind, sentence: str) -> bool:
    """Whether the sentence holds a thing of this kind."""
    return _HELD[kind].search(sentence) is not None
