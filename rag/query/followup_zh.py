"""Chinese questions that lean on the one before, and how one is rewritten. Pure.

The same features as in English. A phrase with 呢 behind it asks the question before of something else; words are not told
apart in Chinese, so what is new is counted in characters, two to a word.
"""

from __future__ import annotations

import re
from collections.abc import Set

from rag.query.followup_en import Lean
from rag.text.language import QUESTION_WORDS, bigrams, is_cjk, words

MOST_WORDS = 3.0  # that are counted
# Log-odds that a question leans; fitted by `python -m tests.rag.query.fitting`, which tells on what.
BIAS = 3.77
WEIGHTS = {
    "pronoun": 2.36,
    "pointer": 1.97,
    "opener": -0.75,
    "phrase": 0.71,
    "0.5 own": -0.39,
    "1 own": -0.58,
    "1.5 own": -1.16,
    "2 own": -2.39,
    "3 own": -0.29,
    "own thing": -1.85,
    "phrase of own": 1.19,
    "known words": 0.66,
    "no words": 0.33,
}

_QUOTATION = re.compile(r"“[^”]*”|\"[^\"]*\"|《[^》]*》|「[^」]*」|『[^』]*』")
_OPENER = re.compile(
    r"(?:那么?(?![个家位些种本部座里边天年时]|不勒|曲|霸|达慕)|还有|另外|此外(?=[，,])|以及|而且|但是?|然后|同样|除此之外|如果是)[，,]?\s*"
)
_ENDING = re.compile(r"\s*[呢？?。！!]+$")
# Words of which every subject has some: asked for alone, they are those of the subject before.
_GENERAL = re.compile(r"价格|电话|地址|期限|上限|下限|区别|步骤|条件|流程|要求|限制|后果|按钮|间隔|意思|情况")
_FILLER = re.compile(
    r"处理|解决|确定|一样|相同|商量|延期|安全|常见|超过|包括|包含|发我|发给我|给我|支持|适用|具体|详细|详情|例外|例子|举个?例?|说明|解释|介绍|更多|其他|其它|别的|一下|一点|可以|能|吗|呢|的|是|有|在|了|也|还|再|那|么|会|要|这|样|如此|原因|时间|地点|哪"
)
# Measure words that a question word leaves behind.
_LEFT_OVER = re.compile(r"(?<![\u4e00-\u9fff])[天年月日钱人个次台条件张份种家位](?![\u4e00-\u9fff])")
_PRONOUN = re.compile(r"(?<![其吉])(?:它们?|[他她]们?)(?!人)|(?<![尤极与土耳])其(?![他它余中实次间])")
_POINTER = re.compile(
    r"(?<![应本活不])该(?!不)|(?<![因如彼])此(?!外)|这(?!里有|样|[个款套]?(?:软件|产品|系统|工具|程序|公司|文档|客户端|平台))|第[一二三四五六][个种项条款步点](?=[是呢怎要能有？?]|$)|那(?=[个家位些种本部座里边天年时])|上述|后者|前者|也(?=.{1,8}吗)"
)
# How a question begins that leaves out its subject, or has it later.
_NO_SUBJECT = re.compile(
    r"(?:那|那么|还|也|具体|一般|最[多少长短快晚早大高])?(?:能不?能?|可不?可?以|要不?要?|会不?会?|有没?有?|没有?|是不?是?|需不?需?要|用|不|包括|最|多[久少长大高]|几|怎么|如何|咋"
    r"|为什么|为啥|去哪|谁|哪|[\u4e00-\u9fff](?:多|几|到|了)|什么时候|什么情况)"
)
_CLAUSE = re.compile(r"[，,；;]|[后前时]|之后|之前")
_SCENE = re.compile(
    r"去年|今年|明年|目前|现在|当时|后来|最初|最后|平时|通常|一般|请问|如果|假如|当|对于?|关于|根据|在|从|由|把|被|和|与"
)
# What leaves out who or what it is about: "什么时候成立的？", "谁来审批？", "可以续签吗？", "怎么解决？", "错过了怎么办？"
_INCOMPLETE = re.compile(
    r"(?:"
    r"(?:是|在|由|于)*(?:什么时候|何时|哪一?年|哪一?天|哪里|哪儿|何处|谁|怎么|如何)[\u4e00-\u9fff]{1,5}的"
    r"|由?谁来?[\u4e00-\u9fff]{2}"
    r"|(?:可不?可?以|能不?能?|需要|需不需要)[\u4e00-\u9fff]{1,2}吗"
    r"|(?:怎么|如何)(?:解决|处理|修复|避免|计算|办|做|用)"
    r"|(?:如果|要是)?[\u4e00-\u9fff]{1,2}(?:了|之后|以后|的话)怎么办"
    r")[？?]?$"
)
_SUBJECT = re.compile(
    r"^(?:请问)?([^，,。？?\s]{2,16}?)(?=每[年月周天日]|的|是|属于|位于|成立|有(?![限关])|在|由|为什么|被|多[大久长高]|何[时地人]|怎|如何|可以|需要|包括|享有|获得)"
)

