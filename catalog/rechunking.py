"""Giving the documents of a collection other chunks, in one transaction: what `reindex --change-chunking` publishes.

Text, pages and citations stay as they are; only the spans that are searched change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.mappers import now
from catalog.tables import chunks, collections, documents, texts
from catalog.token_vectors import drop_chunkless
from rag.types import Chunk, Heading, PageSpan, ParsedDocument


@dataclass(frozen=True, slots=True)
class Cut:
    """A chunk without its text, which is the document's at its offsets."""

    id: str
    chunk: Chunk


class Rechunking:
    """Reads what is to be cut, and publishes the cuts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lexical = Fts5Index(database.read)

    def documents(self, collection: int) -> Iterator[tuple[str, ParsedDocument]]:
        """Id, and text with its structure, of each searchable document."""
        with self._database.read() as connection:
            ids = list(connection.execute(_living(collection)).scalars())
        for own in ids:
            with self._database.read() as connection:
                row = connection.execute(select(texts).where(texts.c.document_id == own)).first()
            if row is not None:  # it may have been deleted since
                pages = tuple(PageSpan(*page) for page in row.pages or ())
                yield own, ParsedDocument(row.text, pages, tuple(Heading(*each) for each in row.headings or ()))

    def publish(
        self,
        collection: int,
        cuts: Mapping[str, Sequence[Cut]],
        *,
        embedding_model: str,
        recipe: str,
        before_commit: Callable[[], None],
    ) -> None:
        """Put the cuts of each document in the place of its chunks. `before_commit` swaps the vectors."""
        with self._database.write() as connection:
            rows = select(chunks.c.row).join(documents).where(documents.c.collection_id == collection)
            self._lexical.delete(connection, collection, list(connection.execute(rows).scalars()))
            for own in connection.execute(_living(collection)).scalars().all():
                if own in cuts:
                    connection.execute(delete(chunks).where(chunks.c.document_id == own))
                    self._insert(connection, collection, own, cuts[own])
            drop_chunkless(connection, collection)
            connection.execute(
                update(collections)
                .where(collections.c.id == collection)
                .values(embedding_model=embedding_model, recipe=recipe)
            )
            before_commit()

    def _insert(self, connection: Connection, collection: int, own: str, cuts: Sequence[Cut]) -> None:
        name = connection.execute(select(documents.c.filename).where(documents.c.id == own)).scalar_one()
        text = connection.execute(select(texts.c.text).where(texts.c.document_id == own)).scalar_one()
        first = connection.execute(select(func.coalesce(func.max(chunks.c.row), 0))).scalar_one() + 1
        numbered = [(row, cut, text[cut.chunk.start : cut.chunk.end]) for row, cut in enumerate(cuts, start=first)]
        if numbered:
            connection.execute(
                insert(chunks),
                [
                    {
                        "row": row,
                        "id": cut.id,
                        "document_id": own,
                        "ordinal": cut.chunk.ordinal,
                        "char_start": cut.chunk.start,
                        "char_end": cut.chunk.end,
                        "page": cut.chunk.page,
                        "page_end": cut.chunk.page_end,
                        "heading": cut.chunk.heading,
                        "text": part,
                    }
                    for row, cut, part in numbered
                ],
            )
            self._lexical.add(
                connection, collection, [(row, name, cut.chunk.heading, part) for row, cut, part in numbered]
            )
        count = len(numbered)
        connection.execute(
            update(documents)
            .where(documents.c.id == own)
            .values(chunks=count, progress_done=count, progress_total=count, updated_at=now())
        )


def _living(collection: int) -> Any:
    return select(documents.c.id).where(documents.c.collection_id == collection, documents.c.live)
