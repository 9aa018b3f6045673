"""False sentences made of true ones, a kind of falsehood at a time: deterministic, and blind to how rag checks them.

Each mutation takes a sentence that its span supports and gives one that it does not, or None where the sentence offers
nothing to change. Patterns are the suite's own; nothing of rag is imported.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

FIXTURE = Path(__file__).parent.parent / "fixtures" / "statements.jsonl"
MONTHS = "January February March April May June July August September October November December".split()
_HAN = "一二三四五六七八九"
_WORDS = "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty".split()
_MEASURE = "个位名人次座条种项支部张场层辆架台所户间队集章篇枚颗代号站岁届"
_MONTH = "|".join(MONTHS)
_DATES = re.compile(
    rf"\b(?:{_MONTH})\b|(?<!\d)(?:1\d{{3}}|20\d\d)(?!\d|,\d|\.\d)|(?<=月)\d{{1,2}}(?=[日号])|(?<!\d)\d{{1,2}}(?=月)"
)
_UNITS = (
    ("minutes", "hours"),
    ("minute", "hour"),
    ("days", "weeks"),
    ("day", "week"),
    ("years", "months"),
    ("year", "month"),
    ("km", "miles"),
    ("kilometres", "metres"),
    ("miles", "feet"),
    ("meters", "miles"),
    ("million", "billion"),
    ("percent", "dollars"),
    ("%", " kg"),
    ("MB", "GB"),
    ("公里", "米"),
    ("分钟", "小时"),
    ("小时", "分钟"),
    ("公斤", "吨"),
    ("吨", "公斤"),
    ("美元", "日元"),
    ("人民币", "美元"),
    ("万", "亿"),
    ("米", "公里"),
    ("厘米", "米"),
    ("个月", "年"),
    ("天", "个月"),
    ("岁", "个月"),
)
_OPPOSITES = [
    tuple(pair.split("/"))
    for pair in (
        "more than/less than,at least/at most,higher/lower,larger/smaller,increased/decreased,increase/decrease,before/after,after/before,highest/lowest,"
        "largest/smallest,most/least,minimum/maximum,maximum/minimum,northern/southern,southern/northern,eastern/western,western/eastern,greater/smaller,"
        "rise/fall,rose/fell,reduced/increased,longest/shortest,better/worse,above/below,first/last,"
        "之前/之后,之后/之前,以后/以前,以前/以后,增加/减少,减少/增加,上升/下降,下降/上升,最大/最小,最高/最低,最多/最少,最低/最高,超过/低于,高于/低于,低于/高于,多于/少于,"
        "至少/至多,以上/以下,以下/以上,提高/降低,降低/提高,最早/最晚,北部/南部,南部/北部,东部/西部,西部/东部,东南/西北,西北/东南"
    ).split(",")
]
_NEGATIONS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(does|do|did|is|are|was|were|will|would|should|must|has|have|can|could|may) not ", r"\1 "),
        (r"\bcannot\b", "can"),
        (r"\bno longer ", ""),
        (r"\b(is|are|was|were|will|would|should|must|can|could|may) (?!not\b|no\b|also\b|often\b|n)", r"\1 not "),
        (r"\b(has|have|had) (?=\w+ed\b|been\b)", r"\1 not "),
        (r"没有", "有"),
        (r"不(?=[是能会可包需提])", ""),
        (r"(?<![不可可是还或总都就也便于正若凡但而])是(?!否|不|非|次|日|时|以|由)", "不是"),
        (r"(?<![没具拥所只还享共占设持含没])有(?!限|关|效|人|时|些|名|所|利|机|着|着名|期|的|几|一)", "没有"),
        (r"可以", "不可以"),
        (r"位于", "不位于"),
    )
]
_QUOTE = re.compile(r"“([^”]+)”|\"([^\"]+)\"|「([^」]+)」")


@dataclass(frozen=True, slots=True)
class Statement:
    """A true sentence, the span that supports it, and what a test needs to make it false.

    `names`: proper names in the sentence. `near`: the most similar other span of its document set, with its context.
    """

    id: int
    sentence: str
    span: str
    context: str
    language: str
    origin: str
    names: tuple[str, ...]
    near: str
    near_context: str

    @property
    def held_out(self) -> bool:
        """Whether the statement was not looked at while the checks were written."""
        return self.id % 3 == 2


@dataclass(frozen=True, slots=True)
class Mutation:
    """A sentence that the span does not support, and the kind of its falsehood."""

    kind: str
    base: Statement
    sentence: str
    span: str
    context: str


def statements() -> list[Statement]:
    """The statements of the fixture, in order."""
    rows = [json.loads(line) for line in FIXTURE.read_text(encoding="utf-8").splitlines()]
    return [Statement(**{**row, "id": n, "names": tuple(row["names"])}) for n, row in enumerate(rows)]


def mutations(base: Sequence[Statement]) -> list[Mutation]:
    """Every mutation of the statements, at most one of each kind for each."""
    pools = {
        language: sorted({name for item in base if item.language == language for name in item.names})
        for language in ("en", "zh")
    }
    found = []
    for item in base:
        for kind, change in KINDS.items():
            rng = random.Random(f"{kind}/{item.sentence}")
            said = change(item, rng, pools[item.language])
            if said is not None and said != item.sentence:
                found.append(Mutation(kind, item, said, item.span, item.context))
        if item.near:
            found.append(Mutation("source", item, item.sentence, item.near, item.near_context))
    return found


def _replace(text: str, match: re.Match[str], new: str, group: int = 0) -> str:
    return text[: match.start(group)] + new + text[match.end(group) :]


def _number(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    dates = [match.span() for match in _DATES.finditer(item.sentence)]
    words = "|".join(_WORDS)
    pattern = rf"(?<![\w.,])\d+(?:,\d{{3}})*(?:\.\d+)?(?![\w,]*[a-zA-Z\d])|\b(?:{words})\b(?!-)|(?<=第)[{_HAN}](?![{_HAN}十百千])|(?<![{_HAN}十百千万第])[{_HAN}两](?=[{_MEASURE}])"
    if item.language == "zh":
        pattern = pattern.replace(r"(?<![\w.,])", r"(?<![A-Za-z\d.,])").replace(
            r"(?![\w,]*[a-zA-Z\d])", r"(?![\d.,]*\d|[A-Za-z])"
        )
    places = [
        m
        for m in re.finditer(pattern, item.sentence)
        if not any(a <= m.start() < b for a, b in dates) and m.group() != "一"
    ]
    rng.shuffle(places)
    for match in places:
        for _ in range(20):
            new = _other_number(match.group(), rng)
            if new not in item.span and new not in item.sentence and not _equal_word(new, item.span):
                return _replace(item.sentence, match, new)
    return None


def _equal_word(number: str, span: str) -> bool:
    """Whether a small number stands in the span in another form."""
    forms = {
        str(n): w for n, w in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
    }
    back = {w: d for d, w in forms.items()} | {"twenty": "20", "thirty": "30", "forty": "40", "fifty": "50"}
    han = dict(zip(_HAN, "123456789", strict=True))
    other = [forms.get(number), back.get(number), han.get(number), {v: k for k, v in han.items()}.get(number)]
    return any(form is not None and form in span.lower() for form in other)


def _other_number(old: str, rng: random.Random) -> str:
    if old in _WORDS:
        return rng.choice([word for word in _WORDS if word != old])
    if old in _HAN or old == "两":
        return rng.choice([c for c in _HAN[2:] if c != old])
    digits = [i for i, c in enumerate(old) if c.isdigit()]
    at = rng.choice(digits)
    new = rng.choice([d for d in "123456789" if d != old[at]])
    return old[:at] + new + old[at + 1 :]


def _unit(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    for old, new in _UNITS:
        ends = r"(?![a-zA-Z])" if old[0].isalpha() and old.isascii() else ""
        match = re.search(rf"(?<=\d)[\s-]?({re.escape(old)}){ends}", item.sentence)
        if match and f"{match.group()[: -len(old)]}{new}" not in item.span:
            return _replace(item.sentence, match, new, 1)
    return None


def _date(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    places = list(_DATES.finditer(item.sentence))
    rng.shuffle(places)
    for match in places:
        old = match.group()
        for _ in range(20):
            if old in MONTHS:
                new = rng.choice(MONTHS)
            elif len(old) == 4:
                new = str(int(old) + rng.choice((-30, -12, -7, -3, -2, -1, 1, 2, 4, 9, 20)))
            else:
                new = str(rng.randint(1, 28 if item.sentence[match.end() : match.end() + 1] in "日号" else 12))
            if new != old and not re.search(rf"(?<!\d){new}(?!\d)", item.span):
                return _replace(item.sentence, match, new)
    return None


def _name(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    names = [name for name in item.names if name in item.sentence]
    if not names:
        return None
    old = rng.choice(names)
    around = f"{item.span}\n{item.context}".lower()
    others = [
        name for name in pool if name.lower() not in around and not any(part.lower() in around for part in name.split())
    ]
    same = [name for name in others if abs(len(name) - len(old)) <= (1 if item.language == "zh" else 6)]
    return item.sentence.replace(old, rng.choice(same)) if same else None


def _negation(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    for pattern, replacement in _NEGATIONS:
        if pattern.search(item.sentence):
            return pattern.sub(replacement, item.sentence, count=1)
    return None


def _comparative(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    for old, new in _OPPOSITES:
        match = re.search(rf"\b{old}\b" if old.isascii() else old, item.sentence)
        if match:
            return _replace(item.sentence, match, new)
    return None


def _quote(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    match = _QUOTE.search(item.sentence)
    if match is None:
        return None
    group = match.lastindex or 1
    words = match[group].split() if item.language == "en" else list(match[group])
    other = re.findall(r"[a-z]{4,}", item.near) if item.language == "en" else re.findall(r"[\u4e00-\u9fff]", item.near)
    other = [word for word in other if word not in words]
    if not other or not words:
        return None
    words[rng.randrange(len(words))] = rng.choice(other)
    return _replace(item.sentence, match, (" " if item.language == "en" else "").join(words), group)


# Two names between which one of these stands are told of alike: their places may be changed.
_ALIKE = re.compile(r"\b(?:and|or|with|between|both|as well as|/)\b|[、和与及或,，/]")
_ONLY = [
    (re.compile(r"\b(is|are|was|were|can|may|covers?|includes?|applies|has|have|had) (?=\w)"), r"\1 only "),
    (re.compile(r"(?<!不)(可以|包括|拥有|位于|负责)"), r"只\1"),
]
_LACKS = [
    (re.compile(r"\b(?:includes|covers|contains|supports|offers|provides|has)\b(?! (?:been|to|not|no)\b)"), "lacks"),
    (re.compile(r"\b(?:include|cover|contain|support|offer|provide)\b"), "lack"),
    (re.compile(r"(?:包括|包含|拥有|具有|含有|设有)"), "缺少"),
]
_CAUSES = [
    re.compile(r"^(?P<lead>)(?P<a>[^,;]{12,}?)(?P<mid>,? because (?:of )?)(?P<b>[^,;.]{8,})(?P<end>.*)$", re.IGNORECASE),
    re.compile(r"^(?P<lead>)(?P<a>[^,;]{5,}?)(?P<mid> (?:causes?|caused|leads? to|led to|results? in|resulted in) )(?P<b>[^,;.]{5,})(?P<end>.*)$"),
    re.compile(r"^(?P<lead>.*?[，；]|)(?P<a>[^，；。]{2,}?)(?P<mid>导致|引起|造成|引发)了?(?P<b>[^，；。]{2,})(?P<end>.*)$"),
    re.compile(r"^(?P<lead>.*?因为|.*?由于)(?P<a>[^，；。]{3,})(?P<mid>，(?:所以|因此|因而)?)(?P<b>[^，；。]{3,})(?P<end>.*)$"),
]  # fmt: skip


def _roles(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    """The first two names change places, where nothing tells of both alike."""
    places = sorted((item.sentence.find(name), name) for name in set(item.names) if name in item.sentence)
    for (a, one), (b, other) in pairwise(places):
        between = item.sentence[a + len(one) : b]
        if b > a + len(one) and not _ALIKE.search(between) and one not in other and other not in one:
            return item.sentence[:a] + other + between + one + item.sentence[b + len(other) :]
    return None


def _only(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    return None if re.search(r"\bonly\b|[只仅]", item.span) else _first_of(_ONLY, item.sentence)


def _lacks(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    return _first_of(_LACKS, item.sentence)


def _first_of(changes: Sequence[tuple[re.Pattern[str], str]], sentence: str) -> str | None:
    for pattern, replacement in changes:
        if pattern.search(sentence):
            return pattern.sub(replacement, sentence, count=1)
    return None


def _cause(item: Statement, rng: random.Random, pool: Sequence[str]) -> str | None:
    """Cause and effect change places."""
    for pattern in _CAUSES:
        if found := pattern.match(item.sentence):
            return f"{found['lead']}{found['b']}{found['mid']}{found['a']}{found['end']}"
    return None


_CONTRACTIONS = re.compile(r"\b(is|are|was|were|does|do|did|has|have|had|can|could|would|should)(?: )?not\b")
_ENGLISH_DATE = re.compile(rf"\b(\d{{1,2}}) ({_MONTH}),? (\d{{4}})\b")
_CHINESE_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号](?!\d)")
PARAPHRASES: dict[str, Callable[[str], str]] = {
    "contraction": lambda said: _CONTRACTIONS.sub(lambda m: f"{m[1]}n't" if m[1] != "can" else "can't", said),
    "separator": lambda said: re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", said),
    "date": lambda said: _CHINESE_DATE.sub(
        lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", _ENGLISH_DATE.sub(r"\2 \1, \3", said)
    ),
    "source": lambda said: f"根据资料，{said}" if re.search(r"[一-鿿]", said) else f"According to the sources, {said}",
    "item": lambda said: f"- **{said}**",
}


def paraphrases(base: Sequence[Statement]) -> list[Mutation]:
    """True sentences in another form: their span supports them as it supports the statement."""
    return [
        Mutation(kind, item, said, item.span, item.context)
        for item in base
        for kind, change in PARAPHRASES.items()
        if (said := change(item.sentence)) != item.sentence
    ]


Change = Callable[[Statement, random.Random, Sequence[str]], str | None]
KINDS: dict[str, Change] = {
    "number": _number,
    "unit": _unit,
    "date": _date,
    "name": _name,
    "negation": _negation,
    "comparative": _comparative,
    "quote": _quote,
    "roles": _roles,
    "only": _only,
    "lacks": _lacks,
    "cause": _cause,
}
