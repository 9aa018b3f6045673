"""What runs beside what in the pipeline: small uploads past large ones, cancelling in the middle, batches that break."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.pipeline.pipeline import SLICE_CHUNKS
from ingest.readers.sandbox.pool import ReaderPool
from rag.settings import Settings
from rag.types import DocumentStatus
from rag.vectors import Vectors
from tests.fakes import HashEmbedder
from tests.ingest.conftest import Write
from tests.ingest.pipeline.test_pipeline import TEXT, Bench, FragileEmbedder, PlainReader
from wiring import build_services

LONG = " ".join(f"{TEXT} Part {n}." for n in range(16_000))


class GatedEmbedder(FragileEmbedder):
    """Counts slices of documents; each waits for `gate`, if there is one, and then `pace` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.slices: list[str] = []
        self.gate: threading.Semaphore | None = None
        self.pace = 0.0

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.slices.append(texts[0])
        if self.gate is not None:
            self.gate.acquire(timeout=10)
        time.sleep(self.pace)
        return super().embed_documents(texts)


@pytest.fixture
def embedder() -> GatedEmbedder:
    return GatedEmbedder()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: GatedEmbedder) -> Iterator[Bench]:
    monkeypatch.setattr("ingest.pipeline.pipeline.RETRY_SECONDS", 0.02)
    monkeypatch.setattr("ingest.pipeline.pipeline.POLL_SECONDS", 0.05)
    monkeypatch.setattr("ingest.pipeline.pipeline.EXPRESS_AFTER", 0.05)
    services = build_services(Settings(data_dir=tmp_path, samples=False, llm="extractive"), embedder=embedder)
    reader = PlainReader()
    services.pipeline._reader = reader
    services.pipeline.start()
    yield Bench(services, reader, embedder, services.pipeline)
    services.close()


def add(bench: Bench, *files: tuple[str, str], collection: str = "default") -> str:
    staged = [bench.services.library.stage(io.BytesIO(content.encode()), name) for name, content in files]
    return bench.services.library.add(bench.services.collections.ensure(collection), staged)[0]


def order_of_ends(bench: Bench, jobs: dict[str, str]) -> list[str]:
    """The names of jobs in the order in which they end."""
    ended: list[str] = []

    def look() -> bool:
        for name, job in jobs.items():
            if name not in ended and bench.services.jobs.get(job).status not in ("queued", "running"):
                ended.append(name)
        return len(ended) == len(jobs)

    deadline = time.monotonic() + 120
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return ended


def test_a_small_upload_passes_a_huge_file(bench: Bench, embedder: GatedEmbedder) -> None:
    embedder.pace = 0.25
    huge = add(bench, ("huge.txt", LONG))
    bench.until(lambda: len(embedder.slices) > 2)

    small = [add(bench, (f"small{n}.txt", f"{TEXT} {n}"), collection=f"c{n}") for n in range(2)]

    assert order_of_ends(bench, {"huge": huge, **{f"small{n}": job for n, job in enumerate(small)}})[-1] == "huge"
    total = bench.ended(huge)["huge.txt"].chunks
    assert total > 5 * SLICE_CHUNKS
    assert bench.vectors() == total


def test_a_small_upload_passes_many_large_ones_and_collections_share(bench: Bench, embedder: GatedEmbedder) -> None:
    embedder.pace = 0.03
    medium = " ".join(f"{TEXT} Piece {n}." for n in range(1500))
    with bench.services.pipeline.paused():  # or batches of "a" alone are under way before "b" is there
        jobs = {f"a{n}": add(bench, *[(f"a{n}-{k}.txt", f"{medium} {n} {k}") for k in range(12)]) for n in range(3)}
        jobs["b"] = add(bench, *[(f"b{k}.txt", f"{medium} b {k}") for k in range(4)], collection="other")
    bench.until(lambda: len(embedder.slices) > 1)
    jobs["small"] = add(bench, ("small.txt", TEXT), collection="third")

    ends = order_of_ends(bench, jobs)

    assert ends.index("small") <= 1  # the batch that was nearly done may come before it
    assert ends.index("b") < min(ends.index("a1"), ends.index("a2"))  # one turn of the other collection, not all of it


def test_a_small_upload_passes_a_file_that_is_read_for_long(bench: Bench) -> None:
    slow = threading.Event()
    read = bench.reader.read

    def read_late(path: Path, filename: str, **more: Any) -> Any:
        if filename == "slow.txt":
            slow.wait(20)
        return read(path, filename, **more)

    bench.reader.read = read_late  # type: ignore[method-assign]
    large = add(bench, ("slow.txt", TEXT + "slow"))
    bench.until(lambda: bench.services.documents.find(status="parsing").total == 1)

    small = add(bench, ("small.txt", TEXT))

    assert bench.ended(small)["small.txt"].status == "indexed"
    assert bench.services.jobs.get(large).status == "running"
    slow.set()
    assert bench.ended(large)["slow.txt"].status == "indexed"


