"""Greetings, thanks and questions about Docent itself: a polite line instead of a search result. Pure.

Only a text that is nothing else counts: every part of it between punctuation must be such a phrase.
"""

from __future__ import annotations

import re
from enum import Enum

from rag.text.language import fold, language


class _Kind(Enum):
    GREETING = 0
    THANKS = 1
    ABOUT = 2


def _phrases(text: str) -> frozenset[str]:
    return frozenset(phrase.strip() for phrase in text.split("|"))


_PHRASES = {
    _Kind.GREETING: _phrases(
        "hello|hi|hey|hiya|howdy|greetings|good morning|good afternoon|good evening|good day|how are you|how are you doing"
        "|how are you today|how do you do|nice to meet you|pleased to meet you|what's up"
        "|你好|您好|你们好|大家好|哈喽|哈啰|嗨|嘿|喂|早|早安|早上好|上午好|中午好|下午好|晚上好|在吗|你好吗|您好吗|最近怎么样|很高兴认识你"
    ),
    _Kind.THANKS: _phrases(
        "thanks|thank you|many thanks|thx|ty|cheers|ok|okay|great|perfect|super|got it|i see|understood|very good|well done|bye"
        "|goodbye|see you|good night|have a nice day|that helped|that helps|that worked|it worked|it works now|works now|nice|cool|awesome|great answer|good answer|nice one|thank u|tysm|no thanks|no thank you|that is all|that's all"
        "|谢谢|多谢|感谢|非常感谢|谢了|好|好的|行|可以了|太好了|很好|再见|拜拜|晚安|收到|好的收到|嗯|嗯嗯|嗯好|明白|明白了|知道了|了解|了解了|没事了|辛苦"
    ),
    _Kind.ABOUT: _phrases(
        "who are you|what are you|what is your name|what's your name|what can you do|what can you do for me|how can you help"
        "|how can you help me|how do you work|are you a bot|are you a robot|are you an ai|are you human|what can i ask|what can i ask you|what do you know|help|help me|can you help me"
        "|你是谁|您是谁|你是什么|你叫什么|你叫什么名字|你能做什么|你会什么|你可以做什么|你能干什么|你能帮我做什么|你有什么功能|怎么用|怎么使用"
        "|你怎么工作|你是机器人吗|你是人工智能吗|你是ai吗|帮助|帮帮我|你能帮我吗|你能回答什么|我能问什么|我可以问什么"
    ),
}
# What may stand behind a phrase and adds nothing.
_TAIL = re.compile(
    r"(?:\s+(?:there|everyone|all|again|docent|team|folks|mate|friend|sir|please|pls|plz|a lot|so much|very much|later|then|for your help|for that))+$"
    r"|(?:你|您|你们|大家|了|啦|啊|呀|吗|哦|哈|的帮助)$"
)
_PART = re.compile(r"[,.!?;~…，。！？；、～\n]+")
_LINES = {
    "en": {
        _Kind.GREETING: "Hello! Ask me something about your documents, and I will answer with quotes from them.",
        _Kind.THANKS: "You are welcome. Ask whenever you need something from your documents.",
        _Kind.ABOUT: (
            "I answer questions about the documents in this collection and cite the exact words each sentence rests on. "
            "Ask me about something that they cover."
        ),
    },
    "zh": {
        _Kind.GREETING: "你好！请就你的文档提问，我会引用原文来回答。",
        _Kind.THANKS: "不客气。需要查阅文档时随时提问。",
        _Kind.ABOUT: "我根据这个集合里的文档回答问题，每句话都注明所依据的原文。请问一个文档里有的内容。",
    },
}
# No phrases make a longer text.
LONGEST = 120


def polite_line(text: str) -> str | None:
    """What to say to a text that is nothing but a greeting, thanks, or a question about Docent; None for all others.

    In the text's language. Of several phrases the last kind counts: "Hi, who are you?" is a question.
    """
    if len(text) > LONGEST:
        return None
    parts = [part.strip() for part in _PART.split(fold(text).replace("’", "'"))]
    parts = [part for part in parts if part and not _TAIL.fullmatch(f" {part}")]
    kinds = [_kind(part) for part in parts]
    found = [kind for kind in kinds if kind is not None]
    if not found or len(found) < len(kinds):
        return None
    return _LINES[language(text)][max(found, key=lambda kind: kind.value)]


def _kind(part: str) -> _Kind | None:
    """What a phrase is; a word of courtesy before it ("ok thanks", "好的谢谢") adds nothing."""
    for said in (
        part,
        _TAIL.sub("", part),
        re.sub(r"^(?:(?:ok|okay|hi|hello|hey|great|nice|cool)\s+|(?:好的?|嗯+|你好|您好)\s*)", "", part),
    ):
        for kind, phrases in _PHRASES.items():
            if said and (said in phrases or _TAIL.sub("", said) in phrases):
                return kind
    return None
