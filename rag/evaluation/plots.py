"""The pictures of a report: recall against k, risk against coverage, time per stage. Owns the door to matplotlib.

Figures are drawn without pyplot, so that no backend is chosen and nothing global changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.evaluation.calibration import Model, risk_coverage
from rag.evaluation.feature_rows import FeatureRow
from rag.evaluation.intervals import Figure
from rag.evaluation.measures import RECALL_AT, TIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

SIZE = (6.4, 4.0)
DPI = 110
OPERATING = "tab:red"


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
    """Risk against coverage of each set with the point that the threshold chooses."""
    canvas, axes = _canvas("coverage: share of questions answered", "risk: share of the answered without an answer")
    for number, (judgement, name) in enumerate(sorted({(row.judgement, row.set) for row in rows})):
        chosen = [row for row in rows if (row.judgement, row.set) == (judgement, name)]
        answerable = np.array([row.answerable for row in chosen])
        p = models[judgement].probabilities(chosen)
        risk, covered = risk_coverage(p, answerable)
        label = _latin(f"{name} ({judgement})")
        axes.plot(covered, risk, color=f"C{number % 10}", label=label)
        answered = p >= models[judgement].threshold
        if answered.any():
            point = (float(answered.mean()), float((~answerable[answered]).mean()))
            axes.plot(*point, "o", color=f"C{number % 10}")
    _unit_square(axes)
    axes.set_title("dots: the chosen operating points", fontsize=9)
    _save(canvas, axes, path)


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
