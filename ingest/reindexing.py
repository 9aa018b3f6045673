"""Making a collection's vectors anew beside the old ones, and putting them in their place while questions are answered.

Also how a collection gets another embedding model. Ingestion waits meanwhile; text, chunks and offsets stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.collections import CollectionCatalog
from catalog.engine import Database
from catalog.inspection import CatalogInspection
from ingest.embedding import embed_chunks
from ingest.pipeline import Pipeline
from rag.ports import Embedder
from rag.spaces import EmbeddingSpaces
from vectorstore.chroma import ChromaIndex
from vectorstore.replacement import drop_replaced, replace, shadow_of


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What came of it. `cut_short`: chunks longer than the model's window, whose ends its vectors do not know."""

    collection: str
    embedding_model: str
    chunks: int
    cut_short: int


class Reindexer:
    """Rebuilds one collection at a time. Thread-safe."""

    def __init__(
        self,
        database: Database,
        collections: CollectionCatalog,
        dense: ChromaIndex,
        spaces: EmbeddingSpaces,
        default: Embedder,
        pipeline: Pipeline,
    ) -> None:
        self._catalog = CatalogInspection(database)
        self._collections = collections
        self._dense = dense
        self._spaces = spaces
        self._default = default
        self._pipeline = pipeline

    def reindex(
        self, name: str, *, change_model: bool = False, progress: Callable[[int], None] = lambda _done: None
    ) -> Reindexed:
        """Make the vectors of a collection anew, with its own model or, to `change_model`, that of new collections.

        Raises:
            NotFoundError: no such collection.
            ConflictError: its model cannot be loaded here.
            UnavailableError: the disk is full, or the index does not answer. The old vectors stay.
        """
        collection = self._collections.get(name).id
        with self._pipeline.paused():
            embedder = self._default if change_model else self._spaces.of(collection).embedder
            shadow = shadow_of(collection)
            self._dense.delete_collection(shadow)
            wanted = list(self._catalog.chunk_ids(collection))
            long = self._cut_short(embedder, wanted)
            embed_chunks(self._catalog, embedder, self._dense, shadow, wanted, progress)
            replace(self._dense, collection, embedder.model_id)
            self._catalog.set_embedding_model(collection, embedder.model_id)
            drop_replaced(self._dense, collection)
            # what was deleted meanwhile was deleted from the old vectors
            living = self._catalog.chunk_ids(collection)
            gone = [chunk for chunk in self._dense.entries(collection) if chunk not in living]
            self._dense.delete_chunks(collection, gone)
        return Reindexed(name, embedder.model_id, len(living), long)

    def _cut_short(self, embedder: Embedder, wanted: list[str]) -> int:
        long = 0
        for _, _, texts in self._catalog.embedding_texts(wanted):
            long += sum(count > embedder.max_tokens for count in embedder.count_tokens(texts))
        return long
