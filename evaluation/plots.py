"""The pictures of a report: recall against k, risk against coverage, time per stage. Owns the door to matplotlib.

Figures are drawn without pyplot, so that no backend is chosen and nothing global changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evaluation.fitting.certainty import Model, risk_coverage
from evaluation.fitting.feature_rows import FeatureRow
from evaluation.intervals import Figure
from evaluation.measures import RECALL_AT, TIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

SIZE = (6.4, 4.0)
DPI = 110
OPERATING = "tab:red"
# A set that is to weigh more is given in parts, each a set of its own.
PART = " part "

Bools = npt.NDArray[np.bool_]


def plot_recall(path: Path, runs: Mapping[str, Mapping[str, Figure]]) -> bool:
    """recall@k with its intervals, a line a run; False (and no file) where it was not measured."""
    canvas, axes = _canvas("k: documents, pages or spans looked at", "recall@k")
    drawn = False
    for label, figures in runs.items():
        found = [(k, figures[f"recall@{k}"]) for k in RECALL_AT if f"recall@{k}" in figures]
        if found:
            drawn = True
            ks = [k for k, _ in found]
            axes.plot(ks, [figure.value for _, figure in found], marker="o", label=_latin(label))
            axes.fill_between(ks, [figure.low for _, figure in found], [figure.high for _, figure in found], alpha=0.15)
    axes.set_ylim(0, 1.02)
    axes.set_xticks(RECALL_AT)
    return drawn and _save(canvas, axes, path)


def plot_times(path: Path, runs: Mapping[str, Mapping[str, Figure]]) -> bool:
    """Median time per stage with a whisker up to the 95th percentile; False where nothing was timed."""
    canvas, axes = _canvas("milliseconds (bar: median, whisker: 95th percentile)", "")
    stages = [stage for stage in TIMES if any(f"{stage}_p50" in figures for figures in runs.values())]
    height = 0.8 / max(1, len(runs))
    for number, (label, figures) in enumerate(runs.items()):
        for place, stage in enumerate(stages):
            if f"{stage}_p50" in figures:
                middle, far = figures[f"{stage}_p50"].value, figures[f"{stage}_p95"].value
                axes.barh(
                    place + (number - (len(runs) - 1) / 2) * height,
                    middle,
                    height=height * 0.9,
                    xerr=[[0.0], [max(0.0, far - middle)]],
                    color=f"C{number}",
                    capsize=3,
                    label=_latin(label) if place == 0 else None,
                )
    axes.set_yticks(range(len(stages)), [stage.removesuffix("_ms").replace("_", " ") for stage in stages])
    axes.invert_yaxis()
    return bool(stages) and _save(canvas, axes, path)


def plot_risk(
    path: Path, confidences: Sequence[float], answerable: Sequence[bool], *, worked_at: tuple[float, float] | None
) -> bool:
    """Risk against coverage as confidence is asked for; `worked_at` is (coverage, risk) of the answers that were given.

    False where the questions are all answerable or all not.
    """
    if len(set(answerable)) < 2:
        return False
    canvas, axes = _canvas("coverage: share of questions answered", "risk: share of the answered without an answer")
    risk, covered = risk_coverage(np.array(confidences, dtype=np.float64), np.array(answerable))
    axes.plot(covered, risk, label="by confidence")
    if worked_at:
        axes.plot(*worked_at, "o", color=OPERATING, label="answers given")
    _unit_square(axes)
    return _save(canvas, axes, path)


def plot_calibration(path: Path, models: Mapping[str, Model], rows: Sequence[FeatureRow]) -> None:
    """Risk against coverage, a panel a judgement and a line a set, with the point that each threshold chooses.

    Sets that are all answerable or all not have no curve. The parts of a set ("name part 1") are drawn as one.
    """
    from matplotlib.figure import Figure as Drawing

    judgements = sorted({row.judgement for row in rows})
    width, height = SIZE
    canvas = Drawing(figsize=(width * 0.75 * len(judgements), height), dpi=DPI, layout="constrained")
    panels = np.atleast_1d(canvas.subplots(1, len(judgements), sharey=True))
    for axes, judgement in zip(panels, judgements, strict=True):
        for name in sorted({row.set.partition(PART)[0] for row in rows}):
            chosen = [row for row in rows if (row.judgement, row.set.partition(PART)[0]) == (judgement, name)]
            answerable = np.array([row.answerable for row in chosen])
            if len(set(answerable.tolist())) == 2:
                _draw_risk(axes, _latin(name), models[judgement], chosen, answerable)
        axes.set_title(f"{_latin(judgement)} (dots: at its threshold)", fontsize=9)
        axes.set_xlabel("coverage: share of questions answered")
        axes.grid(visible=True, alpha=0.3)
        _unit_square(axes)
        axes.legend(fontsize=8, loc="upper left")
    panels[0].set_ylabel("risk: share of the answered without an answer")
    canvas.savefig(path)


def _draw_risk(axes: Axes, label: str, model: Model, rows: Sequence[FeatureRow], answerable: Bools) -> None:
    p = model.probabilities(rows)
    risk, covered = risk_coverage(p, answerable)
    (line,) = axes.plot(covered, risk, label=label)
    answered = p >= model.threshold
    if answered.any():
        axes.plot(float(answered.mean()), float((~answerable[answered]).mean()), "o", color=line.get_color())


def _canvas(x: str, y: str) -> tuple[Canvas, Axes]:
    from matplotlib.figure import Figure as Drawing

    canvas = Drawing(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = canvas.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, alpha=0.3)
    return canvas, axes


def _latin(label: str) -> str:
    """The fonts that come with matplotlib have no Chinese, and warn of every character."""
    return label.encode("ascii", "replace").decode()


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(0, 1.02)
    axes.set_ylim(bottom=-0.02)


def _save(canvas: Canvas, axes: Axes, path: Path) -> bool:
    if len(axes.get_legend_handles_labels()[1]):
        axes.legend(fontsize=8)
    canvas.savefig(path, format="png")
    return True
