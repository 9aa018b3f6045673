"""The weights of the ranker (rag.retrieval.fusion), fitted on questions whose passages are known. Numpy only.

Owns the rows, the fit and the file that it writes. Of the candidates of a question one that holds the answer should
have the highest score: the loss is minus the logarithm of the share of exp(score) that such candidates have (a
conditional logit), the mean over questions and then over sets, so that each set weighs the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ConfigurationError

VERSION = 1
L2 = 0.001
STEPS = 3000
RATE = 0.05

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankedQuestion:
    """The candidates of one question: `features`, shape (n, d), in the order of their names; `holds`, which hold the
    answer.
    """

    set: str
    features: Floats
    holds: npt.NDArray[np.bool_]


def read_questions(paths: Sequence[Path]) -> tuple[tuple[str, ...], list[RankedQuestion]]:
    """The names of the features, and the questions of which a candidate holds the answer.

    A row is {"set", "candidates": [{"holds": bool, "features": {name: number}}, ...]}.

    Raises:
        ConfigurationError: a file cannot be read, a row is wrong, or no question is left.
    """
    names: tuple[str, ...] = ()
    found = []
    try:
        for path in paths:
            for line in path.read_text(encoding="utf-8").split("\n"):
                if not line.strip():
                    continue
                row = json.loads(line)
                listed = row["candidates"]
                names = names or tuple(sorted(listed[0]["features"]))
                holds = np.array([bool(each["holds"]) for each in listed])
                values = np.array([[float(each["features"][name]) for name in names] for each in listed])
                if holds.any():
                    found.append(RankedQuestion(str(row["set"]), values, holds))
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ConfigurationError(f"The rows cannot be read ({error}).") from error
    if not found:
        raise ConfigurationError("There is no question of which a candidate holds the answer.")
    return names, found


def with_features(
    names: Sequence[str], questions: Sequence[RankedQuestion], chosen: Sequence[str]
) -> tuple[tuple[str, ...], list[RankedQuestion]]:
    """The questions with the chosen features only. Raises ConfigurationError for one that the rows do not have."""
    if missing := [name for name in chosen if name not in names]:
        raise ConfigurationError(f"The rows have no feature {missing[0]!r}; they have {', '.join(names)}.")
    columns = [list(names).index(name) for name in chosen]
    return tuple(chosen), [replace(each, features=each.features[:, columns]) for each in questions]


def fit(questions: Sequence[RankedQuestion], *, l2: float = L2) -> Floats:
    """The weights, shape (d,), by Adam over all questions at once; `l2` is the penalty on standardised weights."""
    rows = np.concatenate([each.features for each in questions])
    spread = np.maximum(rows.std(axis=0), 1e-9)
    rows = rows / spread
    sizes = [len(each.features) for each in questions]
    starts = np.cumsum([0, *sizes[:-1]])
    of = np.repeat(np.arange(len(questions)), sizes)
    holds = np.concatenate([each.holds for each in questions])
    sets = [each.set for each in questions]
    share = np.array([1 / sets.count(name) / len(set(sets)) for name in sets])
    weights, first, second = (np.zeros(rows.shape[1]) for _ in range(3))
    for step in range(1, STEPS + 1):
        scores = rows @ weights
        worth = np.exp(scores - np.maximum.reduceat(scores, starts)[of])
        right = np.where(holds, worth, 0.0)
        blame = worth / np.add.reduceat(worth, starts)[of] - right / np.add.reduceat(right, starts)[of]
        slope = rows.T @ (share[of] * blame) + 2 * l2 * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        weights = weights - RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    fitted: Floats = weights / spread
    return fitted


def found_at(questions: Sequence[RankedQuestion], weights: Floats, depths: Sequence[int]) -> list[float]:
    """The share of questions of which one of the best so many candidates holds the answer, for each depth."""
    ranks = []
    for each in questions:
        order = np.argsort(-(each.features @ weights), kind="stable")
        ranks.append(int(np.flatnonzero(each.holds[order])[0]))
    return [float(np.mean([rank < depth for rank in ranks])) for depth in depths]


def left_out(questions: Sequence[RankedQuestion], depths: Sequence[int], *, l2: float = L2) -> dict[str, list[float]]:
    """`found_at` of each set by weights that were fitted on the others."""
    found = {}
    for name in sorted({each.set for each in questions}):
        others = [each for each in questions if each.set != name]
        if others:
            found[name] = found_at([each for each in questions if each.set == name], fit(others, l2=l2), depths)
    return found


def to_json(names: Sequence[str], weights: Floats, questions: Sequence[RankedQuestion]) -> Mapping[str, Any]:
    """The file that the server reads."""
    return {
        "version": VERSION,
        "weights": {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)},
        "questions": len(questions),
        "sets": sorted({each.set for each in questions}),
        "command": "docent eval fit-ranking ROWS.jsonl --out rag/retrieval/ranking.json",
    }
