"""Making a collection's vectors anew beside the old ones, and putting them in their place while questions are answered.

Also how a collection gets another embedding model or other chunks. Ingestion waits meanwhile; text and citations stay as they
are.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replace_fields

from catalog.audit import BATCH, CatalogAudit
from catalog.collections import CollectionCatalog, identity
from catalog.engine import Database
from catalog.rechunking import Cut, Rechunking
from catalog.token_vectors import TokenVectorCatalog
from ingest.pipeline.chunking import chunk_document
from ingest.pipeline.embedding import ChunkVectors, embed
from ingest.pipeline.pipeline import Pipeline
from rag.ports import Embedder
from rag.retrieval.embedding_spaces import EmbeddingSpaces
from vectorstore.chroma import ChromaIndex
from vectorstore.index_swap import drop_replaced, replace, shadow_of


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What came of it. `cut_short`: chunks longer than the model's window, whose ends its vectors do not know; `recipe`: how
    they are cut.
    """

    collection: str
    embedding_model: str
    chunks: int
    cut_short: int
    recipe: str = ""


class Reindexer:
    """Rebuilds one collection at a time. Thread-safe."""

    def __init__(
        self,
        database: Database,
        collections: CollectionCatalog,
        dense: ChromaIndex,
        tokens: TokenVectorCatalog,
        spaces: EmbeddingSpaces,
        default: Embedder,
        pipeline: Pipeline,
    ) -> None:
        self._catalog = CatalogAudit(database)
        self._recutting = Rechunking(database)
        self._collections = collections
        self._dense = dense
        self._tokens = tokens
        self._vectors = ChunkVectors(dense, tokens)
        self._spaces = spaces
        self._default = default
        self._pipeline = pipeline

    def reindex(
        self,
        name: str,
        *,
        change_model: bool = False,
        change_chunking: bool = False,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Reindexed:
        """Make the vectors of a collection anew, with its own model or, to `change_model`, that of new collections; to
        `change_chunking`, of its documents cut anew as in new collections.

        Raises:
            NotFoundError: no such collection.
            ConflictError: its model cannot be loaded here.
            UnavailableError: the disk is full, or the index does not answer. The old vectors stay.
        """
        collection = self._collections.get(name).id
        with self._pipeline.paused():
            embedder = self._default if change_model else self._spaces.of(collection).embedder
            self._dense.delete_collection(shadow_of(collection))
            if change_chunking:
                long = self._recut(collection, embedder, progress)
            else:
                long = self._again(collection, embedder, progress)
            drop_replaced(self._dense, collection)
            self._tokens.drop_other_spaces(collection, embedder.token_space)
            # what was deleted meanwhile was deleted from the old vectors
            living = self._catalog.chunk_ids(collection)
            gone = [chunk for chunk in self._dense.entries(collection) if chunk not in living]
            self._dense.delete_chunks(collection, gone)
            self._tokens.drop_orphans()
        return Reindexed(name, embedder.model_id, len(living), long, self._collections.get(name).recipe)

    def _again(self, collection: int, embedder: Embedder, progress: Callable[[int], None]) -> int:
        """The same chunks; how many are longer than the window."""
        wanted = list(self._catalog.chunk_ids(collection))
        long = self._cut_short(embedder, wanted)
        self._vectors.embed_again(
            self._catalog, embedder, collection, wanted, progress, dense_space=shadow_of(collection)
        )
        recipe = self._collections.stored_recipe(collection)
        replace(self._dense, collection, identity(embedder.model_id, recipe))
        self._catalog.set_embedding_model(collection, embedder.model_id)
        return long

    def _recut(self, collection: int, embedder: Embedder, progress: Callable[[int], None]) -> int:
        """Other chunks, under ids that no chunk had before; none is longer than the window."""
        recipe, tag = self._collections.default_recipe, secrets.token_hex(2)
        shadow = shadow_of(collection)
        cuts: dict[str, list[Cut]] = {}
        done = 0
        for own, document in self._recutting.documents(collection):
            found = chunk_document(document, embedder, target_tokens=recipe.tokens)
            cuts[own] = [Cut(f"{own}-{tag}.{chunk.ordinal}", replace_fields(chunk, text="")) for chunk in found]
            for start in range(0, len(found), BATCH):
                part = slice(start, start + BATCH)
                ids = [cut.id for cut in cuts[own][part]]
                embedded = embed(embedder, ids, [own] * len(ids), found[part])
                self._vectors.store(collection, embedded, dense_space=shadow)
                done += len(ids)
                progress(done)
        made_by = identity(embedder.model_id, str(recipe))
        self._recutting.publish(
            collection,
            cuts,
            embedding_model=embedder.model_id,
            recipe=str(recipe),
            # as the last thing, so that the moment in which vectors and chunks do not fit is short
            before_commit=lambda: replace(self._dense, collection, made_by),
        )
        return 0

    def _cut_short(self, embedder: Embedder, wanted: list[str]) -> int:
        long = 0
        for _, _, chunks in self._catalog.embedding_chunks(wanted):
            counts = embedder.count_tokens([chunk.embedding_text for chunk in chunks])
            long += sum(count > embedder.max_tokens for count in counts)
        return long
