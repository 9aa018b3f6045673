"""Rows to fit the judgements of an answer on, made of golden questions: what is seen when each is due, and how it
should turn out.

A row a question for `topic` and one for `extractive` (before the model: has it an answer?), one for `local` where the
small model's yes or no was weighed (the same), and one for the certainty of the kind of model where it was answered (is
the answer right?). It is given its parts, which must answer whatever the chances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evaluation.golden import GoldenQuestion
from evaluation.local import Asked
from evaluation.measures import has_short_answer, is_correct
from rag.answering.certainty import FOUND, GATE
from rag.answering.events import Ask


def observe(
    questions: Sequence[GoldenQuestion], answerer: Asked, *, collection: str, top_k: int, name: str
) -> Iterator[list[dict[str, Any]]]:
    """The rows of each question, in order; `name` is the set that they belong to.

    A question for which no evidence is found has no row: it is declined without a judgement. One whose answer has no
    fixed words has no row of certainty.
    """
    for question in questions:
        answer = answerer.ask(Ask(question.question, [collection], top_k))
        seen = answer.features
        rows = []
        if FOUND[0] in seen:
            found = {key: seen[key] for key in FOUND}
            rows += [_row(judgement, question.answerable, found, name) for judgement in ("topic", "extractive")]
        if GATE in seen:
            rows.append(_row("local", question.answerable, {key: seen[key] for key in (*FOUND, GATE)}, name))
        if answer.answered and answer.kind and (not question.answerable or has_short_answer(question)):
            right = question.answerable and is_correct(question, answer.answer)
            rows.append(_row(f"certainty-{answer.kind}", right, seen, name))
        yield rows


def _row(judgement: str, outcome: bool, features: Mapping[str, float], name: str) -> dict[str, Any]:
    return {
        "judgement": judgement,
        "answerable": outcome,
        "features": {feature: round(value, 4) for feature, value in features.items()},
        "set": name,
    }
