"""`docent bench`."""

from __future__ import annotations

from pathlib import Path

import click

from cli import options


@click.command(epilog="Exit status 1: a target was missed. On other machines and texts only the ratios mean something.")
@click.option(
    "--corpus",
    type=options.PATH,
    metavar="FILE.jsonl",
    help='paragraphs, each line with "id" and "text" (default: made from the documentation)',
)
@click.option("--limit", type=click.IntRange(min=1), default=300, metavar="N", show_default=True, help="paragraphs")
@click.option("--rounds", type=click.IntRange(min=1), default=3, metavar="N", show_default=True, help="of ingestion")
@click.option("--questions", type=click.IntRange(min=2), default=200, metavar="N", show_default=True, help="searches")
@options.as_json
def bench(*, corpus: Path | None, limit: int, rounds: int, questions: int, as_json: bool) -> int:
    """Measure ingestion and search against baselines."""
    from cli.bench import run

    return run(corpus, limit=limit, rounds=rounds, questions=questions, as_json=as_json)
