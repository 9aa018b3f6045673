"""The trash: documents whose text is in no index and in no table any more, and whose row and original are kept until
they are restored or deleted for good.

A document in the trash has the status `trashed`; `updated_at` says since when, for nothing else may change it there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from catalog.documents import joined, present, refuse_alike, remove, unindex
from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.mappers import now, to_document
from catalog.tables import collections, documents
from rag.errors import NotFoundError
from rag.types import Document, DocumentStatus

EMPTIED_AT_ONCE = 100
"""Documents that leave the trash in one transaction, so that others get their turn to write."""


class TrashCatalog:
    """Puts documents into the trash, takes them out, and empties it."""

    def __init__(self, database: Database, lexical: Fts5Index) -> None:
        self._database = database
        self._lexical = lexical

    def trash(self, document_id: str) -> Document:
        """Take a document out of search and put it into the trash; one that is there stays as it is.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.write() as connection:
            if _document(connection, document_id).status != DocumentStatus.TRASHED:
                unindex(connection, self._lexical, document_id)
                # the reason of a failure stays: it is what a failed document comes back with
                _set(connection, document_id, status=DocumentStatus.TRASHED)
            return _document(connection, document_id)

    def restore(self, document_id: str) -> Document:
        """Take a document out of the trash: queued to be indexed again, or failed again where it had failed.

        One that is not in the trash stays as it is.

        Raises:
            NotFoundError: there is none.
            ConflictError: its collection has by now a document of that name or with these bytes; details hold its id.
        """
        with self._database.write() as connection:
            found = _document(connection, document_id)
            if found.status == DocumentStatus.TRASHED:
                collection = select(documents.c.collection_id).where(documents.c.id == document_id)
                refuse_alike(connection, connection.execute(collection).scalar_one(), found)
                status = DocumentStatus.FAILED if found.error_code else DocumentStatus.QUEUED
                _set(connection, document_id, status=status, attempts=0)
            return _document(connection, document_id)

    def empty(self, collection: str | None) -> list[str]:
        """Delete up to `EMPTIED_AT_ONCE` documents of the trash, or of one collection's; their ids.

        Raises:
            NotFoundError: no such collection.
        """
        wanted = select(documents.c.id).where(~present())
        with self._database.write() as connection:
            if collection is not None:
                own = connection.execute(select(collections.c.id).where(collections.c.name == collection)).scalar()
                if own is None:
                    raise NotFoundError(f"There is no collection {collection!r}.", code="collection_not_found")
                wanted = wanted.where(documents.c.collection_id == own)
            ids = list(connection.execute(wanted.limit(EMPTIED_AT_ONCE)).scalars())
            remove(connection, self._lexical, ids)
        return ids


def _document(connection: Any, document_id: str) -> Document:
    row = connection.execute(joined().where(documents.c.id == document_id)).first()
    if row is None:
        raise NotFoundError(f"There is no document {document_id[:64]!r}.", code="document_not_found")
    return to_document(row)


def _set(connection: Any, document_id: str, **values: Any) -> None:
    changed = {"live": False, "chunks": 0, "progress_done": 0, "progress_total": 0, "updated_at": now(), **values}
    connection.execute(update(documents).where(documents.c.id == document_id).values(**changed))
