"""Whether what a span says is an answer to the question: not the orders of a document, not the opposite of what is asked. Pure."""

from __future__ import annotations

from rag.evidence.injection import gives_orders
from rag.language import asks_whether, query_terms, stem, terms
from rag.types import Evidence
from rag.verification.contradiction import both_asked, denies, turned

Span = tuple[Evidence, int, int]
# The share of the question's terms that a sentence must hold which rests on orders: "The admin password is ..." may be asked for.
LEAST_SHARE = 0.2
# Words that speak of an answer instead of giving it, as index terms.
EMPTY = frozenset(
    stem(word) for word in ("answer", "question", "source", "sources", "document", "documents", "information")
)


def obeys_orders(question: str, sentence: str, span: Span) -> bool:
    """Whether a sentence rests on text that gives a model orders and has nothing to do with the question: a model that obeyed it."""
    item, start, end = span
    if not gives_orders(sentence) and not gives_orders(item.passage.between(start, end)):
        return False
    asked = set(query_terms(question))
    return len(asked & set(terms(sentence))) < LEAST_SHARE * len(asked)


def only_repeats(question: str, sentence: str) -> bool:
    """Whether a sentence says nothing but the question's own words ("The answer is about deleting a document."): it answers nothing,
    unless a yes or no is asked for.
    """
    said = set(terms(sentence))
    return bool(said) and said <= set(terms(question)) | EMPTY and not asks_whether(question)


def supposes_otherwise(question: str, item: Evidence, start: int, end: int) -> bool:
    """Whether the question denies what the span affirms ("Who did not sign?" over "Ada signed"): it answers another one."""
    if not denies(question) or both_asked(question):
        return False
    span = item.passage.between(start, end)
    return any(kind == "negation" for kind, _ in turned(question, span))
