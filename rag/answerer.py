"""A question to an answer, as one sequence of events: retrieval, token, citation, verification, done.

`events` is the whole use-case; `ask` is its last event. Confidence is judged before the model is asked, every sentence is
checked against the evidence as soon as it is complete, and what the model cannot deliver is quoted instead.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence

from rag import prompts
from rag.citations import CitationList, Draft, MarkedText, unmark
from rag.errors import ChatUnavailableError
from rag.events import Ask, Cited, Done, Event, Retrieved, Token, Verified
from rag.evidence import confidence, select_evidence
from rag.extractive import extract
from rag.language import is_cjk, language, trim
from rag.ports import ChatModel, PassageStore
from rag.retriever import Retriever
from rag.types import (
    Abstention,
    Answer,
    AnswerSentence,
    Evidence,
    PageSpan,
    Retrieval,
    Usage,
    Verdict,
)
from rag.verification import best_evidence, best_span, check, statement

NEAREST = 3
EXTRACTIVE = "extractive"
NO_ANSWER = {
    "en": "The documents do not answer this question.",
    "zh": "文档中没有这个问题的答案。",
}


class Answerer:
    """Answers questions over the retriever's passages. Thread-safe: each question has its own writer."""

    def __init__(
        self,
        retriever: Retriever,
        store: PassageStore,
        chat: ChatModel | None,
        *,
        evidence_budget: int,
        answer_tokens: int,
        min_confidence: float,
    ) -> None:
        """`chat` None: quoted sentences are the answer."""
        self._retriever = retriever
        self._store = store
        self._chat = chat
        self._evidence_budget = evidence_budget
        self._answer_tokens = answer_tokens
        self._min_confidence = min_confidence

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
        retrieval = self._retriever.search(
            ask.question, collections=ask.collections, top_k=ask.top_k, filters=ask.filters
        )
        return self._answer(ask, retrieval, started)

    def _answer(self, ask: Ask, retrieval: Retrieval, started: float) -> Iterator[Event]:
        yield Retrieved(retrieval.passages)
        writer = _Writer(ask, retrieval, self._store, started, self._chat.name if self._chat else EXTRACTIVE)
        sure = confidence(retrieval.query, retrieval.passages, retrieval.rarity)
        if sure < self._min_confidence:
            yield from writer.abstain(Abstention.NO_EVIDENCE)
            return
        evidence = select_evidence(retrieval.query, retrieval.passages, retrieval.rarity, budget=self._evidence_budget)
        if self._chat is None:
            yield from writer.quote(evidence, reason=None)
            return
        try:
            yield from writer.write(self._chat, evidence, self._answer_tokens)
        except ChatUnavailableError:
            yield from writer.quote(evidence, reason=Abstention.LLM_UNAVAILABLE)


