"""A sentence that lists things against the several spans that hold them together, and against spans that say it too. Pure.

A list that a model makes of three passages stands in none of them; each of its items stands somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.language import is_cjk, sentences
from rag.types import Evidence, Passage
from rag.verification import check, context_of, listed_terms, overlap_of, supporting, terms_of, unusual_terms

Span = tuple[Evidence, int, int]

# How much of a sentence a part of another passage must hold to say the same, and not something like it. At .7, and with the
# question's own words left out of the count, every second of these parts said something else.
SAYS_IT_TOO = 0.8
# Sentences of such a part.
LONGEST = 2


def gather(
    sentence: str, spans: Sequence[Span], evidence: Sequence[Evidence], *, question: str, most: int
) -> list[Span]:
    """The spans with those of the same document that hold items of the sentence's enumerations which they lack, up to `most`.

    Without any spans, those that together support the sentence and hold all its items; none where there are no such.
    """
    listed = listed_terms(sentence)
    if not listed:
        return list(spans)
    found = list(spans)
    held = set(terms_of(question)).union(*map(_held, found))
    parts = [(part, _held(part)) for part in _parts(evidence)]
    while len(found) < most and (lacking := [own for own in listed if not own & held]):
        within = found[0][0].passage.document_id if found else None
        gains = [
            (sum(bool(own & gained) for own in lacking), overlap_of(sentence, _text(part)), -n)
            for n, (part, gained) in enumerate(parts)
            if within in (None, part[0].passage.document_id) and any(own & gained for own in lacking)
        ]
        if not gains:
            break
        part, gained = parts[-max(gains)[2]]
        found.append(part)
        held |= gained
    if spans:
        return found
    if not found or any(not own & held for own in listed):
        return []
    together = "\n".join(map(_text, found))
    return found if check(sentence, together, context=context_of(found[0][0]), question=question).holds else []


def corroborating(sentence: str, spans: Sequence[Span], passages: Sequence[Passage]) -> list[Span]:
    """Parts of other passages that say what a sentence says, the fullest first: where else a reader finds it."""
    cited = {item.passage.chunk_id for item, _, _ in spans}
    others = [
        item
        for item in map(_whole, passages)
        if item.passage.chunk_id not in cited and _says(sentence, item, item.text)
    ]
    found = [(item, start, end) for item, start, end, _ in supporting(sentence, others)]
    return [span for span in found if len(sentences(_text(span))) <= LONGEST and _says(sentence, span[0], _text(span))]


def _says(sentence: str, item: Evidence, text: str) -> bool:
    """Whether a text says what a sentence says: most of its terms, and all that are of no everyday word."""
    context = context_of(item)
    if overlap_of(sentence, text, context=context) < SAYS_IT_TOO:
        return False
    return is_cjk(sentence) or not unusual_terms(sentence) - terms_of(text) - terms_of(context)


def _parts(evidence: Sequence[Evidence]) -> list[Span]:
    return [(item, item.start + start, item.start + end) for item in evidence for start, end in sentences(item.text)]


def _text(span: Span) -> str:
    item, start, end = span
    return item.passage.between(start, end)


def _held(span: Span) -> frozenset[str]:
    """The terms of a span, and of what it is about."""
    return terms_of(_text(span)) | terms_of(context_of(span[0]))


def _whole(passage: Passage) -> Evidence:
    return Evidence(0, passage, passage.char_start, passage.char_end, passage.text, passage.score)  # shown to no model
