"""The verdict on a sentence of an answer: what its text and facts show at once, and what a model of entailment says afterwards.

Facts are checked exactly and decide by themselves; what else a sentence changes of its source is weighed by the fitted model. Measured
limits: a negation in other words, a condition left out and a cause made up pass as `consistent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.ports import Embedder, Entailment
from rag.text.language import asks_whether, is_cjk, language
from rag.types import CheckedBy, Evidence, Span, Verdict
from rag.verification.alignment import same_words, similarities
from rag.verification.facts.quotations import stands
from rag.verification.features import Compared, best_matches, compare, coverage
from rag.verification.model import support_model
from rag.verification.reading import Reader, Reading, joined
from rag.verification.spans import context_of, shortest
from rag.verification.statements import statement, states_something

Missing = tuple[tuple[str, str], ...]

# Facts that are exact: one that is missing decides.
EXACT = ("number", "unit", "date", "quote", "code", "name")
# The limits below were read off the development rows so that few faithful sentences cross them (shares of 0..1).
PUT_IN, SWAPPED, DENIED, DENIED_ALONE = 0.7, 0.6, 0.6, 0.85
# How much better another source must cover a sentence for the cited one to be the wrong one.
NEARER = 0.3
# How much better another source must cover it to be cited instead of one that does not say it: without this every second false sentence
# of the development rows found some other source that did not contradict it.
BETTER = 0.05
# Least coverage of a sentence that is about the same thing: with vectors, and with words alone. Of sentences held against a passage of
# another file the first turns away .85 (English) and .6 (Chinese), and 2 % of the faithful ones.
ABOUT, ABOUT_WORDS = 0.25, 0.02
# A sentence is its text's own words: so much of it in order, and so little changed.
NEAR_VERBATIM, CHANGED = 0.85, 0.1
# Sources that a sentence without a mark, or with a wrong one, is held against.
TRIED = 3
# Characters of an answer that leans on its question.
SHORT = 40
# Chances of entailment below which a consistent sentence leaves, and from which it is verified.
DENIES, ENTAILS = 0.15, 0.85


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the spans (document offsets) that the sentence may cite, what they lack, and the fitted chance of support, 0..1."""

    verdict: Verdict
    spans: tuple[Span, ...]
    missing: Missing
    checked_by: CheckedBy | None
    score: float


class Verifier:
    """Judges sentences against evidence. Thread-safe; without an embedder it compares words, without entailment `confirm` does nothing."""

    def __init__(
        self, embedder: Callable[[], Embedder] | Embedder | None = None, entailment: Entailment | None = None
    ) -> None:
        self._reader = Reader(embedder)
        self._entailment = entailment

    def prepare(self, evidence: Sequence[Evidence]) -> None:
        """Read the evidence while the model still reads its prompt."""
        self._reader.read([item.text for item in evidence])

    def judge(self, sentence: str, marks: Sequence[int], evidence: Sequence[Evidence], question: str = "") -> Judgement:
        """The verdict on a sentence (without its marks) by text alone: milliseconds once the evidence was read."""
        body = statement(sentence)
        if not states_something(body):
            return Judgement(Verdict.UNCITED, (), (), None, 0.0)
        mine, *texts = self._reader.read([body, *(item.text for item in evidence)])
        case = _Case(mine, tuple(zip(evidence, texts, strict=True)), question)
        cited = [at for at, item in enumerate(evidence) if item.n in marks]
        first = case.judged(cited) if cited else None
        if first and first.verdict is not Verdict.UNSUPPORTED:
            return first
        for others in case.alternatives(cited):
            if cited and case.covered(others) < case.covered(cited) + BETTER:
                continue  # what the cited source is nearer to, and does not say, no other source says
            found = case.judged(others, alone=True)
            if found.verdict is not Verdict.UNSUPPORTED:
                return replace(found, verdict=Verdict.MISATTRIBUTED) if cited else found
        return first or Judgement(Verdict.UNCITED, (), (), CheckedBy.TEXT, 0.0)

    def confirm(
        self, judged: Sequence[tuple[str, Judgement]], evidence: Sequence[Evidence], question: str = ""
    ) -> list[Judgement]:
        """The judgements, with those that text could not settle settled by entailment, all in one call."""
        found = [judgement for _, judgement in judged]
        asked = [
            at for at, judgement in enumerate(found) if judgement.verdict is Verdict.CONSISTENT and judgement.spans
        ]
        if self._entailment is None or not asked:
            return found
        whole = {id(item.passage): item for item in evidence}
        pairs = [(_premise(found[at].spans, whole), _claim(judged[at][0], question)) for at in asked]
        for at, chance in zip(asked, self._entailment.entails(pairs), strict=True):
            found[at] = _confirmed(found[at], chance)
        return found


def _confirmed(judgement: Judgement, chance: float | None) -> Judgement:
    if chance is None or DENIES <= chance < ENTAILS:
        return judgement
    if chance >= ENTAILS:
        return replace(judgement, verdict=Verdict.VERIFIED, checked_by=CheckedBy.MODEL, score=chance)
    missing = (("entailment", f"{chance:.2f}"),)
    return replace(
        judgement, verdict=Verdict.UNSUPPORTED, spans=(), missing=missing, checked_by=CheckedBy.MODEL, score=chance
    )


