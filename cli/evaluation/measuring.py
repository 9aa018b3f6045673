"""`docent eval run`: measures one subject on golden questions or compares two, and holds the figures against a gate.

Questions, gate and variants are read before anything heavy is opened, so that a mistake in one costs no time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.terminal import counter, note
from rag.errors import ConfigurationError
from rag.settings import Settings

if TYPE_CHECKING:
    from evaluation.fitting.observations import Subject
    from evaluation.golden import GoldenQuestion
    from evaluation.intervals import Difference
    from evaluation.report import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is measured, and where it is told."""

    collection: str
    compare: tuple[str, str] | None
    server: str | None
    gate: Path | None
    report: Path | None
    ask: bool
    limit: int | None
    drafts: bool
    as_json: bool


def measure(golden: Path, wanted: Wanted) -> int:
    """Measure one subject or compare two; 1 when a figure fails the gate."""
    from evaluation import gate
    from evaluation.golden import read_golden
    from evaluation.intervals import compare
    from evaluation.report import write_report
    from evaluation.session import open_subject

    if wanted.compare and wanted.server:
        raise ConfigurationError("--compare takes servers as A or B: leave --server out.")
    questions = read_golden(golden, drafts=wanted.drafts, limit=wanted.limit)
    bounds = gate.read_gate(wanted.gate) if wanted.gate else []
    settings = Settings.load()
    if wanted.compare:
        runs = _runs_of_two(settings, questions, wanted.compare, wanted)
        differences = compare(*([outcome.row for outcome in run.outcomes] for run in runs))
    else:
        with open_subject(settings, wanted.collection, ask=wanted.ask, server=wanted.server, notify=note) as subject:
            runs = [_measured(wanted.collection, f"`{golden.name}`", subject, questions, ask=wanted.ask)]
        differences = {}
    failed = gate.failures(bounds, runs[-1].figures)
    _show(runs, differences, failed, as_json=wanted.as_json)
    if wanted.report:
        path = write_report(wanted.report, f"Evaluation of {golden.name}", runs, differences)
        print(f"report: {path}", file=sys.stderr)
    return 1 if failed else 0


def _runs_of_two(
    settings: Settings, questions: Sequence[GoldenQuestion], compared: tuple[str, str], wanted: Wanted
) -> list[Measured]:
    from evaluation.session import open_local, open_server
    from evaluation.variants import read_variant

    # both are read before the first runs, so that a mistake in B costs no time
    is_url = [variant.startswith(("http://", "https://")) for variant in compared]
    variants = [settings if url else read_variant(text, settings) for text, url in zip(compared, is_url, strict=True)]
    runs = []
    for label, text, url, variant in zip("AB", compared, is_url, variants, strict=True):
        opened = (
            open_server(text, wanted.collection, token=settings.api_token)
            if url
            else open_local(variant, wanted.collection, ask=wanted.ask)
        )
        with opened as subject:
            runs.append(_measured(label, f"`{text}`", subject, questions, ask=wanted.ask))
    return runs


def _measured(label: str, about: str, subject: Subject, questions: Sequence[GoldenQuestion], *, ask: bool) -> Measured:
    from evaluation.golden import unknown_files
    from evaluation.intervals import figures
    from evaluation.report import Measured
    from evaluation.run import run

    if missing := unknown_files(questions, subject.filenames()):
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        note(f"the collection has no {', '.join(missing[:3])}{more}, which the golden questions name")
    outcomes = run(subject, questions, ask=ask, on_progress=counter(f"measured {label}", len(questions)))
    return Measured(label, about, outcomes, figures([outcome.row for outcome in outcomes]))


def _show(
    runs: Sequence[Measured], differences: dict[str, Difference], failed: Sequence[str], *, as_json: bool
) -> None:
    from evaluation.tables import as_text, as_values, difference_cells, figure_cells

    if as_json:
        shown: dict[str, Any] = {
            "runs": [
                {
                    "label": run.label,
                    "about": run.about,
                    "questions": len(run.outcomes),
                    "figures": as_values(run.figures),
                }
                for run in runs
            ],
            "differences": as_values(differences),
            "gate": {"passed": not failed, "failures": list(failed)},
        }
        print(json.dumps(shown, ensure_ascii=False))
        return
    for run in runs:
        print(f"{run.label}: {run.about}, {len(run.outcomes)} questions\n{as_text(figure_cells(run.figures))}\n")
    if differences:
        print(f"B against A\n{as_text(difference_cells(differences))}\n")
    for line in failed:
        print(f"gate: {line}", file=sys.stderr)
