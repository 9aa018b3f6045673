"""How fast files of each format are ingested, and where the time goes:
`python -m bench.formats [--paragraphs N] [--of N]`.

Each format's files hold the same paragraphs. Stages overlap, so their shares, which are of the sum of all stages, may
add up to more time than passed: reading (in a child process), cutting into chunks, embedding, vectors, catalog.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.corpus import make_corpus
from bench.files import MAKERS, make_files
from bench.ingestion import DocentRounds
from rag.errors import DocentError
from rag.settings import Settings

STAGES = ("read", "chunk", "embed", "vectors", "catalog")


class Stages:
    """Seconds spent in each stage, by wrapping what the pipeline calls."""

    def __init__(self, docent: DocentRounds) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        pipeline: Any = docent.services.pipeline
        self._calls: list[tuple[Any, str, str]] = [
            (pipeline._reader, "read", "read"),
            (docent.services.embedder, "embed_documents", "embed"),
            (pipeline._dense, "upsert", "vectors"),
            *((pipeline._ingestion, name, "catalog") for name in ("claim", "advance", "expect", "progress", "go_live")),
        ]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count inside the block."""
        module: Any = import_module("ingest.pipeline.pipeline")
        self.seconds.clear()
        kept = [(owner, name, getattr(owner, name)) for owner, name, _ in self._calls]
        chunk = module.chunk_document
        try:
            for (owner, name, original), (_, _, stage) in zip(kept, self._calls, strict=True):
                setattr(owner, name, self._timed(original, stage))
            module.chunk_document = self._timed(chunk, "chunk")
            yield
        finally:
            module.chunk_document = chunk
            for owner, name, original in kept:
                setattr(owner, name, original)

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds[stage] += time.perf_counter() - started

        return timed


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status."""
    command = argparse.ArgumentParser(prog="python -m bench.formats", description="Ingestion by format and stage.")
    command.add_argument("--paragraphs", type=int, default=120, metavar="N", help="of 750 characters, for each format")
    command.add_argument("--of", type=int, default=6, metavar="N", help="paragraphs a file (default 6, two pages)")
    options = command.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    paragraphs = make_corpus(options.paragraphs)
    try:
        with tempfile.TemporaryDirectory(prefix="docent-bench-") as folder:
            docent = DocentRounds(Path(folder), Settings.load().models_dir)
            try:
                _measure(docent, {name: make_files(paragraphs, name, of=options.of) for name in MAKERS})
            finally:
                docent.close()
    except DocentError as error:
        print(f"bench: {error.message}", file=sys.stderr)
        return 2
    return 0


def _measure(docent: DocentRounds, files: dict[str, list[tuple[str, bytes]]]) -> None:
    docent.ingest_files("warm", [("warm.txt", b"A first text.")])
    stages = Stages(docent)
    print(f"{'format':8}{'files/s':>9}{'pages/s':>9}{'chunks/s':>10}   " + "".join(f"{stage:>9}" for stage in STAGES))
    for extension, made in files.items():
        name = f"of-{extension[1:]}"
        with stages.watched():
            started = time.perf_counter()
            docent.ingest_files(name, made)
            seconds = time.perf_counter() - started
        found = docent.services.documents.find(collection=name, limit=10_000).items
        pages = sum(len(docent.services.documents.pages(item.id)) for item in found)
        chunks = sum(item.chunks for item in found)
        whole = sum(stages.seconds.values())
        shares = "".join(f"{stages.seconds[stage] / whole:>9.0%}" for stage in STAGES)
        shown = f"{pages / seconds:>9.1f}" if pages else f"{'-':>9}"
        print(f"{extension:8}{len(found) / seconds:>9.1f}{shown}{chunks / seconds:>10.1f}   {shares}", flush=True)
        docent.forget(name)


if __name__ == "__main__":
    sys.exit(main())
