"""A follow-up to a question that stands alone, by rules: no model call, so a conversation costs what a question costs.

A question with a subject of its own is new and left as it is, also after "and" or "what about", so that no topic is dragged
along. One that leans on what came before gets it back: a pronoun is replaced by the one name it can mean, "and for contractors?"
takes the place of the like phrase in the question before, and anything else is asked together with that question. Whether a
question leans is judged by fitted features, in rag/query/followup_en.py and followup_zh.py. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.query import followup_en, followup_zh
from rag.query.smalltalk import polite_line
from rag.text.language import CJK_RUN, language, terms, words
from rag.types import Message

# A question longer than this, in characters, explains itself; and this much of an earlier one is taken along.
LONGEST_FOLLOW_UP = 300
LONGEST_EARLIER = 400
# FairScheduler looked back on.
REMEMBERED = 12

# What is being talked about: a question that stands alone, and those that lean on it.
Topic = tuple[str, ...]


def standalone(question: str, history: Sequence[Message]) -> str:
    """The question as it would be asked without the conversation before it; the question itself where it stands alone.

    `history`: turns of roles "user" and "assistant", oldest first; others are passed over.
    """
    topic: Topic = ()
    answer = ""
    for message in history[-REMEMBERED:]:
        said = message.content.strip()
        if message.role == "user" and said and polite_line(said) is None:
            topic = _followed(topic, answer, said)
        elif message.role == "assistant":
            answer = said
    if not topic or polite_line(question) is not None:
        return question
    asked = question.strip()
    found = _followed(topic, answer, asked)
    return question if found == (asked,) else _joined(found)


def _followed(topic: Topic, answer: str, asked: str) -> Topic:
    """The topic once this was asked."""
    if not topic or not asked or len(asked) > LONGEST_FOLLOW_UP:
        return (asked,)
    rules = followup_zh if language(asked) == "zh" else followup_en
    lean = rules.leaning(asked, said_before(*topic, answer))
    if lean is None:
        return (asked,)
    before = topic[0][-LONGEST_EARLIER:]
    if rewritten := rules.rewritten(asked, lean, before, answer):
        return (rewritten,)
    if lean.fragment or len(topic) == 1:
        return (before, asked)
    return (before, topic[-1], asked)


def said_before(*texts: str) -> frozenset[str]:
    """What a question may speak of again: terms, and the words and single characters that stand for themselves."""
    joined = "\n".join(texts)
    return frozenset((*terms(joined), *words(joined), *"".join(CJK_RUN.findall(joined))))


def _joined(parts: Topic) -> str:
    first, *others = parts
    for part in others:
        ended = first if first[-1] in "?？.。!！" else f"{first}{'？' if language(first) == 'zh' else '?'}"
        first = f"{ended}{'' if ended[-1] in '？。！' else ' '}{part}"
    return first
