"""What a block of text is worth as evidence, fitted on golden questions: rows of blocks, labelled by the gold, and
their regression.

Owns the file that rag/evidence/scoring.py reads. Every question weighs the same, and every set, however many blocks and
questions they have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.fitting.certainty import Floats, auc, fit_logistic
from evaluation.golden import GoldenQuestion, file_matches
from evaluation.measures import has_short_answer
from rag.evidence.scoring import FEATURES, ScoredBlock
from rag.text.language import fold
from rag.types import Section

L2 = 1.0
# Characters of a quote of evidence, at its beginning or end, that a block must hold to be gold: a quote may run over
# several blocks.
QUOTE = 40
# Characters below which a block that stands within a quote says nothing of it.
LEAST = 16


@dataclass(frozen=True, slots=True)
class BlockRows:
    """The blocks of one question: features, shape (n, len(FEATURES)), and whether each holds the gold, shape (n,)."""

    set: str
    features: Floats
    gold: Floats


def has_gold(question: GoldenQuestion) -> bool:
    """Whether a question says which words of the documents answer it."""
    return question.answerable and bool(question.evidence or has_short_answer(question)) and bool(question.relevant)


def labelled(name: str, question: GoldenQuestion, scored: tuple[Sequence[Section], Sequence[ScoredBlock]]) -> BlockRows:
    """The rows of a question's blocks."""
    sections, blocks = scored
    gold = [
        any(file_matches(place.file, sections[item.section].found.filename) for place in question.relevant)
        and _holds(question, sections[item.section].passage.text[item.block.start : item.block.end])
        for item in blocks
    ]
    features = np.array([item.features for item in blocks], dtype=np.float64).reshape(-1, len(FEATURES))
    return BlockRows(name, features, np.array(gold, dtype=np.float64))


def to_json(rows: Sequence[BlockRows]) -> dict[str, Any]:
    """The file that the server reads, with what it was fitted on."""
    weights, bias = _fitted(rows)
    return {
        "bias": round(bias, 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(FEATURES, weights, strict=True)},
        "questions": len(rows),
        "sets": sorted({row.set for row in rows}),
    }


def left_out(rows: Sequence[BlockRows]) -> list[list[str]]:
    """A header and a row a set: how weights that never saw it rank its blocks (area under the curve; share of questions
    whose best block, and one of whose best three, is gold).
    """
    cells = [["set", "questions", "AUC", "first", "first three"]]
    for name in sorted({row.set for row in rows}):
        others = [row for row in rows if row.set != name] or list(rows)
        weights, bias = _fitted(others)
        own = [row for row in rows if row.set == name]
        ranked = [row.gold[np.argsort(-(row.features @ weights + bias), kind="stable")] for row in own if len(row.gold)]
        areas = [
            auc((row.features @ weights)[row.gold > 0], (row.features @ weights)[row.gold == 0])
            for row in own
            if 0 < row.gold.sum() < len(row.gold)
        ]
        shares = [np.mean(areas or [float("nan")]), *(np.mean([found[:k].any() for found in ranked]) for k in (1, 3))]
        cells.append([name, str(len(own)), *(f"{share:.3f}" for share in shares)])
    return cells


def _fitted(rows: Sequence[BlockRows]) -> tuple[Floats, float]:
    filled = [row for row in rows if len(row.gold)]
    counts = {name: sum(row.set == name for row in filled) for name in {row.set for row in filled}}
    weigh = np.concatenate([np.full(len(row.gold), 1 / len(row.gold) / counts[row.set]) for row in filled])
    weigh *= sum(len(row.gold) for row in filled) / weigh.sum()
    values = np.concatenate([row.features for row in filled])
    return fit_logistic(values, np.concatenate([row.gold for row in filled]), weigh, l2=L2)


def _holds(question: GoldenQuestion, block: str) -> bool:
    text = _bare(block)
    if question.evidence:
        quotes = [_bare(quote) for quote in question.evidence]
        return any(
            quote[:QUOTE] in text or quote[-QUOTE:] in text or (len(text) >= LEAST and text in quote)
            for quote in quotes
        )
    return any(_bare(answer) in text for answer in question.answers)


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", fold(text))
