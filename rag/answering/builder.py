"""One answer under way: its text as it streams, the parts that stand, those that leave, and the citations they carry.

A sentence that its sources do not support is shown while it streams, reported with its verdict, and then leaves, unless the policy is to
mark it. A client that cannot take text back asks for checked sentences only. Nothing is ever added to what the model wrote but marks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering.citations import CitationList, MarkedText
from rag.answering.events import Ask, Cited, Event, Token, Verified
from rag.answering.prompts import is_refusal
from rag.answering.relevance import obeys_orders, only_named, only_repeats, supposes_otherwise
from rag.ports import PassageStore
from rag.text.language import is_cjk, refers_back, words
from rag.types import AnswerPolicy, AnswerSentence, CheckedBy, Citation, Evidence, PageSpan, Span, Usage, Verdict
from rag.verification.statements import statement, states_something
from rag.verification.verifier import Judgement, Verifier

# Words of a sentence that nobody writes twice running, and characters of a Chinese one.
LOOPING_WORDS, LOOPING_CHARACTERS = 4, 10
FENCES = ("```", "~~~")
SUPPORTED = (Verdict.VERIFIED, Verdict.CONSISTENT, Verdict.MISATTRIBUTED)
_NOTHING = Judgement(Verdict.UNCITED, (), (), None, 0.0)


@dataclass(slots=True)
class _Part:
    """A part of the answer with what was found of it.

    `lead` is the white space before it, `body` its text without marks; `start` and `end` are its place in the text as it streamed.
    `claims` is False for one that only leads on to the next ("Do this:"), `remarks` True for one that says what the sources lack.
    """

    lead: str
    body: str
    judged: Judgement
    start: int
    end: int
    claims: bool
    remarks: bool = False

    def sentence(self, text: str, start: int, numbers: Sequence[int]) -> AnswerSentence:
        """The part as it stands in an answer, at `start`."""
        found = self.judged
        return AnswerSentence(
            text, start, start + len(text), tuple(numbers), found.verdict, found.missing, found.checked_by
        )


class AnswerBuilder:
    """Collects one answer and tells its events. For one thread."""

    def __init__(
        self, ask: Ask, question: str, store: PassageStore, verifier: Verifier, *, remarks: bool = False
    ) -> None:
        """`question` is the standalone one, which sentences are judged for. `remarks`: what the model says that the sources lack is kept
        beside claims that stand.
        """
        self._remarks = remarks
        self._ask = ask
        self.question = question
        self._store = store
        self._verifier = verifier
        self._pages: dict[str, list[PageSpan]] = {}
        self._kept = _kept_by(ask.answers)
        self.first_token_at: float | None = None
        self.verify_ms = 0.0
        self.usage = Usage()
        self._reset()

    def _reset(self) -> None:
        self._text = ""
        self._citations = CitationList()
        self._parts: list[_Part] = []
        self._written: list[tuple[str, ...]] = []
        self._held: list[
            _Part
        ] = []  # what leads on to a sentence that is not checked yet, for clients that take nothing back
        self._between: list[str] = []  # the white space before what such clients are not told
        self.repeats = False

    @property
    def text(self) -> str:
        """All that was written so far."""
        return self._text

    @property
    def judgements(self) -> list[Judgement]:
        """What was found of each sentence that states something."""
        return [part.judged for part in self._parts if part.claims]

    @property
    def has_support(self) -> bool:
        """Whether any claim stands."""
        return any(self._stands(part) for part in self._parts if part.claims)

    @property
    def only_remarks(self) -> bool:
        """Whether nothing was written but what the sources lack."""
        return any(part.remarks for part in self._parts) and not any(part.claims for part in self._parts)

    def take(self, part: str | MarkedText, evidence: Sequence[Evidence]) -> Iterator[Event]:
        """A piece of the model's text, or a whole part of it that is to be judged.

        A sentence that is written twice running, or the second of two that were written before, is left out, and `repeats` tells from
        then on that the model goes round in a circle.
        """
        if isinstance(part, str):
            if not self._ask.checked_only:
                yield from self._say(part)
        elif part.text.strip():
            if self._loops(part.text):
                self.repeats = True
                return
            clock = time.perf_counter()
            remarks = is_refusal(part.text) and not part.text.lstrip().startswith("|")  # no row of a table
            claims = not remarks and states_something(part.text)
            judged = self._judge(part, evidence) if claims else _NOTHING
            self.verify_ms += (time.perf_counter() - clock) * 1000
            yield from self._seal(part.text, judged, claims=claims, remarks=remarks)

    def state(self, text: str, spans: Sequence[Span]) -> Iterator[Event]:
        """A sentence in the sources' own words, or of our own making, that its spans are known to support."""
        text = f"\n\n{text}" if self._text else text
        judged = Judgement(Verdict.VERIFIED, tuple(spans), (), CheckedBy.TEXT, 1.0)
        if not self._ask.checked_only:
            yield from self._say(text)
        yield from self._seal(text, judged, claims=True)

    def replace(self, text: str) -> Iterator[Event]:
        """A line without citations, in place of what was written so far."""
        self._reset()
        yield from self._say(text)

    def restart(self) -> None:
        """Forget what was written so far."""
        self._reset()

    def confirm(self, evidence: Sequence[Evidence]) -> Iterator[Event]:
        """Let a model of entailment judge what the text could not settle, all at once; changed verdicts are told anew."""
        asked = [part for part in self._parts if part.claims]
        clock = time.perf_counter()
        pairs = [(part.body, part.judged) for part in asked]
        confirmed = self._verifier.confirm(pairs, evidence, self.question) if pairs else []
        self.verify_ms += (time.perf_counter() - clock) * 1000
        for part, judged in zip(asked, confirmed, strict=True):
            said_already = self._ask.checked_only and judged.verdict not in self._kept
            if judged == part.judged or said_already:
                continue
            part.judged = judged
            numbers = [n for n, _ in map(self._cite, judged.spans)] if judged.verdict in SUPPORTED else []
            yield Verified(part.sentence(self._text[part.start : part.end], part.start, numbers))

    def assembled(self) -> tuple[str, tuple[AnswerSentence, ...], tuple[Citation, ...], tuple[AnswerSentence, ...]]:
        """The text of what stands, its sentences with their places in it, the citations they use, and the sentences that left."""
        self._citations = CitationList()
        text, sentences, left = "", [], []
        skipped: list[str] = []
        before = ""
        for part, stands in zip(self._parts, self._standing(), strict=True):
            if not stands:
                skipped.append(part.lead)
                left += [part.sentence(part.body, part.start, ())] if part.claims else []
                continue
            numbers = self._numbers(part.judged)
            text += _gap(before, [part.lead, *skipped]) if text else ""
            skipped, before = [], part.body
            body = marked(part.body, numbers)
            sentences.append(part.sentence(body, len(text), numbers))
            text += body
        return text, tuple(sentences), self._citations.all(), tuple(left)

    def _standing(self) -> list[bool]:
        """Whether each part stays: a claim by its verdict, what leads on to a claim with it, a remark beside claims that stand."""
        stands: list[bool] = []
        following = False
        for part in reversed(self._parts):
            if part.claims:
                following = self._stands(part)
            stands.append(self._remarks and self.has_support if part.remarks else following)
            following = following and not part.remarks
        return stands[::-1]

    def _stands(self, part: _Part) -> bool:
        return part.judged.verdict in self._kept

    def _loops(self, text: str) -> bool:
        """Whether a sentence shows that the model goes round in a circle. A list may say the same of one thing and another, or say it
        in few words.
        """
        said = tuple(words(statement(text)))
        before = self._written
        again = said in before[-1:] or (said in before and bool(before[:-1]) and before[-1] in before[:-1])
        self._written.append(said)
        size = sum(map(len, said)) if is_cjk(text) else len(said)
        return again and size >= (LOOPING_CHARACTERS if is_cjk(text) else LOOPING_WORDS)

    def _judge(self, part: MarkedText, evidence: Sequence[Evidence]) -> Judgement:
        if only_repeats(self.question, statement(part.text)):
            return _NOTHING
        judged = self._verifier.judge(part.text, part.marks, evidence, self.question)
        if judged.verdict in SUPPORTED:
            spans = tuple(span for span in judged.spans if self._answers(part.text, span))
            if not spans:
                return replace(judged, verdict=Verdict.UNSUPPORTED, spans=())
            judged = replace(judged, spans=spans)
        before = next((part for part in reversed(self._parts) if part.claims), None)
        if before and not self._stands(before) and refers_back(statement(part.text)):
            return replace(judged, verdict=Verdict.UNSUPPORTED, spans=())  # nobody could tell what "this" is
        return judged

    def _answers(self, said: str, span: Span) -> bool:
        """Whether a span answers, rather than orders the model about or says the opposite of what is asked."""
        if only_named(statement(said), span) or obeys_orders(self.question, said, span):
            return False
        return not supposes_otherwise(self.question, span)

    def _say(self, text: str) -> Iterator[Event]:
        if self.first_token_at is None:
            self.first_token_at = time.perf_counter()
        self._text += text
        yield Token(text)

    def _seal(self, text: str, judged: Judgement, *, claims: bool, remarks: bool = False) -> Iterator[Event]:
        """Report the verdict on a part that stands at the end of the text, and put its marks behind it.

        For a client that takes nothing back, a claim is said only now, and only if it stands, with what leads on to it.
        """
        lead = text[: len(text) - len(text.lstrip())]
        part = _Part(lead, text.strip(), judged, 0, 0, claims, remarks)
        if self._ask.checked_only:
            if not claims:
                yield from self._hold(part)
                return
            if self._stands(part):
                yield from self._say_held()
                part.lead = self._apart(part.lead)
            else:
                self._pass_over(*(held for held in self._held if not held.remarks), part)
        numbers: list[int] = []
        for span in judged.spans if judged.verdict in SUPPORTED and self._stands(part) else ():
            number, citation = self._cite(span)
            numbers.append(number)
            if citation:
                yield Cited(citation)
        body = marked(part.body, tuple(dict.fromkeys(numbers)))
        if self._ask.checked_only:
            said = body if self._stands(part) else ""
            if said:
                yield from self._say((part.lead if self._text else "") + said)
            part.start = len(self._text) - len(said)
        else:
            part.start = max(0, len(self._text.rstrip()) - len(part.body))
            # the mark of a row belongs inside its last cell, which was shown already: it comes with the whole answer
            if body.startswith(part.body) and len(body) > len(part.body):
                yield from self._say(body[len(part.body) :])
        part.end = len(self._text.rstrip())
        self._parts.append(part)
        if claims:
            yield Verified(part.sentence(self._text[part.start : part.end], part.start, numbers))

    def _hold(self, part: _Part) -> Iterator[Event]:
        """Keep back what is no claim until one stands that it belongs to; what leads on to a remark leads on to no claim."""
        if part.remarks:
            self._pass_over(*(held for held in self._held if not held.remarks))
            if not self._remarks:
                self._pass_over(part)
                return
        self._held.append(part)
        if part.remarks and self.has_support:
            yield from self._say_held()

    def _say_held(self) -> Iterator[Event]:
        for part in self._held:
            part.lead = self._apart(part.lead)
            yield from self._say((part.lead if self._text else "") + part.body)
            self._parts.append(part)
        self._held = []

    def _pass_over(self, *parts: _Part) -> None:
        """Leave parts unsaid; the white space before them still tells apart what is said before and after them."""
        self._held = [held for held in self._held if held not in parts]
        self._between += [part.lead for part in parts]

    def _apart(self, lead: str) -> str:
        """The white space before the next part that is said."""
        leads, self._between = [lead, *self._between], []
        said = (part.body for part in reversed(self._parts) if not part.claims or self._stands(part))
        return _gap(next(said, ""), leads)

    def _numbers(self, judged: Judgement) -> tuple[int, ...]:
        """The numbers of the citations that a part carries, each once."""
        spans = judged.spans if judged.verdict in SUPPORTED else ()
        return tuple(dict.fromkeys(number for number, _ in map(self._cite, spans)))

    def _cite(self, span: Span) -> tuple[int, Citation | None]:
        """The number of a span's citation, and the citation where it is new."""
        item = span.evidence
        citation, new = self._citations.cite(item, span.start, span.end, self._pages_of(item.passage.document_id))
        return citation.n, citation if new else None

    def _pages_of(self, document_id: str) -> list[PageSpan]:
        if document_id not in self._pages:
            self._pages[document_id] = self._store.pages(document_id)
        return self._pages[document_id]


def marked(body: str, numbers: Sequence[int]) -> str:
    """A part with its marks: behind a sentence, below a piece of code, inside the last cell of a row."""
    marks = "".join(f"[{n}]" for n in numbers)
    if not marks:
        return body
    if body.endswith(FENCES):
        return f"{body}\n\n{marks}"
    if body.endswith("|") and "|" in body[:-1]:
        return f"{body[:-1].rstrip()} {marks} |"
    return body + marks if is_cjk(body) else f"{body} {marks}"


def _gap(before: str, leads: Sequence[str]) -> str:
    """The white space behind a part: what tells most apart of what stood there. Nothing follows code on the line that ends it."""
    widest = max(leads, key=lambda lead: lead.count("\n"))
    return "\n\n" if before.endswith(FENCES) and "\n\n" not in widest else widest


def _kept_by(policy: AnswerPolicy) -> frozenset[Verdict]:
    """The verdicts of sentences that stay in the answer."""
    if policy is AnswerPolicy.STRICT:
        return frozenset({Verdict.VERIFIED, Verdict.MISATTRIBUTED})
    return frozenset(Verdict) if policy is AnswerPolicy.OPEN else frozenset(SUPPORTED)
