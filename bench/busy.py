"""Searches while a large ingestion runs, against an idle server:
`python -m bench.busy [--paragraphs N] [--questions N]`.

One server; the same questions, asked one after the other over HTTP, first while nothing else happens, then while an
upload is read, chunked and embedded, then idle again. The ratio is of the medians, busy to the mean of both idle ones.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median, quantiles

from bench.corpus import Paragraph, make_corpus, make_questions
from bench.files import MAKERS
from bench.server import ServerProcess, server_process
from rag.errors import DocentError
from rag.settings import Settings

TARGET = 2.0
MIXED = (".pdf", ".docx", ".html", ".md", ".xlsx")
OF = 30
"""Paragraphs of a file, some ten pages."""


def upload(server: ServerProcess, name: str, files: list[tuple[str, bytes]]) -> str:
    """Send files as one job; its id."""
    answer = server.client.post(
        "/api/v1/documents", data={"collection": name}, files=[("file", (filename, data)) for filename, data in files]
    )
    answer.raise_for_status()
    return str(answer.json()["job_id"])


def is_running(server: ServerProcess, job_id: str) -> bool:
    """Whether a job has not ended."""
    return server.client.get(f"/api/v1/jobs/{job_id}").json()["status"] in ("queued", "running")


def ask(server: ServerProcess, questions: Sequence[str], *, while_running: str = "") -> list[float]:
    """Milliseconds of each search; stops early when the job `while_running` has ended."""
    found = []
    for number, question in enumerate(questions):
        if while_running and number % 10 == 0 and not is_running(server, while_running):
            break
        started = time.perf_counter()
        server.search("asked", question, limit=10)
        found.append(1000 * (time.perf_counter() - started))
    return found


def measure(
    folder: Path, models_dir: Path, paragraphs: list[Paragraph], questions: list[str]
) -> dict[str, list[float]]:
    """Milliseconds of the searches before, during and after an ingestion of all paragraphs."""
    small = [(f"{item.id}.txt", item.text.encode()) for item in paragraphs[:200]]
    groups = [paragraphs[start : start + OF] for start in range(0, len(paragraphs), OF)]
    large = [
        (f"{number}{MIXED[number % len(MIXED)]}", MAKERS[MIXED[number % len(MIXED)]]([item.text for item in group]))
        for number, group in enumerate(groups)
    ]
    with server_process(folder, models_dir) as server:
        job = upload(server, "asked", small)
        while is_running(server, job):
            time.sleep(0.2)
        ask(server, questions[:20])
        before = ask(server, questions)
        job = upload(server, "large", large)
        time.sleep(1)
        during = ask(server, questions, while_running=job)
        while is_running(server, job):
            time.sleep(0.2)
        return {"idle before": before, "ingesting": during, "idle after": ask(server, questions)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the ratio; 0 when the target is met, 1 when not, 2 for a wrong call."""
    command = argparse.ArgumentParser(prog="python -m bench.busy", description="Searches during an ingestion.")
    command.add_argument(
        "--paragraphs", type=int, default=3000, metavar="N", help="to ingest (default 3000, a thousand pages)"
    )
    command.add_argument("--questions", type=int, default=300, metavar="N", help="searches at most (default 300)")
    options = command.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    paragraphs = make_corpus(options.paragraphs)
    questions = make_questions(paragraphs, count=options.questions)
    try:
        with tempfile.TemporaryDirectory(prefix="docent-bench-") as folder:
            found = measure(Path(folder), Settings.load().models_dir, paragraphs, questions)
    except DocentError as error:
        print(f"bench: {error.message}", file=sys.stderr)
        return 2
    for name, times in found.items():
        print(f"{name:12} p50 {median(times):6.1f} ms, p95 {quantiles(times, n=20)[-1]:6.1f} ms, {len(times)} searches")
    value = median(found["ingesting"]) / mean((median(found["idle before"]), median(found["idle after"])))
    print(f"p50 while ingesting against idle: {value:.2f} x (target <= {TARGET:g} x)")
    return 0 if value <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
