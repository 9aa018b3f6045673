"""kill -9 at many points of an ingestion of all formats: nothing lost, doubled, stuck or left over after the next start.

A short run by default; KILL_POINTS=100 KILL_FILES=300 pytest tests/ingest/pipeline/test_kill.py makes a long one, a quarter of an
hour, and KILL_SEED another one.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.types import DocumentStatus
from tests.cli.batch import write_batch
from tests.ingest.pipeline.killable import build
from wiring import Services

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).resolve().parents[3]
FILES = int(os.environ.get("KILL_FILES", "60"))
POINTS = int(os.environ.get("KILL_POINTS", "10"))

Fate = tuple[DocumentStatus, int, str | None]
"""What became of a document: its state, its chunks, the code of its failure."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    write_batch(folder, FILES)
    return folder


def start(data_dir: Path, files: Path | None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ingest.pipeline.killable", str(data_dir), *([str(files)] if files else [])]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"the process ended before it said {word!r}")


def run_to_the_end(data_dir: Path, files: Path | None) -> float:
    """Seconds from registered to finished."""
    process = start(data_dir, files)
    with process:
        wait_for(process, "registered")
        started = time.monotonic()
        wait_for(process, "finished")
    assert process.returncode == 0
    return time.monotonic() - started


def kill_after(data_dir: Path, files: Path | None, word: str, seconds: float) -> None:
    process = start(data_dir, files)
    with process:
        wait_for(process, word)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)


def fates(services: Services) -> dict[str, Fate]:
    found = services.documents.find(limit=FILES + 100).items
    assert len({item.filename for item in found}) == len(found), "doubled"
    return {item.filename: (item.status, item.chunks, item.error_code) for item in found}


def check_everything(data_dir: Path, expected: dict[str, Fate]) -> None:
    services = build(data_dir)
    try:
        assert fates(services) == expected
        found = services.documents.find(limit=FILES + 100).items
        chunks = sum(count for status, count, _ in expected.values() if status is DocumentStatus.INDEXED)
        collection = services.documents.collection_ids(["default"])[0]
        with services.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT count(*) FROM chunks").scalar()
            keywords = connection.exec_driver_sql(f"SELECT count(*) FROM lexical_{collection}").scalar()
            waiting = connection.exec_driver_sql("SELECT count(*) FROM vector_deletions").scalar()
        assert rows == keywords == services.retriever._dense.count(collection) == chunks
        assert services.token_vectors.missing(collection) == services.token_vectors.orphans() == []
        assert waiting == 0
        stored = {path.name for path in (data_dir / "uploads").glob("??/*")}
        assert stored == {item.id for item in found}
        assert list(services.library.incoming.iterdir()) == []
        hits = services.retriever.search("file7 amber", collections=["default"], top_k=5).passages
        assert hits
    finally:
        services.close()


def test_kill_at_many_points(tmp_path: Path, files: Path) -> None:
    whole = tmp_path / "whole"
    length = run_to_the_end(whole, files)
    services = build(whole)
    expected = fates(services)
    services.close()
    assert len(expected) == FILES
    assert {status for status, _, _ in expected.values()} == {DocumentStatus.INDEXED, DocumentStatus.FAILED}

    chance = random.Random(int(os.environ.get("KILL_SEED", "9")))
    for point in range(POINTS):
        data_dir = tmp_path / f"cut-{point}"
        # one in five falls into the registration, the others anywhere into the indexing
        registering = point % 5 == 0
        word, seconds = (
            ("started", chance.uniform(0, 0.25)) if registering else ("registered", chance.uniform(0, length))
        )
        kill_after(data_dir, files, word, seconds)
        if point % 4 == 3:
            kill_after(data_dir, None, "started", chance.uniform(0, 0.3))  # once more, while it picks up the pieces
        # registering again is free, and completes an upload that was cut off before it was registered
        run_to_the_end(data_dir, files)
        check_everything(data_dir, expected)
        shutil.rmtree(data_dir)
