"""One answer under way: its text, the sentences that stood up, those that did not, and the citations they carry.

A sentence that no source supports is shown while it streams, reported with its verdict, and then leaves: `finished`
builds the answer from what was kept. A client that cannot take text back asks for checked sentences only.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag import prompts
from rag.citations import CitationList, MarkedText, strip_marks, unmark
from rag.events import Ask, Cited, Done, Event, Token, Verified
from rag.extractive import extract, nearest, self_contained
from rag.language import is_cjk, language, refers_back, trim, words
from rag.ports import PassageStore
from rag.relevance import addresses, supposes_otherwise
from rag.scoring import ITEM
from rag.types import (
    Abstention,
    Answer,
    AnswerSentence,
    Citation,
    Evidence,
    PageSpan,
    Retrieval,
    Usage,
    Verdict,
)
from rag.verification.contradiction import both_asked, sides_told
from rag.verification.multi_span import SAYS_IT_TOO, Span, corroborating, gather
from rag.verification.overlap import best_span, check, content_terms, supporting
from rag.verification.statements import statement, states_something

NEAREST = 3
EXTRACTIVE = "extractive"
# Spans that one sentence may cite, but for those that its own marks name; and one whose items stand in as many places.
MOST_SPANS = 3
MOST_LISTED = 6
# Content terms (words, or pairs of characters) of a sentence that nobody writes twice running.
LOOPING_LATIN, LOOPING_CJK = 4, 10
SUPPORTED = (Verdict.VERIFIED, Verdict.MISATTRIBUTED)


class Writer:
    """Collects one answer and tells its events. For one thread."""

    def __init__(self, ask: Ask, standalone: str, retrieval: Retrieval, store: PassageStore, started: float) -> None:
        self._ask = ask
        self.question = standalone
        self._retrieval = retrieval
        self._store = store
        self._started = started
        self._pages: dict[str, list[PageSpan]] = {}
        self._meant = [passage for passage in retrieval.passages if passage.filename not in retrieval.unmeant]
        self._spent = {"retrieve_ms": _ms(started, time.perf_counter()), "verify_ms": 0.0}
        self._first_token_at: float | None = None
        self.usage = Usage()
        self.model = EXTRACTIVE
        self.confidence = 0.0
        self._reset()

    def _reset(self) -> None:
        self._text = ""
        self._citations = CitationList()
        self._kept: list[AnswerSentence] = []
        self._dropped: list[AnswerSentence] = []
        self._own = 0  # sentences of the model that were kept
        self._written: list[tuple[str, ...]] = []  # the words of its sentences
        self.repeats = False
        self._left = False  # whether the sentence before will leave

    @property
    def has_support(self) -> bool:
        """Whether anything that was written stands up."""
        return bool(self._kept)

    @property
    def has_claims(self) -> bool:
        """Whether anything was written that states something of its own, rather than refuses."""
        return any(not prompts.is_refusal(sentence.text) for sentence in (*self._kept, *self._dropped))

    def spend(self, stage: str, started: float) -> None:
        """Add the time since `started` (of `time.perf_counter`) to a stage's timing."""
        self._spent[stage] = round(self._spent.get(stage, 0.0) + _ms(started, time.perf_counter()), 1)

    def take(self, part: str | MarkedText, evidence: Sequence[Evidence]) -> Iterator[Event]:
        """A piece of the model's text, or a whole sentence of it that is to be judged.

        A sentence that is written twice running, or the second of two that were written before, is left out, and `repeats` tells from
        then on that the model goes round in a circle.
        """
        if isinstance(part, str):
            if not self._ask.checked_only:
                yield from self._say(part)
        elif part.text.strip():
            clock = time.perf_counter()
            body = statement(part.text)
            if self._loops(body):
                self.repeats = True
                return
            verdict, spans, missing = judge(part, evidence, self.question)
            if verdict in SUPPORTED:
                spans += corroborating(body, spans, self._meant)[: max(0, MOST_SPANS - len(spans))]
                spans = [span for span in spans if self._answers(body, span)]
                verdict = verdict if spans else Verdict.UNSUPPORTED
            if self._left and refers_back(body):  # nobody could tell what "this" is
                verdict, spans = Verdict.UNSUPPORTED, []
            self._left = verdict not in SUPPORTED and states_something(body)
            self.spend("verify_ms", clock)
            text = part.text if self._text else part.text.lstrip()
            if self._ask.checked_only and verdict in SUPPORTED:
                yield from self._say(text)
            yield from self._seal(text, spans, verdict, missing)
            self._own += verdict in SUPPORTED

    def _loops(self, body: str) -> bool:
        """Whether a sentence shows that the model goes round in a circle. A list may say the same of one thing and another, or say it
        in few words.
        """
        said = tuple(words(body))
        before = self._written
        again = said in before[-1:] or (said in before and before[-1] in before[:-1])
        self._written.append(said)
        return again and len(content_terms(body)) >= (LOOPING_CJK if is_cjk(body) else LOOPING_LATIN)

    def quote(self, evidence: Sequence[Evidence]) -> Iterator[Event]:
        """Answer with the best evidence sentences themselves, in place of what was written so far."""
        self._reset()
        for places in extract(self._retrieval.query, evidence, self._retrieval.rarity):
            item, start, end = places[0]
            if not supposes_otherwise(self.question, item, start, end):
                yield from self.state(_quotation(places[0]), places[:MOST_SPANS])

    def complete(self, evidence: Sequence[Evidence]) -> Iterator[Event]:
        """Add, in the sources' words, what the model's text lacks: for a sentence that leaves, what the evidence says nearest to
        it; the side of a question for both that it does not tell; and the best of the passage that was found first, where nothing
        cites it.
        """
        first = self._retrieval.passages[0]
        left = [statement(sentence.text) for sentence in self._dropped if not prompts.is_refusal(sentence.text)]
        left = [said for said in left if states_something(said)]
        asked = both_asked(self.question)
        told = set[bool]().union(*(sides_told(strip_marks(sentence.text).text, asked) for sentence in self._kept))
        one_sided = len(told) == 1
        if not (left or one_sided) and self._citations.holds(first.document_id, first.char_start, first.char_end):
            return
        clock = time.perf_counter()
        spans = [
            (item, start, end)
            for item, start, end in self_contained(self._retrieval.query, evidence, self._retrieval.rarity)
            if item.passage.filename not in self._retrieval.unmeant
            and language(text := item.passage.between(start, end)) == language(self.question)
            and self._answers(text, (item, start, end))
        ]
        instead = [span for said in left if (span := nearest(said, spans, self.question))]
        other: dict[str, Span] = {}
        for item, start, end in spans if one_sided else ():
            if sides_told(item.passage.between(start, end), asked) - told:
                other.setdefault(item.passage.chunk_id, (item, start, end))
        instead += [*other.values()][:MOST_SPANS]
        self.spend("evidence_ms", clock)
        own = len(self._kept)
        for item, start, end in instead:
            if not self._citations.holds(item.passage.document_id, start, end):
                yield from self._add((item, start, end), apart=len(self._kept) == own)
        best = next((span for span in spans if span[0].passage is first), None)
        if best and not self._citations.holds(first.document_id, first.char_start, first.char_end):
            yield from self._add(best, apart=len(self._kept) == own)

    def _add(self, span: Span, *, apart: bool) -> Iterator[Event]:
        """Quote one more sentence, unless a sentence of the answer says it already."""
        text = statement(_quotation(span))
        for sentence in self._kept:
            said = check(text, strip_marks(sentence.text).text)
            if said.holds and said.overlap >= SAYS_IT_TOO:
                return
        spans = [span, *corroborating(text, [span], self._meant)][:MOST_SPANS]
        if answering := [span for span in spans if self._answers(text, span)]:
            yield from self.state(text, answering, apart=apart)

    def state(self, text: str, spans: Sequence[Span], *, apart: bool = False) -> Iterator[Event]:
        """A sentence of our own making that its spans are known to support; `apart`: it begins a paragraph."""
        sentence = f"{self._gap(text, apart)}{text}" if self._text else text
        yield from self._say(sentence)
        yield from self._seal(sentence, spans, Verdict.VERIFIED, ())

    def _gap(self, text: str, apart: bool) -> str:
        """What stands between what was written and a further sentence: items of a list have lines of their own."""
        item, behind_item = ITEM.match(text), ITEM.match(self._text.rpartition("\n")[2])
        if apart or bool(item) != bool(behind_item):
            return "\n\n"
        return "\n" if item else "" if is_cjk(text) else " "

    def replace(self, text: str) -> Iterator[Event]:
        """A line without citations, in place of what was written so far."""
        self._reset()
        yield from self._say(text)

    def finish(self, *, answered: bool, reason: Abstention | None = None) -> Done:
        """The whole answer, of the sentences that were kept."""
        text, kept, citations = self._assembled() if answered else (self._text, (), ())
        written = self._own + len(self._dropped)
        query = self._retrieval.query
        timings = {
            **self._spent,
            "first_token_ms": _ms(self._started, self._first_token_at or time.perf_counter()),
            "total_ms": _ms(self._started, time.perf_counter()),
        }
        return Done(
            Answer(
                id=uuid.uuid4().hex,
                question=self._ask.question,
                standalone_question=self.question,
                answer=text,
                answered=answered,
                reason=reason,
                citations=citations,
                sentences=kept,
                groundedness=None if not answered else round(self._own / written, 4) if written else 1.0,
                retrieved=self._retrieval.passages,
                nearest=self._retrieval.passages[:NEAREST],
                conversation_id=self._ask.conversation_id,
                model=self.model,
                prompt_version=prompts.version(),
                usage=self.usage,
                timings=timings,
                dropped=tuple(self._dropped) if answered else (),
                confidence=round(self.confidence, 4),
                searched=query if query != self.question else None,
            )
        )

    def _assembled(self) -> tuple[str, tuple[AnswerSentence, ...], tuple[Citation, ...]]:
        """The text of the kept sentences with their places in it, and the citations that they use."""
        if not (self._dropped or self.repeats):
            return self._text, tuple(self._kept), self._citations.all()
        text, sentences = "", []
        for sentence in self._kept:
            gap = self._text[: sentence.start]
            lead = gap[len(gap.rstrip()) :] if text else ""
            start = len(text) + len(lead)
            text += lead + sentence.text
            sentences.append(replace(sentence, start=start, end=len(text)))
        return text, tuple(sentences), self._citations.all()

    def _say(self, text: str) -> Iterator[Event]:
        if self._first_token_at is None:
            self._first_token_at = time.perf_counter()
        self._text += text
        yield Token(text)

    def _seal(
        self, sentence: str, spans: Sequence[Span], verdict: Verdict, missing: tuple[tuple[str, str], ...]
    ) -> Iterator[Event]:
        """Put the marks behind a sentence that stands at the end of the text, and report its verdict."""
        supported = verdict in SUPPORTED
        if self._ask.checked_only and not supported:
            sealed = AnswerSentence(sentence.strip(), len(self._text), len(self._text), (), verdict, missing)
            self._dropped.append(sealed)
            yield Verified(sealed)
            return
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
        cited = tuple(dict.fromkeys(numbers))
        sealed = AnswerSentence(self._text[begin:], begin, len(self._text), cited, verdict, missing)
        (self._kept if supported else self._dropped).append(sealed)
        yield Verified(sealed)

    def _answers(self, said: str, span: Span) -> bool:
        """Whether what a span supports has to do with the question, and not with its opposite."""
        return addresses(self._retrieval.rarity, said, *span) and not supposes_otherwise(self.question, *span)

    def _pages_of(self, document_id: str) -> list[PageSpan]:
        if document_id not in self._pages:
            self._pages[document_id] = self._store.pages(document_id)
        return self._pages[document_id]


