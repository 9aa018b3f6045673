"""A catalog that does not know its folder: nothing is deleted, the start says why, `doctor --repair` mends it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import main as serve
from cli.main import main
from ingest.storage.data_folder import DataFolder
from ingest.storage.folder_identity import StrangeCatalogError, read_mark
from rag.errors import ConfigurationError
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.ingest.conftest import make_docx, make_pdf, paragraph
from tests.web.conftest import CHINESE, ORCHARD, PUMP, servers
from wiring import Services, build_services, check_data_folder

Damage = Callable[[DataFolder], None]
LIBRARY: dict[str, bytes] = {
    "pump.md": f"# Pump\n\n{PUMP}".encode(),
    "notes.txt": ORCHARD.encode(),
    "水泵.txt": CHINESE.encode("gb18030"),
    "page.html": f"<!doctype html><title>a</title><p>{PUMP}</p>".encode(),
    "data.json": json.dumps({"pump": PUMP}).encode(),
    "lines.jsonl": b'{"a": "the lantern"}\n{"a": "the quartz"}\n',
    "mail.eml": f"From: a@example.org\nTo: b@example.org\nSubject: Pump\n\n{ORCHARD} {PUMP}".encode(),
    "letter.docx": make_docx(paragraph("The lantern stands in hall nine.")),
    "sheet.pdf": make_pdf([[("The lantern stands in hall ten.", 12, False, 700)]]),
    "book.ipynb": json.dumps(
        {"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["The quartz is in hall six."]}],
         "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode(),
}  # fmt: skip


def opened(folder: DataFolder) -> Services:
    settings = Settings(data_dir=folder.path, llm="extractive", samples=False)
    services = build_services(settings, embedder=HashEmbedder())
    services.startup.begin()
    services.startup.require(patience=60)
    return services


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of many formats, of a server that was stopped; not to be changed."""
    parent = tmp_path_factory.mktemp("filled")
    with servers(parent) as start:
        documents = start().upload(*LIBRARY.items())
    assert {item["status"] for item in documents} == {"indexed"}
    return parent / "data0"


@pytest.fixture
def folder(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A copy of it, which is the one of the settings."""
    shutil.copytree(filled, tmp_path / "data")
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DOCENT_LLM", "extractive")
    monkeypatch.chdir(tmp_path)
    build = build_services
    monkeypatch.setattr(
        "wiring.build_services", lambda settings, **more: build(settings, embedder=HashEmbedder(), **more)
    )
    return DataFolder(tmp_path / "data")


def contents(folder: DataFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.originals()}


def sql(folder: DataFolder, statement: str) -> None:
    with closing(sqlite3.connect(folder.catalog)) as raw, raw:
        raw.execute(statement)


def missing(folder: DataFolder) -> None:
    folder.catalog.unlink()


def emptied(folder: DataFolder) -> None:
    folder.catalog.write_bytes(b"")


def new_and_empty(folder: DataFolder) -> None:
    folder.catalog.unlink()
    other = DataFolder(folder.path.with_name("other"))
    opened(other).close()
    sql(other, "DELETE FROM data_folder")
    shutil.copy(other.catalog, folder.catalog)


def another(folder: DataFolder) -> None:
    other = DataFolder(folder.path.with_name("other"))
    opened(other).close()
    shutil.copy(other.catalog, folder.catalog)


def without_any_mark(folder: DataFolder) -> None:
    missing(folder)
    folder.mark.unlink()


def foreign_without_mark(folder: DataFolder) -> None:
    another(folder)
    folder.mark.unlink()


def older(folder: DataFolder) -> None:
    copy = folder.path.with_name("older.sqlite3")
    shutil.copy(folder.catalog, copy)
    services = opened(folder)
    services.library.add(
        services.collections.ensure("default"),
        [services.library.stage(open_bytes(b"The newest lantern is green."), "new.txt")],
    )
    services.close()
    shutil.copy(copy, folder.catalog)


def without_its_log(folder: DataFolder) -> None:
    """Copied while the server runs, the catalog's main file alone."""
    services = opened(folder)
    with services.database.read() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    services.library.add(
        services.collections.ensure("default"),
        [services.library.stage(open_bytes(b"The newest lantern is green."), "new.txt")],
    )
    copy = DataFolder(folder.path.with_name("copied"))
    shutil.copytree(folder.path, copy.path)
    services.close()
    shutil.rmtree(folder.path)
    copy.path.rename(folder.path)
    folder.write_ahead_log.unlink()
    folder.catalog.with_name("catalog.sqlite3-shm").unlink(missing_ok=True)


def open_bytes(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


DAMAGES = [missing, emptied, new_and_empty, another, without_any_mark, foreign_without_mark, older, without_its_log]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_strange_catalog_is_refused_and_mended(
    damage: Damage, folder: DataFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder)
    before = contents(folder)
    assert len(before) >= len(LIBRARY)
    settings = Settings(data_dir=folder.path, llm="extractive", samples=False)

    for _ in range(2):
        with pytest.raises(StrangeCatalogError, match="doctor --repair"):
            build_services(settings, embedder=HashEmbedder())
        with pytest.raises(StrangeCatalogError, match="Nothing was changed"):
            check_data_folder(settings)
    assert serve() == 2
    assert main(["doctor"]) == 2
    assert main(["purge"]) == 2
    assert main(["backup", "copy.tar"]) == 2
    assert all(line.startswith(("docent", "The", "ingest")) for line in capsys.readouterr().err.splitlines())
    assert contents(folder) == before

    assert main(["doctor", "--repair"]) in (0, 1)
    capsys.readouterr()
    assert main(["doctor", "--json"]) in (0, 1)
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert counts["files_without_row"] == counts["chunks_without_vector"] == 0

    services = opened(folder)
    try:
        documents = services.documents.find(limit=100).items
        assert {item.status for item in documents} == {"indexed"}
        originals = {services.library.content_path(item.id).read_bytes() for item in documents}
        assert originals == set(before.values())
        known = [item.name for item in services.collections.all()]
        assert services.retriever.search("lantern hall nine", collections=known, top_k=5).passages
    finally:
        services.close()


def test_recovered_names_tell_what_the_files_are(folder: DataFolder) -> None:
    kinds = {content: Path(name).suffix for name, content in LIBRARY.items()}
    missing(folder)
    assert main(["doctor", "--repair"]) == 0

    services = opened(folder)
    try:
        for item in services.documents.find(limit=100).items:
            assert item.filename.startswith("recovered-")
            assert item.collection == "default"
            assert Path(item.filename).suffix == kinds[services.library.content_path(item.id).read_bytes()]
    finally:
        services.close()


def test_what_an_older_catalog_did_not_know_has_a_collection_of_its_own(folder: DataFolder) -> None:
    older(folder)
    assert main(["doctor", "--repair"]) == 0
    services = opened(folder)
    try:
        (new,) = services.documents.find(collection="recovered").items
        assert services.documents.text(new.id) == "The newest lantern is green."
        assert services.documents.find(collection="default").total == len(LIBRARY)
    finally:
        services.close()


def test_a_catalog_of_a_newer_version_deletes_nothing(folder: DataFolder) -> None:
    before = contents(folder)
    sql(folder, "UPDATE alembic_version SET version_num = '9999'")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="another version"):
            build_services(Settings(data_dir=folder.path, samples=False), embedder=HashEmbedder())
    assert main(["doctor", "--repair"]) == 2
    assert contents(folder) == before


def test_a_folder_of_an_earlier_version_is_taken_as_it_is(folder: DataFolder) -> None:
    folder.mark.unlink()
    sql(folder, "DROP TABLE data_folder")
    sql(folder, "DROP TABLE file_deletions")
    sql(folder, "UPDATE alembic_version SET version_num = '0006'")
    before = contents(folder)
    opened(folder).close()
    mark = read_mark(folder)
    assert mark is not None
    assert not mark.open
    assert contents(folder) == before


def test_a_file_that_nobody_knows_is_kept_and_told(folder: DataFolder, caplog: pytest.LogCaptureFixture) -> None:
    stray = folder.uploads / "ab" / ("ab" * 16)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"The stray lantern is blue.")
    opened(folder).close()
    assert stray.exists()
    assert "doctor --repair" in caplog.text


