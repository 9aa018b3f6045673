"""`docent doctor`, `backup`, `restore`, `purge`: on a data folder of real files, indexes and one hash embedder."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

import wiring
from cli.main import ingest_main as main
from ingest.readers.registry import accepted_extensions
from rag.settings import Settings
from rag.types import Document, DocumentStatus
from tests.cli.batch import write_batch
from tests.fakes import HashEmbedder
from tests.web.conftest import CHINESE, ORCHARD, PUMP
from wiring import Services, build_services

Edit = Callable[[Services], None]


@pytest.fixture(autouse=True)
def embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HashEmbedder:
    for name in [name for name in os.environ if name.startswith("DOCENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DOCENT_LLM", "extractive")
    made = HashEmbedder()
    build = wiring.build_services
    monkeypatch.setattr(wiring, "build_services", lambda settings, **more: build(settings, embedder=made, **more))
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in {"pump.txt": PUMP, "orchard.txt": ORCHARD, "报告.md": CHINESE}.items():
        (folder / name).write_text(content, encoding="utf-8")
    assert main([str(folder), "--json"]) == 0
    assert ".txt" in accepted_extensions()
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == status
    out, err = capsys.readouterr()
    return json.loads(out) if out else {"error": err}


def opened(data_dir: Path) -> Services:
    services = build_services(Settings(data_dir=data_dir, llm="extractive", samples=False), embedder=HashEmbedder())
    services.startup.begin()
    services.startup.require(patience=120)
    return services


def everything(data_dir: Path) -> list[Any]:
    """All that a search tells: ids, offsets, scores."""
    services = opened(data_dir)
    try:
        found: list[Any] = [services.collections.all()]
        for query in ("pump oil", "orchard bees", "水泵", "March"):
            found += [
                (item.chunk_id, item.char_start, item.char_end, item.text, round(item.score or 0, 5))
                for item in services.retriever.search(query, collections=["default"], top_k=10).passages
            ]
        return found
    finally:
        services.close()


def sql(*statements: str) -> Edit:
    def edit(services: Services) -> None:
        with services.database.write() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return edit


def break_vectors(services: Services) -> None:
    owners = services.dense.entries(1)
    services.dense.delete_chunks(1, [next(iter(owners))])
    stray = np.eye(1, services.embedder.dimension, dtype=np.float32)
    services.dense.upsert(1, ["f" * 32 + "-0"], stray, ["f" * 32])
    services.dense.upsert(77, ["f" * 32 + "-0"], stray, ["f" * 32])


def test_a_healthy_folder(capsys: pytest.CaptureFixture[str]) -> None:
    report = run(capsys, "doctor")
    assert report["healthy"]
    assert set(report["counts"].values()) == {0}
    assert (report["sizes"]["documents"], report["sizes"]["vectors"]) == (3, report["sizes"]["chunks"])
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("Nothing is wrong: 3 documents, 3 chunks, 3 vectors; catalog ")


@pytest.mark.parametrize(
    ("edit", "kinds"),
    [
        (break_vectors, {"chunks_without_vector", "vectors_without_chunk", "spaces_without_collection"}),
        (sql("DELETE FROM lexical_1 WHERE rowid = 1"), {"chunks_without_keywords"}),
        (
            sql("INSERT INTO lexical_1(rowid, title, heading, body) VALUES (99, 'a', 'b', 'c')"),
            {"keywords_without_chunk"},
        ),
        (
            sql("CREATE VIRTUAL TABLE lexical_9 USING fts5(title, heading, body)"),
            {"keyword_indexes_without_collection"},
        ),
        (sql("UPDATE chunks SET char_start = char_start + 1 WHERE row = 2"), {"wrong_offsets"}),
        (sql("UPDATE documents SET chunks = 7 WHERE filename = 'pump.txt'"), {"wrong_number_of_chunks"}),
    ],
)
def test_what_is_derived_is_mended(
    edit: Edit, kinds: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = tmp_path / "data"
    healthy = everything(data_dir)
    services = opened(data_dir)
    edit(services)
    services.close()

    report = run(capsys, "doctor", status=1)
    assert {kind for kind, count in report["counts"].items() if count} == kinds
    assert main(["doctor"]) == 1
    mended = run(capsys, "doctor", "--repair")
    assert mended["healthy"]
    assert {kind for kind, count in mended["before"].items() if count} == kinds
    assert sorted(map(str, everything(data_dir))) == sorted(map(str, healthy))
    assert run(capsys, "doctor")["healthy"]


def test_uploads_are_held_against_their_digests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uploads = tmp_path / "data" / "uploads"
    first, second, _ = sorted(uploads.glob("??/*"))
    first.write_bytes(b"x" * first.stat().st_size)
    second.unlink()
    (uploads / "ab").mkdir(exist_ok=True)
    (uploads / "ab" / ("ab" * 16)).write_bytes(b"stray")

    report = run(capsys, "doctor", status=1)
    assert report["findings"]["files_changed"] == [first.name]
    assert report["findings"]["rows_without_file"] == [second.name]
    assert report["findings"]["files_without_row"] == ["ab/" + "ab" * 16]
    report = run(capsys, "doctor", "--repair", status=1)
    assert {kind: count for kind, count in report["counts"].items() if count} == {
        "rows_without_file": 1,
        "files_changed": 1,
    }


def test_backup_and_restore(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(tmp_path / "data")
    target = tmp_path / "copy.tar"
    assert run(capsys, "backup", str(target))["files"] >= 5
    assert "exists" in run(capsys, "backup", str(target), status=2)["error"]
    assert "not empty" in run(capsys, "restore", str(target), status=2)["error"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    with tarfile.open(target) as archive:
        assert {member.name.split("/")[0] for member in archive} == {
            "catalog.sqlite3",
            "uploads",
            "chroma",
            "docent-backup.json",
        }

    calls = embedder.calls
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "elsewhere"))
    run(capsys, "restore", str(target))
    assert run(capsys, "doctor")["healthy"]
    assert embedder.calls == calls
    assert everything(tmp_path / "elsewhere") == before
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []


def all_there_is(services: Services) -> dict[str, Any]:
    """Every document with its bytes, text, pages, headings and chunks, by name."""
    found: dict[str, Any] = {}
    for item in services.documents.find(limit=500).items:
        found[item.filename] = (
            services.documents.document(item.id),
            services.library.content_path(item.id).read_bytes(),
        )
        if item.status is not DocumentStatus.INDEXED:
            continue
        found[item.filename] += (
            services.documents.text(item.id),
            services.documents.pages(item.id),
            services.documents.outline(item.id),
            services.documents.chunks(item.id, limit=500).items,
        )
    return found


def test_backup_wipe_restore_of_all_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_batch(tmp_path / "batch", 40)
    assert main([str(tmp_path / "batch"), "--json"]) == 1  # one in twenty cannot be read
    questions = ["file7 amber", "file12 copper", "quartz lantern", "水泵"]

    def looked_at() -> tuple[dict[str, Any], list[Any], list[str]]:
        services = opened(tmp_path / "data")
        try:
            hits = [services.retriever.search(one, collections=["default"], top_k=20).passages for one in questions]
            assert isinstance(services.embedder, HashEmbedder)
            return all_there_is(services), hits, services.embedder.embedded
        finally:
            services.close()

    before = looked_at()
    run(capsys, "backup", str(tmp_path / "copy.tar"))
    shutil.rmtree(tmp_path / "data")
    run(capsys, "restore", str(tmp_path / "copy.tar"))
    after = looked_at()

    assert len(before[0]) == 43
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert all(after[1])
    assert after[2] == questions  # no document was embedded again


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "climbing"])
def test_a_damaged_backup_restores_nothing(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.tar"
    run(capsys, "backup", str(target))
    data = bytearray(target.read_bytes())
    if damage == "cut":
        target.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[data.index(PUMP.encode(), data.index(b"uploads/"))] ^= 1
        target.write_bytes(data)
    elif damage == "foreign":
        target.write_bytes(b"no archive" * 1000)
    else:
        with tarfile.open(target, "w") as archive:
            archive.addfile(tarfile.TarInfo("../outside"))
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "elsewhere"))

    error = run(capsys, "restore", str(target), status=2)["error"]

    assert len(error.splitlines()) == 1
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["owner.lock"]
    assert not (tmp_path / "outside").exists()


def the_orchard(services: Services) -> tuple[Document, bytes]:
    """The document about an orchard, and its vector as bytes."""
    (document,) = services.documents.find(q="orchard").items
    (chunk,) = services.documents.chunks(document.id).items
    return document, services.embedder.embed_documents([chunk.text])[0].tobytes()


def test_purged_is_gone_from_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = tmp_path / "data"
    services = opened(data_dir)
    document, vector = the_orchard(services)
    services.library.delete(document.id)
    services.close()
    traces = (b"orchard", b"pollin", b"blossom", document.id.encode(), vector, vector[:64])

    held = b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())
    assert vector[:64] in held  # Chroma keeps a deleted vector in its files

    run(capsys, "purge")

    for path in data_dir.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found = [trace[:20] for trace in traces if trace in content and not (trace == traces[3] and b"job" in content)]
        assert not found, f"{path} still holds {found}"
    assert run(capsys, "doctor")["healthy"]
    assert main(["purge"]) == 0
    assert sorted(path.name for path in data_dir.iterdir()) == [
        "catalog.sqlite3",
        "chroma",
        "folder.json",
        "owner.lock",
        "uploads",
    ]


def test_purge_empties_the_trash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = tmp_path / "data"
    services = opened(data_dir)
    document, vector = the_orchard(services)
    services.trash.put(document.id)
    services.close()
    assert (run(capsys, "doctor")["healthy"], run(capsys, "doctor")["sizes"]["trashed"]) == (True, 1)
    assert main(["doctor"]) == 0
    assert "2 documents, 1 in the trash" in capsys.readouterr().out

    assert run(capsys, "purge")["trash"] == 1

    for path in data_dir.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found = [trace[:20] for trace in (b"orchard", b"pollin", b"blossom", vector[:64]) if trace in content]
        assert not found, f"{path} still holds {found}"
    assert run(capsys, "doctor")["sizes"]["trashed"] == 0
    assert main(["purge", "--help"]) == 0
    assert "trash" in capsys.readouterr().out


def test_the_trash_moves_with_a_backup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = opened(tmp_path / "data")
    (document,) = services.documents.find(q="orchard").items
    services.trash.put(document.id)
    services.close()
    run(capsys, "backup", str(tmp_path / "copy.tar"))
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "elsewhere"))
    run(capsys, "restore", str(tmp_path / "copy.tar"))
    run(capsys, "doctor", "--repair")
    run(capsys, "reindex")

    services = opened(tmp_path / "elsewhere")
    try:
        assert [item.id for item in services.documents.find(status="trashed").items] == [document.id]
        assert services.trash.restore(document.id).status == DocumentStatus.QUEUED
        until = time.monotonic() + 30
        while services.pipeline.pending():
            assert time.monotonic() < until
            time.sleep(0.02)
        assert services.documents.text(document.id) == ORCHARD
    finally:
        services.close()
    assert run(capsys, "doctor")["healthy"]


def test_without_a_catalog_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = opened(tmp_path / "data")
    for command in (["doctor"], ["purge"], ["backup", "b.tar"], ["restore", "b.tar"]):
        error = run(capsys, *command, status=2)["error"]
        assert len(error.splitlines()) == 1
    services.close()
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "nowhere"))
    for command in (["doctor"], ["purge"], ["backup", "b.tar"], ["restore", "b.tar"]):
        error = run(capsys, *command, status=2)["error"]
        assert len(error.splitlines()) == 1
