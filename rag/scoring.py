"""Sentences of passages, scored by what they are worth as evidence for a question. Pure.

A sentence earns its score by the rare terms of the question that it and its neighbours hold, by the rank of its passage,
and by holding the kind of thing that was asked for. An item of a list says what its lead-in announces, a row of a table what
its header names. Which of them are shown is rag/evidence.py's affair.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.expectation import expected, holds
from rag.injection import gives_orders
from rag.language import CJK_RUN, is_cjk, leans_forward, query_terms, sentences, terms
from rag.retrieval.passage_features import name_terms
from rag.types import Passage

# Shares of a sentence's score: its own terms, its neighbours' and heading's, its passage's, the kind of thing it holds.
OWN, NEAR, RANK, KIND = 0.5, 0.25, 1.77, 0.2
FULL = OWN + NEAR + RANK + KIND
# How far terms of the heading and of a list's lead-in count as a sentence's own: a text rarely repeats its subject.
SUBJECT, ANNOUNCED = 0.5, 0.6
# What a hundred tokens cost a sentence: of two that say the same, the shorter one leaves room for a third.
LENGTH_COST = 0.1
MAX_SENTENCES = 240
# What a title or label is worth next to a sentence: it names the topic and says nothing about it.
LABEL_WORTH = 0.4
# What a sentence is worth that only announces others.
ANNOUNCEMENT_WORTH = 0.8
# What a sentence that gives a model orders is worth as evidence.
ORDER_WORTH = 0.1
# What stands between the cells of a table row.
CELLS = " | "
# White space between a passage and the next.
GAP = 4
# A longer lead-in is a paragraph.
MAX_LEAD_IN = 200
# How an item of a list begins.
ITEM = re.compile(r"\s*(?:[•–▪◦·‣●○]|-(?!\d)|\*(?!\*)|\d{1,2}(?:[.)](?!\d)|、)|[(（]\w{1,3}[)）])\s*\S")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage, at passage offsets, with its score 0..1 and the shares of question terms, 0..1.

    `held` are those the sentence holds itself, each with its share, `coverage` is the share of those that it, its neighbours,
    heading and file name hold. `header` is what a reader must know to understand it: its table's header row or its list's
    lead-in; else empty.
    """

    passage: int
    start: int
    end: int
    tokens: int
    score: float
    held: Mapping[str, float]
    coverage: float
    header: str = ""

    @property
    def own(self) -> float:
        """The share of the question's terms that the sentence holds itself, 0..1."""
        return sum(self.held.values())


def estimate_tokens(text: str) -> int:
    """Roughly how many tokens a chat model makes of a text: 0.7 a CJK character, 0.27 any other. Rounded up."""
    cjk = sum(len(run) for run in CJK_RUN.findall(text))
    return math.ceil(0.7 * cjk + 0.27 * (len(text) - cjk))


def score_sentences(question: str, passages: Sequence[Passage], rarity: Mapping[str, float]) -> list[Candidate]:
    """Every sentence of the passages with its score, in their order; `MAX_SENTENCES` at most.

    `rarity` gives the weight of each term of the question (`rag.language.query_terms`).
    """
    wanted = {term: max(rarity.get(term, 0.0), 0.1) for term in query_terms(question)}
    total = sum(wanted.values()) or 1.0
    kind = expected(question)

    def share(held: frozenset[str]) -> float:
        return sum(wanted[term] for term in held) / total

    found: list[Candidate] = []
    for number, passage in enumerate(passages):
        spans = sentences(passage.text)
        held = [_held(wanted, passage.text[start:end]) for start, end in spans]
        subject = _held(wanted, passage.heading or "") | (wanted.keys() & name_terms(passage.filename))
        for i, (start, end) in enumerate(spans):
            sentence = passage.text[start:end]
            row = header_of(passage.text, start)
            lead_in = "" if row else _lead_in(passage, spans, i, passages)
            before = passage.text[slice(*spans[i - 1])] if i else ""
            announced = _held(wanted, lead_in or (before if leans_forward(before) else ""))
            near = held[i].union(subject, announced, _held(wanted, row), *held[max(0, i - 1) : i], *held[i + 1 : i + 2])
            said = (
                share(held[i]) + SUBJECT * share(subject - held[i]) + ANNOUNCED * share(announced - held[i] - subject)
            )
            tokens = estimate_tokens(sentence)
            score = OWN * min(1.0, said) + NEAR * share(near) + RANK * passage.score
            score += KIND if kind and holds(kind, sentence) else 0.0
            score = max(0.0, score - LENGTH_COST * tokens / 100) / FULL
            if _is_label(sentence) or (not row and _heads_table(passage.text, start, end)):
                score *= LABEL_WORTH
            elif leans_forward(sentence):
                score *= ANNOUNCEMENT_WORTH
            if gives_orders(sentence):
                score *= ORDER_WORTH
            shares = {term: wanted[term] / total for term in held[i]}
            found.append(Candidate(number, start, end, tokens, score, shares, share(near), row or lead_in))
            if len(found) >= MAX_SENTENCES:
                return found
    return found


def header_of(text: str, start: int) -> str:
    """The first row of the table that the row at `start` belongs to; empty for what is no row, or the first itself."""
    row_end = text.find("\n", start)
    if CELLS not in text[start : row_end if row_end >= 0 else len(text)]:
        return ""
    header = ""
    for line in reversed(text[:start].rstrip("\n").split("\n")):
        if CELLS not in line:
            break
        header = line.strip()
    return header


def _held(wanted: Mapping[str, float], text: str) -> frozenset[str]:
    """The wanted terms that stand in a text."""
    return frozenset(wanted.keys() & set(terms(text))) if text else frozenset()


def _lead_in(passage: Passage, spans: Sequence[tuple[int, int]], i: int, passages: Sequence[Passage]) -> str:
    """The sentence, with a colon or such words, that announces the list which `spans[i]` is an item of; else empty.

    Where the passage begins inside the list, it is looked for in the one of the same section that ends there.
    """
    if not ITEM.match(passage.text, *spans[i]):
        return ""
    for _ in passages:
        while i > 0:
            i -= 1
            start, end = spans[i]
            if end - start <= MAX_LEAD_IN and leans_forward(passage.text[start:end]):
                return " ".join(passage.text[start:end].split())
            if not ITEM.match(passage.text, start, end):
                return ""
        above = _above(passage, passages)
        if above is None:
            break
        passage, spans = above, sentences(above.text)
        i = len(spans)
    return ""


def _above(passage: Passage, passages: Sequence[Passage]) -> Passage | None:
    """The passage of the same section that ends where this one begins."""
    return next(
        (
            other
            for other in passages
            if (other.document_id, other.heading) == (passage.document_id, passage.heading)
            and other is not passage
            and 0 <= passage.char_start - other.char_end <= GAP
        ),
        None,
    )


def _is_label(sentence: str) -> bool:
    """Whether this is a heading, a label or a question rather than a statement."""
    if sentence[-1] in "?？":
        return True
    return (
        len(sentence) <= (24 if is_cjk(sentence) else 80)
        and sentence[-1] not in ".!。！;；"
        and sentence[0] not in "-•*|"
        and CELLS not in sentence
        and not any(character.isdigit() for character in sentence)
    )


def _heads_table(text: str, start: int, end: int) -> bool:
    """Whether this is a row of cells that another follows: names of columns, no statement."""
    return CELLS in text[start:end] and CELLS in text[end:].lstrip("\n").partition("\n")[0]
