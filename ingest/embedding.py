"""Vectors made again from the catalog, for repairs and for another model; ingestion itself is in pipeline.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catalog.inspection import CatalogInspection
from rag.ports import DenseIndex, Embedder


def embed_chunks(
    catalog: CatalogInspection,
    embedder: Embedder,
    dense: DenseIndex,
    space: int,
    chunk_ids: Sequence[str],
    progress: Callable[[int], None] = lambda _done: None,
) -> None:
    """Embed chunks by their ids and store their vectors in `space`; `progress` hears how many are done.

    Raises:
        UnavailableError: the index does not take them.
    """
    done = 0
    for ids, owners, texts in catalog.embedding_texts(chunk_ids):
        if ids:  # they may have been deleted since
            dense.upsert(space, ids, embedder.embed_documents(texts), owners)
        done += len(ids)
        progress(done)
