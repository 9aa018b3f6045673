"""A question to an answer, as one sequence of events: retrieval, token, citation, verification, done.

`events` is the whole use-case; `ask` is its last event. Before the model only what is plainly about something else is declined. Whether the
documents answer is told by the model that reads them: a capable one's own No is believed, the small one's is weighed. Every sentence is
checked against the evidence as soon as it is complete, and the answer leaves with how sure it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering import prompts, wording
from rag.answering.answer_language import AnswerLanguage
from rag.answering.builder import AnswerBuilder
from rag.answering.certainty import (
    GATE,
    ModelKind,
    calibrated,
    certainty,
    found_features,
    gate,
    written_features,
)
from rag.answering.disagreement import find_disagreement
from rag.answering.draft import Draft
from rag.answering.events import Ask, Done, Event, Retrieved
from rag.answering.extractive import extract
from rag.answering.outcome import Outcome, finished
from rag.errors import ChatUnavailableError
from rag.evidence.selector import EvidenceSelector
from rag.ports import ChatModel, PassageStore
from rag.query.rewrite import Rewriter
from rag.query.smalltalk import polite_line
from rag.query.translation import Translator
from rag.retrieval.retriever import Retriever, clean_query
from rag.streams import stopped
from rag.text.language import language
from rag.types import Abstention, Answer, AnswerPolicy, Certainty, Evidence, Message, Retrieval
from rag.verification.verifier import Verifier

GATE_TOKENS = 1
# The least chance, 0..1, that an answer is right at which the strict policy gives one of low certainty. A choice, not a fit: of the local
# model's answers none is sure enough to be called certain.
STRICT = 0.6


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an answer may take.

    Attributes:
        answer: tokens of the model's text.
        confidence: the least chance, 0..1, that the documents answer; None takes the calibrated thresholds.
    """

    answer: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes: a chat model and what kind it is, the rewriting of follow-ups, and the translation of questions, where they have any."""

    chat: ChatModel | None
    kind: ModelKind
    rewriter: Rewriter
    translator: Translator | None = None


@dataclass(slots=True)
class _Question:
    """One question on its way."""

    ask: Ask
    standalone: str
    retrieval: Retrieval
    evidence: list[Evidence]
    builder: AnswerBuilder
    outcome: Outcome


class Answerer:
    """Answers questions over the retriever's passages. Thread-safe: each question has its own builder."""

    def __init__(
        self,
        retriever: Retriever,
        store: PassageStore,
        selector: EvidenceSelector,
        verifier: Verifier,
        writing: Writing,
        limits: Limits,
    ) -> None:
        self._retriever = retriever
        self._store = store
        self._selector = selector
        self._verifier = verifier
        self._writing = writing
        self._limits = limits

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
        line = polite_line(ask.question)
        standalone = ask.question if line else self._writing.rewriter.standalone(ask.question, ask.history)
        retrieval = self._search(ask, standalone)
        translator = self._writing.translator
        if translator and line is None and (query := translator.translated(retrieval)):
            retrieval = self._search(ask, query)
        outcome = Outcome(ask, standalone, retrieval, started)
        builder = AnswerBuilder(
            ask, standalone, self._store, self._verifier, remarks=self._writing.kind is ModelKind.HOSTED
        )
        question = _Question(ask, standalone, retrieval, [], builder, outcome)
        return self._answer(question) if line is None else _greet(question, line)

    def _search(self, ask: Ask, query: str) -> Retrieval:
        return self._retriever.search(query, collections=ask.collections, top_k=ask.top_k, filters=ask.filters)

    def _answer(self, question: _Question) -> Iterator[Event]:
        yield Retrieved(question.retrieval.passages)
        clock = time.perf_counter()
        question.evidence = self._selector.select(question.retrieval)
        question.outcome.features = found_features(question.retrieval, question.evidence)
        question.outcome.spend("evidence_ms", clock)
        if not question.evidence or self._off_topic(question):
            yield from _decline(question, spoken_of=False)
        elif self._writing.chat is None:
            yield from self._quote(question, None)
        else:
            try:
                yield from self._write(question, self._writing.chat)
            except ChatUnavailableError:
                question.outcome.model = wording.EXTRACTIVE
                if question.ask.checked_only and question.builder.has_support:
                    yield from self._conclude(question, ModelKind.EXTRACTIVE, Abstention.LLM_UNAVAILABLE)
                else:
                    yield from self._quote(question, Abstention.LLM_UNAVAILABLE)

    def _off_topic(self, question: _Question) -> bool:
        """Whether the question is plainly about something else than the documents; without a model, which would judge what is near, whether
        it has no answer in them. Under the open policy nothing is.
        """
        topic = calibrated()["topic" if self._writing.chat else "extractive"]
        question.outcome.confidence = topic.probability(question.outcome.features)
        if question.ask.answers is AnswerPolicy.OPEN:
            return False
        return question.outcome.confidence < self._least(topic.threshold)

    def _least(self, threshold: float) -> float:
        return threshold if self._limits.confidence is None else self._limits.confidence

    def _write(self, question: _Question, chat: ChatModel) -> Iterator[Event]:
        """Let the model write, checking each sentence. Raises ChatUnavailableError."""
        question.outcome.model = chat.name
        if self._writing.kind is ModelKind.LOCAL:
            answers = self._weighed(question, chat)
            if answers:
                spoken = language(question.standalone)
                messages = prompts.for_answer(question.standalone, question.evidence, spoken)
                yield from self._follow(question, chat, messages, None)
        else:
            opening = prompts.Opening()
            messages = prompts.for_hosted(question.standalone, question.evidence)
            threading.Thread(target=self._verifier.prepare, args=(question.evidence,), daemon=True).start()
            yield from self._follow(question, chat, messages, opening)
            answers = not opening.says_no
        builder = question.builder
        if answers and builder.has_support:
            yield from self._conclude(question, self._writing.kind, None)
        elif answers and self._writing.kind is ModelKind.LOCAL and not builder.only_remarks:
            yield from self._quote(question, None)  # the model found an answer and could not word it
        else:
            yield from _decline(question)

    def _weighed(self, question: _Question, chat: ChatModel) -> bool:
        """Whether the small model's yes or no, with all else that is known, speaks for an answer."""
        alternatives: dict[str, float] = {}
        said = ""
        messages = prompts.for_gate(question.standalone, question.evidence)
        with stopped(chat.stream(messages, max_tokens=GATE_TOKENS)) as stream:
            for delta in stream:
                alternatives = alternatives or dict(delta.alternatives)
                said += delta.text
                if said.strip():
                    break
        question.outcome.features[GATE] = gate(alternatives, said)
        local = calibrated()["local"]
        question.outcome.confidence = local.probability(question.outcome.features)
        if question.ask.answers is AnswerPolicy.OPEN:
            return True
        return question.outcome.confidence >= self._least(local.threshold)

    def _follow(
        self, question: _Question, chat: ChatModel, messages: Sequence[Message], opening: prompts.Opening | None
    ) -> Iterator[Event]:
        """One text of the model, part by part; it is stopped where it says no, goes round in a circle or is in another language."""
        builder, draft = question.builder, Draft()
        spoken = AnswerLanguage.of(question.standalone)
        with stopped(chat.stream(messages, max_tokens=self._limits.answer)) as stream:
            for delta in stream:
                builder.usage = delta.usage or builder.usage
                text = opening.feed(delta.text) if opening else delta.text
                if opening and opening.decided and opening.says_no:
                    return
                for part in draft.feed(spoken.feed(text)):
                    yield from builder.take(part, question.evidence)
                    if builder.repeats:
                        return
                if spoken.foreign:
                    return
        text = opening.rest() if opening else ""
        if opening and opening.says_no:
            return
        for part in (*draft.feed(spoken.feed(text) + spoken.rest()), *draft.finish()):
            yield from builder.take(part, question.evidence)
            if builder.repeats:
                return

    def _quote(self, question: _Question, reason: Abstention | None) -> Iterator[Event]:
        """Let the best blocks of the evidence be the answer, in their own words."""
        builder = question.builder
        builder.restart()
        for text, spans in extract(question.evidence):
            yield from builder.state(text, spans)
        if builder.has_support:
            yield from self._conclude(question, ModelKind.EXTRACTIVE, reason)
        else:
            yield from _decline(question)

    def _conclude(self, question: _Question, kind: ModelKind, reason: Abstention | None) -> Iterator[Event]:
        """Let entailment confirm, say so where the documents disagree, tell how sure the answer is, and end."""
        builder, outcome = question.builder, question.outcome
        if kind is not ModelKind.EXTRACTIVE:
            yield from builder.confirm(question.evidence)
        outcome.features |= written_features(builder.judgements)
        sure, outcome.confidence = certainty(kind, outcome.features)
        doubtful = sure is Certainty.LOW and outcome.confidence < STRICT
        if not builder.has_support or (question.ask.answers is AnswerPolicy.STRICT and doubtful):
            yield from _decline(question)
            return
        if found := find_disagreement(question.retrieval, question.evidence):
            yield from builder.state(found.sentence(language(question.standalone)), found.spans)
        outcome.kind = kind
        yield finished(outcome, builder, sure, reason)


def _greet(question: _Question, line: str) -> Iterator[Event]:
    """Answer small talk with a line of its own."""
    yield Retrieved(question.retrieval.passages)
    yield from question.builder.replace(line)
    yield finished(question.outcome, question.builder, None, Abstention.NO_EVIDENCE)


def _decline(question: _Question, *, spoken_of: bool = True) -> Iterator[Event]:
    """Say what is true: nothing was found about this, or (`spoken_of`) what was found does not answer."""
    reason = Abstention.UNSUPPORTED if question.builder.judgements else Abstention.NO_EVIDENCE
    yield from question.builder.replace(wording.decline(language(question.standalone), spoken_of=spoken_of))
    yield finished(question.outcome, question.builder, None, reason)
