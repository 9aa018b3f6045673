"""The lexical index: BM25 over SQLite's FTS5, one table per collection, in the catalog's own database.

Writes happen inside the catalog's transaction, so that a chunk and its keywords appear and vanish together. Texts are
stored as index terms (rag.text.language: English stems, CJK bigrams) because FTS5's own tokenizers find nothing in
Chinese. A table per collection keeps term statistics of one collection out of another's ranking.
"""

from __future__ import annotations

import json
import math
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from rag.text.language import keywords, terms
from rag.types import Hit

# Weights of the columns in BM25: file name and title, headings, body.
FIELD_WEIGHTS = (0.6, 1.2, 1.0)
# A query is cut to this many distinct terms; a pasted page would otherwise match everything, slowly.
MAX_QUERY_TERMS = 64
SIZE_SECONDS = 5.0


class SqlConnection(Protocol):
    """What this module needs of a database connection."""

    def exec_driver_sql(self, statement: str, parameters: Any = ..., /) -> Any:
        """Run one statement as the driver takes it."""


class Fts5Index:
    """`rag.ports.LexicalIndex` on FTS5. `read` opens a connection to the catalog."""

    def __init__(self, read: Callable[[], AbstractContextManager[SqlConnection]]) -> None:
        self._read = read
        self._sizes: dict[int, tuple[float, int]] = {}

    def add(self, connection: SqlConnection, collection: int, rows: Iterable[tuple[int, str, str | None, str]]) -> None:
        """Index chunks: (row number, file name and title, heading path, text), in the caller's transaction."""
        name = _table(collection)
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5(title, heading, body, tokenize='unicode61')"
        )
        connection.exec_driver_sql(f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_terms USING fts5vocab({name}, 'row')")
        values = [
            (row, _joined(re.sub(r"[\W_]+", " ", title)), _joined(heading or ""), _joined(text))
            for row, title, heading, text in rows
        ]
        if values:
            connection.exec_driver_sql(
                f"INSERT INTO {name}(rowid, title, heading, body) VALUES (?, ?, ?, ?)",
                values,
            )

    def delete(self, connection: SqlConnection, collection: int, rows: Sequence[int]) -> None:
        """Forget chunks by row number, in the caller's transaction."""
        if rows and _exists(connection, collection):
            connection.exec_driver_sql(
                f"DELETE FROM {_table(collection)} WHERE rowid = ?",
                [(row,) for row in rows],
            )

    def delete_collection(self, connection: SqlConnection, collection: int) -> None:
        """Forget a collection's index, in the caller's transaction."""
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_table(collection)}_terms")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_table(collection)}")

    def collections(self, connection: SqlConnection) -> list[int]:
        """Ids of the collections that have an index."""
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return sorted(int(match[1]) for (name,) in found if (match := re.fullmatch(r"lexical_(\d+)", name)))

    def rows(self, connection: SqlConnection, collection: int) -> set[int]:
        """Row numbers of the chunks that are indexed."""
        if not _exists(connection, collection):
            return set()
        return {row for (row,) in connection.exec_driver_sql(f"SELECT id FROM {_table(collection)}_docsize")}

    def compact(self, connection: SqlConnection, collection: int) -> None:
        """Merge an index into one segment, so that nothing of deleted chunks remains in it."""
        if _exists(connection, collection):
            connection.exec_driver_sql(f"INSERT INTO {_table(collection)}({_table(collection)}) VALUES ('optimize')")

    def query(self, collection: int, query: str, *, limit: int, documents: Sequence[str] | None = None) -> list[Hit]:
        """See `rag.ports.LexicalIndex.query`."""
        wanted = list(dict.fromkeys(keywords(query)))[:MAX_QUERY_TERMS]
        if not wanted:
            return []
        name = _table(collection)
        match = " OR ".join(f'"{term}"' for term in wanted)
        only = ""
        if documents is not None:
            only = " AND chunks.document_id IN (SELECT value FROM json_each(?))"  # any number, in one variable
        statement = (
            f"SELECT chunks.id, -bm25({name}, {', '.join(map(str, FIELD_WEIGHTS))}) AS score FROM {name} "
            f"JOIN chunks ON chunks.row = {name}.rowid WHERE {name} MATCH ?{only} ORDER BY score DESC LIMIT ?"
        )
        with self._read() as connection:
            if not _exists(connection, collection):
                return []
            scope = () if documents is None else (json.dumps(list(documents)),)
            rows = connection.exec_driver_sql(statement, (match, *scope, limit))
            return [Hit(chunk_id, score) for chunk_id, score in rows]

    def idf(self, collection: int, terms: Sequence[str]) -> dict[str, float]:
        """See `rag.ports.LexicalIndex.idf`. BM25's idf: ln(1 + (N - n + .5) / (n + .5))."""
        name = _table(collection)
        with self._read() as connection:
            if not _exists(connection, collection):
                return dict.fromkeys(terms, 0.0)
            total = self._size(connection, collection)
            stored = {form for term in terms for form in (term, _without_accents(term))}
            rows = connection.exec_driver_sql(
                f"SELECT term, doc FROM {name}_terms WHERE term IN (SELECT value FROM json_each(?))",
                (json.dumps(sorted(stored)),),
            )
            found = dict(rows.fetchall())
        held = {term: found.get(term, 0) or found.get(_without_accents(term), 0) for term in terms}
        return {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in held.items()}

    def _size(self, connection: SqlConnection, collection: int) -> int:
        """Number of chunks indexed; counting takes a walk over all of them, so the number may be some seconds old."""
        counted, size = self._sizes.get(collection, (0.0, 0))
        if time.monotonic() - counted > SIZE_SECONDS:
            size = connection.exec_driver_sql(f"SELECT count(*) FROM {_table(collection)}_docsize").scalar()
            self._sizes[collection] = (time.monotonic(), size)
        return size


def _joined(text: str) -> str:
    return " ".join(terms(text))


def _without_accents(term: str) -> str:
    # as the tokenizer unicode61 stores Latin words
    bare = (character for character in unicodedata.normalize("NFD", term) if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", "".join(bare))


def _table(collection: int) -> str:
    return f"lexical_{int(collection)}"


def _exists(connection: SqlConnection, collection: int) -> bool:
    found = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = ?", (_table(collection),))
    return found.first() is not None