def test_the_same_bytes_take_the_place_of_a_lost_file(folder: DataFolder) -> None:
    lost = folder.originals()[0]
    content = lost.read_bytes()
    (folder.uploads / "ab").mkdir(exist_ok=True)
    lost.rename(folder.uploads / "ab" / ("ab" * 16))
    assert main(["doctor", "--repair"]) == 0
    assert lost.read_bytes() == content


def test_a_restore_that_was_cut_off_is_refused_and_can_be_repeated(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)
    assert main(["backup", "copy.tar"]) == 0
    place = DataFolder(folder.path.with_name("place"))
    monkeypatch.setenv("DOCENT_DATA_DIR", str(place.path))
    rename = Path.rename

    def cut(path: Path, target: Path) -> Path:
        if path.name == "catalog.sqlite3":
            raise MemoryError  # stands for a kill
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", cut)
    with pytest.raises(MemoryError):
        main(["restore", "copy.tar"])
    monkeypatch.undo()
    monkeypatch.setenv("DOCENT_DATA_DIR", str(place.path))
    assert contents(place) == before
    with pytest.raises(StrangeCatalogError, match="restore"):
        build_services(Settings(data_dir=place.path, samples=False), embedder=HashEmbedder())
    assert contents(place) == before

    monkeypatch.chdir(folder.path.parent)
    assert main(["restore", "copy.tar"]) == 0
    opened(place).close()
    assert contents(place) == before


def test_a_crash_is_no_strange_catalog(folder: DataFolder) -> None:
    """The log of a process that was killed is there, and so are its documents."""
    services = opened(folder)
    services.library.add(
        services.collections.ensure("default"),
        [services.library.stage(open_bytes(b"The newest lantern is green."), "new.txt")],
    )
    crashed = DataFolder(folder.path.with_name("crashed"))
    services.pipeline.wait(20)
    shutil.copytree(folder.path, crashed.path)
    services.close()

    check_data_folder(Settings(data_dir=crashed.path, llm="extractive", samples=False))
    services = opened(crashed)
    try:
        assert services.documents.find().total == len(LIBRARY) + 1
    finally:
        services.close()


def test_files_of_cut_off_uploads_and_deletions_still_go(folder: DataFolder) -> None:
    services = opened(folder)
    first, second = services.documents.find().items[:2]
    with services.database.write() as connection:
        from catalog.documents import remove

        remove(connection, None, [first.id])
    services.close()
    staged = folder.uploads / "cd" / ("cd" * 16)
    staged.parent.mkdir(exist_ok=True)
    staged.write_bytes(b"half an upload")
    (folder.incoming / "x.staging").write_text(f"{staged.name}\n{second.id}\n")
    (folder.incoming / "y").write_bytes(b"a part")

    opened(folder).close()

    assert not staged.exists()
    assert not folder.original(first.id).exists()
    assert folder.original(second.id).exists()
    assert list(folder.incoming.iterdir()) == []