def _claim(sentence: str, question: str) -> str:
    """What is to be entailed; a bare yes or no says nothing without its question."""
    body = statement(sentence)
    return f"{question} {body}" if question and asks_whether(question) and len(body) <= SHORT else body


def _premise(spans: Sequence[Span], whole: Mapping[int, Evidence]) -> str:
    """The whole evidence that spans are of, under its headings: a span alone may not tell what it speaks of."""
    items = {id(span.evidence.passage): whole.get(id(span.evidence.passage), span.evidence) for span in spans}
    return "\n\n".join(f"{item.passage.heading or ''}\n{item.text}".strip() for item in items.values())


class _Case:
    """One sentence beside the sources of one answer."""

    def __init__(self, mine: Reading, sources: Sequence[tuple[Evidence, Reading]], question: str) -> None:
        self._mine = mine
        self._sources = sources
        self._question = question
        self._similar = [similarities(mine, text, same_words(mine.words, text.words)) for _, text in sources]
        self._covers = [coverage(mine.words, best_matches(mine, each), question) for each in self._similar]

    def covered(self, chosen: Sequence[int]) -> float:
        """How well the best of some sources covers the sentence, 0..1."""
        return max(self._covers[at] for at in chosen)

    def alternatives(self, cited: Sequence[int]) -> list[list[int]]:
        """Other sources that may support the sentence: the nearest alone, then the two nearest together."""
        order = sorted(range(len(self._sources)), key=lambda at: -self._covers[at])
        single = [[at] for at in order if at not in cited][:TRIED]
        return [*single, *([sorted(order[:2])] if len(order) > 1 and set(order[:2]) != set(cited) else [])]

    def judged(self, chosen: Sequence[int], *, alone: bool = False) -> Judgement:
        """The verdict by some of the sources; `alone`: whatever the others say."""
        text = joined([self._sources[at][1] for at in chosen])
        context = "\n".join(context_of(self._sources[at][0]) for at in chosen)
        other = 0.0 if alone else max((v for at, v in enumerate(self._covers) if at not in chosen), default=0.0)
        compared = compare(self._mine, text, context=context, question=self._question, other=other)
        weighed = dict(compared.features)
        if len(chosen) > 1:
            weighed["rearranged"] = 0.0  # the words of several sources stand in no one order
        score = support_model().probability(weighed)
        against = objections(compared, text, self._mine)
        if not against and score < support_model().threshold:
            against = (("similarity", f"{score:.2f}"),)
        if against:
            return Judgement(Verdict.UNSUPPORTED, (), against, CheckedBy.TEXT, 0.0 if against[0][0] in EXACT else score)
        exact = stands(self._mine.text, text.text) or near_verbatim(compared.features)
        verdict = Verdict.VERIFIED if exact else Verdict.CONSISTENT
        return Judgement(verdict, self._spans(chosen), (), CheckedBy.TEXT, score)

    def _spans(self, chosen: Sequence[int]) -> tuple[Span, ...]:
        return tuple(
            shortest(self._mine, self._sources[at][0], self._sources[at][1], self._similar[at]) for at in chosen
        )


def objections(compared: Compared, text: Reading, sentence: Reading) -> Missing:
    """What decides against a sentence by itself: a fact that stands nowhere, a contradiction, another source, another subject."""
    found = compared.features
    # a Chinese word that its text does not know is a name or a paraphrase: it decides only amid the text's own words (`put_in`)
    against = [item for item in compared.missing if item[0] in EXACT and not (item[0] == "name" and is_cjk(item[1]))]
    if found["put_in"] >= PUT_IN:
        against += [("name", name) for kind, name in compared.missing if kind in ("name", "first")]
    denied = (found["turned"] and found["denial"] >= DENIED) or found["denial"] >= DENIED_ALONE
    if denied or found["negated"] >= NEAR_VERBATIM:
        against.append(("negation", sentence.text))
    if found["opposed"]:
        against.append(("comparative", sentence.text))
    if found["swapped_fact"] >= SWAPPED:
        against.append(("number", sentence.text))
    if found["nearer"] > NEARER:
        against.append(("citation", f"{found['nearer']:.2f}"))
    if _elsewhere(found, text, sentence):
        against.append(("similarity", f"{found['coverage']:.2f}"))
    return tuple(dict.fromkeys(against))


def _elsewhere(found: Mapping[str, float], text: Reading, sentence: Reading) -> bool:
    if text.vectors is not None and np.any(text.vectors):
        return found["coverage"] < ABOUT
    return found["coverage"] < ABOUT_WORDS and language(text.text) == language(sentence.text)


def near_verbatim(found: Mapping[str, float]) -> bool:
    """Whether a sentence is its text's own words in their order, with nothing changed that bears on what they say."""
    changed = sum(found[name] for name in ("replaced", "inserted", "omitted", "moved", "rearranged", "misbound"))
    bounds = any(found[name] for name in found if name.startswith(("adds_", "drops_")))
    same = not bounds and not found["jumps"] and not found["denies"]
    return found["verbatim"] >= NEAR_VERBATIM and changed <= CHANGED and same
