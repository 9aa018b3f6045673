"""A vector index that was lost or damaged, made again from the catalog at a start; a note on disk outlives another stop."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from catalog.audit import CatalogAudit
from ingest.pipeline.embedding import ChunkVectors
from rag.errors import ConflictError
from rag.retrieval.embedding_spaces import EmbeddingSpaces
from vectorstore.chroma import ChromaIndex
from vectorstore.probe import is_sound, set_aside

NOTE = "chroma.rebuild"

log = logging.getLogger(__name__)


def check_vectors(folder: Path, dense: ChromaIndex) -> None:
    """After an unclean stop, before `folder` is opened: look at the index from outside, and begin anew if it is damaged."""
    if dense.was_left_open and not is_sound(folder):
        begin_anew(folder)


def begin_anew(folder: Path) -> None:
    """Put a damaged index aside, and note that its vectors are to be made again."""
    folder.with_name(NOTE).touch()
    log.error("the damaged vector index is now %s; all vectors are made again", set_aside(folder).name)


def repair_vectors(
    folder: Path,
    catalog: CatalogAudit,
    dense: ChromaIndex,
    vectors: ChunkVectors,
    spaces: EmbeddingSpaces,
    report: Callable[[str], None] = lambda _: None,
) -> int:
    """Make the vectors that are missing, if there is a note that some are; how many were made.

    Raises:
        UnavailableError: the index does not take them. The note stays.
    """
    note = folder.with_name(NOTE)
    if not note.exists():
        return 0
    made = 0
    for collection, name in catalog.collections().items():
        present = dense.entries(collection)
        missing = [chunk for chunk in catalog.chunk_ids(collection) if chunk not in present]
        try:
            embedder = spaces.of(collection).embedder
        except ConflictError as error:
            log.error("the vectors of %s are not made again: %s", name, error.message)
            continue

        def told(done: int, name: str = name, total: int = len(missing)) -> None:
            report(f"the vector index was damaged; vectors of {name}: {done} of {total} made again")

        told(0)
        vectors.embed_again(catalog, embedder, collection, missing, told)
        made += len(missing)
    shutil.rmtree(folder.with_name(f"{folder.name}.damaged"), ignore_errors=True)
    note.unlink()
    log.info("made %d vectors again", made)
    return made
