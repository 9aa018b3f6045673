"""Whether a sentence affirms what a text denies, or turns a comparison round. Pure.

Each clause of the sentence is held against the clauses of the text that share most of its words; only these count. Words
that may or may not deny ("except", "lack", "unable") leave the question open, so that a faithful rewording passes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from rag.text.language import fold, is_cjk, terms

_CLAUSE = re.compile(
    r"[.;:!?](?=\s|$)|[。；：！？，,—–()（）•|]|\n\s*[\n*-]|\s-\s|\b(?:but|although|though|whereas|while|because|however|unless|and|which|who|that|if|when)\b"
    r"|(?:但是?|然而|虽然|因为|所以|而且|并且|如果)"
)
# What looks like a denial and is none, or denies a denial.
_HARMLESS = re.compile(
    r"\bnot (?:only|just|merely|simply|least|to mention|until)\b|\bno(?:t)? (?:later|earlier|sooner|fewer|less|more|longer than|greater|smaller|larger|higher|lower) than\b"
    r"|\bno\.? ?\d|\bno matter\b|\bno doubt\b|\bnothing but\b|\bcannot but\b|\bwhether or not\b|\bor not\b|\bnot un\w+|\bnot necessarily\b|\bwithout (?:doubt|fail|question)\b"
    r"|\bno one else\b|\bif not\b|\bwhy not\b"
    r"|不[仅僅但只光单單论論管断斷久同少过過妨如愧列丹菜止禁料惜满滿良朽锈鏽变變动動等易幸免便适適法足定明对對安息]|不得不|不能不|不可不|不由得|不一定|不起眼|无非|無非|[无無][论論数數线線锡錫限疑穷比双边形私产人机]|无不|無不|莫不|非[常洲凡得遗金]|除非|若非|是非|并无不"
    r"|未[来來婚央]|未必|特别|特別|[分区區级級性类類个個差告识識判辨派离離鉴]别|[分區级級性類個差告識判辨派離]別|别[墅的人名称稱号號处致具有业]|別[墅的人名稱號處致具有]|[沉吞埋淹出隐覆]没|没[收落]|是否|能否|否[则則]|莫[斯扎奈里尔大高泊卧]|[可毫]?无不|禁[军宫城卫忌锢]|了不起|来不及|差不多|对不起|不少于|不多于|不超过|不低于|不高于|不早于|不晚于"
)
_DENIES = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|scarcely|no longer)\b|n[’']t\b"
    r"|不|没有?|沒有?|[无無]|未|并非|非(?=[法官专正])|(?<=[^a-z\s])非|别(?=[再让用把去来在忘])|勿|莫(?=[要再])|禁止|严禁|嚴禁|拒绝|拒絕|从未|毫无|尚未|否认"
)
_OPEN = re.compile(
    r"\b(?:keep\w*|kept|from \w+ing|except(?:ing|ed)?|exclu\w+|lack\w*|fail\w*|unable|refus\w+|den(?:y|ied|ies)|prohibit\w*|forbid\w*|forbad\w*|prevent(?!ive|ion)\w*|avoid\w*"
    r"|unlike\w*|rarely|seldom|few|unless|absen\w+|instead|barr?ed|ban(?:ned|s)?|stopp?\w*|ceas\w+|reject\w*|waive\w*|free of|other than|opt\w* out|too \w+ to|non-?\w+"
    r"|un(?:avail|cover|neces|known|paid|will|success|affect|chang|limit|sure|clear|accept|common|true|fair)\w*"
    r"|in(?:elig|valid|suffic|complet|capab|activ|correct|direct|depend)\w*|dis(?:allow|contin|agree|qualif|abl|approv)\w*|im(?:poss|prop|perf)\w*|il(?:legal|licit)\w*|irre\w+)\b"
    r"|除|缺|失败|失敗|难以|難以|拒|排除|例外|避免|防止|免|禁|停止|取消|放弃|终止|反对|极少|很少|少有|罕|不足|否"
)
_SIDES = [
    # the two sides of each comparison; words of folded text
    (
        r"\b(?:more|greater|higher|larger|bigger|above|over|exceed\w*|at least|no(?:t)? (?:less|fewer|lower) than|minimum|min)\b|多于|大于|高于|超过|超過|至少|不少于|不低于|以上|最低|最少|逾",
        r"\b(?:less|fewer|lower|smaller|below|under|at most|up to|no(?:t)? (?:more|greater|higher) than|maximum|max|within)\b|少于|小于|低于|不到|至多|最多|不多于|不超过|不超過|不高于|以下|最高|以内|不足",
    ),
    (
        r"\b(?:most|highest|largest|biggest|greatest|maximum|longest|tallest)\b|最多|最高|最大|最长|最長",
        r"\b(?:least|lowest|smallest|minimum|shortest|fewest)\b|最少|最低|最小|最短",
    ),
    (
        r"\b(?:increas\w*|ris(?:e|es|en|ing)|rose|grow\w*|grew|rais(?:e|ed|es|ing)|gain\w*|expand\w*|upward|improv\w*)\b|增加|增长|增長|上升|提高|升高|扩大|擴大|上涨|增至|升至|增多",
        r"\b(?:decreas\w*|fall(?:s|en|ing)?|fell|declin\w*|reduc\w*|drop\w*|lower(?:ed|s|ing)|los(?:s|es|ses|t)|shr[aiu]nk\w*|downward|worsen\w*)\b|减少|減少|下降|降低|缩小|縮小|下跌|减至|降至|减轻|减低",
    ),
    (
        r"\b(?:before|prior|previously|earlier|preced\w+|until)\b|之前|以前|[^\s]前(?=[，。、；]|$)|早于|此前|事前",
        r"\b(?:after|afterwards?|later|following|subsequent\w*|since)\b|之后|之後|以后|以後|[^\s]后(?=[，。、；]|$)|晚于|此后|其后|随后|事后",
    ),
    (
        r"\b(?:first|earliest|initial\w*|beginning|start(?:s|ed|ing)?|open(?:s|ed|ing)?|beg[aiu]n\w*)\b|开始|開始|最早|首次|最初",
        r"\b(?:last|latest|final\w*|end(?:s|ed|ing)?|clos(?:e|es|ed|ing)|finish\w*)\b|结束|結束|最晚|最后|最後|最终|停止",
    ),
    (r"\b(?:faster|quicker|fastest)\b|更快|最快", r"\b(?:slower|slowest)\b|更慢|最慢"),
    (
        r"\b(?:better|best|stronger|strongest)\b|更好|最好|更强|最强",
        r"\b(?:worse|worst|weaker|weakest)\b|更差|最差|更弱|最弱",
    ),
    (r"\b(?:longer)\b|更长|更長|长于", r"\b(?:shorter)\b|更短|短于"),
    (r"\b(?:older|oldest|elder)\b|年长|年長|最老", r"\b(?:younger|youngest)\b|年轻|年輕|最年轻"),
    (r"\bnorth(?:ern|wards?)?\b|北", r"\bsouth(?:ern|wards?)?\b|南"),
    (r"\beast(?:ern|wards?)?\b|东|東", r"\bwest(?:ern|wards?)?\b|西"),
    (r"\bleft(?=[- ](?:hand|side|of|bank|wing)|\b$)|左", r"\bright(?=[- ](?:hand|side|of|bank|wing))|右"),
    (r"\b(?:includ\w+|cover(?:s|ed)?)\b|包括|包含|涵盖", r"\bexclud\w+|不包括|不包含|除外"),
    (
        r"\b(?:allow\w*|permit\w*|may|can)\b|允许|可以|准许|允許",
        r"\b(?:prohibit\w*|forbid\w*|forbad\w*|banned)\b|禁止|不准|不得(?!不)|不许",
    ),
    (
        r"\b(?:win|wins|won|victor\w*|defeats?)\b|战胜|胜利|击败|赢得|获胜",
        r"\b(?:lose|loses|defeated by|lost)\b|战败|失败|败给|输给|落败",
    ),
    (
        r"\bmandatory|\brequired|\bobligatory|\bcompulsory|必须|必須|强制",
        r"\boptional\w*|\bvoluntary|可选|自愿|自願|非必须",
    ),
    (
        r"\b(?:accept\w*|approv\w*|support(?:s|ed)?)\b|接受|批准|支持|赞成",
        r"\b(?:reject\w*|oppos\w*|refus\w*)\b|拒绝|反对|否决",
    ),
    (
        r"\b(?:male|men|man|husband|father|son|brother|king)\b|男|丈夫|父亲|儿子",
        r"\b(?:female|women|woman|wife|mother|daughter|sister|queen)\b|女|妻子|母亲",
    ),
    (r"\b(?:buy|buys|bought|purchas\w*)\b|购买|買|收购", r"\b(?:sell|sells|sold)\b|出售|卖出|售出"),
    (r"\b(?:import\w*)\b|进口", r"\b(?:export\w*)\b|出口(?=[到至贸额商产])"),
    (r"\b(?:always)\b|总是|始终", r"\b(?:sometimes|rarely|seldom|occasionally)\b|有时|很少|偶尔"),
    (r"\b(?:all|every|both)\b|全部|所有|都", r"\b(?:none|neither)\b|没有任何|均不|都不"),
]
_COMPARISONS = [(re.compile(one), re.compile(other)) for one, other in _SIDES]
_JOINS = re.compile(r"\b(?:and|or|but|vs)\b|[,;/，；、和与與或及跟]")
# "What is and isn't included", "能和不能": the verb is named once, or too short to be a term.
_BOTH = re.compile(
    r"\b(is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|had) (?:and|or) (?:\1 ?)?(?:not\b|n?[’']t\b)"
    r"|(.{1,2})[和与與或及跟]不\2"
)
_CONDITION = re.compile(r"(?:if|when|whether)\b|如果|若|假如")
# How much of a clause must stand in a clause of the text for the two to be about one thing, 0..1.
ALIKE = 0.5
# How many terms behind a "not" it denies.
DENIED = 4
# How many characters behind a "not" are looked at.
BEHIND = 200


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its content terms, the polarities it may have, what it denies, and which sides of comparisons it takes."""

    text: str
    terms: frozenset[str]
    polarity: frozenset[int]
    denied: frozenset[str]
    sides: tuple[tuple[int, int], ...]


