"""The pipeline and the library: bad files fail alone, stops and failures of the machine lose nothing, names are data."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from ingest.naming import MAX_SEGMENT, clean_filename
from ingest.pipeline.pipeline import Pipeline
from rag.errors import InvalidRequestError, UnavailableError, UnreadableError
from rag.settings import Settings
from rag.types import Document, ParsedDocument
from rag.vectors import Vectors
from tests.fakes import HashEmbedder
from wiring import Services, build_services

TEXT = "The pump in hall four runs at 40 bar. "


class PlainReader:
    """Reads files as UTF-8 in this process; `broken` names raise their error."""

    def __init__(self) -> None:
        self.broken: dict[str, Exception] = {}
        self.read_names: list[str] = []
        self.gate: threading.Event | None = None
        self.abandoned: list[str] = []

    def read(
        self,
        path: Path,
        filename: str,
        *,
        password: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ParsedDocument:
        self.read_names.append(filename)
        if self.gate is not None:
            self.gate.wait(10)
        if filename in self.broken:
            raise self.broken[filename]
        return ParsedDocument(path.read_text(encoding="utf-8"))

    def abandon(self, path: Path) -> None:
        self.abandoned.append(path.name)
        if self.gate is not None:
            self.gate.set()


class FragileEmbedder(HashEmbedder):
    """Raises `error` for texts that hold "explode", as often as `times` says."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception = UnavailableError("No memory.")
        self.times = 0

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if self.times and any("explode" in text for text in texts):
            self.times -= 1
            raise self.error
        return super().embed_documents(texts)


@dataclass
class Bench:
    """A library with a pipeline whose reader and embedder fail when they are told to."""

    services: Services
    reader: PlainReader
    embedder: FragileEmbedder
    pipeline: Pipeline

    def add(self, *files: tuple[str, str]) -> str:
        """Register files; the job's id."""
        staged = [self.services.library.stage(io.BytesIO(content.encode()), name) for name, content in files]
        job_id, _ = self.services.library.add(self.services.collections.ensure("default"), staged)
        self.pipeline.wake()
        return job_id

    def ended(self, job_id: str) -> dict[str, Document]:
        """The documents of a job by name, once it has ended."""
        self.until(lambda: self.services.jobs.get(job_id).status not in ("queued", "running"))
        return {item.filename: item for item in self.services.jobs.get(job_id).documents}

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + 40
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.01)

    def vectors(self) -> int:
        """Vectors in the default collection, each with those of its tokens."""
        collection = self.services.collections.get("default").id
        assert self.services.token_vectors.missing(collection) == self.services.token_vectors.orphans() == []
        return self.services.dense.count(collection)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("ingest.pipeline.pipeline.RETRY_SECONDS", 0.02)
    monkeypatch.setattr("ingest.pipeline.pipeline.POLL_SECONDS", 0.05)
    embedder = FragileEmbedder()
    services = build_services(Settings(data_dir=tmp_path, samples=False, llm="extractive"), embedder=embedder)
    reader = PlainReader()
    pipeline = services.pipeline
    pipeline._reader = reader
    pipeline.start()
    yield Bench(services, reader, embedder, pipeline)
    services.close()


def test_a_bad_file_fails_alone_with_its_reason(bench: Bench) -> None:
    bench.reader.broken = {"b.txt": UnreadableError("It is torn.", code="torn"), "c.txt": RuntimeError("secret")}

    found = bench.ended(bench.add(*[(f"{letter}.txt", TEXT + letter) for letter in "abcd"]))

    assert [found[f"{letter}.txt"].status for letter in "abcd"] == ["indexed", "failed", "failed", "indexed"]
    assert (found["b.txt"].error_code, found["b.txt"].error_message) == ("torn", "It is torn.")
    assert found["c.txt"].error_code == "internal"
    assert "secret" not in (found["c.txt"].error_message or "")
    assert bench.vectors() == 2


