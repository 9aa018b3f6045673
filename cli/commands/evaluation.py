"""`docent eval`: the group; measuring (`run`), drafting questions, and judging labelled sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli import options
from cli.groups import LazyGroup


@click.group(
    "eval",
    cls=LazyGroup,
    default="run",
    places={
        "run": "cli.commands.evaluation:run",
        "draft": "cli.commands.evaluation:draft",
        "sentences": "cli.commands.evaluation:sentences",
        "observe": "cli.commands.fitting:observe",
        "calibrate": "cli.commands.fitting:calibrate",
        "evidence": "cli.commands.fitting:evidence",
        "rank-rows": "cli.commands.fitting:rank_rows",
        "fit-ranking": "cli.commands.fitting:fit_ranking",
        "fit-languages": "cli.commands.fitting:fit_languages",
        "fit-sentences": "cli.commands.fitting:fit_sentences",
    },
    no_args_is_help=False,
    epilog="`docent eval GOLDEN.jsonl` is `docent eval run GOLDEN.jsonl`. All figures: docs/evaluation.md.",
)
def evaluation() -> None:
    """Measure on your own questions; fit what answers rest on."""


@click.command()
@options.golden
@options.collection
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="measure two variants: a settings file, DOCENT_NAME=VALUE,… pairs, `current`, or a server's URL",
)
@options.as_json
@click.option(
    "--gate", type=options.PATH, metavar="FILE", help="JSON or TOML of minimums and maximums; exit status 1 below"
)
@click.option("--report", type=options.PATH, metavar="DIR", help="write report.md with pictures there")
@click.option("--ask/--no-ask", default=True, help="ask for answers too (default), or search only")
@options.limit
@options.drafts
@options.server
def run(golden: Path, **given: Any) -> int:
    """Measure on golden questions, compare variants, gate.

    GOLDEN.jsonl holds one JSON object a line.
    """
    from cli.evaluation.measuring import Wanted, measure

    return measure(golden, Wanted(**given))


@click.command()
@options.collection
@click.option("--count", type=click.IntRange(min=1), default=50, metavar="N", show_default=True, help="how many")
@click.option("--seed", type=int, default=7, metavar="S", show_default=True, help="another seed, other chunks")
def draft(**given: Any) -> int:
    """Draft golden questions with the chat model."""
    from cli.evaluation.drafting import draft

    return draft(**given)


@click.command()
@click.argument("file", type=options.PATH, metavar="FILE.jsonl")
@options.as_json
@click.option("--entailment", metavar="none|chat|NAME", help="what judges other words (default: as the settings say)")
def sentences(file: Path, *, as_json: bool, entailment: str | None) -> int:
    """Judge labelled sentences against their sources.

    FILE.jsonl has rows with sources, sentence, cited, label and kind; the verdicts are counted by label and kind.
    """
    from cli.evaluation.sentences import judge

    return judge(file, as_json=as_json, entailment=entailment)
