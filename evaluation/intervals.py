"""Figures with their uncertainty: means and percentiles with bootstrap intervals, and paired comparisons.

Pure but for numpy, and seeded: the same rows give the same figures. Percentile bootstrap (Efron 1979); the p value is
of a paired sign-flip permutation test (Fisher 1935).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.measures import FIGURES, TIMES, lower_is_better

RESAMPLES = 2000
FLIPS = 10_000
LEVEL = 0.95
SEED = 7
# Rows of random numbers made at once, to keep memory small for thousands of questions.
BLOCK = 500

Floats = npt.NDArray[np.float64]
Rows = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval over `n` questions."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A over the `n` questions that both were measured on. `p` is two-sided.

    `verdict` says of B: "better", "worse" or "no difference shown".
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    n: int
    verdict: str


def figures(rows: Rows) -> dict[str, Figure]:
    """Every figure that some question has: means, and of times the 50th and 95th percentile (`total_ms_p95`)."""
    found = {}
    for name in FIGURES:
        values = np.array([row[name] for row in rows if name in row], dtype=np.float64)
        if not len(values):
            continue
        if name in TIMES:
            for percent in (50, 95):
                found[f"{name}_p{percent}"] = percentile_figure(values, percent)
        else:
            found[name] = mean_figure(values)
    return found


def mean_figure(values: Floats) -> Figure:
    """The mean of values, shape (n,), n > 0, with its interval."""
    low, high = _bounds(_bootstrapped_means(values))
    return Figure(float(values.mean()), low, high, len(values))


def percentile_figure(values: Floats, percent: float) -> Figure:
    """A percentile (linear between neighbours) of values, shape (n,), n > 0, with its interval."""
    random = np.random.default_rng(SEED)
    found = [
        np.percentile(values[random.integers(0, len(values), (block, len(values)))], percent, axis=1)
        for block in _blocks(RESAMPLES)
    ]
    low, high = _bounds(np.concatenate(found))
    return Figure(float(np.percentile(values, percent)), low, high, len(values))


def compare(a: Rows, b: Rows) -> dict[str, Difference]:
    """The differences of all figures that some question has in both. Row i of both is the same question."""
    found = {}
    for name in FIGURES:
        pairs = [(x[name], y[name]) for x, y in zip(a, b, strict=True) if name in x and name in y]
        if pairs:
            values = np.array(pairs, dtype=np.float64)
            found[name] = difference(values[:, 0], values[:, 1], lower_better=lower_is_better(name))
    return found


def difference(a: Floats, b: Floats, *, lower_better: bool = False) -> Difference:
    """Compare paired values, both of shape (n,), n > 0. "better" and "worse" need both the interval and p < .05."""
    deltas = b - a
    low, high = _bounds(_bootstrapped_means(deltas))
    p = permutation_p(deltas)
    verdict = "no difference shown"
    if p < 1 - LEVEL and (low > 0 or high < 0):
        verdict = "better" if (low > 0) != lower_better else "worse"
    return Difference(float(a.mean()), float(b.mean()), float(deltas.mean()), low, high, p, len(deltas), verdict)


def permutation_p(deltas: Floats) -> float:
    """How often random signs make a mean at least as far from 0, 0..1; never 0, as one flip is the one observed."""
    observed = abs(deltas.sum())
    random = np.random.default_rng(SEED)
    reached = 0
    for block in _blocks(FLIPS):
        signs = random.integers(0, 2, (block, len(deltas))) * 2 - 1
        reached += int((np.abs(signs @ deltas) >= observed - 1e-9).sum())
    return (reached + 1) / (FLIPS + 1)


def _bootstrapped_means(values: Floats) -> Floats:
    random = np.random.default_rng(SEED)
    found = [values[random.integers(0, len(values), (block, len(values)))].mean(axis=1) for block in _blocks(RESAMPLES)]
    return np.concatenate(found)


def _bounds(samples: Floats) -> tuple[float, float]:
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _blocks(total: int) -> list[int]:
    return [BLOCK] * (total // BLOCK) + ([total % BLOCK] if total % BLOCK else [])
