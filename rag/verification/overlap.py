"""A sentence against the span it cites: does what can be checked without a model stand there? Pure.

Checked: quotes, numbers with units and signs, dates, names, negation and comparisons, and a floor on the share of content
words, each by its own module. What it cannot see (relations swapped between names that both stand in the span) is
documented in docs/architecture.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.text.language import CJK_RUN, STOP_WORDS, asks_whether, bigrams, fold, is_cjk, sentences, stem, words
from rag.types import Evidence
from rag.verification.contradiction import turned
from rag.verification.enumerations import enumerations
from rag.verification.facts.facts import facts_of, stated_facts, unstated, without
from rag.verification.facts.names import everyday, known_bigrams, plain, unknown_names
from rag.verification.facts.quotations import quoted, stands, titles
from rag.verification.vocabulary import english

# Least share (by weight) of a sentence's content terms that must stand in the cited text.
FLOOR_LATIN, FLOOR_CJK = 0.64, 0.5
# Least share of what it tells beyond the question. In Chinese, other words for the same leave few pairs of characters alike.
TOLD_LATIN, TOLD_CJK = 0.5, 0.15
# What an everyday word weighs beside one that tells what a sentence is about.
EVERYDAY = 0.5
# What a number or date weighs.
FACT = 1.0
# How much of the overlap is in terms that stand together, and how many words "together" is.
TOGETHER, NEAR = 0.3, 3

_CONTRACTION = re.compile(r"(?:n['’]t|^(?:i|you|he|she|it|we|they|that|there)['’]\w+)$")

Reason = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Support:
    """What a span gives a sentence.

    `overlap`: the weighted share of its content terms that stand there, 0..1. `reasons`: what speaks against it, as (kind,
    text of the sentence); kinds are "quote", "number", "unit", "date", "name", "negation", "comparative", "similarity".
    """

    overlap: float
    floor: float
    reasons: tuple[Reason, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the sentence may cite the span."""
        return not self.reasons

    @property
    def missing(self) -> tuple[str, ...]:
        """What of the sentence does not stand in the span, without the kinds."""
        return tuple(text for kind, text in self.reasons if kind != "similarity")


def check(sentence: str, span: str, *, context: str = "", question: str = "") -> Support:
    """Hold a sentence (without marks) against the span it cites.

    Quotes, numbers, dates, negation and comparisons must stand in `span`; names and titles in `span` or `context`
    (heading and file name, which tell what the span is about). Other words that only repeat the `question` are no claim
    of the sentence: they count where they stand in the span, and are not missed where they do not.
    """
    overlap, floor = overlap_of(sentence, span, context=context, question=question), _floor(sentence)
    reasons = [*unstated(sentence, span, context), *_misquoted(sentence, span, context)]
    reasons += [("name", name) for name in _unnamed(sentence, f"{span}\n{context}") if not _asked(name, question)]
    told = told_of(sentence, span, context=context, question=question)
    if overlap >= floor and told >= (TOLD_CJK if is_cjk(sentence) else TOLD_LATIN):
        reasons += turned(sentence, span)
    else:
        reasons.append(("similarity", f"{min(overlap, told):.2f}"))
    return Support(overlap, floor, tuple(dict.fromkeys(reasons)))


def _asked(name: str, question: str) -> bool:
    """Whether a Chinese word that may be a name is but one of the question's: its wording, which a text need not share."""
    return len(name) <= 2 and is_cjk(name) and name in question


def best_span(sentence: str, evidence: Evidence, *, question: str = "") -> tuple[int, int, Support]:
    """The shortest part of an evidence run that supports a sentence best: one sentence of it, two, else the whole run.

    Where the sentence lists things, it is the shortest part that holds as many of them as the run does. Returns document
    offsets (start, end) and the support.
    """
    context = context_of(evidence)
    whole = _unlisted(sentence, evidence.text, context, question)
    spans = sentences(evidence.text)
    longest = len(spans) - 1 if enumerations(sentence) else 2
    for length in range(1, max(1, min(longest, len(spans) - 1)) + 1):
        # a part of three sentences and more is for the whole run, so it must give what that gives
        least = (
            _floor(sentence) if length < 3 else overlap_of(sentence, evidence.text, context=context, question=question)
        )
        parts = [(overlap_of(sentence, evidence.text[start:end]), start, end) for start, end in _windows(spans, length)]
        for _, start, end in sorted(parts, key=lambda item: (-item[0], item[1])):
            part = evidence.text[start:end]
            if overlap_of(sentence, part, context=context, question=question) < least:
                continue
            if _unlisted(sentence, part, context, question) > whole:
                continue
            if (support := check(sentence, part, context=context, question=question)).holds:
                return evidence.start + start, evidence.start + end, support
    return evidence.start, evidence.end, check(sentence, evidence.text, context=context, question=question)


