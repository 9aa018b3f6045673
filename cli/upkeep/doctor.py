"""`docent doctor [--repair]`: holds catalog, indexes and uploads against each other, and mends what can be mended.

Vectors and keywords are derived, so they are made again from the catalog; text is made again from the upload. A lost or
changed upload cannot be made again: it is named. Uploads that the catalog does not know become documents again, also where the
whole catalog was lost.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from catalog.audit import CatalogAudit
from cli.session import open_services, require_catalog
from ingest.pipeline.embedding import ChunkVectors
from ingest.pipeline.index_repair import begin_anew
from ingest.storage.folder_identity import close_catalog, open_catalog
from ingest.storage.integrity_check import Findings, Sizes, check_integrity
from ingest.storage.recovery import take_in
from vectorstore.owner import Ownership

if TYPE_CHECKING:
    from catalog.token_vectors import TokenVectorCatalog
    from ingest.pipeline.pipeline import Pipeline
    from ingest.storage.data_folder import DataFolder
    from ingest.storage.library import Library
    from rag.retrieval.embedding_spaces import EmbeddingSpaces
    from rag.settings import Settings
    from vectorstore.chroma import ChromaIndex
    from wiring import Services

SHOWN = 5
AT_ONCE = 64
DEFAULT_COLLECTION = "default"
RECOVERED = "recovered"


def run(settings: Settings, *, mend: bool, as_json: bool) -> int:
    """Carry the command out; 1 when something is (or remains) wrong."""
    folder = require_catalog(settings)
    with Ownership(folder.path):
        if mend:
            close_catalog(folder, open_catalog(folder, adopt=True))
        found, sizes = check_integrity(folder)
    before = found.counts()
    if mend and not found.healthy:
        if found.vector_index_damaged:
            with Ownership(folder.path):
                begin_anew(folder.vectors)  # and the services make its vectors again when they start
        with open_services(settings) as services:
            catalog = CatalogAudit(services.database)
            repair(
                found,
                catalog,
                services.dense,
                services.token_vectors,
                services.spaces,
                services.library,
                services.pipeline,
            )
            take_in_unknown(services, folder)
        with Ownership(folder.path):
            found, sizes = check_integrity(folder)
    _show(found, sizes, before if mend else None, as_json=as_json)
    return 0 if found.healthy else 1


def take_in_unknown(services: Services, folder: DataFolder) -> None:
    """Make documents of the files that the catalog does not know, in the default collection if it knows none at all."""
    unknown = services.library.unknown_files()
    if not unknown:
        return
    collection = services.collections.ensure_writable(RECOVERED if services.documents.ids() else DEFAULT_COLLECTION)
    for start in range(0, len(unknown), AT_ONCE):
        known = CatalogAudit(services.database).files()
        take_in(folder, services.ingestion, collection, unknown[start : start + AT_ONCE], known)
        services.pipeline.wake()
        while not services.pipeline.wait(60):
            pass


def repair(
    found: Findings,
    catalog: CatalogAudit,
    dense: ChromaIndex,
    tokens: TokenVectorCatalog,
    spaces: EmbeddingSpaces,
    library: Library,
    pipeline: Pipeline,
) -> None:
    """Mend what was found. What a cut-off upload left went when the services started; the pipeline must run."""
    for space in found.spaces_without_collection:
        dense.delete_collection(space)
    for collection, chunks in found.vectors_without_chunk.items():
        dense.delete_chunks(collection, chunks)
    for collection in found.keyword_indexes_without_collection:
        catalog.drop_keywords(collection)
    for collection in {*found.keywords_without_chunk, *found.chunks_without_keywords}:
        catalog.repair_keywords(collection)
    tokens.drop_orphans()
    lost = set(found.rows_without_file)
    wrong = {*found.wrong_offsets, *found.wrong_number_of_chunks} - lost
    catalog.queue_again(sorted(wrong))
    library.forget_vectors()
    vectors = ChunkVectors(dense, tokens)
    for collection in {*found.chunks_without_vector, *found.vectors_damaged, *found.chunks_without_token_vectors}:
        damaged = found.vectors_damaged.get(collection, [])
        dense.delete_chunks(collection, damaged)
        bare = found.chunks_without_token_vectors.get(collection, [])
        again = dict.fromkeys([*found.chunks_without_vector.get(collection, []), *damaged, *bare])
        vectors.embed_again(catalog, spaces.of(collection).embedder, collection, list(again))
    pipeline.wake()
    while not pipeline.wait(60):
        pass


def _show(found: Findings, sizes: Sizes, before: dict[str, int] | None, *, as_json: bool) -> None:
    if as_json:
        facts = {"healthy": found.healthy, "sizes": asdict(sizes), "counts": found.counts(), "findings": asdict(found)}
        print(json.dumps({**facts, **({} if before is None else {"before": before})}, ensure_ascii=False))
        return
    for kind, count in (before or {}).items():
        if count:
            print(f"{kind.replace('_', ' ')}: {count} found, {count - found.counts()[kind]} repaired")
    for kind, items in asdict(found).items():
        listed = [item for part in items.values() for item in part] if isinstance(items, dict) else items
        if listed:
            more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
            print(f"{kind.replace('_', ' ')}: {len(listed)} ({', '.join(map(str, listed[:SHOWN]))}{more})")
    verdict = "Nothing is wrong" if found.healthy else "Something is wrong"
    trashed = f", {sizes.trashed} in the trash" if sizes.trashed else ""
    print(
        f"{verdict}: {sizes.documents} documents{trashed}, {sizes.chunks} chunks, {sizes.vectors} vectors; "
        f"{_megabytes(sizes)}."
    )


def _megabytes(sizes: Sizes) -> str:
    parts = {"catalog": sizes.catalog_bytes, "uploads": sizes.uploads_bytes, "vectors": sizes.vectors_bytes}
    return ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in parts.items())