def _quotation(span: Span) -> str:
    """The words of a span in one line, without marks."""
    item, start, end = span
    return unmark(" ".join(item.passage.between(start, end).split()))


def judge(
    sentence: MarkedText, evidence: Sequence[Evidence], question: str = ""
) -> tuple[Verdict, list[Span], tuple[tuple[str, str], ...]]:
    """A sentence's verdict, the spans (document offsets) that it may cite, and else what they lack.

    A mark that does not hold is replaced by evidence that does (`misattributed`); a missing one is supplied
    (`verified`); otherwise the sentence stays without a citation (`unsupported`, or `uncited` if it had no mark). What holds
    the rest of a list is cited beside it, up to `MOST_LISTED` in all.
    """
    body = statement(sentence.text)
    if not states_something(body):
        return Verdict.UNCITED, [], ()
    by_number = {item.n: item for item in evidence}
    cited = [by_number[n] for n in sentence.marks if n in by_number]
    holding = supporting(body, evidence, question=question)
    chosen = [found for found in holding if found[0] in cited]
    if chosen:
        spans = gather(body, [found[:3] for found in chosen], evidence, question=question, most=MOST_LISTED)
        return Verdict.VERIFIED, spans, ()
    tried = [(item, *best_span(body, item, question=question)) for item in cited]
    together = "\n".join(item.text for item in cited)
    if len(cited) > 1 and check(body, together, question=question).holds:
        return Verdict.VERIFIED, [(item, start, end) for item, start, end, _ in tried], ()
    if spans := gather(body, [found[:3] for found in holding[:1]], evidence, question=question, most=MOST_LISTED):
        replaced = cited and not any(item in cited for item, _, _ in spans)
        return (Verdict.MISATTRIBUTED if replaced else Verdict.VERIFIED), spans, ()
    return (Verdict.UNSUPPORTED if cited else Verdict.UNCITED), [], tried[0][3].reasons if tried else ()


def _ms(start: float, end: float) -> float:
    return round((end - start) * 1000, 1)