def test_cancelling_stops_the_embedding_within_a_slice(bench: Bench, embedder: GatedEmbedder) -> None:
    embedder.gate = threading.Semaphore(3)
    job = add(bench, ("huge.txt", LONG), ("behind.txt", LONG + "behind"))
    bench.until(lambda: len(embedder.slices) == 4)

    found = bench.services.jobs.cancel(job)
    assert {item.status for item in found.documents} == {DocumentStatus.CANCELLED}
    embedder.gate.release(1000)
    bench.until(lambda: not bench.pipeline._flights.ids())

    assert len(embedder.slices) == 4
    assert bench.vectors() == 0
    assert (
        bench.services.database.read().__enter__().exec_driver_sql("SELECT count(*) FROM vector_writes").scalar() == 0
    )
    # and it can be taken up again, as a whole
    bench.services.jobs.retry(job)
    again = bench.ended(job)
    assert {item.status for item in again.values()} == {"indexed"}
    assert bench.vectors() == sum(item.chunks for item in again.values())


def test_a_retry_right_after_a_cancel_waits_for_the_old_attempt_to_end(bench: Bench, embedder: GatedEmbedder) -> None:
    embedder.gate = threading.Semaphore(1)
    job = add(bench, ("huge.txt", LONG))
    bench.until(lambda: len(embedder.slices) == 2)
    bench.services.jobs.cancel(job)
    bench.services.jobs.retry(job)
    time.sleep(0.2)
    assert bench.services.jobs.get(job).documents[0].status == "queued"

    embedder.gate.release(1000)

    found = bench.ended(job)["huge.txt"]
    assert (found.status, bench.vectors()) == ("indexed", found.chunks)


def test_deleting_stops_the_embedding_and_leaves_no_vector(bench: Bench, embedder: GatedEmbedder) -> None:
    embedder.gate = threading.Semaphore(2)
    job = add(bench, ("huge.txt", LONG))
    bench.until(lambda: len(embedder.slices) == 3)
    bench.until(lambda: bench.vectors() > 0)

    bench.services.library.delete(bench.services.jobs.get(job).documents[0].id)
    embedder.gate.release(1000)
    bench.until(lambda: not bench.pipeline._flights.ids())

    assert len(embedder.slices) == 3
    assert bench.vectors() == 0
    assert bench.ended(add(bench, ("next.txt", TEXT)))["next.txt"].status == "indexed"


def test_a_batch_that_breaks_does_not_take_the_innocent_along(bench: Bench, embedder: GatedEmbedder) -> None:
    embedder.error, embedder.times = RuntimeError("boom"), 1000

    found = bench.ended(add(bench, *[(f"{n}.txt", f"{TEXT} {n}") for n in range(5)], ("bad.txt", "It must explode.")))

    assert (found["bad.txt"].status, found["bad.txt"].error_code) == ("failed", "internal")
    assert {item.status for item in found.values() if item.filename != "bad.txt"} == {"indexed"}
    bench.until(lambda: bench.vectors() == 5)


def test_cancelling_ends_the_child_that_reads(tmp_path: Path, write: Write) -> None:
    """Through the real pool: the child is killed in the middle of a file, and the next file gets a new one."""
    services = build_services(
        Settings(data_dir=tmp_path / "data", samples=False, llm="extractive"), embedder=HashEmbedder()
    )
    services.startup.begin()
    services.startup.require(patience=20)
    pool = services.pipeline._reader
    assert isinstance(pool, ReaderPool)
    bench = Bench(services, PlainReader(), FragileEmbedder(), services.pipeline)
    try:
        # a table that takes a reader many seconds
        large = "a,b\n" + "\n".join(f"{n},{'word ' * 20}" for n in range(300_000))
        job = add(bench, ("large.csv", large))
        bench.until(lambda: any(child._path for child in pool._children))
        (child,) = [child for child in pool._children if child._path]
        started = time.monotonic()

        services.jobs.cancel(job)

        bench.until(lambda: child._process.poll() is not None)
        bench.until(lambda: not services.pipeline._flights.ids())
        assert time.monotonic() - started < 10
        assert services.jobs.get(job).status == "cancelled"
        assert services.jobs.get(job).documents[0].error_code is None
        assert bench.ended(add(bench, ("next.txt", TEXT)))["next.txt"].status == "indexed"
    finally:
        services.close()


def test_abandoning_another_file_changes_nothing(write: Write) -> None:
    pool = ReaderPool(timeout_s=60, memory_mb=512)
    try:
        path = write("a.txt", b"words")
        pool.read(path, "a.txt")
        (child,) = pool._children
        pool.abandon(path)
        pool.abandon(path.with_name("b.txt"))
        assert pool.read(path, "a.txt").text == "words"
        assert pool._children == {child}
    finally:
        pool.close()
