"""The part of an evidence that carries a sentence, with exact offsets, and what tells what that part is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rag.text.language import sentences
from rag.types import Evidence, Span
from rag.vectors import Vectors
from rag.verification.facts.facts import stated_facts
from rag.verification.reading import Reading

# Share of what the whole evidence gives a sentence that its part must give.
ENOUGH = 0.93
# Parts that are tried before the whole evidence is cited.
LONGEST = 4


def context_of(evidence: Evidence) -> str:
    """What tells what a span is about: its heading path, its table's header row or list's lead-in, and its file's name."""
    return f"{evidence.passage.heading or ''}\n{evidence.header}\n{re.sub(r'[_.-]+', ' ', evidence.passage.filename)}"


def shortest(sentence: Reading, item: Evidence, text: Reading, similarity: Vectors) -> Span:
    """The shortest run of parts that holds nearly as much of the sentence as the whole, and as many of its facts."""
    parts = sentences(text.text)
    whole = Span(item, item.start, item.start + len(text.text))
    if len(parts) < 2 or not similarity.size:
        return whole
    content = np.array([word.content for word in sentence.words], dtype=np.float32)
    of_part = np.array([word.part for word in text.words])
    best = np.stack(
        [
            similarity[:, of_part == at].max(axis=1) if (of_part == at).any() else np.zeros(len(content))
            for at in range(len(parts))
        ]
    )
    least = ENOUGH * float((best.max(axis=0) * content).sum())
    facts = sum(stated_facts(sentence.text, text.text))
    for length in range(1, min(LONGEST, len(parts)) + 1):
        for at in _by_worth(best, content, length):
            start, end = parts[at][0], parts[at + length - 1][1]
            if float((best[at : at + length].max(axis=0) * content).sum()) < least:
                break
            if sum(stated_facts(sentence.text, text.text[start:end])) >= facts:
                return Span(item, item.start + start, item.start + end)
    return whole


def _by_worth(best: Vectors, content: Vectors, length: int) -> Sequence[int]:
    """The beginnings of runs of so many parts, the one that holds most of the sentence first."""
    worth = [float((best[at : at + length].max(axis=0) * content).sum()) for at in range(len(best) - length + 1)]
    return sorted(range(len(worth)), key=lambda at: (-worth[at], at))
