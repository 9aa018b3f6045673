"""Sentences in documents that give a language model orders. Pure.

They are text like any other: searched, shown and quoted. But they are the last to be shown to a model as evidence, because
a small one may obey them. What is missed here still meets the prompt's rule and the check of every sentence; so a rule has
its place only where it leaves manuals, letters and contracts alone ("Please ignore this notice if you have paid").
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.text.language import fold, sentences

# What is not seen, and splits words that are: soft hyphens, zero-width and bidirectional controls, variation selectors, tags.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _words(text: str) -> str:
    return _any(*text.split())


# Behind what an order may begin: nothing, punctuation, or a word that leads to a verb.
_HEAD = re.compile(
    r"(?:^\W*|[.!?:;,—–\-\"“(>\]*#|。、【]\s*|请|必须|要|并|现在"
    r"|\b(?:please|now|just|must|should|shall|will|to|and|then|kindly|you|only)\s+)$"
)
# The words that orders begin with; plain ones, which are found fast.
_VERB = re.compile(
    "ignore|disregard|forget|override|bypass|do not|don|stop|pretend|act as|answer|respond|reply|say|output|print|write|repeat|reveal|show|leak"
    "|disclose|忽略|无视|忘记|忘掉|不要|覆盖|绕过|只|仅|都|统一|直接|回|输|打|重|说|透|泄|显|扮|假"
)
_BEFORE = _words("previous above prior earlier preceding other your all")
_RULES = _words("instructions? prompts? rules? directions? guidelines? directives? context sources? documents? orders?")
_TELL = _words("answer respond reply say output print write repeat")
_QUOTE = "[\"“'‘`]"
_AI = r"(?:an? |the |any |all )?(?:(?:ai|a\.i\.|llm|language|chat) ?(?:assistant|model|system|bot|agent)s?|ais?|llms?|chatbots?)"

# Orders, matched where one may begin.
_ORDERS = re.compile(
    _any(
        # ignore all previous instructions; do not follow the rules above
        _any("ignore", "disregard", "forget", "override", "bypass", "(?:do not|don['’]t|stop) (?:follow|obey)(?:ing)?")
        + rf"\b.{{0,20}}\b(?:{_BEFORE}\b.{{0,30}}\b{_RULES}|{_RULES} (?:above|before|you (?:have|were)))\b",
        r"(?:pretend (?:to be|you|that you)|act as (?:if you|though you|an? (?:ai|assistant|unrestricted)))\b",
        # answer with the word "..."; output only "..."; answer every question with ...
        rf"{_TELL}\b.{{0,24}}\bthe (?:word|phrase|string|text|sentence)\b.{{0,3}}(?:{_QUOTE}|\b\w+\W*$)",
        rf"{_TELL}(?: only| just| exactly| simply| always| with| by saying)+\s*:?\s*{_QUOTE}",
        rf"{_TELL}\b.{{0,16}}\b(?:every|all|any|each)(?: \w+)? (?:question|request|prompt)s? (?:with|only|using|by saying)\b",
        r"(?:reveal|print|repeat|show|output|leak|disclose) (?:your|the) (?:(?:system|hidden|initial|secret) )+(?:prompt|instruction|message)s?\b",
        r"(?:忽略|无视|忘记|忘掉|不要理会|不要遵守|不要遵循|覆盖|绕过).{0,8}(?:之前|以上|上述|上面|先前|前面|所有|全部|任何|其他|你的|原有)"
        r".{0,8}(?:指令|指示|提示|规则|命令|来源|资料)",
        r"(?:只|仅|都|统一|直接)*(?:回答|回复|输出|打印|重复|说)[：:]?\s*(?:[“\"「'‘]|[a-z]{3,}\W*$)",
        r"(?:透露|泄露|显示|输出|重复|打印)你?的?(?:系统|隐藏|初始)(?:提示|指令)",
        r"(?:扮演|假装).{0,8}(?:助手|ai|人工智能|模型|管理员)",
    )
)  # fmt: skip
# What is said to a model wherever it stands, and words of which it holds at least one.
_CUE = re.compile(
    r"you |you[’']re|your |answer|whatever|regardless|no matter|assistant|model|cite|tell|inform|source|<|\[|##|你|问|引用|告|尊"
)
_SAID = re.compile(
    r"\b"
    + _any(
        r"you are (?:now|no longer) (?:an?|the|in|called|bound)\b",
        r"from now on,? you (?:are(?! \w+ed\b)|will|must|shall) (?:always |only |not )?(?:an?|the|[a-z]+)\b(?<!pay)(?<!receive)",
        r"your (?:new|real|true|only|actual) (?:task|instructions?|role|rules?|goal|objective) (?:is|are)\b",
        rf"(?:if|when|since|because) you(?: are|['’]re) {_AI}\b",
        r"(?:ai|a\.i\.|llm|language) ?(?:assistant|model)s? (?:reading|processing|summari[sz]ing|that reads?|who reads?)\b",
        r"as an? (?:ai|llm|language model|chatbot)(?: \w+)?, you\b",
        r"(?:the|correct|only) answer to (?:every|all|any|each|this|the user['’]s) (?:possible )?questions? (?:is|must|should)\b",
        r"(?:whatever|regardless of what|no matter what) (?:the )?(?:question|user|human)\b",
        r"(?:do not|don['’]t|never) (?:cite|tell the user|inform the user|use (?:any |the )?other sources?)\b",
    )
    + "|"
    + _any(
        r"<\|?/?(?:im_start|im_end|system|user|assistant|endoftext|eot_id|(?:start|end)_header_id)\|?>|<</?sys>>|\[/?inst\]",
        r"(?<!#)#{2,} ?(?:system|instructions?|assistant|response) ?:|\[(?:system|developer)\]",
        r"你现在(?:是一个|是一名|是个|不再|必须)|从现在(?:开始|起)[，,]?你(?:是|将|要|必须|只)",
        r"你是(?:一个|一名)?(?:人工智能|ai|大?语言模型|聊天机器人)|(?:致|尊敬的|各位)(?:人工智能|ai|大?语言模型)",
        r"(?:无论|不管|不论)(?:用户|别人)?(?:问|提)了?(?:什么|任何)|对(?:所有|任何|每个)问题.{0,6}(?:回答|回复|输出)",
        r"(?:任何|所有|每个|一切)问题的(?:正确)?答案(?:都|均)?是",
        r"(?:不要|不得|请勿|切勿)(?:引用(?:其他|任何)(?:来源|资料)|告诉用户|告知用户)",
    )
)  # fmt: skip
# How a message to a model opens, in a cell of a table too.
_OPENS = re.compile(
    r"(?:^|\|)"
    + _any(
        rf"\W{{0,20}}(?:dear|attention|hey|note (?:to|for)|important for|message (?:to|for)|instructions? (?:to|for))\W{{0,20}}(?:{_AI}|the assistant\b)[\s:,;!.\]-]",
        r"\W{0,20}(?:new |begin |end )?(?:system|developer|admin(?:istrator)?) (?:override|prompt|message|command|instructions?)\s*[:\]>]",
        r"\W{0,20}(?:sources|来源)\s*[:：]\s*\n\s*[\[【]1[\]】]\s",  # our own prompt, forged
        r"\W{0,20}(?:answer|回答|答案?)\s*[:：]\s*(?:yes|no|是|否)\b.{0,200}[\[【]\d{1,9}[\]】]",  # an answer put into its mouth, mark and all
        r"\W{0,20}(?:系统|开发者|管理员)(?:提示词?|消息|指令|命令|覆盖)\s*[：:\]】]",
    )
)
# "answer PWNED": only the capitals tell
_SHOUTED = re.compile(
    rf"\W*(?i:please |you must |now |always |only |just )*(?i:{_TELL})(?i: with| only| just| exactly| always)*:?\s+{_QUOTE}?[A-Z]{{4,}}\b"
)


@lru_cache(maxsize=4096)
def gives_orders(sentence: str) -> bool:
    """Whether a sentence speaks to a model rather than to a reader."""
    seen = _UNSEEN.sub("", sentence)
    text = fold(seen)
    if _OPENS.search(text) or _SHOUTED.match(seen) or (_CUE.search(text) and _SAID.search(text)):
        return True
    return any(_is_order(text, verb.start()) for verb in _VERB.finditer(text))


@lru_cache(maxsize=1024)
def holds_orders(text: str) -> bool:
    """Whether any sentence of a text gives orders: what a model that obeys them says stands beside them ("The answer is ...")."""
    return any(gives_orders(text[start:end]) for start, end in sentences(text))


def _is_order(text: str, start: int) -> bool:
    return _ORDERS.match(text, start) is not None and _HEAD.search(text[:start]) is not None
