"""A question to an answer, as one sequence of events: retrieval, token, citation, verification, done.

`events` is the whole use-case; `ask` is its last event. Whether the documents answer is judged before the model is asked
and again when it has said yes or no (rag/abstention.py); every sentence is checked against the evidence as soon as it is
complete; and what the model cannot deliver is quoted instead.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rag import prompts
from rag.abstention import features, gate, judgements
from rag.citations import Draft
from rag.conversation import standalone
from rag.disagreement import find_disagreement
from rag.errors import ChatUnavailableError
from rag.events import Ask, Done, Event, Retrieved
from rag.evidence import select_evidence
from rag.language import language
from rag.ports import ChatModel, PassageStore
from rag.retrieval.retriever import Retriever, clean_query
from rag.smalltalk import polite_line
from rag.tongue import Tongue
from rag.translation import Translator
from rag.types import Abstention, Answer, Evidence, Message, Retrieval
from rag.writer import EXTRACTIVE, Writer

NO_ANSWER = {
    "en": "The documents do not answer this question.",
    "zh": "文档中没有这个问题的答案。",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an answer may take.

    Attributes:
        evidence: tokens of evidence shown to the model.
        answer: tokens of the model's text.
        confidence: the least probability, 0..1, that the documents answer; None takes the calibrated thresholds.
    """

    evidence: int
    answer: int
    confidence: float | None = None


class Answerer:
    """Answers questions over the retriever's passages. Thread-safe: each question has its own writer."""

    def __init__(self, retriever: Retriever, store: PassageStore, chat: ChatModel | None, limits: Limits) -> None:
        """`chat` None: quoted sentences are the answer."""
        self._retriever = retriever
        self._store = store
        self._chat = chat
        self._limits = limits
        self._translator = Translator(chat) if chat else None

    def ask(self, ask: Ask) -> Answer:
        """The answer. Raises what `events` raises."""
        for event in self.events(ask):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("events end with Done")

    def events(self, ask: Ask) -> Iterator[Event]:
        """Answer step by step; closing the iterator stops the model.

        Raises:
            InvalidRequestError, NotFoundError: as `Retriever.search`, before the first event.
        """
        started = time.perf_counter()
        ask = replace(ask, question=clean_query(ask.question))  # so that what is stored is what was searched
        question = standalone(ask.question, ask.history)
        retrieval = self._search(ask, question)
        line = polite_line(ask.question)
        if self._translator and line is None and (query := self._translator.translated(retrieval)):
            retrieval = self._better(retrieval, self._search(ask, query))
        writer = Writer(ask, question, retrieval, self._store, started)
        return self._answer(writer, ask, retrieval) if line is None else _greet(writer, retrieval, line)

    def _search(self, ask: Ask, query: str) -> Retrieval:
        return self._retriever.search(query, collections=ask.collections, top_k=ask.top_k, filters=ask.filters)

    def _better(self, own: Retrieval, translated: Retrieval) -> Retrieval:
        """What the translated question found, unless passages in the question's own language are likelier to answer it."""
        if not own.passages or language(own.passages[0].text) != own.language:
            return translated
        return max(
            (translated, own),
            key=lambda found: judgements()["retrieval"].probability(features(found, self._evidence(found))),
        )

    def _evidence(self, retrieval: Retrieval) -> list[Evidence]:
        return select_evidence(retrieval.query, retrieval.passages, retrieval.rarity, budget=self._limits.evidence)

    def _answer(self, writer: Writer, ask: Ask, retrieval: Retrieval) -> Iterator[Event]:
        yield Retrieved(retrieval.passages)
        clock = time.perf_counter()
        evidence = self._evidence(retrieval)
        known = features(retrieval, evidence, translated=retrieval.query != writer.question)
        first = "retrieval" if self._chat else "extractive"
        writer.confidence = judgements()[first].probability(known)
        writer.spend("evidence_ms", clock)
        if not evidence or writer.confidence < self._least(first):
            yield from _decline(writer, Abstention.NO_EVIDENCE)
        elif self._chat is None:
            yield from _quote(writer, retrieval, evidence, None)
        else:
            try:
                yield from self._write(writer, self._chat, retrieval, evidence, known)
            except ChatUnavailableError:
                writer.model = EXTRACTIVE
                if ask.checked_only and writer.has_support:
                    yield from _conclude(writer, retrieval, evidence, Abstention.LLM_UNAVAILABLE)
                else:
                    yield from _quote(writer, retrieval, evidence, Abstention.LLM_UNAVAILABLE)

    def _least(self, judgement: str) -> float:
        return judgements()[judgement].threshold if self._limits.confidence is None else self._limits.confidence

    def _write(
        self,
        writer: Writer,
        chat: ChatModel,
        retrieval: Retrieval,
        evidence: Sequence[Evidence],
        known: Mapping[str, float],
    ) -> Iterator[Event]:
        """Let the model say yes or no, then write, checking each sentence. Raises ChatUnavailableError."""
        writer.model = chat.name
        messages = prompts.build(writer.question, evidence)
        opening, tongue = prompts.Opening(), Tongue.of(writer.question, evidence)
        yield from self._follow(writer, chat, messages, opening, tongue, evidence, known)
        if tongue.foreign:
            again = prompts.in_chinese(messages)
            yield from self._follow(writer, chat, again, prompts.Opening(), Tongue(None), evidence, None)
        if writer.has_support:
            yield from _compare(writer, retrieval, evidence)
            yield from writer.complete(evidence)
            yield writer.finish(answered=True)
        elif opening.alternatives and writer.confidence >= self._least("insist"):
            yield from _quote(writer, retrieval, evidence, None)
        else:
            yield from _decline(writer, Abstention.UNSUPPORTED if writer.has_claims else Abstention.NO_EVIDENCE)

    def _follow(
        self,
        writer: Writer,
        chat: ChatModel,
        messages: Sequence[Message],
        opening: prompts.Opening,
        tongue: Tongue,
        evidence: Sequence[Evidence],
        known: Mapping[str, float] | None,
    ) -> Iterator[Event]:
        """One text of the model, sentence by sentence; `known` None where it has been judged before that it goes on."""
        draft = Draft()
        stream = chat.stream(messages, max_tokens=self._limits.answer)
        try:
            for delta in stream:
                writer.usage = delta.usage or writer.usage
                opening.alternatives = opening.alternatives or delta.alternatives
                was_decided, text = opening.decided, opening.feed(delta.text)
                if opening.decided and not was_decided and not self._goes_on(writer, opening, known):
                    return
                for part in draft.feed(tongue.feed(text)):
                    yield from writer.take(part, evidence)
                    if writer.repeats:
                        return
                if tongue.foreign:
                    return
        finally:
            if isinstance(stream, Generator):
                stream.close()  # stops the model
        was_decided, text = opening.decided, opening.rest()
        if was_decided or self._goes_on(writer, opening, known):
            for part in (*draft.feed(tongue.feed(text) + tongue.rest()), *draft.finish()):
                yield from writer.take(part, evidence)
                if writer.repeats:
                    return

    def _goes_on(self, writer: Writer, opening: prompts.Opening, known: Mapping[str, float] | None) -> bool:
        """Whether the answer is worth reading, now that the model has said yes or no."""
        if known is None:
            return not opening.says_no
        writer.confidence = judgements()["model"].probability({**known, "gate": gate(opening)})
        return not opening.says_no and writer.confidence >= self._least("model")


