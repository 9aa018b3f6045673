"""The catalog looked at as a whole: what both indexes ought to hold, whether offsets hold, and small repairs.

Owns the queries of `doctor`, `purge` and `reindex`; the steps of ingestion are in ingestion.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import func, select, update

from catalog.documents import present, unindex
from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.mappers import now
from catalog.registration import IN_FLIGHT
from catalog.tables import chunks, collections, documents, texts, vector_deletions, vector_writes
from rag.types import Chunk, DocumentStatus

BATCH = 512


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What the catalog says of a document's bytes; `bytes` 0: it has none, it was refused before it was unpacked."""

    id: str
    name: str
    sha256: str
    bytes: int


class CatalogAudit:
    """Whole-catalog reads and repairs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lexical = Fts5Index(database.read)

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with its file; empty when nothing is."""
        with self._database.read() as connection:
            found = list(connection.exec_driver_sql("PRAGMA quick_check(10)").scalars())
            found += [f"foreign key: {row}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check").all()]
        return [str(line) for line in found if line != "ok"]

    def collections(self) -> dict[int, str]:
        """Names by id."""
        with self._database.read() as connection:
            return {row.id: row.name for row in connection.execute(select(collections.c.id, collections.c.name))}

    def files(self) -> list[StoredFile]:
        """Every document's bytes."""
        columns = (documents.c.id, documents.c.filename, documents.c.sha256, documents.c.bytes)
        with self._database.read() as connection:
            return [StoredFile(*row) for row in connection.execute(select(*columns))]

    def chunk_ids(self, collection: int) -> dict[str, str]:
        """The document of each chunk of a collection that is searchable."""
        query = (
            select(chunks.c.id, chunks.c.document_id)
            .join(documents, chunks.c.document_id == documents.c.id)
            .where(documents.c.collection_id == collection, documents.c.live)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def unsettled(self) -> set[str]:
        """Documents whose vectors may lawfully be there without chunks: in flight, cut off, or noted for deletion."""
        with self._database.read() as connection:
            flying = connection.execute(select(documents.c.id).where(documents.c.status.in_(IN_FLIGHT))).scalars()
            noted = connection.execute(select(vector_deletions.c.document_id)).scalars()
            return {*flying, *noted, *connection.execute(select(vector_writes.c.document_id)).scalars()}

    def wrong_documents(self) -> tuple[list[str], list[str]]:
        """Documents with a chunk that is not the text at its offsets, and those whose number of chunks is not what they
        say.
        """
        offsets, numbers = [], []
        of_text = select(texts.c.document_id, texts.c.text).order_by(texts.c.document_id)
        columns = (chunks.c.document_id, chunks.c.char_start, chunks.c.char_end, chunks.c.text)
        with self._database.read() as connection, self._database.read() as other:
            said = {
                row[0]: row[1]
                for row in connection.execute(select(documents.c.id, documents.c.chunks).where(documents.c.live))
            }
            found = connection.execute(select(*columns).order_by(chunks.c.document_id))
            whole = iter(other.execute(of_text))
            current = next(whole, None)
            for document_id, rows in groupby(found, key=lambda row: row.document_id):
                while current is not None and current.document_id < document_id:
                    current = next(whole, None)
                text = current.text if current is not None and current.document_id == document_id else None
                listed = list(rows)
                if text is None or any(text[row.char_start : row.char_end] != row.text for row in listed):
                    offsets.append(document_id)
                if said.pop(document_id, None) != len(listed):
                    numbers.append(document_id)
        return offsets, numbers + [document_id for document_id, count in said.items() if count]

    def keyword_tables(self) -> list[int]:
        """Ids of the collections that have a keyword index."""
        with self._database.read() as connection:
            return self._lexical.collections(connection)

    def keywords(self, collection: int) -> tuple[list[int], list[int]]:
        """Rows of a collection's keyword index without a chunk, and chunks without a row in it."""
        query = (
            select(chunks.c.row)
            .join(documents, chunks.c.document_id == documents.c.id)
            .where(documents.c.collection_id == collection, documents.c.live)
        )
        with self._database.read() as connection:
            wanted = set(connection.execute(query).scalars())
            found = self._lexical.rows(connection, collection)
        return sorted(found - wanted), sorted(wanted - found)

    def repair_keywords(self, collection: int) -> None:
        """Make a collection's keyword index equal to its chunks."""
        extra, missing = self.keywords(collection)
        query = select(chunks.c.row, documents.c.filename, chunks.c.heading, chunks.c.text).join(
            documents, chunks.c.document_id == documents.c.id
        )
        with self._database.write() as connection:
            self._lexical.delete(connection, collection, extra)
            for start in range(0, len(missing), BATCH):
                part = query.where(chunks.c.row.in_(missing[start : start + BATCH]))
                self._lexical.add(connection, collection, [tuple(row) for row in connection.execute(part).all()])

    def compact(self) -> None:
        """Rewrite the keyword indexes and the catalog's file without what was deleted. Raises UnavailableError."""
        for collection in self.keyword_tables():
            with self._database.write() as connection:
                self._lexical.compact(connection, collection)
        self._database.compact()

    def drop_keywords(self, collection: int) -> None:
        """Forget the keyword index of a collection that is gone."""
        with self._database.write() as connection:
            self._lexical.delete_collection(connection, collection)

    def queue_again(self, ids: Sequence[str]) -> None:
        """Take documents out of both indexes and read their files again."""
        with self._database.write() as connection:
            for document_id in ids:
                unindex(connection, self._lexical, document_id)
                values: dict[str, Any] = {"status": DocumentStatus.QUEUED, "live": False, "attempts": 0, "chunks": 0}
                connection.execute(
                    update(documents).where(documents.c.id == document_id).values(**values, updated_at=now())
                )

    def embedding_chunks(self, ids: Sequence[str]) -> Iterator[tuple[list[str], list[str], list[Chunk]]]:
        """Chunk ids, their documents, and the chunks for embedding, in batches."""
        columns = (
            chunks.c.id, chunks.c.document_id, chunks.c.ordinal, chunks.c.char_start,
            chunks.c.char_end, chunks.c.text, chunks.c.heading,
        )  # fmt: skip
        for start in range(0, len(ids), BATCH):
            query = select(*columns).where(chunks.c.id.in_(ids[start : start + BATCH]))
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            found = [Chunk(row.ordinal, row.char_start, row.char_end, row.text, heading=row.heading) for row in rows]
            yield [row.id for row in rows], [row.document_id for row in rows], found

    def set_embedding_model(self, collection: int, model_id: str) -> None:
        """Note the model of a collection whose vectors were made anew."""
        with self._database.write() as connection:
            connection.execute(
                update(collections).where(collections.c.id == collection).values(embedding_model=model_id)
            )

    def statistics(self) -> dict[str, int]:
        """Numbers of documents, of documents in the trash, and of chunks."""
        held = select(func.count()).select_from(documents)
        with self._database.read() as connection:
            return {
                "documents": int(connection.execute(held.where(present())).scalar_one()),
                "trashed": int(connection.execute(held.where(~present())).scalar_one()),
                "chunks": int(connection.execute(select(func.count()).select_from(chunks)).scalar_one()),
            }
