"""Abstention thresholds fitted on development sets: a logistic regression per judgement, and the point to work at.

Owns the fitting and the file that it writes, which rag/answering/certainty.py reads. p(answerable) = sigmoid(bias +
sum(weight * value)), with the weights of raw values. Every set of a judgement weighs the same, however many rows it
has. Numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.fitting.feature_rows import FeatureRow
from rag.errors import ConfigurationError

VERSION = 1
L2 = 1.0
FALSE_ABSTAIN = 0.10
NEWTON_STEPS = 50
# Rows above a threshold of precision, at least.
FEWEST = 20
# A step smaller than this, in standardised weights, changes no figure that is printed.
CONVERGED = 1e-8

Floats = npt.NDArray[np.float64]
Targets = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """One judgement's regression, in raw values, and the least p(answerable) at which to answer."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    threshold: float

    def probabilities(self, rows: Sequence[FeatureRow]) -> Floats:
        """p(answerable) of each row, shape (n,), 0..1."""
        return sigmoid(matrix(rows, self.features) @ np.array(self.weights) + self.bias)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model does on a set. `auc`: chance that an answerable row scores above one that is not, 0..1."""

    judgement: str
    set: str
    rows: int
    false_answer: float
    false_abstain: float
    auc: float


def calibrate(
    rows: Sequence[FeatureRow], targets: Targets, precisions: Targets | None = None, *, l2: float = L2
) -> dict[str, Model]:
    """A model for each judgement, with its threshold.

    Args:
        rows: of any number of judgements and sets; those of a judgement have the same features.
        targets: by judgement, the share of answerable questions, mean over sets, that may go unanswered, 0..1; "" for
            the judgements that are not named.
        precisions: by judgement, the share of the rows above the threshold that must be right, 0..1; instead of a
            target.
        l2: strength of the penalty on standardised weights.

    Raises:
        ConfigurationError: a judgement has only answerable or only unanswerable rows, or a target names none.
    """
    known = sorted({row.judgement for row in rows})
    precisions = precisions or {}
    if strange := sorted({*targets, *precisions} - {*known, ""}):
        raise ConfigurationError(f"No row is of the judgement {strange[0]!r}; there are {', '.join(known)}.")
    models = {}
    for judgement in known:
        chosen = [row for row in rows if row.judgement == judgement]
        if len({row.answerable for row in chosen}) < 2:
            raise ConfigurationError(f"The judgement {judgement!r} needs rows of both kinds, answerable and not.")
        models[judgement] = _fitted(chosen, target(targets, judgement), precisions.get(judgement), l2=l2)
    return models


def target(targets: Targets, judgement: str) -> float:
    """What may go unanswered at a judgement, 0..1."""
    return targets.get(judgement, targets.get("", FALSE_ABSTAIN))


def left_out(
    rows: Sequence[FeatureRow], targets: Targets, precisions: Targets | None = None, *, l2: float = L2
) -> list[Fit]:
    """For each set of each judgement: how a model does on it that was fitted on the judgement's other sets."""
    fits = []
    for judgement, name in sorted({(row.judgement, row.set) for row in rows}):
        others = [row for row in rows if row.judgement == judgement and row.set != name]
        if len({row.answerable for row in others}) == 2:
            model = _fitted(others, target(targets, judgement), (precisions or {}).get(judgement), l2=l2)
            fits += judge({judgement: model}, [row for row in rows if (row.judgement, row.set) == (judgement, name)])
    return fits


def judge(models: Mapping[str, Model], rows: Sequence[FeatureRow]) -> list[Fit]:
    """How the models do on each set of each judgement."""
    fits = []
    for judgement, name in sorted({(row.judgement, row.set) for row in rows}):
        chosen = [row for row in rows if (row.judgement, row.set) == (judgement, name)]
        p = models[judgement].probabilities(chosen)
        yes = np.array([row.answerable for row in chosen])
        answered = p >= models[judgement].threshold
        fits.append(
            Fit(judgement, name, len(chosen), _share(answered[~yes]), _share(~answered[yes]), auc(p[yes], p[~yes]))
        )
    return fits


def to_json(
    models: Mapping[str, Model], rows: Sequence[FeatureRow], targets: Targets, precisions: Targets | None = None
) -> dict[str, Any]:
    """The file that the server reads: of each judgement the bias, the weights of raw values by feature, the
    threshold.
    """
    found = {}
    for judgement, model in models.items():
        weights = {name: _rounded(weight) for name, weight in zip(model.features, model.weights, strict=True)}
        found[judgement] = {
            "bias": _rounded(model.bias),
            "weights": weights,
            # rounded down, so that rounding turns no answer into an abstention
            "threshold": math.floor(model.threshold * 1e4) / 1e4,
            **_aim(judgement, targets, precisions or {}),
            "rows": sum(row.judgement == judgement for row in rows),
            "sets": sorted({row.set for row in rows if row.judgement == judgement}),
        }
    return {"version": VERSION, "judgements": found}


