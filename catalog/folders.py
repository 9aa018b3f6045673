"""Collections that follow a folder: what differs between a list of files and what a collection holds, and making it so.

Equal bytes are one document in a collection, so a file is told by its digest first and by its name second: a file that
got another name keeps its document. Owns the comparison and the transaction that moves and deletes; must not touch
files or vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, select, update

from catalog.documents import present, remove
from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.mappers import now
from catalog.tables import chunks, collections, documents
from rag.types import DocumentStatus

SOURCE = "synced_from"
"""The metadata key that names the folder which a document follows."""


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """What a folder holds: digests by name.

    `source` names the folder: only documents that follow it are deleted, unless `prune`, or unless it is None, which
    means all documents. Documents named in `keep` are left alone: their files are there but could not be read.
    """

    files: Mapping[str, str]
    source: str | None = None
    keep: frozenset[str] = frozenset()
    prune: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A document as the comparison sees it: the newest of its name, with the ids of `older` ones."""

    id: str
    name: str
    sha256: str
    status: str
    source: str | None
    older: tuple[str, ...] = ()


@dataclass(slots=True)
class SyncPlan:
    """What makes a collection equal to a folder. Lists of names; `move`: from name, to name.

    `kept`: documents that the folder does not have but that did not come from it. `failed`: unchanged files whose
    document failed before.
    """

    add: list[str] = field(default_factory=list)
    replace: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    move: list[tuple[str, str]] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)  # id: new name
    removed: list[str] = field(default_factory=list)  # ids
    adopted: list[str] = field(default_factory=list)  # ids


def compare(folder: FolderFiles, held: Iterable[Held]) -> SyncPlan:
    """The plan. Pure."""
    plan = SyncPlan()
    by_name = {document.name: document for document in held}
    by_digest: dict[str, list[Held]] = {}
    for document in by_name.values():
        if document.status != DocumentStatus.CANCELLED:
            by_digest.setdefault(document.sha256, []).append(document)
    names: dict[str, list[str]] = {}
    for name, digest in folder.files.items():
        names.setdefault(digest, []).append(name)
    settled: set[str] = set()  # documents that stay, move, or are replaced by their new version
    for digest, alike in names.items():
        settled |= _settle(plan, folder, alike, by_digest.get(digest, []), by_name)
    for document in by_name.values():
        if document.name in folder.keep or document.id in settled:
            continue
        if _follows(document, folder):
            plan.delete.append(document.name)
            plan.removed += [document.id, *document.older]
        else:
            plan.kept.append(document.name)
    return plan


def _settle(
    plan: SyncPlan, folder: FolderFiles, names: list[str], same: list[Held], by_name: Mapping[str, Held]
) -> set[str]:
    """Plan for files of equal bytes, `names`, and the documents that hold these bytes; the ids that are dealt with."""
    stays = next((document for document in same if document.name in names), None)
    stays = stays or next((document for document in same if not _follows(document, folder)), None)
    if stays is not None:
        plan.unchanged += names
        if stays.status == DocumentStatus.FAILED:
            plan.failed.append(stays.name)
        if folder.source is not None and stays.name in names and stays.source != folder.source:
            plan.adopted.append(stays.id)
        return {stays.id}
    for document in same:
        for name in names:
            if PurePosixPath(name).suffix.lower() == PurePosixPath(document.name).suffix.lower():
                plan.move.append((document.name, name))
                plan.renamed[document.id] = name
                plan.removed += document.older
                plan.unchanged += [other for other in names if other != name]
                if document.source != folder.source and folder.source is not None:
                    plan.adopted.append(document.id)
                return {document.id}
    known = next((name for name in names if name in by_name), None)
    chosen = known or names[0]
    (plan.replace if known else plan.add).append(chosen)
    plan.unchanged += [name for name in names if name != chosen]
    return {by_name[known].id} if known else set()


def _follows(document: Held, folder: FolderFiles) -> bool:
    mine = folder.source is None or document.source == folder.source or document.name in folder.files
    return mine or folder.prune


class FolderCatalog:
    """Compares and rearranges collections."""

    def __init__(self, database: Database, lexical: Fts5Index) -> None:
        self._database = database
        self._lexical = lexical

    def diff(self, collection: str, folder: FolderFiles) -> SyncPlan:
        """What would make the collection equal to the folder; one that does not exist holds nothing."""
        with self._database.read() as connection:
            return compare(folder, _held(connection, collection))

    def rearrange(self, collection: str, folder: FolderFiles) -> SyncPlan:
        """Move and delete as the plan says, in one transaction; what is to be added and replaced is left to uploads."""
        with self._database.write() as connection:
            plan = compare(folder, _held(connection, collection))
            remove(connection, self._lexical, plan.removed)
            for document_id, name in plan.renamed.items():
                _rename(connection, self._lexical, document_id, name)
            for document_id in plan.adopted:
                found = connection.execute(select(documents.c.metadata).where(documents.c.id == document_id)).scalar()
                given = {**(found or {}), SOURCE: folder.source}
                connection.execute(update(documents).where(documents.c.id == document_id).values(metadata=given))
        return plan


def _held(connection: Connection, collection: str) -> list[Held]:
    """The newest document of each name, in one read; what is in the trash is not held."""
    query = (
        select(
            documents.c.id, documents.c.filename, documents.c.sha256, documents.c.status, documents.c.metadata[SOURCE]
        )
        .join(collections)
        .where(collections.c.name == collection, present())
        .order_by(documents.c.created_at)
    )
    found: dict[str, Held] = {}
    for document_id, name, digest, status, source in connection.execute(query):
        older = found.get(name)
        ids = (*older.older, older.id) if older else ()
        found[name] = Held(document_id, name, digest, status, source, ids)
    return list(found.values())


def _rename(connection: Connection, lexical: Fts5Index, document_id: str, name: str) -> None:
    """Give a document another name; the keyword index holds names, the vectors do not."""
    collection = connection.execute(select(documents.c.collection_id).where(documents.c.id == document_id)).scalar()
    connection.execute(update(documents).where(documents.c.id == document_id).values(filename=name, updated_at=now()))
    query = select(chunks.c.row, chunks.c.heading, chunks.c.text).where(chunks.c.document_id == document_id)
    rows: Sequence[Any] = connection.execute(query).all()
    if rows and collection is not None:
        lexical.delete(connection, collection, [row.row for row in rows])
        lexical.add(connection, collection, [(row.row, name, row.heading, row.text) for row in rows])
