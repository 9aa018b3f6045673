"""Passages to evidence: the few runs of sentences worth showing the model, within a token budget. Pure.

Where one sentence stands out, little is shown; where many come as close as the best one, the budget stretches. It is given
the rarity of terms and does no I/O; what a sentence is worth is told by rag/scoring.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag.language import leans_back, leans_forward
from rag.scoring import Candidate, estimate_tokens, score_sentences
from rag.types import Evidence, Passage

# The number, the brackets and the line end of a source.
SOURCE_TOKENS = 6
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
    ranked = sorted(candidates, key=lambda candidate: -candidate.score)
    chosen: dict[tuple[int, int], Candidate] = {}
    spent = 0
    for candidate in ranked:
        closeness = candidate.score / ranked[0].score if ranked[0].score else 1.0
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
                own=max(last.own, item.own),
                coverage=max(last.coverage, item.coverage),
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
