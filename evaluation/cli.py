"""`python -m evaluation`: measure, compare, gate; `draft` writes golden questions, `observe` and `calibrate` fit
thresholds, `sentences` measures verification and `fit-sentences` fits its model.

Exit status: 0 all well, 1 a figure failed the gate, 2 usage or configuration. Nothing heavy is imported before the
arguments and files are known to be good.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evaluation.arguments import (
    calibrate_parser,
    draft_parser,
    evaluate_parser,
    evidence_parser,
    fit_languages_parser,
    fit_ranking_parser,
    fit_sentences_parser,
    observe_parser,
    rank_rows_parser,
    sentences_parser,
)
from evaluation.fitting.commands import fit_languages, fit_ranking, rank_rows
from rag.errors import ConfigurationError, DocentError, OwnedElsewhereError
from rag.settings import Settings

if TYPE_CHECKING:
    from evaluation.fitting.observations import Subject
    from evaluation.golden import GoldenQuestion
    from evaluation.intervals import Difference
    from evaluation.report import Measured


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands = {
        "draft": (draft_parser, draft),
        "observe": (observe_parser, observe),
        "calibrate": (calibrate_parser, calibrate),
        "evidence": (evidence_parser, evidence),
        "rank-rows": (rank_rows_parser, rank_rows),
        "fit-ranking": (fit_ranking_parser, fit_ranking),
        "fit-languages": (fit_languages_parser, fit_languages),
        "sentences": (sentences_parser, judge_sentences),
        "fit-sentences": (fit_sentences_parser, fit_sentences),
    }
    parser, command = commands.get(given[0], (evaluate_parser, evaluate)) if given else (evaluate_parser, evaluate)
    options = parser().parse_args(given[1:] if command is not evaluate else given)
    try:
        return command(options)
    except DocentError as error:
        _note(error.message)
        return 2
    except KeyboardInterrupt:
        _note("stopped")
        return 130


def evaluate(options: argparse.Namespace) -> int:
    """Measure one subject or compare two."""
    from evaluation import gate
    from evaluation.golden import read_golden
    from evaluation.intervals import compare
    from evaluation.report import write_report
    from evaluation.session import open_subject

    if options.compare and options.server:
        raise ConfigurationError("--compare takes servers as A or B: leave --server out.")
    questions = read_golden(options.golden, drafts=options.drafts, limit=options.limit)
    bounds = gate.read_gate(options.gate) if options.gate else []
    settings = Settings.load()
    if options.compare:
        runs = _runs_of_two(settings, questions, options)
        differences = compare(*([outcome.row for outcome in run.outcomes] for run in runs))
    else:
        with open_subject(
            settings, options.collection, ask=options.ask, server=options.server, notify=_note
        ) as subject:
            runs = [_measured(options.collection, f"`{options.golden.name}`", subject, questions, options)]
        differences = {}
    failed = gate.failures(bounds, runs[-1].figures)
    _show(runs, differences, failed, as_json=options.json)
    if options.report:
        path = write_report(options.report, f"Evaluation of {options.golden.name}", runs, differences)
        print(f"report: {path}", file=sys.stderr)
    return 1 if failed else 0


def draft(options: argparse.Namespace) -> int:
    """Print drafted golden lines."""
    from evaluation import draft as drafting
    from evaluation.session import all_chunks, open_services

    try:
        with open_services(Settings.load(), chat=True) as services:
            if services.chat is None:
                raise ConfigurationError("Drafting needs a chat model: DOCENT_LLM=extractive has none.")
            chunks = all_chunks(services, options.collection)
            made = 0
            for row in drafting.draft(chunks, services.chat, count=options.count, seed=options.seed):
                print(json.dumps(row, ensure_ascii=False), flush=True)
                made += 1
                _progress("drafted", options.count)(made)
    except OwnedElsewhereError as error:
        raise ConfigurationError(
            f"{error.message} Drafting asks the chat model directly, not through a server."
        ) from error
    if made < options.count:
        _note(f"{made} of {options.count} questions: what the model wrote on other chunks did not stand in them")
    return 0


def observe(options: argparse.Namespace) -> int:
    """Print rows of features of golden questions, each answered whatever its chances."""
    from dataclasses import replace

    from evaluation.fitting import observe as observing
    from evaluation.golden import read_golden
    from evaluation.session import local_subject, open_services

    questions = read_golden(options.golden, drafts=options.drafts, limit=options.limit)
    progress = _progress("observed", len(questions))
    with open_services(replace(Settings.load(), min_confidence=0.0), chat=True) as services:
        services.collections.get(options.collection)
        subject = local_subject(services, options.collection)
        rows = observing.observe(
            questions,
            services.answerer,
            collection=options.collection,
            top_k=subject.top_k,
            name=options.set or options.golden.stem,
        )
        for done, found in enumerate(rows, start=1):
            for row in found:
                print(json.dumps(row, ensure_ascii=False), flush=True)
            progress(done)
    return 0


def evidence(options: argparse.Namespace) -> int:
    """Fit what blocks are worth, write the weights, and print how each set does by weights that never saw it."""
    from evaluation.fitting import blocks as block_fit
    from evaluation.golden import read_golden
    from evaluation.session import local_subject, open_services
    from evaluation.tables import as_text

    asked = [(name, read_golden(path, limit=options.limit)) for name, path in options.sets]
    rows = []
    with open_services(Settings.load(), chat=False) as services:
        for name, questions in asked:
            subject = local_subject(services, name)
            progress = _progress(f"read {name}", len(questions))
            for done, question in enumerate(questions, start=1):
                if block_fit.has_gold(question):
                    found = subject.searcher.search(question.question, collections=[name], top_k=subject.top_k)
                    rows.append(block_fit.labelled(name, question, services.selector.scored(found)))
                progress(done)
    try:
        options.out.write_text(json.dumps(block_fit.to_json(rows), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be written: {error.strerror}.") from error
    print(as_text(block_fit.left_out(rows)))
    return 0


def calibrate(options: argparse.Namespace) -> int:
    """Fit, write, draw and print how the fit does, on its own sets and on sets left out."""
    from evaluation.fitting import certainty as calibration
    from evaluation.fitting.feature_rows import read_rows, with_features
    from evaluation.tables import as_text, fit_cells

    rows = with_features(read_rows(options.features), dict(options.chosen))
    targets = dict(options.false_abstain)
    precisions = dict(options.precision)
    models = calibration.calibrate(rows, targets, precisions, l2=options.l2)
    file = calibration.to_json(models, rows, targets, precisions)
    try:
        options.out.write_text(json.dumps(file, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if options.plot:
            from evaluation.plots import plot_calibration

            plot_calibration(options.plot, models, rows)
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be written: {error.strerror}.") from error
    print(as_text(fit_cells(calibration.judge(models, rows))))
    if outside := calibration.left_out(rows, targets, precisions, l2=options.l2):
        print("\nEach set by a model that never saw it:\n" + as_text(fit_cells(outside)))
    return 0


def judge_sentences(options: argparse.Namespace) -> int:
    """Print the verdicts on labelled sentences."""
    from evaluation.sentences import judge_rows, read_sentences, summary
    from evaluation.session import open_judges
    from rag.adapters.entailment import build_entailment
    from rag.verification.verifier import Verifier

    rows = read_sentences(options.file)
    settings = Settings.load()
    if options.entailment is not None:
        settings = replace(settings, entailment_model=options.entailment)
    with open_judges(settings) as (embedder, chat):
        entailment = build_entailment(settings, chat)
        judged, spent = judge_rows(rows, Verifier(embedder, entailment))
    found = summary(rows, judged, entailment.name if entailment else None)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for label in ("supported", "unsupported", *found["kinds"]):
        counts = found[label] if label in found else found["kinds"][label]
        print(f"{label:<30}" + "  ".join(f"{name} {count}" for name, count in counts.items()))
    ordered = sorted(spent) or [0.0]
    print(f"entailment: {found['entailment']}; text alone p50 {ordered[len(ordered) // 2]:.1f} ms, ", end="")
    print(f"p95 {ordered[int(0.95 * (len(ordered) - 1))]:.1f} ms a sentence")
    return 0


def fit_sentences(options: argparse.Namespace) -> int:
    """Fit the model of verification; print it, and how it does on rows left out."""
    from evaluation.fitting import sentences as sentence_model
    from evaluation.sentences import read_sentences
    from evaluation.session import open_judges

    with open_judges(replace(Settings.load(), entailment_model="none")) as (embedder, _):
        parts = [sentence_model.observe(read_sentences(path), embedder) for path in options.files]
    for path, part in zip(options.files, parts, strict=True):
        print(f"{path.name}, by folds over source files: {sentence_model.cross_validated(part)}")
        if others := [other for other in parts if other is not part]:
            print(
                f"{path.name}, fitted on the others: {sentence_model.transferred(sentence_model.merged(others), part)}"
            )
    everything = sentence_model.merged(parts)
    print(f"all, by folds over source files: {sentence_model.cross_validated(everything)}")
    file = json.dumps(sentence_model.to_json(everything, [path.name for path in options.files]), indent=2)
    if options.out is None:
        print(file)
    else:
        options.out.write_text(file + "\n", encoding="utf-8")
    return 0


def _runs_of_two(
    settings: Settings, questions: Sequence[GoldenQuestion], options: argparse.Namespace
) -> list[Measured]:
    from evaluation.session import open_local, open_server
    from evaluation.variants import read_variant

    # both are read before the first runs, so that a mistake in B costs no time
    is_url = [variant.startswith(("http://", "https://")) for variant in options.compare]
    variants = [
        settings if url else read_variant(text, settings) for text, url in zip(options.compare, is_url, strict=True)
    ]
    runs = []
    for label, text, url, variant in zip("AB", options.compare, is_url, variants, strict=True):
        opened = (
            open_server(text, options.collection, token=settings.api_token)
            if url
            else open_local(variant, options.collection, ask=options.ask)
        )
        with opened as subject:
            runs.append(_measured(label, f"`{text}`", subject, questions, options))
    return runs


def _measured(
    label: str, about: str, subject: Subject, questions: Sequence[GoldenQuestion], options: argparse.Namespace
) -> Measured:
    from evaluation.golden import unknown_files
    from evaluation.intervals import figures
    from evaluation.report import Measured
    from evaluation.run import run

    if missing := unknown_files(questions, subject.filenames()):
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        _note(f"the collection has no {', '.join(missing[:3])}{more}, which the golden questions name")
    outcomes = run(subject, questions, ask=options.ask, on_progress=_progress(f"measured {label}", len(questions)))
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


def _progress(what: str, total: int) -> Callable[[int], None]:
    """A counter on a terminal; otherwise nothing."""
    if not sys.stderr.isatty():
        return lambda _done: None
    return lambda done: print(
        f"\r{what} {done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True
    )


def _note(text: str) -> None:
    print(f"docent: {text}", file=sys.stderr)
