"""What a sentence of an answer states, and whether it states anything: lead-ins, headings and talk about the sources do not. Pure."""

from __future__ import annotations

import re

from rag.text.language import CJK_RUN, STOP_WORDS, fold, words
from rag.verification.facts.facts import facts_of

# Answers to nobody ("Yes."), and sentences about the sources instead of from them.
_SAYS_NOTHING = re.compile(
    r"(?:yes|no|sure|certainly|of course|okay|ok|here(?: is| are|'s)[^.]{0,40}|i hope this helps|是的?|不是|好的?|对|没有)[.!,。！，:：]?$"
    r"|(?:yes|no)[.,]?\s*(?=(?:the )?sources)|(?:the |these |this )?(?:sources?|documents?|information|answer)\b[^.]{0,40}\b(?:contains?|is stated|is found|can be found|is provided|is mentioned|answers?)\b[^.]{0,60}[.]?$"
    r"|(?:以上|上述|这些|该)?(?:资料|文档|来源|信息)(?:中)?(?:明确)?(?:包含|提供|给出)了?[^，。]{0,12}(?:答案|信息)。?$"
)
# Sentences that send the reader elsewhere for what they were to tell; with a number or a date they tell something all the same.
_SENDS_AWAY = re.compile(
    r"(?<!\bas )\b(?:found|outlined|listed|described|stated|provided|mentioned|given|explained|detailed|discussed) in(?: (?:the )?(?:\w+ )?(?:sources?|passages?)\b|[.]?$)"
    r"|(?:可以?|能)?在(?:以上|上述|这些|该)?(?:资料|来源)(?:中|里)?(?:找到|查到|看到)"
)
# "According to the provided documents, …". That they state something is a claim, for they may deny it.
_OF_SOURCES = r"(?:the |these |this )?(?:provided |given |above )?(?:sources?|documents?|documentation|text|passages?|context|information)"
_ACCORDING = re.compile(
    rf"^(?:(?:according to|based on) {_OF_SOURCES}(?: provided| given| above)?,\s+"
    r"|(?:根据|依据|按照)(?:所?提供的|上述|以上|该|这些)?(?:资料|来源|文档|文本|信息|内容|材料)(?:显示|记载|所述|中的信息)?[，,]\s*)(?=\S)",
    re.IGNORECASE,
)
_HEADING = re.compile(r"#{1,6}\s.*[^.。!！?？]")


def statement(sentence: str) -> str:
    """What a sentence says, without white space around it, the number or bullet of a list item before it, and without saying
    that the sources say it.
    """
    body = re.sub(r"^(?:\d{1,3}(?:[.)](?=\s)|、)|[-*•](?=\s))\s*", "", sentence.strip())
    return _ACCORDING.sub("", body)


def states_something(sentence: str) -> bool:
    """Whether there is anything to verify: not a question, lead-in ("Here is what the documents say:"), heading or bare mark."""
    body = re.sub(r"[*_#`>]+", "", statement(sentence)).strip()
    if not any(map(str.isalnum, body)) or _SAYS_NOTHING.match(fold(body)) or _HEADING.fullmatch(sentence.strip()):
        return False
    if body.endswith(("?", "？")):
        return False
    if facts_of(body).undated or facts_of(body).dates:
        return True
    if body.endswith((":", "：")) or (_SENDS_AWAY.search(fold(body)) and not facts_of(body).quantities):
        return False
    return any(CJK_RUN.match(word) or word not in STOP_WORDS for word in words(fold(body)))
