"""Two documents that answer the same question differently. Pure.

Found among the evidence without a model: two sentences of different documents that hold the same terms of the question,
and each a figure or date of the same kind, but not the same one; or one says of the same terms what the other denies. A
disagreement that is none costs more trust than one that is missed, so whatever may tell the two apart counts: another year,
another plan in the file name or heading, a condition that only one of them has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rag.answering.citations import unmark
from rag.evidence.answer_type import Kind, expected
from rag.evidence.injection import gives_orders
from rag.retrieval.passage_features import name_terms
from rag.text.language import fold, is_cjk, names, query_terms, sentences, terms
from rag.types import Evidence, Retrieval, Span
from rag.verification.contradiction import turned
from rag.verification.facts.dates import Date, dated
from rag.verification.facts.facts import facts_of, without
from rag.verification.facts.quantities import Quantity
from rag.verification.facts.units import measured
from rag.verification.vocabulary import PARTICLES

# How much of the best sentence's coverage a sentence needs to speak to the same question.
NEARLY, NEARLY_CJK = 0.85, 0.7
# The least share, by idf, of the question's terms that both must hold.
LEAST_COVERAGE = 0.34
# The least share of words, figures aside, that two sentences about the same matter have in common; and that two have
# which differ in nothing but what they deny.
ALIKE, SAME_WORDS, SAME_WORDS_CJK = 0.3, 0.7, 0.5
# Rounded values this close, as a share of the larger, are the same.
ROUNDED = 0.25

# What narrows a sentence down to a case: words that do so by themselves, and those that do with what follows.
_CONDITION = re.compile(
    r"\b(?:if|when|while|without|during|after|before|until|unless|except)\b|如果|时(?!间)|期间|之?[后前](?![台勤])"
)
_CASE = re.compile(r"\b(?:for|in|under|with|at|from|among|to)\s+([^,.;]{2,40})|(?:对于?|在)([^，。；]{2,12})")
_BOUND = re.compile(
    r"\b(?:more|less|fewer|greater|higher|lower|longer|over|under|above|below|at least|at most|up to|minimum|maximum|exceed\w*|between)\b"
    r"|至少|最少|最多|至多|不超过|超过|以上|以下|以内|不到|不少于|最高|最低"
)
# What numbers a heading or tells versions of a file apart, and not subjects.
_NUMBERING = re.compile(r"\d{1,3}|v\d+|version|final|draft|copy|old|new|updated?|revis\w*|rev")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two spans (document offsets) that cannot both be right, each a sentence of its own document."""

    first: Span
    second: Span

    @property
    def spans(self) -> list[Span]:
        """Both spans."""
        return [self.first, self.second]

    def sentence(self, language: str) -> str:
        """The line that tells it, quoting both."""
        left, right = map(_quoted, self.spans)
        here, there = (unmark(span.evidence.passage.filename) for span in self.spans)
        if language == "zh":
            return f"文档之间说法不一：《{here}》写道“{left}”，而《{there}》写道“{right}”。"
        return f"The documents disagree: {here} says “{left}”, but {there} says “{right}”."


def find_disagreement(retrieval: Retrieval, evidence: Sequence[Evidence]) -> Disagreement | None:
    """The first pair of evidence sentences that contradict each other on what was asked; None where there is none."""
    if len({item.passage.document_id for item in evidence}) < 2:
        return None
    kind = expected(retrieval.query)
    wanted = frozenset(query_terms(retrieval.query))
    speaking = _speaking(retrieval, evidence, wanted)
    named = names(retrieval.query) & wanted
    for i, (held, one) in enumerate(speaking):
        for other_held, other in speaking[i + 1 :]:
            same_document = one.evidence.passage.document_id == other.evidence.passage.document_id
            if same_document or held & named != other_held & named or _told_apart(one.evidence, other.evidence):
                continue
            if _contradict(one.text, other.text, kind, wanted):
                return Disagreement(one, other)
    return None


def _speaking(
    retrieval: Retrieval, evidence: Sequence[Evidence], wanted: frozenset[str]
) -> list[tuple[frozenset[str], Span]]:
    """The evidence sentences that speak to the question, with the terms of it that they or their headings hold."""
    found: list[tuple[frozenset[str], Span]] = []
    for item in evidence:
        subject = (frozenset(terms(item.passage.heading or "")) | name_terms(item.passage.filename)) & wanted
        for start, end in sentences(item.text):
            sentence = item.text[start:end]
            held = frozenset(terms(sentence)) & wanted
            if held and not gives_orders(sentence) and sentence[-1] not in "?？":
                found.append((held | subject, Span(item, item.start + start, item.start + end)))
    # terms that no evidence holds ("long" in "how long") tell nothing
    known = frozenset[str]().union(*(held for held, _ in found))
    weight = {term: max(retrieval.idf.get(term, 0.0), 0.1) for term in wanted}
    share = {held: sum(weight[term] for term in held) for held, _ in found}
    total, everything = sum(weight[term] for term in known), sum(weight.values())
    nearly = NEARLY_CJK if is_cjk(retrieval.query) else NEARLY
    return [
        (held, span)
        for held, span in found
        if share[held] >= nearly * total and share[held] >= LEAST_COVERAGE * everything
    ]


