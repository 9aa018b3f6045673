"""The token vectors of chunks: kept, read and forgotten beside the chunks, in the same database.

Owns their table. They are derived from the chunks' texts, so whatever is missing or of another space can be made again;
a chunk without them is ranked by its one vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from catalog.engine import Database
from catalog.registration import IN_FLIGHT
from catalog.tables import chunks, collections, documents, token_vectors, vector_writes
from rag.retrieval.late_interaction import PackedTokens, pack, unpack
from rag.vectors import TokenVectors

# Parameters of one statement stay below SQLite's limit.
BATCH = 512


class TokenVectorCatalog:
    """Implements `rag.ports.TokenVectorStore`; writes and drops. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def token_vectors(self, chunk_ids: Sequence[str], space: str) -> dict[str, TokenVectors]:
        """See `rag.ports.TokenVectorStore.token_vectors`."""
        columns = (token_vectors.c.chunk_id, token_vectors.c.offsets, token_vectors.c.vectors)
        query = select(*columns).where(token_vectors.c.space == space)
        found = {}
        with self._database.read() as connection:
            for start in range(0, len(chunk_ids), BATCH):
                part = query.where(token_vectors.c.chunk_id.in_(chunk_ids[start : start + BATCH]))
                for row in connection.execute(part):
                    found[row.chunk_id] = unpack(PackedTokens(row.offsets, row.vectors))
        return found

    def store(
        self, collection: int, space: str, ids: Sequence[str], owners: Sequence[str], tokens: Sequence[TokenVectors]
    ) -> None:
        """Keep the token vectors of chunks; `owners[i]` is the document of chunk i. What they had in this space is
        replaced.
        """
        packed = [pack(each) for each in tokens]
        rows = [
            {
                "chunk_id": chunk_id,
                "space": space,
                "document_id": owner,
                "collection_id": collection,
                "offsets": each.offsets,
                "vectors": each.vectors,
            }
            for chunk_id, owner, each in zip(ids, owners, packed, strict=True)
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(insert(token_vectors).prefix_with("OR REPLACE"), rows)

    def drop_orphans(self) -> int:
        """Drop those without a chunk of a searchable document whose collection has their model; how many they were.

        For a start, before anything is in work; and for repairs, which leave what is in work alone.
        """
        with self._database.write() as connection:
            rows = list(connection.execute(_orphans()).scalars())
            for start in range(0, len(rows), BATCH):
                connection.execute(delete(token_vectors).where(token_vectors.c.row.in_(rows[start : start + BATCH])))
        return len(rows)

    def orphans(self) -> list[str]:
        """The chunk ids of those that `drop_orphans` would drop."""
        with self._database.read() as connection:
            return list(connection.execute(_orphans(token_vectors.c.chunk_id)).scalars())

    def missing(self, collection: int) -> list[str]:
        """The searchable chunks of a collection that have none."""
        kept = select(token_vectors.c.chunk_id)
        query = (
            select(chunks.c.id)
            .join(documents, chunks.c.document_id == documents.c.id)
            .where(documents.c.collection_id == collection, documents.c.live, chunks.c.id.not_in(kept))
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def drop_other_spaces(self, collection: int, space: str) -> None:
        """Drop what the chunks of a collection have in other spaces than this one."""
        with self._database.write() as connection:
            connection.execute(
                delete(token_vectors).where(token_vectors.c.collection_id == collection, token_vectors.c.space != space)
            )

    def bytes(self) -> int:
        """What they take, without the database's own overhead."""
        length = func.length(token_vectors.c.offsets) + func.length(token_vectors.c.vectors)
        with self._database.read() as connection:
            return int(connection.execute(select(func.coalesce(func.sum(length), 0))).scalar_one())


def drop_of(connection: Connection, collection: int, ids: Sequence[str]) -> None:
    """Drop the token vectors of documents of a collection, in the caller's transaction."""
    for start in range(0, len(ids), BATCH):
        connection.execute(
            delete(token_vectors).where(
                token_vectors.c.collection_id == collection,
                token_vectors.c.document_id.in_(ids[start : start + BATCH]),
            )
        )


def drop_chunkless(connection: Connection, collection: int) -> None:
    """Drop the token vectors of a collection that have no chunk, in the caller's transaction; nothing of it may be in
    work.
    """
    held = select(chunks.c.id).where(chunks.c.id == token_vectors.c.chunk_id)
    connection.execute(delete(token_vectors).where(token_vectors.c.collection_id == collection, ~held.exists()))


def _orphans(column: Any = token_vectors.c.row) -> Any:
    """Rows that no searchable chunk of their collection's model stands behind, and no work in progress."""
    model = collections.c.embedding_model
    rightful = (
        select(chunks.c.id)
        .join(documents, chunks.c.document_id == documents.c.id)
        .join(collections, documents.c.collection_id == collections.c.id)
        .where(
            chunks.c.id == token_vectors.c.chunk_id,
            collections.c.id == token_vectors.c.collection_id,
            documents.c.live,
            (token_vectors.c.space == model) | token_vectors.c.space.startswith(model + "+", autoescape=False),
        )
    )
    flying = select(documents.c.id).where(
        documents.c.id == token_vectors.c.document_id, documents.c.status.in_(IN_FLIGHT)
    )
    written = select(vector_writes.c.document_id).where(vector_writes.c.document_id == token_vectors.c.document_id)
    return select(column).where(~rightful.exists(), ~flying.exists(), ~written.exists())