def test_a_failure_of_the_machine_is_waited_for(bench: Bench) -> None:
    bench.embedder.times = 3

    found = bench.ended(bench.add(("a.txt", TEXT + "explode"), ("b.txt", TEXT)))

    assert {item.status for item in found.values()} == {"indexed"}
    assert bench.embedder.times == 0
    assert bench.vectors() == 2


def test_readers_that_cannot_start_are_waited_for(bench: Bench) -> None:
    bench.reader.broken = {"a.txt": UnavailableError("No process can be started.")}
    job = bench.add(("a.txt", TEXT), ("b.txt", TEXT + "b"))
    bench.until(lambda: bench.reader.read_names.count("a.txt") > 2)

    bench.reader.broken = {}

    assert {item.status for item in bench.ended(job).values()} == {"indexed"}


def test_an_embedder_that_breaks_fails_its_batch_and_no_other(bench: Bench) -> None:
    bench.embedder.error, bench.embedder.times = RuntimeError("boom"), 1
    long = " ".join(f"{TEXT} Part {n}." for n in range(2000)) + " explode"

    found = bench.ended(bench.add(("a.txt", long)))

    assert (found["a.txt"].status, found["a.txt"].error_code) == ("failed", "internal")
    bench.until(lambda: bench.vectors() == 0)
    assert bench.ended(bench.add(("b.txt", TEXT)))["b.txt"].status == "indexed"
    assert bench.pipeline.running


def test_a_long_file_reports_its_progress(bench: Bench) -> None:
    seen: list[tuple[int, int]] = []
    progress = bench.services.pipeline._ingestion.progress

    def spy(done: Any) -> None:
        progress(done)
        item = bench.services.documents.find().items[0]
        seen.append((item.progress_done, item.progress_total))

    bench.services.pipeline._ingestion.progress = spy  # type: ignore[method-assign]

    found = bench.ended(bench.add(("a.txt", " ".join(f"{TEXT} Part {n}." for n in range(6000)))))

    assert len(seen) >= 2
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert all(0 < done < total for done, total in seen)
    assert found["a.txt"].progress_done == found["a.txt"].chunks == bench.vectors()


def test_into_the_trash_and_out_again_in_the_middle_of_a_file(bench: Bench) -> None:
    trash, documents = bench.services.trash, bench.services.documents
    bench.reader.gate = threading.Event()
    bench.reader.broken = {"a.txt": UnreadableError("killed", code="reader_crashed")}
    bench.add(("a.txt", TEXT), ("b.txt", TEXT + "b"))
    bench.until(lambda: bench.reader.read_names)
    own = next(item.id for item in documents.find().items if item.filename == "a.txt")

    trash.put(own)  # its reader is ended, and what it says of that is no failure

    bench.until(lambda: bench.pipeline.pending() == 0)
    assert bench.reader.abandoned == [own]
    assert documents.document(own).status == "trashed"
    bench.reader.broken = {}
    trash.restore(own)
    bench.until(lambda: documents.document(own).status == "indexed")
    assert bench.vectors() == 2


def test_into_the_trash_and_out_again_while_it_is_embedded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    trash, documents = bench.services.trash, bench.services.documents
    begun, go_on = threading.Event(), threading.Event()
    embed = bench.embedder.embed_documents

    def slow(texts: Sequence[str]) -> Vectors:
        begun.set()
        go_on.wait(10)
        return embed(texts)

    monkeypatch.setattr(bench.embedder, "embed_documents", slow)
    bench.add(("a.txt", TEXT))
    assert begun.wait(10)
    (item,) = documents.find().items
    assert item.status == "embedding"
    trash.put(item.id)
    go_on.set()
    bench.until(lambda: not bench.pipeline._flights.ids())
    assert (documents.document(item.id).status, bench.vectors()) == ("trashed", 0)

    begun.clear()
    go_on.clear()
    trash.restore(item.id)
    assert begun.wait(10)
    trash.put(item.id)
    trash.restore(item.id)  # at once: it waits for the end of the attempt that was dropped
    go_on.set()
    bench.until(lambda: documents.document(item.id).status == "indexed")
    assert (bench.vectors(), documents.text(item.id)) == (1, TEXT)


