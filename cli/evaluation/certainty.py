"""`docent eval observe` and `calibrate`: what is seen of golden questions, and the thresholds that are fitted on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cli.files import write_text
from cli.terminal import counter
from rag.errors import ConfigurationError
from rag.settings import Settings


def observe(*, golden: Path, collection: str, set_name: str | None, limit: int | None, drafts: bool) -> int:
    """Print rows of features of golden questions, each answered whatever its chances."""
    from evaluation.fitting import observe as observing
    from evaluation.golden import read_golden
    from evaluation.session import local_subject, open_services

    questions = read_golden(golden, drafts=drafts, limit=limit)
    progress = counter("observed", len(questions))
    with open_services(replace(Settings.load(), min_confidence=0.0), chat=True) as services:
        services.collections.get(collection)
        top_k = local_subject(services, collection).top_k
        name = set_name or golden.stem
        rows = observing.observe(questions, services.answerer, collection=collection, top_k=top_k, name=name)
        for done, found in enumerate(rows, start=1):
            for row in found:
                print(json.dumps(row, ensure_ascii=False), flush=True)
            progress(done)
    return 0


def calibrate(
    *,
    rows: Sequence[Path],
    out: Path,
    plot: Path | None,
    false_abstain: Sequence[tuple[str, float]],
    features: Sequence[tuple[str, tuple[str, ...]]],
    precision: Sequence[tuple[str, float]],
    l2: float,
) -> int:
    """Fit, write, draw and print how the fit does, on its own sets and on sets left out."""
    from evaluation.fitting import certainty as calibration
    from evaluation.fitting.feature_rows import read_rows, with_features
    from evaluation.tables import as_text, fit_cells

    observed = with_features(read_rows(rows), dict(features))
    targets, precisions = dict(false_abstain), dict(precision)
    models = calibration.calibrate(observed, targets, precisions, l2=l2)
    fitted = calibration.to_json(models, observed, targets, precisions)
    write_text(out, json.dumps(fitted, indent=2, ensure_ascii=False) + "\n")
    if plot:
        from evaluation.plots import plot_calibration

        try:
            plot_calibration(plot, models, observed)
        except OSError as error:
            raise ConfigurationError(f"{error.filename} cannot be written: {error.strerror}.") from error
    print(as_text(fit_cells(calibration.judge(models, observed))))
    if outside := calibration.left_out(observed, targets, precisions, l2=l2):
        print("\nEach set by a model that never saw it:\n" + as_text(fit_cells(outside)))
    return 0
