"""Answers without a model: the best evidence sentences themselves, quoted, each citing itself.

Used as the whole answer when `DOCENT_LLM=extractive`, and when the chat model does not answer. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.language import leans_forward
from rag.scoring import score_sentences
from rag.types import Evidence
from rag.verification import states_something

MAX_SENTENCES = 3
# A further sentence is quoted only if it comes this close to the best one.
NEAR_BEST = 0.8


def extract(
    question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]
) -> list[list[tuple[Evidence, int, int]]]:
    """The sentences that answer best, in order of worth: each with all the places where it stands in the same words, as
    evidence and document offsets (start, end).

    One that only announces what follows it is none of them.
    """
    scored = score_sentences(question, [item.passage for item in evidence], rarity)
    found: dict[str, list[tuple[Evidence, int, int]]] = {}
    least = 0.0
    for candidate in sorted(scored, key=lambda c: -c.score):
        item = evidence[candidate.passage]
        start = item.passage.char_start + candidate.start
        end = item.passage.char_start + candidate.end
        said = " ".join(item.passage.text[candidate.start : candidate.end].split())
        if not (item.start <= start and end <= item.end and states_something(said)) or leans_forward(said):
            continue
        if candidate.score < least:
            break
        if len(found) == MAX_SENTENCES and said not in found:
            continue
        least = least or NEAR_BEST * candidate.score
        places = found.setdefault(said, [])
        if not any((item.passage.document_id, start) == (other.passage.document_id, at) for other, at, _ in places):
            places.append((item, start, end))
    return list(found.values())
