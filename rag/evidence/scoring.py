"""What each block of the sections found is worth for a question: the chance, fitted, that it holds the answer. Pure.

A logistic regression over a few named features (`FEATURES`), with its weights in weights.json, which
`docent eval evidence SET...` fits on golden questions (docs/evaluation.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ConfigurationError
from rag.evidence.answer_type import expected, holds
from rag.evidence.blocks import Block, BlockKind, split_blocks
from rag.evidence.injection import gives_orders, holds_orders
from rag.text.language import CJK_RUN, query_terms, sentences, terms
from rag.types import Section
from rag.vectors import TokenVectors

WEIGHTS = Path(__file__).with_name("weights.json")
FEATURES = (
    "rank",  # 1 / place of its passage in the ranking
    "similarity",  # late interaction with the question, less that of the best block of all
    "passage_similarity",  # the same of its whole section
    "terms",  # share of the question's terms, by idf, that it holds
    "found",  # 1 in the passage that was found, 0 in its neighbours
    "answer_type",  # 1 when it holds the kind of thing asked for, .5 when the question does not tell
    "heading",  # 1 for a heading, which names and does not tell
    "length",  # natural logarithm of its characters
)
# What a block that gives a model orders is worth beside its like.
ORDERS = 0.02
# What a block that mostly asks is worth beside its like: a contents list of questions holds every word of one and answers
# none. Chosen, not fitted: few collections have such lists.
ASKS, MOSTLY = 0.1, 0.7
# The least that a term of the question weighs, so that one that stands everywhere still tells two blocks apart.
LEAST_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class ScoredBlock:
    """A block of a section (by its place in the list), the tokens it takes in a prompt, and the chance, 0..1, that it answers.

    `features` are those of `FEATURES`, in their order; `terms` the question's terms that it holds.
    """

    section: int
    block: Block
    tokens: int
    score: float
    features: tuple[float, ...]
    terms: frozenset[str]


def estimate_tokens(text: str) -> int:
    """Roughly how many tokens a chat model makes of a text: 0.7 a CJK character, 0.27 any other. Rounded up."""
    cjk = sum(len(run) for run in CJK_RUN.findall(text))
    return math.ceil(0.7 * cjk + 0.27 * (len(text) - cjk))


def score_blocks(
    question: str,
    sections: Sequence[Section],
    idf: Mapping[str, float],
    query: TokenVectors | None = None,
    vectors: Mapping[str, TokenVectors] | None = None,
) -> list[ScoredBlock]:
    """Every block of the sections, in their order, with its score; the text of two sections that overlap is looked at once.

    Args:
        question: as it was searched.
        sections: those of the passages found, the best first.
        idf: the idf of each of the question's terms.
        query: the question's token vectors; None where there are none.
        vectors: those of the chunks, by chunk id, offsets from the start of each chunk.
    """
    wanted = {term: max(idf.get(term, 0.0), LEAST_WEIGHT) for term in query_terms(question)}
    kind = expected(question)
    seen: set[tuple[str, int]] = set()
    rows: list[tuple[int, Block, list[float], frozenset[str]]] = []
    for number, section in enumerate(sections):
        text, begin = section.passage.text, section.passage.char_start
        matched = _matched(section, query, vectors or {})
        whole = float(matched.cosines.max(axis=1).mean()) if matched.cosines.size else 0.0
        for block in split_blocks(text):
            if (key := (section.passage.document_id, begin + block.start)) in seen:
                continue
            seen.add(key)
            said = text[block.start : block.end]
            held = frozenset(wanted.keys() & set(terms(said)))
            values = [
                1 / (1 + number),
                matched.within(block),
                whole,
                sum(wanted[term] for term in held) / (sum(wanted.values()) or 1.0),
                float(block.start + begin < section.found.char_end and section.found.char_start < block.end + begin),
                0.5 if kind is None else float(holds(kind, said)),
                float(block.kind is BlockKind.HEADING),
                math.log(max(1, block.end - block.start)),
            ]
            rows.append((number, block, values, held))
    best = [max((values[i] for _, _, values, _ in rows), default=0.0) for i in (1, 2)]
    scored = [_scored(sections, row, best) for row in rows]
    return _orders_last(sections, scored)


@dataclass(frozen=True, slots=True)
class Weights:
    """The regression: chance = sigmoid(bias + sum of weight times feature)."""

    bias: float
    weights: tuple[float, ...]

    def score(self, features: Sequence[float]) -> float:
        """The chance, 0..1."""
        logit = self.bias + sum(weight * value for weight, value in zip(self.weights, features, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The fitted weights. Raises ConfigurationError when weights.json is missing or damaged."""
    try:
        found: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
        return Weights(float(found["bias"]), tuple(float(found["weights"][name]) for name in FEATURES))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{WEIGHTS.name} cannot be used ({error}); restore it from the project.") from error