def _told_apart(one: Evidence, other: Evidence) -> bool:
    """Whether file names or headings say that two spans are about different things: plan_alpha and plan_beta."""
    mine, theirs = name_terms(one.passage.filename), name_terms(other.passage.filename)
    if _siblings(mine, theirs, frozenset(term for term in mine | theirs if term.isdigit())):
        return True
    above = frozenset(terms(one.passage.heading or "")), frozenset(terms(other.passage.heading or ""))
    return _siblings(*above, frozenset[str]())


def _siblings(mine: frozenset[str], theirs: frozenset[str], apart: Iterable[str]) -> bool:
    """Whether two names have something in common and each something of its own, versions and numbering aside."""
    own, others = mine - theirs - {*apart}, theirs - mine - {*apart}
    return (
        bool(mine & theirs)
        and any(not _NUMBERING.fullmatch(term) for term in own)
        and any(not _NUMBERING.fullmatch(term) for term in others)
    )


def _contradict(one: str, other: str, kind: Kind | None, wanted: frozenset[str]) -> bool:
    """Whether two sentences on the same matter cannot both be right."""
    left, right = _worded(one), _worded(other)
    alike = len(left & right) / (len(left | right) or 1)
    mine, theirs = facts_of(one).dates, facts_of(other).dates
    if kind is Kind.DATE:
        return alike >= ALIKE and bool(mine and theirs) and not _meet(mine, theirs)
    if (mine or theirs) and not _meet(mine, theirs):
        return False  # of different times
    if (_cases(one) ^ _cases(other)) - wanted:
        return False
    if alike >= (SAME_WORDS_CJK if is_cjk(one) else SAME_WORDS) and turned(one, other):
        return True
    if kind is Kind.NAME or alike < ALIKE or (left - right - wanted and right - left - wanted):
        return False
    if bool(_BOUND.search(fold(one))) != bool(_BOUND.search(fold(other))):
        return False
    return _values_differ(facts_of(one).undated, facts_of(other).undated, with_unit=kind is None)


def _meet(mine: Sequence[Date], theirs: Sequence[Date]) -> bool:
    return any(dated(a, theirs) for a in mine) or any(dated(b, mine) for b in theirs)


def _worded(text: str) -> frozenset[str]:
    """The terms of a text that say something: no figures, and no Chinese pairs with a particle in them."""
    return frozenset(
        term
        for term in terms(without(fold(text), facts_of(text).parts))
        if not any(character.isdigit() for character in term)
        and (len(term) > 1 or not is_cjk(term))
        and not (is_cjk(term) and PARTICLES.intersection(term))
    )


def _cases(text: str) -> frozenset[str]:
    """The terms of the cases that a sentence is narrowed down to, and the words that make it conditional."""
    folded = fold(text)
    phrases = (next(group for group in match.groups() if group) for match in _CASE.finditer(folded))
    return frozenset({term for phrase in phrases for term in _worded(phrase)} | set(_CONDITION.findall(folded)))


def _values_differ(mine: Sequence[Quantity], theirs: Sequence[Quantity], *, with_unit: bool) -> bool:
    """Whether both give values of one kind, and no value of one is, or may be rounded to, a value of the other."""
    shared = {item.unit[0] for item in mine if item.unit} & {item.unit[0] for item in theirs if item.unit}
    if with_unit and not shared:
        return False

    def given(items: Sequence[Quantity]) -> dict[Fraction, bool]:
        if shared:
            return {
                measured(item.value, item.unit): item.about for item in items if item.unit and item.unit[0] in shared
            }
        return {item.value: item.about for item in items if item.unit is None and not item.soft}

    ours, others = given(mine), given(theirs)
    return bool(ours and others) and not any(
        a == b or ((about or near) and abs(a - b) <= ROUNDED * max(abs(a), abs(b)))
        for a, about in ours.items()
        for b, near in others.items()
    )


def _quoted(span: Span) -> str:
    text = unmark(" ".join(span.text.split()))
    return text.replace("“", "‘").replace("”", "’").rstrip("。.")