def turned(sentence: str, text: str) -> list[tuple[str, str]]:
    """What the sentence says the other way round than the text, as ("negation" or "comparative", the clause's text)."""
    parts, wholes = clauses(text), whole_sentences(text)
    found: list[tuple[str, str]] = []
    for clause in _compared(sentence):
        best = _best(clause, parts) or _best(clause, wholes)
        if not best:
            continue
        if all(_denies(clause, other) for other in best):
            found.append(("negation", clause.text))
        if all(_opposed(clause, other) for other in best):
            found.append(("comparative", clause.text))
    return list(dict.fromkeys(found))


def denies(text: str) -> bool:
    """Whether a text denies something, or may do so."""
    return any(1 in clause.polarity for clause in clauses(text))


@lru_cache(maxsize=64)
def both_asked(question: str) -> frozenset[str]:
    """The terms of which a question wants what is and what is not ("What is covered and not covered?"): neither is against it.

    None for one that affirms something of one thing and denies it of another ("signed the treaty but did not sign the protocol").
    """
    plain = _plain(fold(question))
    affirmed, last = set[str](), ""
    for part in _JOINS.split(plain):
        cue = _DENIES.search(part)
        behind = _behind(part, cue.end()) if cue else []
        if behind and (behind[0] == last or affirmed.issuperset(behind)):
            return frozenset(behind[:1])
        held = [] if cue else terms(part)
        affirmed.update(held)
        last = held[-1] if held else ""
    match = _BOTH.search(plain)
    return frozenset(_behind(plain, match.end())[:1]) if match else frozenset()


