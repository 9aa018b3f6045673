"""What `doctor` finds: the catalog, both indexes and the uploads held against each other. Changes nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path

from catalog.audit import CatalogAudit, StoredFile
from catalog.token_vectors import TokenVectorCatalog
from ingest.storage.data_folder import DataFolder
from ingest.storage.folder_identity import catalog_of
from vectorstore.chroma import ChromaIndex
from vectorstore.probe import SAMPLES, is_sound, lost_vectors

_BLOCK = 1 << 20
# Squared lengths of vectors that were of length 1 before they were stored in single precision.
MIN_LENGTH, MAX_LENGTH = 0.9, 1.1


@dataclass(slots=True)
class Findings:
    """What is wrong, by kind; chunks and vectors by collection id. Every list is empty in a healthy folder."""

    catalog_damage: list[str] = field(default_factory=list)
    vector_index_damaged: list[str] = field(default_factory=list)
    chunks_without_vector: dict[int, list[str]] = field(default_factory=dict)
    vectors_damaged: dict[int, list[str]] = field(default_factory=dict)
    vectors_without_chunk: dict[int, list[str]] = field(default_factory=dict)
    chunks_without_token_vectors: dict[int, list[str]] = field(default_factory=dict)
    token_vectors_without_chunk: list[str] = field(default_factory=list)
    spaces_without_collection: list[int] = field(default_factory=list)
    chunks_without_keywords: dict[int, list[int]] = field(default_factory=dict)
    keywords_without_chunk: dict[int, list[int]] = field(default_factory=dict)
    keyword_indexes_without_collection: list[int] = field(default_factory=list)
    wrong_offsets: list[str] = field(default_factory=list)
    wrong_number_of_chunks: list[str] = field(default_factory=list)
    files_without_row: list[str] = field(default_factory=list)
    rows_without_file: list[str] = field(default_factory=list)
    files_changed: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        found: dict[str, int] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            found[each.name] = sum(map(len, value.values())) if isinstance(value, dict) else len(value)
        return found

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.counts().values())


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is: numbers of rows, and bytes on disk. `trashed`: documents in the trash, beside the others."""

    documents: int
    trashed: int
    chunks: int
    vectors: int
    catalog_bytes: int
    uploads_bytes: int
    vectors_bytes: int


def check_integrity(folder: DataFolder) -> tuple[Findings, Sizes]:
    """Look at everything in a data folder, which the caller owns.

    The vector index is looked at from outside first. A damaged one is not opened, for that may end the process.

    Raises:
        ConfigurationError: the catalog cannot be opened, or is not this folder's.
    """
    sound = is_sound(folder.vectors)
    with catalog_of(folder) as database, closing(ChromaIndex(folder.vectors)) as dense:
        catalog = CatalogAudit(database)
        findings = Findings(catalog_damage=catalog.integrity())
        findings.wrong_offsets, findings.wrong_number_of_chunks = catalog.wrong_documents()
        if sound:
            vectors = _compare_vectors(findings, catalog, dense if folder.vectors.exists() else None)
        else:
            findings.vector_index_damaged, vectors = [folder.vectors.name], 0
        _compare_token_vectors(findings, catalog, TokenVectorCatalog(database))
        _compare_keywords(findings, catalog)
        _compare_files(findings, catalog.files(), folder)
        numbers = catalog.statistics()
    sizes = Sizes(
        numbers["documents"],
        numbers["trashed"],
        numbers["chunks"],
        vectors,
        folder.catalog_bytes(),
        _bytes_below(folder.uploads),
        _bytes_below(folder.vectors),
    )
    return findings, sizes


def _compare_vectors(findings: Findings, catalog: CatalogAudit, dense: ChromaIndex | None) -> int:
    known = catalog.collections()
    spaces = dense.spaces() if dense else []
    findings.spaces_without_collection = [space for space in spaces if space not in known]
    unsettled = catalog.unsettled()
    total = 0
    for collection in known:
        wanted = catalog.chunk_ids(collection)
        present, damaged = _vectors(dense, collection) if dense and collection in spaces else ({}, [])
        if damaged:
            findings.vectors_damaged[collection] = damaged
        total += len(present)
        if missing := [chunk for chunk in wanted if chunk not in present]:
            findings.chunks_without_vector[collection] = missing
        extra = [chunk for chunk, owner in present.items() if chunk not in wanted and owner not in unsettled]
        if extra:
            findings.vectors_without_chunk[collection] = extra
    return total


def _vectors(dense: ChromaIndex, collection: int) -> tuple[dict[str, str], list[str]]:
    """The document of each vector of a collection, and the chunks whose vector is none, has another size than most, or is
    not found by a search for it (of a sample).
    """
    owners: dict[str, str] = {}
    damaged: list[str] = []
    sizes: Counter[int] = Counter()
    for ids, documents, vectors in dense.pages(collection):
        owners.update(zip(ids, documents, strict=True))
        sizes[vectors.shape[1]] += len(ids)
        lengths = (vectors * vectors).sum(axis=1)
        sane = (lengths > MIN_LENGTH) & (lengths < MAX_LENGTH)  # false for what is not a number
        damaged += [chunk for chunk, good in zip(ids, sane, strict=True) if not good]
        if vectors.shape[1] != sizes.most_common(1)[0][0]:
            damaged += ids
        step = max(1, len(ids) // SAMPLES)
        damaged += lost_vectors(dense, collection, ids[::step], vectors[::step])
    return owners, list(dict.fromkeys(damaged))


def _compare_token_vectors(findings: Findings, catalog: CatalogAudit, tokens: TokenVectorCatalog) -> None:
    findings.token_vectors_without_chunk = tokens.orphans()
    for collection in catalog.collections():
        if missing := tokens.missing(collection):
            findings.chunks_without_token_vectors[collection] = missing


def _compare_keywords(findings: Findings, catalog: CatalogAudit) -> None:
    known = catalog.collections()
    findings.keyword_indexes_without_collection = [each for each in catalog.keyword_tables() if each not in known]
    for collection in known:
        extra, missing = catalog.keywords(collection)
        if extra:
            findings.keywords_without_chunk[collection] = extra
        if missing:
            findings.chunks_without_keywords[collection] = missing


def _compare_files(findings: Findings, files: list[StoredFile], folder: DataFolder) -> None:
    known = {file.id for file in files}
    orphans = [path for path in folder.originals() if path.name not in known]
    orphans += list(folder.incoming.glob("*"))
    findings.files_without_row = [path.relative_to(folder.uploads).as_posix() for path in orphans]
    for file in files:
        path = folder.original(file.id)
        if not path.exists():
            findings.rows_without_file.append(file.id)
        elif path.stat().st_size != file.bytes or (file.bytes and _digest(path) != file.sha256):
            findings.files_changed.append(file.id)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
