"""Answers without a model: the best evidence sentences themselves, quoted, each citing itself.

Used as the whole answer when `DOCENT_LLM=extractive`, and when the chat model does not answer. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.scoring import score_sentences
from rag.types import Evidence
from rag.verification import states_something

MAX_SENTENCES = 3
# A further sentence is quoted only if it comes this close to the best one.
NEAR_BEST = 0.8


def extract(
    question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]
) -> list[tuple[Evidence, int, int]]:
    """The sentences that answer best: evidence and document offsets (start, end), in order of worth."""
    scored = score_sentences(question, [item.passage for item in evidence], rarity)
    found: list[tuple[Evidence, int, int]] = []
    least = 0.0
    for candidate in sorted(scored, key=lambda c: -c.score):
        item = evidence[candidate.passage]
        start = item.passage.char_start + candidate.start
        end = item.passage.char_start + candidate.end
        shown = item.start <= start and end <= item.end
        said = item.passage.text[candidate.start : candidate.end]
        if (
            not shown
            or not states_something(said)
            or any((item.passage.document_id, start) == (o.passage.document_id, other) for o, other, _ in found)
        ):
            continue
        if candidate.score < least:
            break
        least = least or NEAR_BEST * candidate.score
        found.append((item, start, end))
        if len(found) == MAX_SENTENCES:
            break
    return found
