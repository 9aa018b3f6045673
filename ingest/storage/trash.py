"""Deleting with a way back: into the trash, out of it, and for good."""

from __future__ import annotations

from catalog.trash import TrashCatalog
from ingest.storage.library import Library
from rag.types import Document


class Trash:
    """What the REST API and the command line ask about the trash. Thread-safe.

    The catalog's transaction comes first in each step, so that a stop anywhere leaves a document wholly here or there: vectors
    that are still to go are noted in it, files without a row go at the next start.
    """

    def __init__(self, catalog: TrashCatalog, library: Library) -> None:
        self._catalog = catalog
        self._library = library

    def put(self, document_id: str) -> Document:
        """Put a document into the trash: when this returns it is in neither index. Raises NotFoundError."""
        found = self._catalog.trash(document_id)
        self._library.unindexed(document_id)
        return found

    def restore(self, document_id: str) -> Document:
        """Take a document out of the trash, to be indexed again. Raises NotFoundError, ConflictError."""
        found = self._catalog.restore(document_id)
        self._library.wake()
        return found

    def empty(self, collection: str | None = None) -> int:
        """Delete what is in the trash, or in that of one collection, for good; how many documents. Raises NotFoundError."""
        number = 0
        while ids := self._catalog.empty(collection):
            self._library.forget(ids)
            number += len(ids)
        return number
