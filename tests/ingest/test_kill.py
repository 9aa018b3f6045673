"""kill -9 at many points of an ingestion: nothing lost, doubled, stuck or left over after the next start."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from rag.types import DocumentStatus
from tests.ingest.killable import build

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).resolve().parents[2]
FILES = 60
POINTS = 14


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    words = "quartz amber willow copper lantern meadow harbour violet granite saffron".split()
    for number in range(FILES):
        chosen = random.Random(number)
        paragraphs = [" ".join(chosen.choices(words, k=40)).capitalize() + "." for _ in range(1 + number % 9)]
        text = f"# File {number}\n\n" + "\n\n".join(paragraphs)
        (folder / f"file-{number:03}.md").write_text(text, encoding="utf-8")
    return folder


def start(data_dir: Path, files: Path | None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ingest.killable", str(data_dir), *([str(files)] if files else [])]
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


def check_everything(data_dir: Path, expected_chunks: dict[str, int]) -> None:
    services = build(data_dir)
    try:
        found = services.documents.find(limit=500).items
        assert Counter(item.filename for item in found) == Counter(expected_chunks.keys()), "lost or doubled"
        assert {item.status for item in found} == {DocumentStatus.INDEXED}
        assert {item.filename: item.chunks for item in found} == expected_chunks
        collection = services.documents.collection_ids(["default"])[0]
        with services.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT count(*) FROM chunks").scalar()
            keywords = connection.exec_driver_sql(f"SELECT count(*) FROM lexical_{collection}").scalar()
            waiting = connection.exec_driver_sql("SELECT count(*) FROM vector_deletions").scalar()
        assert rows == keywords == services.retriever._dense.count(collection) == sum(expected_chunks.values())
        assert waiting == 0
        stored = {path.name for path in (data_dir / "uploads").glob("??/*")}
        assert stored == {item.id for item in found}
        assert list(services.library.incoming.iterdir()) == []
        hits = services.retriever.search("File 7 amber", collections=["default"], top_k=5).passages
        assert hits
    finally:
        services.close()


def test_kill_at_many_points(tmp_path: Path, files: Path) -> None:
    whole = tmp_path / "whole"
    length = run_to_the_end(whole, files)
    services = build(whole)
    expected = {item.filename: item.chunks for item in services.documents.find(limit=500).items}
    services.close()
    assert len(expected) == FILES

    for point in range(POINTS):
        data_dir = tmp_path / f"cut-{point}"
        # the first points fall into the registration, the others are spread over the indexing
        word, seconds = ("started", 0.01 * point) if point < 3 else ("registered", length * (point - 3) / (POINTS - 3))
        kill_after(data_dir, files, word, seconds)
        if point % 4 == 3:
            kill_after(data_dir, None, "started", 0.05)  # once more, while it picks up the pieces
        # registering again is free, and completes an upload that was cut off before it was registered
        run_to_the_end(data_dir, files)
        check_everything(data_dir, expected)
