"""Sentences of the evidence themselves, quoted, each citing itself: the answer without a model, and what a model left out. Pure.

They are the whole answer when `DOCENT_LLM=extractive`, and when the chat model does not answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rag.gathering import Span
from rag.injection import gives_orders
from rag.language import leans_back, leans_forward
from rag.scoring import CELLS, Candidate, score_sentences
from rag.types import Evidence
from rag.verification import context_of, overlap_of, states_something

MAX_SENTENCES = 3
# A further sentence is quoted only if it comes this close to the best one.
NEAR_BEST = 0.8
# How much of a sentence that no source supports must stand in one that is quoted in its place.
NEAREST = 0.3
_POINTS_BACK = re.compile(r"(?:\w+ ){1,3}(?:these|those|this|such(?! as\b)|the above)\b", re.IGNORECASE)
_ENDED = re.compile(r"[.!。！][”’」』）)\]\"']*$")


def extract(question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]) -> list[list[Span]]:
    """The sentences that answer best, in order of worth: each with all the places where it stands in the same words, as
    evidence and document offsets (start, end).

    One that only announces what follows it is none of them.
    """
    found: dict[str, list[Span]] = {}
    least = 0.0
    for candidate, said, (item, start, end) in _telling(question, evidence, rarity):
        if candidate.score < least:
            break
        if len(found) == MAX_SENTENCES and said not in found:
            continue
        least = least or NEAR_BEST * candidate.score
        places = found.setdefault(said, [])
        if not any((item.passage.document_id, start) == (other.passage.document_id, at) for other, at, _ in places):
            places.append((item, start, end))
    return list(found.values())


def self_contained(question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]) -> list[Span]:
    """The sentences of the evidence that can be quoted beside others, the best first.

    Not those that open with a pronoun or "By following these tips", are cut within brackets, give a model orders, or are rows of
    a table or bare items of a list, which say nothing without their header or lead-in ("Routine dental care" of what is not
    covered).
    """
    return [
        span
        for candidate, said, span in _telling(question, evidence, rarity)
        if not (leans_back(said) or _POINTS_BACK.match(said) or gives_orders(said) or _is_cut(said))
        and not (CELLS in said or (candidate.header and not _ENDED.search(said)))
    ]


def nearest(sentence: str, spans: Sequence[Span], question: str) -> Span | None:
    """The quoted sentence that says most of what `sentence` says; None where none says `NEAREST` of it."""

    def holds(span: Span) -> float:
        item, start, end = span
        return overlap_of(sentence, item.passage.between(start, end), context=context_of(item), question=question)

    best = max(spans, key=holds, default=None)
    return best if best is not None and holds(best) >= NEAREST else None


def _is_cut(sentence: str) -> bool:
    """Whether a bracket is left open: "often used with it (lit." """
    return sum(map(sentence.count, "(（")) != sum(map(sentence.count, ")）"))


def _telling(
    question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]
) -> Iterator[tuple[Candidate, str, Span]]:
    """The sentences of the evidence that tell something, the best first, each with its words and its place."""
    scored = score_sentences(question, [item.passage for item in evidence], rarity)
    for candidate in sorted(scored, key=lambda c: -c.score):
        item = evidence[candidate.passage]
        start = item.passage.char_start + candidate.start
        end = item.passage.char_start + candidate.end
        said = " ".join(item.passage.text[candidate.start : candidate.end].split())
        if item.start <= start and end <= item.end and states_something(said) and not leans_forward(said):
            yield candidate, said, (item, start, end)
