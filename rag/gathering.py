"""A sentence that lists things against the several spans that hold them together, and against spans that say it too. Pure.

A list that a model makes of three passages stands in none of them; each of its items stands somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.enumerations import enumerations
from rag.language import sentences
from rag.types import Evidence, Passage
from rag.verification import check, context_of, overlap_of, supporting, unlisted

Span = tuple[Evidence, int, int]

# How much of a sentence a span of another passage must hold to say the same, and not something like it.
SAYS_IT_TOO = 0.8


def gather(
    sentence: str, spans: Sequence[Span], evidence: Sequence[Evidence], *, question: str, most: int
) -> list[Span]:
    """The spans with those of the same document that hold items of the sentence's enumerations which they lack, up to `most`.

    Without any spans, those that together support the sentence and hold all its items; none where there are no such.
    """
    if not enumerations(sentence):
        return list(spans)
    found = list(spans)
    lacking = _lacking(sentence, found, question)
    while len(found) < most and lacking:
        parts = [
            part
            for part in _parts(evidence)
            if not found or part[0].passage.document_id == found[0][0].passage.document_id
        ]
        scored = [
            (_lacking(sentence, [*found, part], question), -overlap_of(sentence, _text(part)), n)
            for n, part in enumerate(parts)
        ]
        if not scored or min(scored)[0] >= lacking:
            break
        lacking = min(scored)[0]
        found.append(parts[min(scored)[2]])
    if spans:
        return found
    together = "\n".join(map(_text, found))
    context = context_of(found[0][0]) if found else ""
    return (
        found if found and not lacking and check(sentence, together, context=context, question=question).holds else []
    )


def corroborating(sentence: str, spans: Sequence[Span], passages: Sequence[Passage]) -> list[Span]:
    """Spans of other passages that say all that a sentence says, the fullest first: where else a reader finds it."""
    cited = {item.passage.chunk_id for item, _, _ in spans}
    others = [_whole(passage) for passage in passages if passage.chunk_id not in cited]
    found = []
    for item, start, end, _ in supporting(sentence, others):
        held = overlap_of(sentence, item.passage.between(start, end), context=context_of(item))
        if held >= SAYS_IT_TOO:
            found.append((held, (item, start, end)))
    return [span for _, span in sorted(found, key=lambda each: -each[0])]


def _parts(evidence: Sequence[Evidence]) -> list[Span]:
    return [(item, item.start + start, item.start + end) for item in evidence for start, end in sentences(item.text)]


def _text(span: Span) -> str:
    item, start, end = span
    return item.passage.between(start, end)


def _lacking(sentence: str, spans: Sequence[Span], question: str) -> int:
    """How many listed items stand in none of the spans, nor in what these are about."""
    context = "\n".join(dict.fromkeys(context_of(item) for item, _, _ in spans))
    return unlisted(sentence, "\n".join(map(_text, spans)), context, question)


def _whole(passage: Passage) -> Evidence:
    return Evidence(0, passage, passage.char_start, passage.char_end, passage.text, passage.score)  # shown to no model
