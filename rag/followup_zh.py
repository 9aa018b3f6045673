"""Chinese questions that lean on the one before, and how one is rewritten. Pure.

The same rules as in English, and two of Chinese alone: a phrase with 呢 behind it asks the question before of something else,
and "什么时候成立的？" leaves its subject out.
"""

from __future__ import annotations

import re

from rag.followup_en import Lean
from rag.language import QUESTION_WORDS

_QUOTATION = re.compile(r"“[^”]*”|\"[^\"]*\"|《[^》]*》|「[^」]*」|『[^』]*』")
_OPENER = re.compile(
    r"(?:那么?(?![个家位些种本部座里边天年时]|不勒|曲|霸|达慕)|还有|另外|此外(?=[，,])|以及|而且|但是?|然后|同样|除此之外|如果是)[，,]?\s*"
)
_ENDING = re.compile(r"\s*[呢？?。！!]+$")
_FILLER = re.compile(
    r"具体|详细|详情|例外|例子|举个?例?|说明|解释|介绍|更多|其他|其它|别的|一下|一点|可以|能|吗|呢|的|是|有|在|了|也|还|再|那|么|会|要|这|样|如此|原因|时间|地点|哪|天|年|月|日|钱|人|个|次"
)
_PRONOUN = re.compile(r"(?<![其吉])(?:它们?|[他她]们?)(?!人)|(?<![尤极与土耳])其(?![他它余中实次间])")
_POINTER = re.compile(
    r"(?<![应本活不])该(?!不)|(?<![因如彼])此(?!外)|这(?!里有|样)|那(?=[个家位些种本部座里边天年时])|上述|后者|前者|也(?=.{1,8}吗)"
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
    r"^(?:请问)?([^，,。？?\s]{2,16}?)(?=每[年月周天日]|的|是|属于|位于|成立|有(?![限关])|在|由|为什么|被|什么|哪|多少|多[大久长高]|何[时地人]|几|怎|如何|可以|需要|包括|享有|获得)"
)


def leaning(asked: str) -> Lean | None:
    """How a question leans on the one before; None where it stands alone."""
    text = _QUOTATION.sub(lambda match: "〇" * len(match.group()), asked)
    pronoun = _PRONOUN.search(text)
    if pronoun and not _has_antecedent(text, pronoun):
        return Lean(pronoun=pronoun.span())
    opener = _OPENER.match(text)
    body = _ENDING.sub("", text[opener.end() if opener else 0 :])
    asks = QUESTION_WORDS.search(body) is not None
    if opener or (not asks and re.search(r"呢[？?]*$", text)):
        return Lean(fragment="" if asks else body)
    if not re.sub(r"\W", "", _FILLER.sub("", QUESTION_WORDS.sub("", text))):
        return Lean()
    if _INCOMPLETE.match(text):
        return Lean()
    pointer = _POINTER.search(text)
    return Lean() if pointer and not _has_antecedent(text, pointer) else None


def rewritten(asked: str, lean: Lean, before: str, answer: str) -> str | None:  # noqa: ARG001 - as in English
    """The question made to stand alone by what `before` asked; None where the two must be asked together."""
    subject = _subject(before)
    if subject is None:
        return None
    if lean.fragment:
        # the head of a Chinese noun is its end: 病假 takes the place of 年假, 上海 not that of 员工
        alike = lean.fragment[-1] == subject[-1]
        return before.replace(subject, lean.fragment, 1) if alike else None
    if lean.pronoun is None or subject in asked or (asked[slice(*lean.pronoun)][0] in "他她" and "谁" in before):
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
