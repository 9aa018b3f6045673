"""Chunks to vectors: the one place where a chunk's text meets the embedder, and where what comes of it is stored.

Of each chunk one vector goes to the dense index, and the vectors of its tokens to the catalog, both of the same forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.audit import CatalogAudit
from catalog.token_vectors import TokenVectorCatalog
from rag.ports import DenseIndex, Embedder
from rag.types import Chunk
from rag.vectors import TokenVectors, Vectors


@dataclass(frozen=True, slots=True)
class EmbeddedChunks:
    """Chunks of one collection with their vectors; `owners[i]` is the document of chunk i, `space` the embedder's token space."""

    ids: Sequence[str]
    owners: Sequence[str]
    vectors: Vectors
    tokens: Sequence[TokenVectors]
    space: str


def embed(embedder: Embedder, ids: Sequence[str], owners: Sequence[str], chunks: Sequence[Chunk]) -> EmbeddedChunks:
    """Embed chunks; the offsets of their tokens count from where the chunk's own text begins."""
    encoded = embedder.encode_documents([chunk.embedding_text for chunk in chunks])
    tokens = [
        TokenVectors(each.offsets - np.int32(chunk.text_begins), each.vectors)
        for each, chunk in zip(encoded.tokens, chunks, strict=True)
    ]
    return EmbeddedChunks(ids, owners, encoded.vectors, tokens, embedder.token_space)


class ChunkVectors:
    """Stores what `embed` gives."""

    def __init__(self, dense: DenseIndex, tokens: TokenVectorCatalog) -> None:
        self._dense = dense
        self._tokens = tokens

    def store(self, collection: int, part: EmbeddedChunks, *, dense_space: int | None = None) -> None:
        """Keep the vectors of chunks of a collection; those of the dense index under `dense_space` where it is given.

        Raises:
            UnavailableError: the index does not take them, or the disk is full.
        """
        self._tokens.store(collection, part.space, part.ids, part.owners, part.tokens)
        self._dense.upsert(dense_space if dense_space is not None else collection, part.ids, part.vectors, part.owners)

    def embed_again(
        self,
        catalog: CatalogAudit,
        embedder: Embedder,
        collection: int,
        chunk_ids: Sequence[str],
        progress: Callable[[int], None] = lambda _done: None,
        *,
        dense_space: int | None = None,
    ) -> None:
        """Embed chunks by their ids, for repairs and for another model; `progress` hears how many are done.

        Raises:
            UnavailableError: as `store`.
        """
        done = 0
        for ids, owners, chunks in catalog.embedding_chunks(chunk_ids):
            if ids:  # they may have been deleted since
                self.store(collection, embed(embedder, ids, owners, chunks), dense_space=dense_space)
            done += len(ids)
            progress(done)
