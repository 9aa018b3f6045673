"""A vector index that was damaged: told from outside, put aside, and made again from the catalog."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wiring
from cli.main import ingest_main as main
from ingest.pipeline import index_repair as mending
from ingest.storage.data_folder import DataFolder
from ingest.storage.integrity_check import check_integrity
from rag.errors import UnavailableError
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.web.conftest import ORCHARD, PUMP, servers
from vectorstore import probe
from vectorstore.chroma import ChromaIndex
from vectorstore.hnsw_files import links_hold
from vectorstore.probe import is_sound
from wiring import Services, build_services

VECTORS = 1500  # enough for Chroma to write the files of its graph


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of vectors whose graph is on disk."""
    folder = tmp_path_factory.mktemp("sound") / "chroma"
    index = ChromaIndex(folder)
    vectors = np.random.default_rng(0).normal(size=(VECTORS, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, VECTORS, 500):
        ids = [f"d{n}-0" for n in range(start, start + 500)]
        index.upsert(1, ids, vectors[start : start + 500], [name[:-2] for name in ids])
    index.close()
    assert list(folder.glob("*/header.bin")), "Chroma writes its graph elsewhere now: this test looks at nothing"
    return folder


def damaged(sound: Path, target: Path, name: str, how: str) -> Path:
    shutil.copytree(sound, target)
    (path,) = target.glob(f"**/{name}")
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        noise = random.Random(name).randbytes(len(content))
        path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "noise": noise}[how])
    return target


def test_a_sound_index_is_sound(sound: Path, tmp_path: Path) -> None:
    assert is_sound(sound)
    assert is_sound(tmp_path / "nowhere")
    assert all(links_hold(part) for part in sound.iterdir() if part.is_dir())


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut", "noise", "empty", "gone"])
@pytest.mark.parametrize(
    "name", ["header.bin", "data_level0.bin", "link_lists.bin", "length.bin", "index_metadata.pickle"]
)
def test_damage_is_told_from_outside(sound: Path, tmp_path: Path, name: str, how: str) -> None:
    assert not is_sound(damaged(sound, tmp_path / "chroma", name, how))


@pytest.mark.parametrize("how", ["cut", "noise"])
def test_a_damaged_database_is_told(sound: Path, tmp_path: Path, how: str) -> None:
    assert not is_sound(damaged(sound, tmp_path / "chroma", "chroma.sqlite3", how))


def test_a_probe_that_is_killed_or_hangs_means_damage(
    sound: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = subprocess.run

    def segfault(command: list[str], **more: Any) -> Any:
        code = f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})"
        return run([sys.executable, "-c", code], **more)

    monkeypatch.setattr(probe.subprocess, "run", segfault)
    assert not is_sound(sound)
    monkeypatch.setattr(probe.subprocess, "run", run)
    monkeypatch.setattr(probe, "PROBE_SECONDS", 0.01)
    assert not is_sound(sound)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with servers(tmp_path) as start:
        docent = start()
        docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
        return docent.services.settings.data_dir


def opened(data_dir: Path, embedder: HashEmbedder | None = None) -> Services:
    settings = Settings(data_dir=data_dir, llm="extractive", samples=False)
    services = build_services(settings, embedder=embedder or HashEmbedder())
    services.startup.begin()
    services.startup.require(patience=120)
    return services


def left_open(data_dir: Path) -> None:
    (data_dir / "chroma.open").touch()


def spoil(data_dir: Path) -> None:
    (data_dir / "chroma" / "chroma.sqlite3").write_bytes(b"no database at all" * 1000)


def test_after_an_unclean_stop_a_damaged_index_is_made_again(data_dir: Path) -> None:
    spoil(data_dir)
    left_open(data_dir)
    services = opened(data_dir)
    try:
        assert services.dense.count(1) == 2
        assert services.retriever.search("pump oil", collections=["default"], top_k=1, mode="dense").passages
        assert (data_dir / "chroma.open").exists()
    finally:
        services.close()
    assert {path.name for path in data_dir.iterdir()} == {
        "catalog.sqlite3",
        "chroma",
        "folder.json",
        "owner.lock",
        "uploads",
    }
    assert check_integrity(DataFolder(data_dir))[0].healthy


def test_a_stop_while_it_is_made_again_is_made_good(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(data_dir)
    left_open(data_dir)
    with monkeypatch.context() as patch:

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("cut off")

        patch.setattr(mending.ChunkVectors, "embed_again", fail)
        settings = Settings(data_dir=data_dir, llm="extractive", samples=False)
        first = build_services(settings, embedder=HashEmbedder())
        first.startup.begin()
        with pytest.raises(UnavailableError, match="cut off"):
            first.startup.require(patience=120)
        first.close()
    assert (data_dir / mending.NOTE).exists()

    services = opened(data_dir)
    try:
        assert services.dense.count(1) == 2
    finally:
        services.close()
    assert not (data_dir / mending.NOTE).exists()


def test_after_a_clean_stop_nothing_is_probed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bool:
        raise AssertionError

    monkeypatch.setattr(mending, "is_sound", refuse)
    opened(data_dir).close()


def test_after_an_unclean_stop_a_sound_index_is_kept(data_dir: Path) -> None:
    left_open(data_dir)
    embedder = HashEmbedder()
    services = opened(data_dir, embedder)
    assert (services.dense.count(1), embedder.calls) == (2, 0)
    services.close()


def test_a_space_without_a_collection_goes_at_the_start(data_dir: Path) -> None:
    index = ChromaIndex(data_dir / "chroma")
    index.upsert(77, ["x-0"], np.eye(1, 64, dtype=np.float32), ["x"])
    index.close()
    services = opened(data_dir)
    assert services.dense.spaces() == [1]
    services.close()


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str, status: int) -> Any:
    capsys.readouterr()
    assert main(["doctor", *arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("damage", ["index", "vector"])
def test_the_doctor_tells_and_mends(
    damage: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = wiring.build_services
    monkeypatch.setattr(
        wiring, "build_services", lambda settings, **more: build(settings, embedder=HashEmbedder(), **more)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_DATA_DIR", str(data_dir))
    monkeypatch.setenv("DOCENT_LLM", "extractive")
    if damage == "index":
        spoil(data_dir)
        kind = "vector_index_damaged"
    else:
        kind = "vectors_damaged"
        index = ChromaIndex(data_dir / "chroma")
        ((ids, owners, vectors),) = list(index.pages(1))
        index.upsert(1, ids[:1], vectors[:1] * 0, owners[:1])
        # one bad vector of a dozen is no damaged index
        more = np.eye(12, vectors.shape[1], dtype=np.float32)
        index.upsert(1, [f"{'e' * 32}-{n}" for n in range(12)], more, ["e" * 32] * 12)
        index.close()

    report = doctor(capsys, status=1)
    assert report["counts"][kind] == 1

    mended = doctor(capsys, "--repair", status=0)

    assert mended["before"][kind] == 1
    assert mended["healthy"]
    assert mended["sizes"]["vectors"] == 2
