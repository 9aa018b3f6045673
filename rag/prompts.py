"""The prompt: its templates (prompts/*.txt), checked when they are loaded, and the version that answers report.

The system message is constant and the sources stand before the question, so that a chat server can reuse what it has
read already.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from rag.citations import unmark
from rag.errors import ConfigurationError
from rag.types import Evidence, Message

FOLDER = Path(__file__).parent / "prompts"
PLACEHOLDERS = {
    "system.txt": set[str](),
    "question.txt": {"sources", "question"},
    "in-chinese.txt": set[str](),
    "in-english.txt": set[str](),
}
# What a refusal looks like when the model does not use the words it was given.
_REFUSAL = re.compile(
    r"not in (?:the )?sources?\b|\b(?:sources?|documents?|text|passages?|context)\b.{0,40}\b(?:do(?:es)? not|don't|doesn't|did not) "
    r"(?:contain|mention|provide|specify|state|say|include|answer|give|discuss|address|have)|"
    r"\bnot (?:mentioned|specified|stated|provided|given|found|contained|discussed|available)\b.{0,30}\b(?:sources?|documents?|text|passages?)|"
    r"\bno (?:information|mention|answer)\b|\bcannot (?:answer|be answered|determine|be determined)\b|"
    r"(?:来源|资料|文中|文档|文本|原文|材料|上述|提供的).{0,12}(?:没有|未|无法|不)(?:包含|提及|提到|说明|给出|提供|找到|回答|涉及)|"
    r"(?:没有|未)(?:提及|提到|说明|给出|找到)|无法(?:回答|确定|得知)|不在(?:来源|资料)",
    re.IGNORECASE,
)

YES, NO = ("yes", "是", "是的", "有"), ("no", "否", "不是", "没有", "不")
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
    loaded = {}
    for name, expected in PLACEHOLDERS.items():
        try:
            text = (FOLDER / name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"The prompt {name} cannot be read: {error.strerror}.") from error
        found = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
        if found != expected:
            raise ConfigurationError(
                f"The prompt {name} must have the placeholders {sorted(expected)}, not {sorted(found)}."
            )
        loaded[name] = text
    return loaded


def version() -> str:
    """A short hash of the templates: the same prompts, the same version."""
    joined = "\0".join(f"{name}\0{text}" for name, text in sorted(templates().items()))
    return hashlib.sha256(joined.encode()).hexdigest()[:12]


def build(question: str, evidence: Sequence[Evidence]) -> list[Message]:
    """The messages for a question over numbered evidence."""
    lines = []
    above = None
    for item in evidence:
        lines.append(f"[{item.n}] {_one_line(item, with_heading=item.passage.heading != above)}")
        above = item.passage.heading
    sources = "\n".join(lines)
    return [
        Message("system", templates()["system.txt"]),
        Message("user", templates()["question.txt"].format(sources=sources, question=question)),
    ]


def in_language(messages: Sequence[Message], wanted: str | None) -> list[Message]:
    """The messages for an answer that began in another language, after its yes, than the `wanted` one: "zh", else English."""
    name = "in-chinese.txt" if wanted == "zh" else "in-english.txt"
    return [*messages, Message("assistant", "Yes"), Message("user", templates()[name])]


def is_refusal(text: str) -> bool:
    """Whether a sentence of the model says that the sources do not answer."""
    return _REFUSAL.search(text) is not None


class Opening:
    """Reads the yes or no that an answer begins with, while it streams."""

    def __init__(self) -> None:
        self._held = ""
        self._word = ""
        self.decided = False
        self.alternatives: Mapping[str, float] = {}

    @property
    def says_no(self) -> bool:
        """Whether it began with a no."""
        return self._word in NO

    @property
    def says_yes(self) -> bool:
        """Whether it began with a yes."""
        return self._word in YES

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


def _one_line(item: Evidence, *, with_heading: bool) -> str:
    """A source as the model sees it: its heading, unless the source before it has the same (each token delays the first
    word), its table's header row or list's lead-in, and its text, without line ends or marks."""
    text = _defused(item.text)
    if item.header:
        text = f"({_defused(item.header)}) {text}"
    if not with_heading:
        return text
    last = _defused((item.passage.heading or "").rsplit(" > ", 1)[-1])
    return f"{last}: {text}" if last and last.casefold() not in text.casefold() and len(last) <= 60 else text


def _defused(text: str) -> str:
    # Marks, headings and fences inside a document must not look like ours.
    return unmark(re.sub(r"\s+", " ", text))
