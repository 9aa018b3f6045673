"""A question of a conversation made to stand alone: by the chat model where that is capable, else by rules.

A hosted model rewrites better than rules do, for one short call. A small local one drags topics along and takes seconds, so
there, and wherever the model's text cannot be trusted, the rules of rag/query/followup.py decide.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

from rag.errors import ChatUnavailableError
from rag.ports import ChatModel
from rag.query import followup
from rag.query.smalltalk import polite_line
from rag.query.templates import template
from rag.streams import stopped
from rag.text.control_tokens import without_control_tokens
from rag.text.language import CJK_RUN, QUESTION_WORDS, is_cjk, language, terms
from rag.types import Message

# How long a question waits for its rewriting, in seconds, before the rules do it; and the most tokens it may have.
SECONDS = 6.0
MAX_TOKENS = 160
# FairScheduler shown, and characters of each: what a question leans on is near, and every token delays the answer.
TURNS = 6
TURN_CHARACTERS = 600
# A rewriting adds a subject, not a story: this many characters beyond the question itself are the most.
LONGEST_ADDITION = 300
# The least share of its words, in Chinese of its characters, that conversation and question must know: a free rewriting knows
# half and more of them, an answer or an invention few.
KNOWN = 0.4

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_JSON = re.compile(r"^\s*\{\s*\"[\w ]+\"\s*:\s*\"((?:[^\"\\]|\\.)*)\"\s*\}\s*$", re.DOTALL)
_LABEL = re.compile(
    r"(?:(?:here is |here's )?(?:the )?(?:standalone|rewritten|rewrite|final|last)?\s*(?:question|message|query)?"
    r"|(?:独立的?|改写后?的?|重写后?的?)?(?:问题|提问))\s*[:：]\s*",
    re.IGNORECASE,
)
_ROLES = {"user": "User", "assistant": "Assistant"}


class Rewriter:
    """Makes questions stand alone. Thread-safe."""

    def __init__(self, chat: ChatModel | None, capable: bool) -> None:
        """`capable`: whether the model is trusted to rewrite (a hosted or strong one); else it is never asked."""
        self._chat = chat if capable else None

    def standalone(self, question: str, history: Sequence[Message]) -> str:
        """The question as it would be asked without the conversation; the question itself where it stands alone.

        `history`: turns of roles "user" and "assistant", oldest first; others are passed over.
        """
        turns = [turn for turn in history if turn.role in _ROLES and turn.content.strip()]
        said_before = any(turn.role == "user" and polite_line(turn.content) is None for turn in turns)
        if not said_before or not question.strip() or polite_line(question) is not None:
            return question
        if self._chat is not None and len(question) <= followup.LONGEST_FOLLOW_UP and self._chat.ready():
            written = _complete(self._chat, _messages(question, turns))
            if rewritten := _checked(written, question, turns):
                return rewritten
        return followup.standalone(question, history)


def _messages(question: str, turns: Sequence[Message]) -> list[Message]:
    lines = [f"{_ROLES[turn.role]}: {_shortened(turn.content)}" for turn in turns[-TURNS:]]
    conversation = without_control_tokens("\n".join(lines))
    asked = without_control_tokens(question.strip())
    said = template("conversation.txt").format(conversation=conversation, question=asked)
    return [Message("system", template("rewrite.txt")), Message("user", said)]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TURN_CHARACTERS else f"{text[:TURN_CHARACTERS]} …"


def _complete(chat: ChatModel, messages: Sequence[Message]) -> str:
    """What the model writes; nothing where it fails or is not done in time. A late one is stopped at its next token."""
    written: list[str] = []
    done, late = threading.Event(), threading.Event()

    def read() -> None:
        try:
            with stopped(chat.stream(messages, max_tokens=MAX_TOKENS)) as stream:
                for delta in stream:
                    written.append(delta.text)
                    if late.is_set():
                        return
                done.set()
        except ChatUnavailableError:
            written.clear()

    thread = threading.Thread(target=read, name="rewrite", daemon=True)
    thread.start()
    thread.join(SECONDS)
    late.set()
    return "".join(written) if done.is_set() else ""


def _checked(written: str, question: str, turns: Sequence[Message]) -> str | None:
    """The question in what the model wrote; None where there is none to be trusted."""
    found = _question(written)
    if not found or len(found) > len(question) + LONGEST_ADDITION or language(found) != language(question):
        return None
    known = set(_units("\n".join((question, *(turn.content for turn in turns)))))
    used = _units(found)
    if sum(unit in known for unit in used) < KNOWN * len(used):
        return None
    return question if found == question.strip() else found


def _units(text: str) -> list[str]:
    """The content of a text: stems of Latin words, and single Chinese characters but for those that only ask."""
    said = QUESTION_WORDS.sub(" ", text)
    latin = [term for term in terms(said) if not is_cjk(term)]
    return [*latin, *"".join(CJK_RUN.findall(said))]


def _question(written: str) -> str:
    """The one line that counts, without thoughts, fences, labels and quotation marks."""
    text = _FENCE.sub("", _THOUGHT.sub("", written)).strip()
    if match := _JSON.match(text):
        text = match.group(1).replace('\\"', '"').replace("\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # "Here is the question:" may have a line of its own
    while len(lines) > 1 and _LABEL.fullmatch(lines[0].strip("*# ")):
        del lines[0]
    first = lines[0].strip("*# ") if lines else ""
    first = _LABEL.sub("", first, count=1).strip("* ") if _LABEL.match(first) else first
    for opening, closing in ('""', "''", "“”", "「」"):
        if len(first) > 1 and first[0] == opening and first[-1] == closing and closing not in first[1:-1]:
            first = first[1:-1].strip()
    return first
