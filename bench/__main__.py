"""`python -m bench`: how fast ingestion and search are next to baselines that run in turns with them. See
`measurement`.

Exit status: 0 all targets met, 1 some missed, 2 usage or configuration. Figures of another machine or corpus are only
comparable as ratios.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.corpus import Paragraph, make_corpus, make_questions, read_corpus
from bench.measurement import Result, measure
from rag.errors import DocentError
from rag.settings import Settings


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    command = argparse.ArgumentParser(prog="python -m bench", description="Ratios against baselines, in one run.")
    command.add_argument(
        "--corpus",
        type=Path,
        metavar="FILE.jsonl",
        help='paragraphs, each line with "id" and "text" (default: made from the documentation)',
    )
    command.add_argument("--limit", type=int, default=300, metavar="N", help="paragraphs (default 300)")
    command.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds of ingestion (default 3)")
    command.add_argument("--questions", type=int, default=200, metavar="N", help="searches (default 200)")
    command.add_argument("--json", action="store_true", help="print the results as JSON")
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    command = parser()
    options = command.parse_args(arguments)
    if min(options.limit, options.rounds, options.questions - 1) < 1:
        command.error("--limit and --rounds must be at least 1, --questions at least 2")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        settings = Settings.load()
        paragraphs = read_corpus(options.corpus, limit=options.limit) if options.corpus else make_corpus(options.limit)
        questions = make_questions(paragraphs, count=options.questions)
        with tempfile.TemporaryDirectory(prefix="docent-bench-") as folder:
            results = measure(Path(folder), settings.models_dir, paragraphs, questions, rounds=options.rounds)
    except DocentError as error:
        print(f"bench: {error.message}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([asdict(item) | {"met": item.met} for item in results]))
    else:
        _show(results, paragraphs, rounds=options.rounds)
    return 0 if all(item.met for item in results) else 1


def _show(results: Sequence[Result], paragraphs: Sequence[Paragraph], *, rounds: int) -> None:
    average = sum(len(item.text) for item in paragraphs) / len(paragraphs)
    print(f"{len(paragraphs)} paragraphs of {average:.0f} characters on average, {rounds} rounds in turns\n")
    width = max(len(item.title) for item in results)
    for item in results:
        sign = ">=" if item.higher else "<="
        value = f"{item.value:.2f} {item.unit}" if item.unit == "x" else f"{item.value:.0f} {item.unit}"
        print(
            f"{item.title:{width}}  {value:>8}  target {sign} {item.target:g} {item.unit}"
            f"  {'met' if item.met else 'MISSED'}"
        )
        print(f"{'':{width}}  {item.detail}")


if __name__ == "__main__":
    sys.exit(main())