def _quote(
    writer: Writer, retrieval: Retrieval, evidence: Sequence[Evidence], reason: Abstention | None
) -> Iterator[Event]:
    """Let the best sentences of the evidence be the answer."""
    yield from writer.quote(evidence)
    if writer.has_support:
        yield from _conclude(writer, retrieval, evidence, reason)
    else:
        yield from _decline(writer, Abstention.NO_EVIDENCE)


def _conclude(
    writer: Writer, retrieval: Retrieval, evidence: Sequence[Evidence], reason: Abstention | None
) -> Iterator[Event]:
    """Say so where the documents disagree, and end."""
    yield from _compare(writer, retrieval, evidence)
    yield writer.finish(answered=True, reason=reason)


def _compare(writer: Writer, retrieval: Retrieval, evidence: Sequence[Evidence]) -> Iterator[Event]:
    """Say so where the documents disagree."""
    if found := find_disagreement(retrieval, evidence):
        yield from writer.state(found.sentence(language(writer.question)), found.spans)


def _greet(writer: Writer, retrieval: Retrieval, line: str) -> Iterator[Event]:
    """Answer small talk with a line of its own."""
    yield Retrieved(retrieval.passages)
    yield from writer.replace(line)
    yield writer.finish(answered=False, reason=Abstention.NO_EVIDENCE)


def _decline(writer: Writer, reason: Abstention) -> Iterator[Event]:
    """Say that the documents do not answer."""
    yield from writer.replace(NO_ANSWER[language(writer.question)])
    yield writer.finish(answered=False, reason=reason)
