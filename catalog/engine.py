"""Opens the catalog's database: engine, pragmas, migrations, and the two kinds of transaction.

SQLAlchemy is used in this package only. Everything that writes goes through `Database.write`, which takes SQLite's
write lock at once (BEGIN IMMEDIATE), so that two writers queue instead of failing halfway.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from rag.errors import ConfigurationError, UnavailableError

# The newest migration. Kept here so that an up-to-date catalog opens without importing alembic (0.6 s);
# a test holds it against the migrations folder.
HEAD = "0007"
BUSY_TIMEOUT_MS = 30_000
# One for each thread of the server and some for ingestion; they are opened as they are needed.
MAX_CONNECTIONS = 64


class Database:
    """A SQLite catalog file. Thread-safe; one per process."""

    def __init__(self, path: Path) -> None:
        """Open or create the file and bring its tables up to date.

        Raises:
            ConfigurationError: the file cannot be opened, is damaged, or was made by a newer Docent.
        """
        self.path = path
        self._writing = threading.RLock()
        self._engine = create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
            pool_size=MAX_CONNECTIONS,
            max_overflow=0,
            hide_parameters=True,  # an error that is logged must not tell what people asked or wrote
        )
        event.listen(self._engine, "connect", _set_pragmas)
        try:
            _require_fts5()
            self._migrate()
        except DatabaseError as error:
            raise ConfigurationError(
                f"The catalog {path} cannot be opened ({error.orig}). Check the folder's permissions and free space; "
                "if the file is damaged, restore it from a backup."
            ) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back on an error.

        Raises:
            UnavailableError: the disk is full or the database is locked by another process.
        """
        try:
            with self._writing, self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
        except OperationalError as error:
            raise UnavailableError(f"The catalog cannot be written now: {error.orig}.", code="storage") from error

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy to a new file, also while others write.

        Raises:
            UnavailableError: the disk is full, or `path` cannot be written.
        """
        try:
            with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(path)) as target:
                source.backup(target)
        except sqlite3.Error as error:
            raise UnavailableError(f"The catalog cannot be copied: {error}.", code="storage") from error

    def compact(self) -> None:
        """Rewrite the file without what was deleted, and empty the write-ahead log. No transaction may be open.

        Raises:
            UnavailableError: the disk is full, or somebody else uses the catalog.
        """
        try:
            with self._writing, self._engine.connect() as connection:
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        except OperationalError as error:
            raise UnavailableError(f"The catalog cannot be compacted: {error.orig}.", code="storage") from error

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            if _revision(connection) == HEAD:
                return
        with self.write() as connection:
            _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            f"The catalog was made by another version of Docent ({error}). Install that version or newer."
        ) from error


def _set_pragmas(connection: Any, _record: Any) -> None:
    # pysqlite's own transaction handling is off: `write` begins explicitly, reads run in autocommit.
    connection.isolation_level = None
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;"
    )


def _require_fts5() -> None:
    probe = sqlite3.connect(":memory:")
    try:
        if not probe.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()[0]:
            raise ConfigurationError("This Python's SQLite has no FTS5. Use a Python whose SQLite was built with FTS5.")
    finally:
        probe.close()