@dataclass(frozen=True, slots=True, eq=False)
class _Matched:
    """A section's tokens: their places in its text, and the cosine of each with each token of the question."""

    offsets: npt.NDArray[np.int32]
    cosines: npt.NDArray[np.float32]

    def within(self, block: Block) -> float:
        """Late interaction of the question with a block: the mean over its tokens of the nearest one there; 0 without vectors."""
        if not self.cosines.size:
            return 0.0
        inside = (self.offsets[:, 0] < block.end) & (self.offsets[:, 1] > block.start)
        return float(self.cosines[:, inside].max(axis=1).mean()) if inside.any() else float(self.cosines.min())


def _matched(section: Section, query: TokenVectors | None, vectors: Mapping[str, TokenVectors]) -> _Matched:
    parts = [
        (vectors[chunk_id], start - section.passage.char_start)
        for chunk_id, start in section.chunks
        if chunk_id in vectors
    ]
    if query is None or not len(query.vectors) or not parts:
        return _Matched(np.zeros((0, 2), dtype=np.int32), np.zeros((0, 0), dtype=np.float32))
    offsets = np.concatenate([np.where(found.offsets < 0, -1, found.offsets + begin) for found, begin in parts])
    cosines = query.vectors @ np.concatenate([found.vectors for found, _ in parts]).T
    return _Matched(offsets.astype(np.int32), cosines.astype(np.float32))


def _scored(
    sections: Sequence[Section], row: tuple[int, Block, list[float], frozenset[str]], best: Sequence[float]
) -> ScoredBlock:
    number, block, values, held = row
    text = sections[number].passage.text
    features = (values[0], values[1] - best[0], values[2] - best[1], *values[3:])
    said = text[block.start : block.end]
    score = weights().score(features) * (ORDERS if holds_orders(said) else ASKS if _mostly_asks(said) else 1.0)
    return ScoredBlock(number, block, estimate_tokens(said), score, features, held)


def _orders_last(sections: Sequence[Section], blocks: Sequence[ScoredBlock]) -> list[ScoredBlock]:
    """The blocks; those that hold nothing but orders are worth less than the best of the others, however well they fit the question."""
    only = [_only_orders(sections[each.section].passage.text[each.block.start : each.block.end]) for each in blocks]
    best = max((each.score for each, orders in zip(blocks, only, strict=True) if not orders), default=1.0)
    return [
        replace(each, score=min(each.score, ORDERS * best)) if orders else each
        for each, orders in zip(blocks, only, strict=True)
    ]


def _mostly_asks(text: str) -> bool:
    """Whether a block is a list of questions."""
    if text.count("?") + text.count("？") < 2:
        return False  # most blocks: they are not cut into sentences for this
    said = [text[start:end] for start, end in sentences(text) if any(map(str.isalpha, text[start:end]))]
    return len(said) > 1 and sum(each.endswith(("?", "？")) for each in said) >= MOSTLY * len(said)


def _only_orders(text: str) -> bool:
    """Whether a block gives orders and states nothing else."""
    said = [text[start:end] for start, end in sentences(text)]
    return any(map(gives_orders, said)) and all(gives_orders(each) or each.endswith(("?", "？")) for each in said)
