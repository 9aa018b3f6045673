"""Passages to evidence: the few runs of sentences worth showing the model, within a token budget; and how sure we are.

Pure: it is given the rarity of terms and does no I/O. A sentence earns its place by the rare terms of the question that
it and its neighbours hold, and by the rank of its passage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.language import CJK_RUN, is_cjk, query_terms, sentences, terms
from rag.types import Evidence, Passage

# Shares of a sentence's score: its own terms, its neighbours' and heading's, its passage's.
OWN, NEAR, RANK = 0.6, 0.15, 0.25
MAX_SENTENCES = 240
# The coverage of CJK bigrams that counts as full. Answerable questions reach .25 to .5, others below .1.
CJK_FULL_COVERAGE = 0.6
# What a title or label is worth next to a sentence: it names the topic and says nothing about it.
LABEL_WORTH = 0.4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage, at passage offsets, with its score 0..1 and its share of question terms, 0..1."""

    passage: int
    start: int
    end: int
    tokens: int
    score: float
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
    chosen: list[Candidate] = []
    spent = 0
    for candidate in sorted(candidates, key=lambda c: -c.score):
        cost = candidate.tokens + 6  # the number, the brackets and the line end
        if chosen and spent + cost > budget:
            continue
        chosen.append(candidate)
        spent += cost
        if spent >= budget:
            break
    return _numbered(passages, _runs(chosen, passages))


def score_sentences(question: str, passages: Sequence[Passage], rarity: Mapping[str, float]) -> list[Candidate]:
    """Every sentence of the passages with its score, in their order."""
    wanted = {term: max(rarity.get(term, 0.0), 0.1) for term in query_terms(question)}
    total = sum(wanted.values()) or 1.0
    found: list[Candidate] = []
    for number, passage in enumerate(passages):
        spans = sentences(passage.text)
        held = [wanted.keys() & set(terms(passage.text[start:end])) for start, end in spans]
        above = wanted.keys() & set(terms(f"{passage.heading or ''} {passage.filename}"))
        for i, (start, end) in enumerate(spans):
            near = held[i].union(above, *held[max(0, i - 1) : i], *held[i + 1 : i + 2])
            own = sum(wanted[term] for term in held[i]) / total
            around = sum(wanted[term] for term in near) / total
            score = OWN * own + NEAR * around + RANK * passage.score
            if _is_label(passage.text[start:end]):
                score *= LABEL_WORTH
            found.append(Candidate(number, start, end, estimate_tokens(passage.text[start:end]), score, around))
            if len(found) >= MAX_SENTENCES:
                return found
    return found


def _is_label(sentence: str) -> bool:
    """Whether this is a heading, a label or a question rather than a statement."""
    if sentence[-1] in "?？":
        return True
    return (
        len(sentence) <= (24 if is_cjk(sentence) else 80)
        and sentence[-1] not in ".!。！;；"
        and sentence[0] not in "-•*|"
        and " | " not in sentence
        and not any(character.isdigit() for character in sentence)
    )


def confidence(question: str, passages: Sequence[Passage], rarity: Mapping[str, float]) -> float:
    """How likely the passages speak to the question, 0..1.

    Half of it is the share of the question's terms, by rarity, that the best sentence with its neighbours holds; half is
    the best cosine similarity, scaled from .1 to .6. In Chinese the default embedder says nothing, so terms count alone,
    on a scale of their own: bigrams that span two words of the question stand in no text, so full coverage is rare.
    """
    if not passages:
        return 0.0
    candidates = score_sentences(question, passages[:5], rarity)
    coverage = max((candidate.coverage for candidate in candidates), default=0.0)
    if is_cjk(question):
        return min(1.0, coverage / CJK_FULL_COVERAGE)
    similarity = max((passage.dense or 0.0 for passage in passages[:5]), default=0.0)
    return 0.5 * coverage + 0.5 * min(1.0, max(0.0, (similarity - 0.1) / 0.5))


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
                max(last.coverage, item.coverage),
            )
        else:
            runs.append(item)
    return runs


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
            )
        )
    return found
