"""A question in one language over documents in the other: the query that was searched instead, made by the chat model.

Only where it is needed: the embedder does not know both languages, the prose of most passages found is in the other one, and the
keywords of the question match nothing in the best. Code, commands and tables of keys are English everywhere and tell nothing.
The model sees the question alone, never a document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.errors import ChatUnavailableError
from rag.ports import ChatModel
from rag.query.templates import template
from rag.text.control_tokens import without_control_tokens
from rag.text.language import CJK_RUN, language, query_terms, terms
from rag.types import Message, Passage, Retrieval

# Passages that tell the documents' language, and the coverage of terms above which a question was understood.
LOOKED_AT = 5
UNDERSTOOD = 0.34
LEAST_WEIGHT = 0.1
# The share of the passages with prose that must be in the other language; and the share that must have prose at all, since
# one remark in English among configuration files makes no English collection.
MAJORITY = 0.6
WITH_PROSE = 0.25
# Prose of a passage: letters in the words of whole sentences, a Chinese character as two.
LEAST_PROSE = 8
MAX_TOKENS = 80
_LABEL = re.compile(r"(?:translation|翻译|译文)\s*[:：]\s*", re.IGNORECASE)
LANGUAGES = {"en": "English", "zh": "Chinese"}

# What is not prose inside a text, and the lines that are none as a whole.
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`|<[^<>\n]{1,200}>|\b\w+://\S+|\]\([^)\n]*\)", re.DOTALL)
_IDENTIFIER = re.compile(
    r"[\w$-]*[\w$](?:[./:@=\\_#]+[\w$-]+)+[()]*|--?[A-Za-z][\w-]*|\b[a-z]+[A-Z]\w*|\b(?:[A-Z][a-z]+){2,}\b|\b[A-Z0-9]{2,}\b|\w+\(\)"
)
_CODE_LINE = re.compile(
    r"^\s*//|^(?: {4,}|\t)\S.*[=;{}()\[\]]"  # indented, with signs of code
    r"|^\s*(?:[$#%]\s+\w|(?:sudo|cd|sh|bash|java|python\d?|pip|npm|docker|kubectl|curl|export|mvn|git)\s+[-\w./])"
    r"|^\s*[\w.\"'-]+\s*[:=]\s*[\w.\"'{\[/-]*,?\s*$"  # a key and its value
    r"|[;{}]\s*$"
    r"|^\s*(?:SELECT|INSERT|CREATE|UPDATE|DELETE|ALTER|DROP|import|from|def|class|public|private|return|if|for|while|var|let|const)\b.*[()=;*]"
    r"|^\s*\|.*\||\w \| \w|\w\t\w",
)
_WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
# English that is set in sentences has at least so many words a line; below it are names, keys and titles.
SHORTEST_LINE = 5
SHORTEST_SENTENCE = 3
_ENDED = re.compile(r"[.!?][\"'”)]*\s*$")


class Translator:
    """Translates questions with a chat model. Thread-safe."""

    def __init__(self, chat: ChatModel, *, cross_lingual: bool = False) -> None:
        """`cross_lingual`: the embedder finds passages in a language other than the question's, so none is translated."""
        self._chat = chat
        self._cross_lingual = cross_lingual

    def translated(self, found: Retrieval) -> str | None:
        """The query in the documents' language; None where it is not needed, or the model cannot say."""
        target = None if self._cross_lingual else documents_language(found)
        if target is None or not self._chat.ready():
            return None
        messages = [
            Message("system", template("translate.txt").format(language=LANGUAGES[target])),
            Message("user", without_control_tokens(found.query)),
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
    if max((_coverage(found, passage) for passage in top), default=0.0) >= UNDERSTOOD:
        return None
    return foreign


def _coverage(found: Retrieval, passage: Passage) -> float:
    """The share, by idf, of the question's terms that a passage holds, 0..1."""
    weight = {term: max(found.idf.get(term, 0.0), LEAST_WEIGHT) for term in query_terms(found.query)}
    held = weight.keys() & set(terms(f"{passage.heading or ''} {passage.text}"))
    return sum(weight[term] for term in held) / (sum(weight.values()) or 1.0)


def prose_language(text: str) -> str | None:
    """The language of a text's prose; None where there is hardly any, as in code, configuration or a table of keys."""
    kept = []
    for line in _CODE.sub(" ", text).splitlines():
        if CJK_RUN.search(line):
            kept.append(_IDENTIFIER.sub(" ", line))
        elif not _CODE_LINE.search(line):
            said = _IDENTIFIER.sub(" ", line)
            if len(_WORD.findall(said)) >= (SHORTEST_SENTENCE if _ENDED.search(said) else SHORTEST_LINE):
                kept.append(said)
    prose = "\n".join(kept)
    chinese = sum(map(len, CJK_RUN.findall(prose)))
    if sum(map(len, _WORD.findall(prose))) + 2 * chinese < LEAST_PROSE:
        return None
    return language(prose)


def _foreign(passages: Sequence[Passage], spoken: str) -> str | None:
    """The other language, where a clear majority of the passages that have prose are in it."""
    told = [said for passage in passages if (said := prose_language(passage.text))]
    others = [said for said in told if said != spoken]
    return (
        others[0]
        if others and len(told) >= WITH_PROSE * len(passages) and len(others) >= MAJORITY * len(told)
        else None
    )