def _compared(sentence: str) -> Sequence[Clause]:
    return [part for part in clauses(sentence) if len(part.terms) >= 2] or whole_sentences(sentence)


def _best(clause: Clause, given: Sequence[Clause]) -> list[Clause]:
    """The clauses that share most of a clause's terms; none when none is alike."""
    shared = [(len(clause.terms & other.terms), other) for other in given]
    most = max((count for count, _ in shared), default=0)
    if not most or most < ALIKE * len(clause.terms):
        return []
    return [other for count, other in shared if count == most]


def _denies(clause: Clause, other: Clause) -> bool:
    """Whether one of two clauses denies what the other affirms, in a word that both hold."""
    if clause.polarity & other.polarity or bool(_CONDITION.match(clause.text)) != bool(_CONDITION.match(other.text)):
        return False
    return bool(clause.denied & other.terms) if clause.polarity == {1} else bool(other.denied & clause.terms)


def _opposed(clause: Clause, other: Clause) -> bool:
    """Whether two clauses about one thing take opposite sides of a comparison."""
    mine, theirs = set(clause.sides), set(other.sides)
    return any(
        (kind, -side) in theirs and (kind, side) not in theirs and (kind, -side) not in mine for kind, side in mine
    )


@lru_cache(maxsize=512)
def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of a text in order."""
    folded = fold(text)
    ends = [0, *(match.start() for match in _CLAUSE.finditer(folded)), len(folded)]
    return tuple(_clause(folded[a:b].strip()) for a, b in pairwise(ends) if folded[a:b].strip())


@lru_cache(maxsize=512)
def whole_sentences(text: str) -> tuple[Clause, ...]:
    """The sentences of a text as one clause each."""
    parts = re.split(r"(?<=[.!?])\s+|(?<=[。！？；])|\n\s*\n", fold(text))
    return tuple(_whole(part.strip()) for part in parts if part and part.strip())


def _whole(text: str) -> Clause:
    """A sentence as one clause. What one of its clauses denies and another affirms is denied only if nothing else is: "allowed
    here, but there it is not allowed" still denies.
    """
    affirmed = [part.terms for part in clauses(text) if 0 in part.polarity]
    whole = _clause(text)
    return replace(whole, denied=whole.denied.difference(*affirmed) or whole.denied)


def _clause(text: str) -> Clause:
    plain = _plain(text)
    cues = list(_DENIES.finditer(plain))
    count = len(cues)
    polarity = {0, 1} if _OPEN.search(plain) or count > 1 else {count}
    sides = tuple(
        (kind, side)
        for kind, pair in enumerate(_COMPARISONS)
        for side, pattern in ((1, pair[0]), (-1, pair[1]))
        if pattern.search(text)
    )
    return Clause(
        text, frozenset(terms(plain)), frozenset(polarity), _denied(plain, [cue.end() for cue in cues]), sides
    )


def _denied(text: str, ends: list[int]) -> frozenset[str]:
    """The first terms behind each denial: what it denies."""
    found: set[str] = set()
    for end in ends:
        found.update(_behind(text, end)[:DENIED])
    return frozenset(found)


def _behind(text: str, end: int) -> list[str]:
    """The terms of what a denial that ends at `end` denies, in order."""
    stop = _CLAUSE.search(text, end, end + BEHIND)
    tail = text[end : stop.start() if stop else end + BEHIND]
    return list(terms(tail[:4] if is_cjk(tail[:2]) else tail))


def _plain(text: str) -> str:
    """A folded text with blanks for what looks like a denial and is none."""
    return _HARMLESS.sub(lambda match: " " * len(match.group()), text)