def fit_logistic(values: Floats, labels: Floats, row_weights: Floats, *, l2: float) -> tuple[Floats, float]:
    """Weights of raw values, shape (d,), and bias, by Newton's method (iteratively reweighted least squares).

    `values` is (n, d), `labels` (n,) of 0 and 1, `row_weights` (n,). The penalty is l2/2 times the squared standardised
    weights; the bias is free. A feature that never changes gets weight 0.
    """
    center = np.average(values, axis=0, weights=row_weights)
    spread = np.sqrt(np.average((values - center) ** 2, axis=0, weights=row_weights))
    scale = np.where(spread > 1e-12, spread, 1.0)
    design = np.column_stack([np.ones(len(values)), (values - center) / scale])
    penalty = np.diag([0.0, *([l2] * values.shape[1])])
    solution = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        p = sigmoid(design @ solution)
        gradient = design.T @ (row_weights * (p - labels)) + penalty @ solution
        curvature = design.T @ (design * (row_weights * np.maximum(p * (1 - p), 1e-9))[:, None]) + penalty
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        solution = solution - step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < CONVERGED:
            break
    weights = solution[1:] / scale
    return weights, float(solution[0] - weights @ center)


def choose_threshold(
    p: Floats, answerable: npt.NDArray[np.bool_], sets: Sequence[str], *, false_abstain: float
) -> float:
    """The highest p at which the mean over sets of false_abstain stays within the target; so false_answer is
    smallest.
    """
    names = np.array(sets)
    kinds = [np.sort(p[answerable & (names == name)]) for name in sorted(set(sets))]
    kinds = [values for values in kinds if len(values)]
    thresholds = np.unique(p)
    missed = np.mean([np.searchsorted(values, thresholds, side="left") / len(values) for values in kinds], axis=0)
    return float(thresholds[missed <= false_abstain + 1e-12].max(initial=0.0))


def choose_precise(p: Floats, right: npt.NDArray[np.bool_], *, precision: float) -> float:
    """The lowest p such that of the rows at and above it the share that is right is at least `precision`; 1 where there
    is none.

    Of ties all count. Few rows at the top say little, so at least `FEWEST` must be above.
    """
    order = np.argsort(-p, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(p) + 1)
    last_of_ties = np.append(np.diff(p[order]) != 0, [True])
    good = last_of_ties & (share >= precision) & (np.arange(1, len(p) + 1) >= FEWEST)
    return float(p[order][np.flatnonzero(good)[-1]]) if good.any() else 1.0


def _aim(judgement: str, targets: Targets, precisions: Targets) -> dict[str, float]:
    if judgement in precisions:
        return {"precision": precisions[judgement]}
    return {"false_abstain": target(targets, judgement)}


def auc(yes: Floats, no: Floats) -> float:
    """Chance that a value of `yes` is above one of `no`, ties half; NaN if either is empty."""
    if not len(yes) or not len(no):
        return math.nan
    ordered = np.sort(no)
    below = np.searchsorted(ordered, yes, side="left") + np.searchsorted(ordered, yes, side="right")
    return float(below.mean() / 2 / len(no))


def risk_coverage(p: Floats, answerable: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Risk (share of the answered that has no answer) against coverage (share answered), as the threshold falls."""
    order = np.argsort(-p, kind="stable")
    wrong = np.cumsum(~answerable[order])
    answered = np.arange(1, len(p) + 1)
    last_of_ties = np.append(np.diff(p[order]) != 0, [True])
    return (wrong / answered)[last_of_ties], (answered / len(p))[last_of_ties]


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), without overflow."""
    result: Floats = 0.5 * (1 + np.tanh(z / 2))
    return result


def matrix(rows: Sequence[FeatureRow], features: Sequence[str]) -> Floats:
    """The features of rows, shape (n, d)."""
    return np.array([[row.features[name] for name in features] for row in rows], dtype=np.float64)


def _fitted(rows: Sequence[FeatureRow], false_abstain: float, precision: float | None, *, l2: float) -> Model:
    features = tuple(sorted(rows[0].features))
    sets = [row.set for row in rows]
    share = {name: len(rows) / len(set(sets)) / sets.count(name) for name in set(sets)}
    answerable = np.array([row.answerable for row in rows])
    values = matrix(rows, features)
    row_weights = np.array([share[name] for name in sets])
    weights, bias = fit_logistic(values, answerable.astype(np.float64), row_weights, l2=l2)
    p = sigmoid(values @ weights + bias)
    threshold = (
        choose_threshold(p, answerable, sets, false_abstain=false_abstain)
        if precision is None
        else choose_precise(p, answerable, precision=precision)
    )
    return Model(features, tuple(float(weight) for weight in weights), bias, threshold)


def _share(flags: npt.NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else math.nan


def _rounded(value: float) -> float:
    """Seven significant digits, whatever the scale of the feature."""
    return float(f"{value:.7g}")
