"""Whether a supported sentence has to do with the question: a model that obeys a document states what stands there. Pure.

The bar is low, so that answers of few words pass ("12 ms"): a fifth of the question's terms, by rarity, in the sentence or
around the span that supports it. Of 746 sentences that answer in squad2_dev and cmrc2018, five fail it.
"""

from __future__ import annotations

from collections.abc import Mapping

from rag.focus import name_terms
from rag.injection import gives_orders
from rag.language import sentences, terms
from rag.types import Evidence
from rag.verification.contradiction import both_asked, denies, turned

LEAST_SHARE = 0.2
# What a term weighs at least.
LEAST_WEIGHT = 0.1


def addresses(rarity: Mapping[str, float], sentence: str, item: Evidence, start: int, end: int) -> bool:
    """Whether a sentence that document characters [start, end) of an evidence support speaks to a question.

    `rarity`: the question's terms and their weights; without any, everything does. The span's neighbours, heading and file
    name count too, unless the sentence or its span gives a model orders.
    """
    weight = {term: max(value, LEAST_WEIGHT) for term, value in rarity.items()}
    held = set(terms(sentence))
    span = item.passage.between(start, end)
    if held and not held & set(terms(span)):
        return False  # its heading or file name alone supports it
    if not gives_orders(sentence) and not gives_orders(span):
        held |= _around(item, start, end)
    share = sum(weight[term] for term in held & weight.keys())
    return share >= LEAST_SHARE * sum(weight.values())


def supposes_otherwise(question: str, item: Evidence, start: int, end: int) -> bool:
    """Whether the question denies what the span affirms ("Who did not sign?" over "Ada signed"): it answers another one."""
    if not denies(question) or both_asked(question):
        return False
    span = item.passage.between(start, end)
    return any(kind == "negation" for kind, _ in turned(question, span))


def _around(item: Evidence, start: int, end: int) -> set[str]:
    """The terms of a span, of the sentences beside it, and of what its passage is called."""
    passage = item.passage
    begin, stop = start - passage.char_start, end - passage.char_start
    spans = sentences(passage.text)
    touched = [i for i, (a, b) in enumerate(spans) if a < stop and begin < b]
    beside = spans[max(0, touched[0] - 1) : touched[-1] + 2] if touched else []
    text = passage.text[beside[0][0] : beside[-1][1]] if beside else passage.text[begin:stop]
    return {*terms(text), *terms(passage.heading or ""), *name_terms(passage.filename)}
