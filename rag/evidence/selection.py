"""Passages to evidence: the few runs of sentences worth showing the model, within a token budget. Pure.

Where one sentence stands out, little is shown; where many come as close as the best one, the budget stretches. It is given
the rarity of terms and does no I/O; what a sentence is worth is told by rag/scoring.py.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from rag.evidence.answer_type import parts
from rag.evidence.scoring import Candidate, estimate_tokens, score_sentences
from rag.language import leans_back, leans_forward
from rag.types import Evidence, Passage

# The number, the brackets and the line end of a source.
SOURCE_TOKENS = 6
# What all terms of the question are worth that no sentence chosen before holds: a question of two parts needs both.
UNSAID = 0.1
# What it is worth, for a part of a question of several, that a sentence holds all its terms (passages are ranked for the whole), and
# how close to the best sentence's score for the whole it must come.
PART_OWN, PART_NEAR = 0.5, 0.6
# How much of the budget, in all, a sentence may fill that comes this close to the best one's score. Of the answers that were
# retrieved, for all 1,200 and 800 answerable questions of squad2_dev and cmrc2018, this shows 95 and 97 %; with 1.1 for what
# comes within .75 it was 94.7 and 96 %, for a twelfth less of text.
STRETCH = ((0.85, 1.6), (0.75, 1.4), (0.6, 0.75), (0.0, 0.5))


def select_evidence(
    question: str, passages: Sequence[Passage], rarity: Mapping[str, float], *, budget: int
) -> list[Evidence]:
    """The best runs of sentences, best passage first, numbered from 1.

    `budget`: tokens, as `estimate_tokens` counts them; it is what a usual question takes, and what many close sentences
    take is at most 1.6 times that. `rarity` gives the weight of each term of the question
    (`rag.language.query_terms`). At least one run is chosen, even if it alone is over the budget.
    """
    candidates = score_sentences(question, passages, rarity)
    neighbours = [(a, b) for a, b in itertools.pairwise(candidates) if a.passage == b.passage]
    before = {(b.passage, b.start): a for a, b in neighbours}
    after = {(a.passage, a.start): b for a, b in neighbours}
    chosen: dict[tuple[int, int], Candidate] = {}
    spent = 0
    best = max((candidate.score for candidate in candidates), default=0.0)
    for candidate, worth in itertools.chain(
        _leading(question, passages, rarity, candidates, best, budget), _ranked(candidates, chosen.values())
    ):
        closeness = worth / best if best else 1.0
        limit = budget * next(stretch for least, stretch in STRETCH if closeness >= least)
        text = passages[candidate.passage].text
        sentence = text[candidate.start : candidate.end]
        earlier = before.get((candidate.passage, candidate.start))
        later = after.get((candidate.passage, candidate.start))
        # A sentence that opens with a pronoun says who it speaks of in the one before; one that announces says what in the next.
        if earlier and not (leans_back(sentence) or leans_forward(text[earlier.start : earlier.end])):
            earlier = None
        if not leans_forward(sentence):
            later = None
        for group in ((earlier, candidate, later), (earlier, candidate), (candidate, later), (candidate,)):
            added = [item for item in group if item and (item.passage, item.start) not in chosen]
            cost = sum(item.tokens for item in added) + SOURCE_TOKENS
            cost += estimate_tokens(added[0].header) if added else 0
            if not added or (chosen and spent + cost > limit):
                continue
            chosen.update(((item.passage, item.start), item) for item in added)
            spent += cost
            break
    return _numbered(passages, _runs(list(chosen.values()), passages))


def _leading(
    question: str,
    passages: Sequence[Passage],
    rarity: Mapping[str, float],
    candidates: Sequence[Candidate],
    best: float,
    budget: int,
) -> Iterator[tuple[Candidate, float]]:
    """The candidate that answers best each part of a question of several, with its worth for the whole; none for a part of which
    only what is far from the rest speaks, or what takes more than the part's share of the budget. `best`: the highest score for the whole.
    """
    asked = parts(question)
    for part in asked:
        worth = [scored.score + PART_OWN * scored.own for scored in score_sentences(part, passages, rarity)]
        leading = candidates[max(range(len(worth)), key=worth.__getitem__)] if worth else None
        if leading and leading.score >= PART_NEAR * best and leading.tokens * len(asked) <= budget:
            yield leading, leading.score


def _ranked(candidates: Sequence[Candidate], chosen: Collection[Candidate]) -> Iterator[tuple[Candidate, float]]:
    """Every candidate once, the best first, with its worth beside those chosen so far (the caller adds to them).

    What a sentence adds can only fall as more is chosen, so the next best is found without counting all again (lazy
    greedy: Minoux, Accelerated greedy algorithms for maximizing submodular set functions, 1978).
    """
    heap = [(-candidate.score - UNSAID * candidate.own, at) for at, candidate in enumerate(candidates)]
    heapq.heapify(heap)
    said: set[str] = set()
    counted = 0
    while heap:
        _, at = heapq.heappop(heap)
        if len(chosen) > counted:
            said, counted = said.union(*(item.held for item in chosen)), len(chosen)
        new = sum(share for term, share in candidates[at].held.items() if term not in said)
        worth = candidates[at].score + UNSAID * new
        if heap and -worth > heap[0][0]:
            heapq.heappush(heap, (-worth, at))
        else:
            yield candidates[at], worth


def _runs(chosen: Sequence[Candidate], passages: Sequence[Passage]) -> list[Candidate]:
    """Adjacent sentences joined; passages in their order, sentences in reading order."""
    runs: list[Candidate] = []
    for item in sorted(chosen, key=lambda c: (c.passage, c.start)):
        last = runs[-1] if runs else None
        between = passages[item.passage].text[last.end : item.start] if last and last.passage == item.passage else None
        if last and between is not None and not between.strip():
            runs[-1] = replace(
                last,
                end=item.end,
                tokens=last.tokens + item.tokens,
                score=max(last.score, item.score),
            )
        else:
            runs.append(item)
    return runs


def _numbered(passages: Sequence[Passage], runs: Sequence[Candidate]) -> list[Evidence]:
    found: list[Evidence] = []
    for n, run in enumerate(runs, start=1):
        passage = passages[run.passage]
        shown = any(
            item.passage is passage and run.header and run.header in " ".join(item.text.split()) for item in found
        )
        found.append(
            Evidence(
                n=n,
                passage=passage,
                start=passage.char_start + run.start,
                end=passage.char_start + run.end,
                text=passage.text[run.start : run.end],
                score=round(run.score, 4),
                header="" if shown else run.header,
            )
        )
    return found
