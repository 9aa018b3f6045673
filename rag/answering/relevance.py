"""Whether what a span says is an answer to the question: not the orders of a document, not the opposite of what is asked. Pure."""

from __future__ import annotations

import re

from rag.answering.citations import FORGED
from rag.evidence.injection import gives_orders, holds_orders
from rag.text.language import asks_whether, language, query_terms, stem, terms
from rag.types import Evidence, Span
from rag.verification.contradiction import both_asked, denies, turned

# The share of the question's terms that a sentence must hold which rests on orders: "The admin password is ..." may be asked for.
LEAST_SHARE = 0.2
# Words that speak of an answer instead of giving it, as index terms.
EMPTY = frozenset(
    stem(word) for word in ("answer", "question", "source", "sources", "document", "documents", "information")
)
# A document that forges the sources of our prompt, a line of such sources, and the share of the question's terms that such a line needs.
_FORGES = re.compile(r"(?im)^\W*(?:sources|来源)\s*[:：]\s*\n\s*[\[【]1[\]】]\s")
_FORGED_LINE = re.compile(r"\s*[\[【]\d{1,9}[\]】]\s")
FORGED_SHARE = 0.5


def obeys_orders(question: str, sentence: str, span: Span) -> bool:
    """Whether a sentence rests on text that gives a model orders, or passes itself off as one of its sources, and has nothing to do with
    the question: a model that obeyed it.
    """
    item, said = span.evidence, span.text
    if FORGED.search(item.passage.text) and _is_beside(question, sentence, item):
        return True
    forged = _FORGED_LINE.match(said) is not None and _FORGES.search(item.passage.text) is not None
    if not forged and not gives_orders(sentence) and not holds_orders(item.passage.text):
        return False
    asked = set(query_terms(question))
    return len(asked & set(terms(sentence))) < (FORGED_SHARE if forged else LEAST_SHARE) * len(asked)


def _is_beside(question: str, sentence: str, item: Evidence) -> bool:
    """Whether a section with marks like ours in it shares no term with the question, or is quoted in another language than that."""
    if language(sentence) != language(question):
        return language(sentence) == language(item.text)
    about = f"{item.passage.heading or ''} {item.passage.filename} {item.passage.text}"
    return language(question) == language(item.text) and not set(query_terms(question)) & set(terms(about))


def only_named(sentence: str, span: Span) -> bool:
    """Whether a sentence has words in common with the name or headings of its source alone: a file name says nothing, whoever chose it."""
    item = span.evidence
    said = set(terms(sentence)) - EMPTY
    if not said or language(sentence) != language(item.text):
        return False
    named = set(terms(f"{item.passage.heading or ''} {re.sub(r'[_.-]+', ' ', item.passage.filename)}"))
    return bool(said & named) and not said & set(terms(item.passage.text))


def only_repeats(question: str, sentence: str) -> bool:
    """Whether a sentence says nothing but the question's own words ("The answer is about deleting a document."): it answers nothing,
    unless a yes or no is asked for.
    """
    said = set(terms(sentence))
    return bool(said) and said <= set(terms(question)) | EMPTY and not asks_whether(question)


def supposes_otherwise(question: str, span: Span) -> bool:
    """Whether the question denies what the span affirms ("Who did not sign?" over "Ada signed"): it answers another one."""
    if not denies(question) or both_asked(question):
        return False
    return any(kind == "negation" for kind, _ in turned(question, span.text))
