"""A sentence against the evidence it cites: its verdict, and the shortest spans that carry it.

Facts are checked exactly; what only wording could decide is `consistent` until a model of entailment confirms it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.language import sentences
from rag.ports import Embedder, Entailment
from rag.types import CheckedBy, Evidence, Verdict
from rag.verification.features import best_matches, compare, coverage, missing_facts
from rag.verification.overlap import check, context_of, statement, states_something
from rag.verification.reading import Reader

__all__ = ["Judgement", "Span", "Verifier", "statement", "states_something"]

Span = tuple[Evidence, int, int]
ABOUT = 0.45


@dataclass(frozen=True, slots=True)
class Judgement:
    """A sentence's verdict, the spans (document offsets) it may cite, what they lack as (kind, text), and the chance, 0..1, that the sources
    support it.
    """

    verdict: Verdict
    spans: tuple[Span, ...]
    missing: tuple[tuple[str, str], ...]
    checked_by: CheckedBy | None
    score: float


class Verifier:
    """Judges sentences. Thread-safe."""

    def __init__(
        self, embedder: Callable[[], Embedder] | Embedder | None = None, entailment: Entailment | None = None
    ) -> None:
        self._reader = Reader(embedder)
        self._entailment = entailment

    def judge(self, sentence: str, marks: Sequence[int], evidence: Sequence[Evidence], question: str = "") -> Judgement:
        """The verdict by text alone."""
        body = statement(sentence)
        cited = [item for item in evidence if item.n in marks] or list(evidence)
        reading = self._reader.read([body])[0]
        held = []
        for item in evidence:
            text = self._reader.read([item.text])[0]
            found = compare(reading, text, context=context_of(item), question=question)
            held.append((coverage(reading.words, best_matches(reading, found.similarity), question), found, item))
        ranked = sorted(held, key=lambda each: (bool(each[1].missing), each[2] not in cited, -each[0]))
        share, found, item = ranked[0]
        start, end = self._span(body, item, question)
        span = (item, item.start + start, item.start + end)
        turned = found.features["turned"] or found.features["denial"]
        if found.missing or share < ABOUT:
            together = "\n".join(each.text for each in cited)
            missing = missing_facts(body, together, "\n".join(map(context_of, cited)), question)
            if missing or share < ABOUT:
                return Judgement(
                    Verdict.UNSUPPORTED if marks else Verdict.UNCITED, (), missing, CheckedBy.TEXT, share / 2
                )
        if turned:
            return Judgement(Verdict.UNSUPPORTED, (), (("negation", body),), CheckedBy.TEXT, share / 2)
        if check(body, item.text, context=context_of(item), question=question).holds:
            moved = bool(marks) and item not in cited
            return Judgement(Verdict.MISATTRIBUTED if moved else Verdict.VERIFIED, (span,), (), CheckedBy.TEXT, share)
        return Judgement(Verdict.CONSISTENT, (span,), (), CheckedBy.TEXT, share)

    def confirm(
        self, judged: Sequence[tuple[str, Judgement]], evidence: Sequence[Evidence], question: str = ""
    ) -> list[Judgement]:
        """The verdicts after entailment, where there is a port."""
        return [each for _, each in judged]

    def _span(self, body: str, item: Evidence, question: str) -> tuple[int, int]:
        reading = self._reader.read([body])[0]
        best, place = -1.0, (0, len(item.text))
        for start, end in sentences(item.text):
            text = self._reader.read([item.text[start:end]])[0]
            found = compare(reading, text, context="", question=question)
            share = coverage(reading.words, best_matches(reading, found.similarity), question) - 0.1 * len(
                found.missing
            )
            if share > best:
                best, place = share, (start, end)
        return place
