"""The prompts: their templates (prompts/*.txt), checked when they are loaded, and the version that answers report.

The system message is constant and the sources stand before the question, so that a chat server can reuse what it has read already: for
the small local model the question whether the sources answer, the answer and the checks of its sentences all share that beginning.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from rag.answering.citations import unmark
from rag.text.control_tokens import without_control_tokens
from rag.text.templates import read_template
from rag.types import Evidence, Message

FOLDER = Path(__file__).parent / "prompts"
PLACEHOLDERS = {
    "system-hosted.txt": set[str](),
    "system-local.txt": set[str](),
    "question-hosted.txt": {"sources", "question"},
    "question-local.txt": {"sources", "question", "task"},
    "task-gate.txt": set[str](),
    "task-answer.txt": {"language"},
}
LANGUAGES = {"en": "English", "zh": "Chinese"}
# Characters of a heading path that are shown above a source: its end says most.
HEADING = 120
# What a refusal looks like when the model does not use the words it was given.
_REFUSAL = re.compile(
    r"not in (?:the )?sources?\b|\b(?:sources?|documents?|text|passages?|context)\b.{0,40}\b(?:do(?:es)? not|don't|doesn't|did not) "
    r"(?:contain|mention|provide|specify|state|say|include|answer|give|discuss|address|cover|describe|explain)|"
    r"\bnot (?:mentioned|specified|stated|provided|given|found|contained|discussed|available|covered)\b.{0,30}"
    r"\b(?:sources?|documents?|text|passages?)|"
    r"\bno (?:information|mention|answer)\b|\bcannot (?:answer|be answered|determine|be determined)\b|"
    r"(?:来源|资料|文中|文档|文本|原文|材料|上述|提供的).{0,12}(?:没有|未|无法|不)(?:包含|提及|提到|说明|给出|提供|找到|回答|涉及)|"
    r"(?:没有|未)(?:提及|提到|说明|给出|找到)|无法(?:回答|确定|得知)|不在(?:来源|资料)",
    re.IGNORECASE,
)

YES, NO = ("yes", "是", "是的", "有", "能", "可以"), ("no", "否", "不是", "没有", "不", "不能", "无")
# What follows the word is swallowed only as far as it belongs to it: a list or bold text may begin the answer itself.
_OPENING = re.compile(
    r"[\s\"'“]*(?P<bold>\*{1,2})?(?P<word>yes|no|是的?|否|不是|没有|不|有)(?![\w])"
    r"[ \t.,:;!\"'”。，：；！]*(?(bold)\**)[ \t.,:;!\"'”。，：；！]*(?:[-–—]+[ \t]*)?\s*",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def templates() -> dict[str, str]:
    """The templates by file name.

    Raises:
        ConfigurationError: a template is missing, or has other placeholders than it should.
    """
    return {name: read_template(FOLDER / name, expected) for name, expected in PLACEHOLDERS.items()}


def version() -> str:
    """A short hash of the templates: the same prompts, the same version."""
    joined = "\0".join(f"{name}\0{text}" for name, text in sorted(templates().items()))
    return hashlib.sha256(joined.encode()).hexdigest()[:12]


def for_hosted(question: str, evidence: Sequence[Evidence]) -> list[Message]:
    """The messages for a capable model, which says yes or no first and then answers."""
    asked = templates()["question-hosted.txt"].format(
        sources=sources(evidence), question=without_control_tokens(question)
    )
    return [Message("system", templates()["system-hosted.txt"]), Message("user", asked)]


def for_gate(question: str, evidence: Sequence[Evidence]) -> list[Message]:
    """The messages that ask the local model whether the sources answer."""
    return _for_local(question, evidence, templates()["task-gate.txt"])


def for_answer(question: str, evidence: Sequence[Evidence], language: str) -> list[Message]:
    """The messages that ask the local model for the answer in a language ("en", "zh")."""
    return _for_local(question, evidence, templates()["task-answer.txt"].format(language=LANGUAGES[language]))


def _for_local(question: str, evidence: Sequence[Evidence], task: str) -> list[Message]:
    asked = templates()["question-local.txt"].format(
        sources=sources(evidence), question=without_control_tokens(question), task=task
    )
    return [Message("system", templates()["system-local.txt"]), Message("user", asked)]


def sources(evidence: Sequence[Evidence]) -> str:
    """The evidence as the model sees it: each with its number, its file and headings, and its text with its lines."""
    shown = []
    above = None
    for item in evidence:
        place = _place(item)
        said = unmark(item.text)
        if item.header:
            said = f"{unmark(item.header)}\n{said}"
        shown.append(f"[{item.n}] {f'({place})' if place != above else ''}".rstrip() + f"\n{said}")
        above = place
    return "\n\n".join(shown)


def _place(item: Evidence) -> str:
    """Where a source stands: its file and the end of its heading path, in one line."""
    name = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", item.passage.filename)
    path = " ".join((item.passage.heading or "").split())[-HEADING:]
    return unmark(f"{name} > {path}" if path else name)


def is_refusal(text: str) -> bool:
    """Whether a sentence of the model says that the sources do not answer."""
    return _REFUSAL.search(text) is not None


class Opening:
    """Reads the yes or no that an answer begins with, while it streams."""

    def __init__(self) -> None:
        self._held = ""
        self._word = ""
        self.decided = False

    @property
    def says_no(self) -> bool:
        """Whether it began with a no."""
        return self._word in NO

    def feed(self, text: str) -> str:
        """What of the text so far belongs to the answer itself; nothing while the opening is not decided."""
        if self.decided:
            return text
        self._held += text
        match = _OPENING.match(self._held)
        if match is None and _may_open(self._held):
            return ""
        if match is not None and match.end() == len(self._held):
            return ""
        self._decide(match)
        return self._held[match.end() if match else 0 :]

    def rest(self) -> str:
        """What was held back, once no more text will come; nothing if it was decided before."""
        if self.decided:
            return ""
        match = _OPENING.match(self._held)
        self._decide(match)
        return "" if match else self._held

    def _decide(self, match: re.Match[str] | None) -> None:
        self.decided = True
        self._word = match["word"].casefold() if match else ""


def _may_open(text: str) -> bool:
    start = text.strip(" \n\t*\"'“").casefold()
    return any(word.startswith(start) for word in (*YES, *NO))
