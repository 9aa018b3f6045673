"""`docent bench`: how fast ingestion and search are next to baselines that run in turns with them.

What runs when, and why in turns, is told by `bench.measurement`.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.corpus import Paragraph, make_corpus, make_questions, read_corpus
from bench.measurement import Result, measure
from rag.settings import Settings


def run(corpus: Path | None, *, limit: int, rounds: int, questions: int, as_json: bool) -> int:
    """Measure on a corpus of paragraphs, or on one made from the documentation; 1 when a target was missed."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    settings = Settings.load()
    paragraphs = read_corpus(corpus, limit=limit) if corpus else make_corpus(limit)
    asked = make_questions(paragraphs, count=questions)
    with tempfile.TemporaryDirectory(prefix="docent-bench-") as folder:
        results = measure(Path(folder), settings.models_dir, paragraphs, asked, rounds=rounds)
    if as_json:
        print(json.dumps([asdict(item) | {"met": item.met} for item in results]))
    else:
        _show(results, paragraphs, rounds=rounds)
    return 0 if all(item.met for item in results) else 1


def _show(results: Sequence[Result], paragraphs: Sequence[Paragraph], *, rounds: int) -> None:
    average = sum(len(item.text) for item in paragraphs) / len(paragraphs)
    print(f"{len(paragraphs)} paragraphs of {average:.0f} characters on average, {rounds} rounds in turns\n")
    width = max(len(item.title) for item in results)
    for item in results:
        sign = ">=" if item.higher else "<="
        value = f"{item.value:.2f} {item.unit}" if item.unit == "x" else f"{item.value:.0f} {item.unit}"
        target = f"target {sign} {item.target:g} {item.unit}  {'met' if item.met else 'MISSED'}"
        print(f"{item.title:{width}}  {value:>8}  {target}")
        print(f"{'':{width}}  {item.detail}")