def _windows(spans: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Runs of so many neighbouring spans."""
    return [(first[0], last[1]) for first, last in zip(spans, spans[length - 1 :], strict=False)]


def best_evidence(
    sentence: str, evidence: Sequence[Evidence], *, question: str = ""
) -> tuple[Evidence, int, int, Support] | None:
    """The evidence that supports a sentence best, with the span (document offsets); None when none holds."""
    holding = supporting(sentence, evidence, question=question)
    return holding[0] if holding else None


def supporting(
    sentence: str, evidence: Sequence[Evidence], *, question: str = ""
) -> list[tuple[Evidence, int, int, Support]]:
    """All evidence that supports a sentence, best first, each with its span (document offsets).

    Of spans that hold about as much of it, to a tenth, the one whose evidence speaks more to the question comes first.
    """
    floor = _floor(sentence)
    near = [
        item
        for item in evidence
        if overlap_of(sentence, item.text, context=context_of(item), question=question) >= floor
    ]
    held = [(item, *best_span(sentence, item, question=question)) for item in near]
    return sorted(
        (item for item in held if item[3].holds), key=lambda item: (-round(10 * item[3].overlap), -item[0].score)
    )


def _unlisted(sentence: str, span: str, context: str, question: str) -> int:
    """How many items of a sentence's enumerations have nothing in the span, but for what they share with the other items."""
    items = listed(sentence)
    given = {*_places(span), *_places(context), *_weights(question)} if items else set()
    return sum(not own & given for _, own in items)


@lru_cache(maxsize=64)
def listed(sentence: str) -> list[tuple[str, frozenset[str]]]:
    """The items of the sentence's enumerations, each with the terms that it shares with no other item of its own.

    An item without such terms is left out.
    """
    found: list[tuple[str, frozenset[str]]] = []
    for each in enumerations(sentence):
        terms = [frozenset(_weights(item)) for item in each]
        found += [(item, terms[at].difference(*terms[:at], *terms[at + 1 :])) for at, item in enumerate(each)]
    return [(item, own) for item, own in found if own]


def terms_of(text: str) -> frozenset[str]:
    """The content terms of a text, as those of `listed` and `content_terms` are held against."""
    return frozenset(_places(text))


def content_terms(sentence: str, *, unusual: bool = False) -> frozenset[str]:
    """The terms of what a sentence claims, without its numbers and dates; those of no everyday word if `unusual`."""
    return frozenset(term for term, weight in _weights(sentence).items() if weight > EVERYDAY or not unusual)


def _floor(sentence: str) -> float:
    return FLOOR_CJK if is_cjk(sentence) else FLOOR_LATIN


def overlap_of(sentence: str, text: str, *, context: str = "", question: str = "") -> float:
    """How much of what a sentence says stands in a text or its context, 0..1: its content terms by weight, and its facts.

    Facts are numbers and dates, which only the text itself can state. In Latin script, where terms are words, `TOGETHER`
    of it is the share of neighbouring terms that are near each other in the text too: the words of one subject return all
    over a document, in other combinations. Two facts that all stand there tell as much. Terms of the `question` that stand
    nowhere are left out of the count, unless the sentence has no others.
    """
    facts = stated_facts(sentence, text)
    places, around = _places(text), _places(context)
    wanted = _claimed(_weights(sentence), question, places, around)
    share = _standing(wanted, facts, places, around)
    if share is None:
        return 1.0 if fold(sentence).strip() in fold(text) and sentence.strip() else 0.0
    neighbours = list(pairwise(wanted))
    if is_cjk(sentence) or not neighbours or (len(facts) > 1 and all(facts)):
        return share
    near = sum(_near(a, b, places) or _near(a, b, around) for a, b in neighbours)
    return (1 - TOGETHER) * share + TOGETHER * near / len(neighbours)


def told_of(sentence: str, text: str, *, context: str = "", question: str = "") -> float:
    """How much of what a sentence tells beyond the `question` stands in a text or its context, 0..1, as in `overlap_of`.

    Asked what type of problem something is, "It is an example of a function problem" tells no more than "function". 1 for a
    sentence that tells nothing of its own, and for any answer to a question that wants a yes or no and tells it all itself.
    """
    if asks_whether(question):
        return 1.0
    asked = _weights(question)
    own = {term: weight for term, weight in _weights(sentence).items() if term not in asked}
    share = _standing(own, stated_facts(sentence, text), _places(text), _places(context))
    return 1.0 if share is None else share


def _standing(
    wanted: Mapping[str, float],
    facts: Sequence[bool],
    places: Mapping[str, Sequence[int]],
    around: Mapping[str, Sequence[int]],
) -> float | None:
    """The share, by weight, of terms that stand in a text or its context and of facts that are stated; None without any."""
    total = sum(wanted.values()) + FACT * len(facts)
    if not total:
        return None
    return (
        sum(weight for term, weight in wanted.items() if term in places or term in around) + FACT * sum(facts)
    ) / total


def _claimed(
    wanted: Mapping[str, float], question: str, places: Mapping[str, Sequence[int]], around: Mapping[str, Sequence[int]]
) -> Mapping[str, float]:
    """The terms without those that only repeat the question."""
    asked = _weights(question) if question else {}
    if not wanted.keys() - asked.keys():
        return wanted
    return {term: weight for term, weight in wanted.items() if term not in asked or term in places or term in around}


def _near(a: str, b: str, places: Mapping[str, Sequence[int]]) -> bool:
    return any(abs(i - j) <= NEAR for i in places.get(a, ()) for j in places.get(b, ()))


def context_of(evidence: Evidence) -> str:
    """What tells what a span is about: its heading path, its table's header row or list's lead-in, and its file's name."""
    return f"{evidence.passage.heading or ''}\n{evidence.header}\n{re.sub(r'[_.-]+', ' ', evidence.passage.filename)}"


def numbers(text: str) -> set[str]:
    """The numbers of a text in one form: no signs or thousands separators, number words as digits."""
    return {item.plain for item in facts_of(text).quantities}


@lru_cache(maxsize=64)
def _weights(sentence: str) -> dict[str, float]:
    """The content terms of a sentence, its facts apart, and what each weighs."""
    folded = without(fold(sentence), facts_of(sentence).parts)
    found: dict[str, float] = {}
    for word in words(folded):
        if CJK_RUN.match(word):
            found |= {pair: EVERYDAY if everyday(pair) else 1.0 for pair in bigrams(word)}
        elif word not in STOP_WORDS and not _CONTRACTION.search(word) and not word[0].isdigit():
            term = stem(plain(word))
            found[term] = EVERYDAY if term in english() else 1.0
    return found


@lru_cache(maxsize=256)
def _places(text: str) -> Mapping[str, Sequence[int]]:
    """Where each term of a text stands, counted in content words."""
    found: dict[str, list[int]] = {pair: [] for pair in known_bigrams(text)}
    at = 0
    for word in words(text):
        if not CJK_RUN.match(word):
            found.setdefault(stem(plain(word)), []).append(at)
            at += word not in STOP_WORDS
    return found


def _misquoted(sentence: str, span: str, context: str) -> Iterator[Reason]:
    for quote in quoted(sentence):
        if not stands(quote, span) and not (len(quote) <= 40 and stands(quote, context)):
            yield "quote", quote
    for title in titles(sentence):
        if not stands(title, f"{span}\n{context}"):
            yield "name", title


def _unnamed(sentence: str, text: str) -> list[str]:
    return unknown_names(sentence, text, numbers=facts_of(sentence).parts)