class _Writer:
    """One answer under way."""

    def __init__(self, ask: Ask, retrieval: Retrieval, store: PassageStore, started: float, model: str) -> None:
        self._ask = ask
        self._retrieval = retrieval
        self._store = store
        self._started = started
        self._model = model
        self._retrieved_at = time.perf_counter()
        self._first_token_at: float | None = None
        self._pages: dict[str, list[PageSpan]] = {}
        self._reset()

    def _reset(self) -> None:
        self._text = ""
        self._citations = CitationList()
        self._sentences: list[AnswerSentence] = []
        self._usage = Usage()

    def write(self, chat: ChatModel, evidence: Sequence[Evidence], max_tokens: int) -> Iterator[Event]:
        """Let the model write, checking each sentence. Raises ChatUnavailableError."""
        draft = Draft()
        held = ""  # the beginning, while it may still be a refusal
        refused = False
        stream = chat.stream(prompts.build(self._retrieval.query, evidence), max_tokens=max_tokens)
        for delta in stream:
            self._usage = delta.usage or self._usage
            held += delta.text
            if refused or prompts.may_become_refusal(held):
                refused = held.strip().upper().startswith(prompts.REFUSAL)
                continue
            for part in draft.feed(held):
                yield from self._take(part, evidence)
            held = ""
        if refused or not (held.strip() or self._text or self._sentences):
            yield from self.abstain(Abstention.NO_EVIDENCE)
            return
        for part in (*draft.feed(held), *draft.finish()):
            yield from self._take(part, evidence)
        yield from self._conclude()

    def quote(self, evidence: Sequence[Evidence], *, reason: Abstention | None) -> Iterator[Event]:
        """Answer with the best evidence sentences themselves."""
        self._reset()
        if reason is not None:
            self._model = EXTRACTIVE
        for item, start, end in extract(self._retrieval.query, evidence, self._retrieval.rarity):
            span = item.passage.text[start - item.passage.char_start : end - item.passage.char_start]
            quoted = unmark(" ".join(span.split()))
            lead = "" if not self._text or is_cjk(quoted) else " "
            yield from self._say(lead + quoted)
            yield from self._seal(lead + quoted, [(item, start, end)], Verdict.VERIFIED)
        if not self._sentences:
            yield from self.abstain(Abstention.NO_EVIDENCE)
            return
        yield Done(self._finished(answered=True, reason=reason))

    def abstain(self, reason: Abstention) -> Iterator[Event]:
        """Say that the documents do not answer."""
        usage = self._usage
        self._reset()
        self._usage = usage
        yield from self._say(NO_ANSWER[language(self._retrieval.query)])
        yield Done(self._finished(answered=False, reason=reason))

    def _take(self, part: str | MarkedText, evidence: Sequence[Evidence]) -> Iterator[Event]:
        if isinstance(part, str):
            yield from self._say(part)
        elif part.text.strip():
            verdict, spans = judge(part, evidence)
            yield from self._seal(part.text, spans, verdict)

    def _say(self, text: str) -> Iterator[Event]:
        if self._first_token_at is None:
            self._first_token_at = time.perf_counter()
        self._text += text
        yield Token(text)

    def _seal(self, sentence: str, spans: Sequence[tuple[Evidence, int, int]], verdict: Verdict) -> Iterator[Event]:
        """Put the marks behind a sentence that stands at the end of the text, and report its verdict."""
        numbers: list[int] = []
        for item, start, end in spans:
            citation, new = self._citations.cite(item, start, end, self._pages_of(item.passage.document_id))
            numbers.append(citation.n)
            if new:
                yield Cited(citation)
        begin, _ = trim(self._text, len(self._text) - len(sentence), len(self._text))
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        if marks:
            yield from self._say(marks if is_cjk(sentence) else f" {marks}")
        sealed = AnswerSentence(
            text=self._text[begin:],
            start=begin,
            end=len(self._text),
            citations=tuple(dict.fromkeys(numbers)),
            verdict=verdict,
        )
        self._sentences.append(sealed)
        yield Verified(sealed)

    def _conclude(self) -> Iterator[Event]:
        if not self._citations.all():
            refusal = all(prompts.is_refusal(sentence.text) for sentence in self._sentences)
            yield from self.abstain(Abstention.NO_EVIDENCE if refusal else Abstention.UNSUPPORTED)
            return
        yield Done(self._finished(answered=True, reason=None))

    def _pages_of(self, document_id: str) -> list[PageSpan]:
        if document_id not in self._pages:
            self._pages[document_id] = self._store.pages(document_id)
        return self._pages[document_id]

    def _finished(self, *, answered: bool, reason: Abstention | None) -> Answer:
        verified = sum(sentence.verdict in (Verdict.VERIFIED, Verdict.MISATTRIBUTED) for sentence in self._sentences)
        return Answer(
            id=uuid.uuid4().hex,
            question=self._ask.question,
            standalone_question=self._retrieval.query,
            answer=self._text,
            answered=answered,
            reason=reason,
            citations=self._citations.all(),
            sentences=tuple(self._sentences),
            groundedness=round(verified / len(self._sentences), 4) if self._sentences else None,
            retrieved=self._retrieval.passages,
            nearest=self._retrieval.passages[:NEAREST],
            conversation_id=self._ask.conversation_id,
            model=self._model,
            prompt_version=prompts.version(),
            usage=self._usage,
            timings={
                "retrieve_ms": _ms(self._started, self._retrieved_at),
                "first_token_ms": _ms(self._started, self._first_token_at or time.perf_counter()),
                "total_ms": _ms(self._started, time.perf_counter()),
            },
        )


def judge(sentence: MarkedText, evidence: Sequence[Evidence]) -> tuple[Verdict, list[tuple[Evidence, int, int]]]:
    """A sentence's verdict and the spans (document offsets) that it may cite.

    A mark that does not hold is replaced by evidence that does (`misattributed`); a missing one is supplied
    (`verified`); otherwise the sentence stays without a citation (`unsupported`, or `uncited` if it had no mark).
    """
    body = statement(sentence.text)
    by_number = {item.n: item for item in evidence}
    cited = [by_number[n] for n in sentence.marks if n in by_number]
    spans = [(item, *best_span(body, item)) for item in cited]
    holding = [(item, start, end) for item, start, end, support in spans if support.holds]
    if holding:
        return Verdict.VERIFIED, holding
    if len(cited) > 1 and check(body, "\n".join(item.text for item in cited)).holds:
        return Verdict.VERIFIED, [(item, start, end) for item, start, end, _ in spans]
    other = best_evidence(body, evidence)
    if other is not None:
        return (Verdict.MISATTRIBUTED if cited else Verdict.VERIFIED), [other[:3]]
    return (Verdict.UNSUPPORTED if cited else Verdict.UNCITED), []


def _ms(start: float, end: float) -> float:
    return round((end - start) * 1000, 1)