def test_a_stop_in_the_middle_of_a_file_is_not_its_fault(bench: Bench) -> None:
    bench.reader.gate = threading.Event()
    bench.reader.broken = {"a.txt": UnreadableError("killed", code="reader_crashed")}
    bench.add(("a.txt", TEXT), ("b.txt", TEXT + "b"))
    bench.until(lambda: bench.reader.read_names)
    stopper = threading.Thread(target=bench.pipeline.stop)
    stopper.start()
    bench.until(lambda: bench.pipeline._stopping.is_set())
    bench.reader.gate.set()
    stopper.join()

    assert not bench.pipeline.running
    assert {item.status for item in bench.services.documents.find().items} == {"queued"}


def test_what_a_stop_left_is_finished_after_the_next_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, samples=False, llm="extractive")
    first = build_services(settings, embedder=HashEmbedder())
    staged = [first.library.stage(io.BytesIO(f"{TEXT} {n}".encode()), f"{n}.txt") for n in range(3)]
    stray = first.library.stage(io.BytesIO(b"never registered"), "stray.txt")
    job, _ = first.library.add(first.collections.ensure("default"), staged)
    (tmp_path / "uploads" / "ab").mkdir(exist_ok=True)
    (tmp_path / "uploads" / "ab" / ("ab" * 16)).write_bytes(b"a file without a row")
    first.close()

    second = build_services(settings, embedder=HashEmbedder())
    try:
        assert not stray.path.exists()
        assert (tmp_path / "uploads" / "ab" / ("ab" * 16)).exists()  # nobody can tell whose it is
        second.startup.begin()
        second.startup.require(patience=20)
        bench = Bench(second, PlainReader(), FragileEmbedder(), second.pipeline)
        assert {item.status for item in bench.ended(job).values()} == {"indexed"}
        assert bench.vectors() == 3
    finally:
        second.close()


def test_a_second_owner_is_refused_until_the_first_closes(tmp_path: Path) -> None:
    from rag.errors import OwnedElsewhereError

    settings = Settings(data_dir=tmp_path, samples=False, llm="extractive")
    first = build_services(settings, embedder=HashEmbedder())
    with pytest.raises(OwnedElsewhereError):
        build_services(settings, embedder=HashEmbedder())
    first.close()
    first.close()
    build_services(settings, embedder=HashEmbedder()).close()


@example_settings(deadline=None)
@example("0\\\\0")
@given(st.text(st.sampled_from("./\\: \x00\n\u202eab报🚰\ud800") | st.characters(), max_size=40))
def test_a_clean_name_never_climbs(name: str) -> None:
    try:
        clean = clean_filename(name)
    except InvalidRequestError:
        return

    parts = clean.split("/")
    assert not {".", ".."} & {part.strip() for part in parts}
    assert parts[0].strip()  # an empty part inside may stay, as in "https://…"
    assert parts[-1].strip()
    assert not clean.startswith(("/", "\\"))
    assert "\\" not in clean
    assert all(len(part) <= MAX_SEGMENT for part in parts)
    clean.encode()
    assert (Path("/base") / clean).resolve().is_relative_to("/base")
    assert not any(ord(character) < 32 for character in clean)
    assert clean_filename(clean) == clean


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("报告.pdf", "报告.pdf"),
        ("..\\..\\windows\\a.txt", "windows/a.txt"),
        ("C:\\docs\\a.txt", "docs/a.txt"),
        ("C:a.txt", "C:a.txt"),
        ("..//../etc/passwd", "etc/passwd"),
        ("a/../b/./c", "a/b/c"),
        ("a/..", "a"),
        ("Screenshot 3.04\u202fPM.png", "Screenshot 3.04\u202fPM.png"),
        ("👩‍🔧.txt", "👩‍🔧.txt"),
        ("exe\u202etxt.pdf", "exetxt.pdf"),
        ("caf\udce9.txt", "caf.txt"),
    ],
)
def test_names_are_kept_but_for_climbing(name: str, clean: str) -> None:
    assert clean_filename(name) == clean
