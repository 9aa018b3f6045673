"""A question as it is asked, and the events of its answer in the order in which they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.types import Answer, AnswerPolicy, AnswerSentence, Citation, Message, Passage


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with where and how to look.

    `history` is the conversation before it, oldest first. `checked_only`: tokens come a sentence at a time, once it has
    been checked, for clients that cannot take text back. `answers` is how much must speak for an answer.
    """

    question: str
    collections: Sequence[str]
    top_k: int
    filters: Mapping[str, Any] = field(default_factory=dict)
    conversation_id: str | None = None
    history: Sequence[Message] = ()
    checked_only: bool = False
    answers: AnswerPolicy = AnswerPolicy.BALANCED


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages were found; comes first."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer as it is written; `Done` has the answer without the sentences that did not stand up."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A new citation, just before its mark appears."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Verified:
    """A sentence was checked."""

    sentence: AnswerSentence


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; comes last and is what counts."""

    answer: Answer


Event = Retrieved | Token | Cited | Verified | Done
