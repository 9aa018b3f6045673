"""Passages to evidence: the few runs of sentences worth showing the model, within a token budget. Pure.

It is given the rarity of terms and does no I/O. A sentence earns its place by the rare terms of the question that it and
its neighbours hold, by the rank of its passage, and by holding the kind of thing that was asked for.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.expectation import expected, holds
from rag.focus import name_terms
from rag.injection import gives_orders
from rag.language import CJK_RUN, is_cjk, query_terms, sentences, terms
from rag.types import Evidence, Passage

# Shares of a sentence's score: its own terms, its neighbours' and heading's, its passage's, the kind of thing it holds.
OWN, NEAR, RANK, KIND = 0.5, 0.25, 1.6, 0.2
FULL = OWN + NEAR + RANK + KIND
# What a hundred tokens cost a sentence: of two that say the same, the shorter one leaves room for a third.
LENGTH_COST = 0.2
MAX_SENTENCES = 240
# What a title or label is worth next to a sentence: it names the topic and says nothing about it.
LABEL_WORTH = 0.4
# What a sentence that gives a model orders is worth as evidence.
ORDER_WORTH = 0.1
# The number, the brackets and the line end of a source.
SOURCE_TOKENS = 6
# What stands between the cells of a table row.
CELLS = " | "
# Sentences that come this close to the best one may fill the whole budget, others only the lesser part of it.
CLOSE = 0.6
LESSER_PART = 0.65
_PRONOUN = re.compile(
    r"(?:It|Its|They|Their|He|She|His|Her|This|These|Those|That|Such|Both|The (?:latter|former))\b|[它他她该其此这那](?!种|些|个)"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage, at passage offsets, with its score 0..1 and the shares of question terms, 0..1.

    `own` are those the sentence holds itself, `coverage` those that it, its neighbours, heading and file name hold.
    """

    passage: int
    start: int
    end: int
    tokens: int
    score: float
    own: float
    coverage: float


def estimate_tokens(text: str) -> int:
    """Roughly how many tokens a chat model makes of a text: 0.7 a CJK character, 0.27 any other. Rounded up."""
    cjk = sum(len(run) for run in CJK_RUN.findall(text))
    return math.ceil(0.7 * cjk + 0.27 * (len(text) - cjk))


def select_evidence(
    question: str, passages: Sequence[Passage], rarity: Mapping[str, float], *, budget: int
) -> list[Evidence]:
    """The best runs of sentences, best passage first, numbered from 1; their tokens stay under `budget`.

    `rarity` gives the weight of each term of the question (`rag.language.query_terms`). At least one run is chosen, even if it
    alone is over the budget.
    """
    candidates = score_sentences(question, passages, rarity)
    before = {(later.passage, later.start): earlier for earlier, later in _adjacent(candidates)}
    ranked = sorted(candidates, key=lambda candidate: -candidate.score)
    chosen: dict[tuple[int, int], Candidate] = {}
    spent = 0
    for candidate in ranked:
        limit = budget if candidate.score >= CLOSE * ranked[0].score else LESSER_PART * budget
        # A sentence that opens with a pronoun says who it speaks of in the one before.
        opening = passages[candidate.passage].text[candidate.start : candidate.start + 12]
        earlier = before.get((candidate.passage, candidate.start)) if _PRONOUN.match(opening) else None
        for group in ((earlier, candidate), (candidate,)) if earlier else ((candidate,),):
            added = [item for item in group if (item.passage, item.start) not in chosen]
            header = header_of(passages[candidate.passage].text, added[0].start) if added else ""
            cost = sum(item.tokens for item in added) + SOURCE_TOKENS + estimate_tokens(header)
            if not added or (chosen and spent + cost > limit):
                continue
            chosen.update(((item.passage, item.start), item) for item in added)
            spent += cost
            break
    return _numbered(passages, _runs(list(chosen.values()), passages))


def score_sentences(question: str, passages: Sequence[Passage], rarity: Mapping[str, float]) -> list[Candidate]:
    """Every sentence of the passages with its score, in their order."""
    wanted = {term: max(rarity.get(term, 0.0), 0.1) for term in query_terms(question)}
    total = sum(wanted.values()) or 1.0
    kind = expected(question)
    found: list[Candidate] = []
    for number, passage in enumerate(passages):
        spans = sentences(passage.text)
        held = [wanted.keys() & set(terms(passage.text[start:end])) for start, end in spans]
        above = wanted.keys() & (set(terms(passage.heading or "")) | name_terms(passage.filename))
        for i, (start, end) in enumerate(spans):
            sentence = passage.text[start:end]
            header = header_of(passage.text, start)
            near = held[i].union(
                above, wanted.keys() & set(terms(header)), *held[max(0, i - 1) : i], *held[i + 1 : i + 2]
            )
            own = sum(wanted[term] for term in held[i]) / total
            around = sum(wanted[term] for term in near) / total
            tokens = estimate_tokens(sentence)
            score = OWN * own + NEAR * around + RANK * passage.score
            score += KIND if kind and holds(kind, sentence) else 0.0
            score = max(0.0, score - LENGTH_COST * tokens / 100) / FULL
            if _is_label(sentence) or (not header and _heads_table(passage.text, start, end)):
                score *= LABEL_WORTH
            if gives_orders(sentence):
                score *= ORDER_WORTH
            found.append(Candidate(number, start, end, tokens, score, own, around))
            if len(found) >= MAX_SENTENCES:
                return found
    return found


def _adjacent(candidates: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Neighbouring sentences of one passage."""
    return [(a, b) for a, b in itertools.pairwise(candidates) if a.passage == b.passage]


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


def _runs(chosen: Sequence[Candidate], passages: Sequence[Passage]) -> list[Candidate]:
    """Adjacent sentences joined; passages in their order, sentences in reading order."""
    runs: list[Candidate] = []
    for item in sorted(chosen, key=lambda c: (c.passage, c.start)):
        last = runs[-1] if runs else None
        between = passages[item.passage].text[last.end : item.start] if last and last.passage == item.passage else None
        if last and between is not None and not between.strip():
            runs[-1] = Candidate(
                item.passage,
                last.start,
                item.end,
                last.tokens + item.tokens,
                max(last.score, item.score),
                max(last.own, item.own),
                max(last.coverage, item.coverage),
            )
        else:
            runs.append(item)
    return runs


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


def _heads_table(text: str, start: int, end: int) -> bool:
    """Whether this is a row of cells that another follows: names of columns, no statement."""
    return CELLS in text[start:end] and CELLS in text[end:].lstrip("\n").partition("\n")[0]


def _numbered(passages: Sequence[Passage], runs: Sequence[Candidate]) -> list[Evidence]:
    found = []
    for n, run in enumerate(runs, start=1):
        passage = passages[run.passage]
        found.append(
            Evidence(
                n=n,
                passage=passage,
                start=passage.char_start + run.start,
                end=passage.char_start + run.end,
                text=passage.text[run.start : run.end],
                score=round(run.score, 4),
                header=header_of(passage.text, run.start),
            )
        )
    return found
