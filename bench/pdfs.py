"""A folder of PDFs against LangChain's default: `python -m bench.pdfs FOLDER [--rounds N]`.

The baseline reads each file as PyPDFLoader does, page by page with pypdf, and goes on as `baseline` says; both sides
have the same weights and take turns in one run.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench.baseline import LangChainDefault
from bench.ingestion import DocentRounds
from bench.measurement import Times, ratio
from rag.adapters.embedding import onnx as onnx_embedder
from rag.errors import DocentError
from rag.settings import Settings

TARGET = 4.0


def pages_of(path: Path) -> list[str]:
    """The texts of a file's pages, as PyPDFLoader yields them."""
    from pypdf import PdfReader

    return [page.extract_text() for page in PdfReader(path).pages]


def _baseline(langchain: LangChainDefault, name: str, files: Sequence[Path]) -> None:
    langchain.ingest(name, [text for path in files for text in pages_of(path)])


def measure(folder: Path, files: Sequence[Path], models_dir: Path, *, rounds: int) -> tuple[Times, Times, int]:
    """Seconds of both sides for each round, and the pages of the files."""
    docent = DocentRounds(folder / "docent", models_dir)
    ours, theirs = Times(), Times()
    pages = 0
    try:
        langchain = LangChainDefault(folder / "langchain", models_dir / "all-MiniLM-L6-v2")
        try:
            docent.ingest_files("warm", [("warm.txt", b"A first text.")])
            langchain.ingest("warm", ["A first text."])
            for number in range(rounds):
                name = f"round-{number}"
                ours.add(partial(docent.ingest_files, name, [(path.name, path.read_bytes()) for path in files]))
                theirs.add(partial(_baseline, langchain, name, files))
                found = docent.services.documents.find(collection=name, limit=10_000).items
                pages = sum(len(docent.services.documents.pages(item.id)) for item in found)
                docent.forget(name)
                langchain.forget(name)
        finally:
            langchain.close()
    finally:
        docent.close()
    return ours, theirs, pages


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the ratio; 0 when the target is met, 1 when not, 2 for a wrong call."""
    command = argparse.ArgumentParser(
        prog="python -m bench.pdfs", description="Ingestion of PDFs against LangChain's default."
    )
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds (default 3)")
    command.add_argument(
        "--normal-priority",
        action="store_true",
        help="embed at normal priority: on a busy machine Docent's low one would be measured instead",
    )
    options = command.parse_args(arguments)
    if options.normal_priority:
        onnx_embedder.LOWEST_PRIORITY = 0
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    files = sorted(options.folder.glob("*.pdf"))
    if not files or options.rounds < 1:
        command.error("FOLDER must hold PDFs, and --rounds be at least 1")
    try:
        with tempfile.TemporaryDirectory(prefix="docent-bench-") as folder:
            ours, theirs, pages = measure(Path(folder), files, Settings.load().models_dir, rounds=options.rounds)
    except DocentError as error:
        print(f"bench: {error.message}", file=sys.stderr)
        return 2
    value = ratio(theirs.wall, ours.wall)
    print(f"{len(files)} files, {pages} pages, {options.rounds} rounds in turns")
    print(f"pages/s, medians: {pages / median(ours.wall):.1f} against {pages / median(theirs.wall):.1f}")
    print(
        f"speed against LangChain's default: {value:.2f} x (target >= {TARGET:g} x); "
        f"in CPU time {ratio(theirs.cpu, ours.cpu):.2f} x"
    )
    return 0 if value >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