# What follows the name of a person: "鲁迅的原名", "李白是哪个朝代的"; not "年假怎么请".
_PERSON = re.compile(r"的|是(?!多|什么|怎|几)|在|出生|毕业")


def leaning(asked: str, before: Set[str]) -> Lean | None:
    """How a question leans on the one before; None where it stands alone. `before`: characters and words said there."""
    told = features(asked, before)
    if sum(WEIGHTS[name] * value for name, value in told.items()) + BIAS <= 0:
        return None
    text = _unquoted(asked)
    pronoun = _pronoun(text)
    if pronoun:
        return Lean(pronoun=pronoun.span())
    return Lean(fragment=_body(text) if told["phrase"] else "")


def features(asked: str, before: Set[str]) -> dict[str, float]:
    """What tells whether a question leans on the one before; each 0 or 1 but for the counts of words, a word as two characters."""
    text = _unquoted(asked)
    opener = _OPENER.match(text)
    body = _body(text)
    asks = QUESTION_WORDS.search(body) is not None
    rest = _rest(body) if _rest(_GENERAL.sub(" ", body)) else []
    counts = [_counted(word, before) for word in rest]
    own = sum(count for count, _ in counts) + 2.0 * (text != asked)
    known = sum(count for _, count in counts)
    pointer = _POINTER.search(text)
    points = pointer is not None and not _has_antecedent(text, pointer)
    pronoun = _pronoun(text) is not None
    phrase = not asks and (opener is not None or re.search(r"呢[？?]*$", text) is not None)
    unnamed = _NO_SUBJECT.match(text) is not None
    opens_with_own = bool(counts) and counts[0][0] >= 1 and body.startswith(rest[0])
    return {
        "pronoun": float(pronoun),
        "pointer": float(points),
        "opener": float(opener is not None),
        "phrase": float(phrase),
        **{f"{least:g} own": float(own >= least) for least in (0.5, 1, 1.5, 2, 3)},
        "own thing": float(opens_with_own and not (phrase or unnamed or pronoun or points)),
        "phrase of own": min(own, MOST_WORDS) * float(phrase),
        "known words": min(known, MOST_WORDS),
        "no words": float(not rest),
    }


def _rest(body: str) -> list[str]:
    """What a question speaks of, once what only asks or joins is gone."""
    return words(_LEFT_OVER.sub(" ", _FILLER.sub(" ", QUESTION_WORDS.sub(" ", body))))


def _counted(word: str, before: Set[str]) -> tuple[float, float]:
    """How much of a word is new, and how much was said before: a Latin word is one, two Chinese characters are."""
    if not is_cjk(word):
        return (0.0, 1.0) if word in before else (1.0, 0.0)
    pairs = bigrams(word)
    told = [any(pair in before for pair in pairs[max(place - 1, 0) : place + 1]) for place in range(len(word))]
    return told.count(False) / 2, told.count(True) / 2


def _unquoted(asked: str) -> str:
    return _QUOTATION.sub(lambda match: "〇" * len(match.group()), asked)


def _body(text: str) -> str:
    """A question without what opens it and without its end mark."""
    opener = _OPENER.match(text)
    return _ENDING.sub("", text[opener.end() if opener else 0 :])


def _pronoun(text: str) -> re.Match[str] | None:
    """The pronoun that nothing in its own question explains."""
    first = _PRONOUN.search(text)
    return None if first is None or _has_antecedent(text, first) else first


def rewritten(asked: str, lean: Lean, before: str, answer: str) -> str | None:  # noqa: ARG001 - as in English
    """The question made to stand alone by what `before` asked; None where the two must be asked together."""
    subject = _subject(before)
    if subject is None:
        return None
    if lean.fragment:
        # the head of a Chinese noun is its end: 病假 takes the place of 年假, 上海 not that of 员工
        alike = lean.fragment[-1] == subject[-1]
        return before.replace(subject, lean.fragment, 1) if alike else None
    if (
        lean.pronoun is None
        or subject in asked
        or (asked[slice(*lean.pronoun)][0] in "他她" and not _PERSON.match(before, len(subject)))
    ):
        return None
    start, end = lean.pronoun
    owns = asked[start:end] == "其"
    return f"{asked[:start]}{subject}{'的' if owns else ''}{asked[end:]}"


def _has_antecedent(text: str, pointing: re.Match[str]) -> bool:
    """Whether the question itself names what a word in it points to: in a clause before, or as what a possessive belongs to."""
    before = QUESTION_WORDS.sub("", _SCENE.sub("", text[: pointing.start()]))
    cuts = [cut.end() for cut in _CLAUSE.finditer(before)]
    owns = pointing.group() == "其" or text[pointing.end() :].startswith("的")
    named = before if owns else before[: cuts[-1]] if cuts else ""
    return len(re.findall(r"[A-Za-z\u4e00-\u9fff]", named)) >= 2


def _subject(before: str) -> str | None:
    """What a question is about: a title or quotation in it, else what stands before its verb."""
    quoted = _QUOTATION.search(before)
    if quoted:
        return quoted.group()
    match = _SUBJECT.match(before)
    found = match.group(1) if match else ""
    return found if found and not QUESTION_WORDS.search(found) else None
