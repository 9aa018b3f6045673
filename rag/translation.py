"""A question in one language over documents in the other: the query that was searched instead, made by the chat model.

Only where it is needed: most of the passages found, the best ones or all that were looked at, are in the other language, and
the keywords of the question match nothing in the best. The model sees the question alone, never a document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering import prompts
from rag.errors import ChatUnavailableError
from rag.evidence.scoring import score_sentences
from rag.language import language
from rag.ports import ChatModel
from rag.types import Message, Passage, Retrieval

# Passages that tell the documents' language, and the coverage of terms above which a question was understood.
LOOKED_AT = 5
UNDERSTOOD = 0.34
MAX_TOKENS = 80
_LABEL = re.compile(r"(?:translation|翻译|译文)\s*[:：]\s*", re.IGNORECASE)
LANGUAGES = {"en": "English", "zh": "Chinese"}


class Translator:
    """Translates questions with a chat model. Thread-safe."""

    def __init__(self, chat: ChatModel) -> None:
        self._chat = chat

    def translated(self, found: Retrieval) -> str | None:
        """The query in the documents' language; None where it is not needed, or the model cannot say."""
        target = documents_language(found)
        if target is None or not self._chat.ready():
            return None
        messages = [
            Message("system", prompts.templates()["translate.txt"].format(language=LANGUAGES[target])),
            Message("user", found.query),
        ]
        try:
            text = "".join(delta.text for delta in self._chat.stream(messages, max_tokens=MAX_TOKENS))
        except ChatUnavailableError:
            return None
        first = next((line for line in text.splitlines() if line.strip()), "")
        first = _LABEL.sub("", first.strip()).strip(" \"'“”「」")
        return first if first and language(first) == target else None


def documents_language(found: Retrieval) -> str | None:
    """The other language, where most of what was found is in it and the question's words match none of it; else None.

    A few documents in the question's language are always the first, so the passages beyond the best ones count, too.
    """
    top = found.passages[:LOOKED_AT]
    foreign = _foreign(top, found.language) or _foreign((*found.passages, *found.beyond), found.language)
    if foreign is None:
        return None
    sentences = score_sentences(found.query, top, found.rarity)
    if max((sentence.coverage for sentence in sentences), default=0.0) >= UNDERSTOOD:
        return None
    return foreign


def _foreign(passages: Sequence[Passage], spoken: str) -> str | None:
    """The other language, where more than half of the passages are in it."""
    others = [told for passage in passages if (told := language(passage.text)) != spoken]
    return others[0] if len(others) * 2 > len(passages) else None
