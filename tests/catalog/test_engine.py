"""The database: what cannot be opened is told, transactions are whole, readers see one state."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.engine import Database
from rag.errors import ConfigurationError, UnavailableError
from tests.catalog.conftest import Catalog


def test_a_catalog_opens_again_without_migrating(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database(tmp_path / "catalog.sqlite3")
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM documents")).scalar() == 0
        database.close()


@pytest.mark.parametrize("content", [b"this is no database at all, but long enough to look", b"\x00" * 4096])
def test_what_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.sqlite3"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"catalog\.sqlite3"):
        Database(path)


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Database(tmp_path)


def test_a_newer_catalog_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    Database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()

    with pytest.raises(ConfigurationError, match="another version"):
        Database(path)


def test_an_error_undoes_the_whole_transaction(catalog: Catalog) -> None:
    def fail_halfway() -> None:
        with catalog.database.write() as connection:
            connection.execute(text("INSERT INTO vector_deletions VALUES ('a', 1)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert catalog.count("vector_deletions") == 0


def test_a_reader_sees_one_state(catalog: Catalog) -> None:
    query = text("SELECT count(*) FROM vector_deletions")
    with catalog.database.read() as reader:
        before = reader.execute(query).scalar()
        with catalog.database.write() as writer:
            writer.execute(text("INSERT INTO vector_deletions VALUES ('a', 1)"))
        assert reader.execute(query).scalar() == before == 0

    assert catalog.count("vector_deletions") == 1


def test_writers_queue(catalog: Catalog) -> None:
    def write(number: int) -> None:
        with catalog.database.write() as connection:
            seen = connection.execute(text("SELECT count(*) FROM vector_deletions")).scalar()
            connection.execute(text("INSERT INTO vector_deletions VALUES (:id, :seen)"), {"id": number, "seen": seen})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))

    with catalog.database.read() as connection:
        seen = connection.execute(text("SELECT collection_id FROM vector_deletions")).scalars().all()
    assert sorted(seen) == list(range(40))


def test_another_process_that_holds_the_lock_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.engine.BUSY_TIMEOUT_MS", 50)
    database = Database(tmp_path / "catalog.sqlite3")
    other = sqlite3.connect(tmp_path / "catalog.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(UnavailableError) as caught, database.write():
            pass
        assert caught.value.code == "storage"
    finally:
        other.close()
        database.close()
