"""A sentence that lists things against the several spans that hold them together, and against spans that say it too. Pure.

A list that a model makes of three passages stands in none of them; each of its items stands somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from rag.language import is_cjk, leans_back, sentences
from rag.types import Evidence, Passage
from rag.verification.contradiction import clauses, turned
from rag.verification.facts.facts import unstated
from rag.verification.overlap import check, content_terms, context_of, listed, overlap_of, supporting, terms_of

Span = tuple[Evidence, int, int]

# How much of a sentence a part of another passage must hold to say the same, and not something like it. At .7, and with the
# question's own words left out of the count, every second of these parts said something else.
SAYS_IT_TOO = 0.8
# How much of what only one item says must stand in spans of which none holds the whole list: each item is a claim of its own.
ITEM = 0.64
# Content terms (words, or pairs of characters) that tell what a sentence is about.
TELLING_LATIN, TELLING_CJK = 4, 6
# Sentences of such a part.
LONGEST = 2
# "It is important to check": this "it" is nobody's pronoun.
_EXPLETIVE = re.compile(
    r"It(?: is|['’]s) (?:also )?(?:important|necessary|essential|crucial|possible|advisable|recommended|best|worth|helpful)\b"
)


def gather(
    sentence: str, spans: Sequence[Span], evidence: Sequence[Evidence], *, question: str, most: int
) -> list[Span]:
    """The spans with sentences of the same section that state items of the sentence's enumerations which they lack, up to `most`.

    Without any spans, those that together hold all the items and support the sentence; none where there are no such.
    """
    items = listed(sentence)
    if not items:
        return list(spans)
    found = list(spans)
    # what the question says may be repeated by a sentence that is supported, and proves none that is not
    held = set(terms_of(question) if spans else ()).union(*map(_held, found))
    parts = None
    while len(found) < most and (lacking := [own for _, own in items if _lacks(held, own)]):
        if parts is None:  # most sentences lack nothing
            parts = [part for part in _parts(evidence) if _states_items(sentence, _text(part))]
        gains = [
            (sum(_mostly(own, terms_of(_text(part))) for own in lacking), overlap_of(sentence, _text(part)), -n)
            for n, part in enumerate(parts)
            if not found or _section(part) == _section(found[0])
        ]
        if not gains or not max(gains)[0]:
            break
        found.append(parts[-max(gains)[2]])
        held |= terms_of(_text(found[-1]))
    if spans:
        return found
    if not found or any(_lacks(held, own) or _mixed(own, found) for _, own in items):
        return []
    together = "\n".join(map(_text, found))
    return found if check(sentence, together, context=context_of(found[0][0]), question=question).holds else []


def corroborating(sentence: str, spans: Sequence[Span], passages: Sequence[Passage]) -> list[Span]:
    """Parts of other passages that say what a sentence says, the fullest first: where else a reader finds it.

    A sentence that does not tell what it speaks of ("It costs 20 dollars") is looked for nowhere, and one of few words
    ("The limit is 40 bar") in its own documents only: elsewhere the same words may be about something else.
    """
    if leans_back(sentence) and not _EXPLETIVE.match(sentence):
        return []
    cited = {item.passage.chunk_id for item, _, _ in spans}
    own = {item.passage.document_id for item, _, _ in spans}
    anywhere = len(content_terms(sentence)) >= (TELLING_CJK if is_cjk(sentence) else TELLING_LATIN)
    others = [
        item
        for item in map(_whole, passages)
        if item.passage.chunk_id not in cited
        and (anywhere or item.passage.document_id in own)
        and _says(sentence, item, item.text)
    ]
    found = [(item, start, end) for item, start, end, _ in supporting(sentence, others)]
    return [span for span in found if len(sentences(_text(span))) <= LONGEST and _says(sentence, span[0], _text(span))]


def _says(sentence: str, item: Evidence, text: str) -> bool:
    """Whether a text says what a sentence says: most of its terms, and all that are of no everyday word."""
    context = context_of(item)
    if overlap_of(sentence, text, context=context) < SAYS_IT_TOO:
        return False
    return is_cjk(sentence) or not content_terms(sentence, unusual=True) - terms_of(text) - terms_of(context)


def _parts(evidence: Sequence[Evidence]) -> list[Span]:
    return [(item, item.start + start, item.start + end) for item in evidence for start, end in sentences(item.text)]


def _text(span: Span) -> str:
    item, start, end = span
    return item.passage.between(start, end)


def _held(span: Span) -> frozenset[str]:
    """The terms of a span, and of what it is about."""
    return terms_of(_text(span)) | terms_of(context_of(span[0]))


def _section(span: Span) -> tuple[str, str | None]:
    return span[0].passage.document_id, span[0].passage.heading


def _states_items(sentence: str, text: str) -> bool:
    """Whether a text states those items of a sentence's enumerations that it speaks of: their numbers, and none denied."""
    terms, said, given = terms_of(text), clauses(sentence), clauses(text)
    spoken_of = [(item, own) for item, own in listed(sentence) if own & terms]
    for item, own in spoken_of:
        mine = [clause.polarity for clause in said if own & clause.terms]
        theirs = [clause.polarity for clause in given if own & clause.terms]
        if any(not polarity & each for polarity in theirs for each in mine) or any(unstated(item, text, "")):
            return False
    return bool(spoken_of) and not turned(sentence, text)


def _lacks(held: Set[str], own: frozenset[str]) -> bool:
    return len(own & held) < ITEM * len(own)


def _mixed(own: frozenset[str], spans: Sequence[Span]) -> bool:
    """Whether what one item says stands in several spans, a part in each: "the cafe lends books"."""
    each = [own & _held(span) for span in spans]
    return bool(frozenset().union(*each) - max(each, key=len))


def _mostly(own: frozenset[str], terms: frozenset[str]) -> bool:
    return 2 * len(own & terms) > len(own)


def _whole(passage: Passage) -> Evidence:
    return Evidence(0, passage, passage.char_start, passage.char_end, passage.text, passage.score)  # shown to no model
