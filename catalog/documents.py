"""Documents, their text and their chunks: what the catalog can be asked, and the edits a person makes.

The steps of ingestion are in ingestion.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.collections import CollectionCatalog
from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.mappers import now, to_document, to_passage
from catalog.tables import (
    answer_citations,
    answers,
    chunks,
    collections,
    documents,
    file_deletions,
    texts,
    vector_deletions,
)
from catalog.token_vectors import drop_of
from rag.errors import ConflictError, InvalidRequestError, NotFoundError
from rag.types import Document, DocumentStatus, Heading, PageSpan, Passage, Section

REMOVED_ANSWER = "(removed with the document that it cited)"
ACTIVE = "active"
_VARIABLES = 500
"""Ids in one statement; SQLite takes 32,766 variables, older builds 999."""
_MOVING = [status for status in DocumentStatus if not status.terminal]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; `total` counts all matches."""

    items: list[Any]
    total: int


class DocumentCatalog:
    """Reads documents and implements `rag.ports.PassageStore`; deletes and edits."""

    def __init__(self, database: Database, lexical: Fts5Index, collection_catalog: CollectionCatalog) -> None:
        self._database = database
        self._lexical = lexical
        self._collections = collection_catalog

    def document(self, document_id: str) -> Document:
        """One document. Raises NotFoundError."""
        with self._database.read() as connection:
            row = connection.execute(joined().where(documents.c.id == document_id)).first()
        if row is None:
            raise NotFoundError(f"There is no document {document_id[:64]!r}.", code="document_not_found")
        return to_document(row)

    def find(
        self,
        *,
        collection: str | None = None,
        status: str | None = None,
        q: str | None = None,
        sort: str = "-created",
        page: int = 1,
        limit: int = 50,
    ) -> Page:
        """Documents in the order of `sort` (a key of `_ORDERS`, with `-` before it from high to low).

        `q` is part of the file name, without regard to case; the status `active` stands for all that are on their way.
        What is in the trash is listed by the status `trashed` only.
        """
        conditions = [] if status == DocumentStatus.TRASHED else [present()]
        if collection is not None:
            conditions.append(collections.c.name == collection)
        if status is not None:
            conditions.append(documents.c.status.in_(_MOVING if status == ACTIVE else [status]))
        if q:
            conditions.append(documents.c.filename.icontains(q, autoescape=True))
        query = joined().where(*conditions)
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            rows = connection.execute(query.order_by(*_order(sort)).limit(limit).offset((page - 1) * limit))
            return Page([to_document(row) for row in rows], total)

    def text(self, document_id: str, *, start: int = 0, end: int | None = None) -> str:
        """The document's text, or characters [start, end) of it. Raises NotFoundError, ConflictError."""
        length = None if end is None else max(0, end - start)
        part = func.substr(texts.c.text, start + 1) if length is None else func.substr(texts.c.text, start + 1, length)
        with self._database.read() as connection:
            found = connection.execute(select(part).where(texts.c.document_id == document_id)).scalar()
        if found is None:
            document = self.document(document_id)
            raise ConflictError(
                f"{document.filename!r} has no text: its status is {document.status}.", code="document_not_indexed"
            )
        return str(found)

    def outline(self, document_id: str) -> tuple[int, list[Heading]]:
        """The length of the document's text in characters, and its headings. Raises NotFoundError, ConflictError."""
        with self._database.read() as connection:
            query = select(func.length(texts.c.text), texts.c.headings).where(texts.c.document_id == document_id)
            found = connection.execute(query).first()
        if found is None:
            self.text(document_id)  # says why
            return 0, []
        return found[0], [Heading(*heading) for heading in found[1] or ()]

    def pages(self, document_id: str) -> list[PageSpan]:
        """See `rag.ports.PassageStore.pages`."""
        with self._database.read() as connection:
            found = connection.execute(select(texts.c.pages).where(texts.c.document_id == document_id)).scalar()
        return [PageSpan(*page) for page in found or ()]

    def chunks(self, document_id: str, *, page: int = 1, limit: int = 50) -> Page:
        """The document's chunks in order. Raises NotFoundError."""
        self.document(document_id)
        with self._database.read() as connection:
            query = passages_query().where(chunks.c.document_id == document_id)
            total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            rows = connection.execute(query.order_by(chunks.c.ordinal).limit(limit).offset((page - 1) * limit))
            return Page([to_passage(row) for row in rows], total)

    def passages(self, chunk_ids: Sequence[str]) -> dict[str, Passage]:
        """See `rag.ports.PassageStore.passages`."""
        with self._database.read() as connection:
            rows = connection.execute(passages_query().where(documents.c.live, chunks.c.id.in_(chunk_ids)))
            return {row.id: to_passage(row) for row in rows}

    def sections(self, passages: Sequence[Passage], *, reach: int) -> list[Section]:
        """See `rag.ports.PassageStore.sections`."""
        own, near = chunks.alias("own"), chunks.alias("near")
        query = (
            select(own.c.id, near.c.id.label("near"), near.c.ordinal, near.c.char_start, near.c.char_end)
            .join(near, (near.c.document_id == own.c.document_id) & near.c.heading.is_not_distinct_from(own.c.heading))
            .where(own.c.id.in_([item.chunk_id for item in passages]))
            .where(near.c.ordinal.between(own.c.ordinal - reach, own.c.ordinal + reach))
            .order_by(own.c.id, near.c.ordinal)
        )
        with self._database.read() as connection:
            rows: dict[str, list[Any]] = {}
            for row in connection.execute(query):
                rows.setdefault(row.id, []).append(row)
            return [_section(connection, item, rows.get(item.chunk_id, [])) for item in passages]

    def collection_ids(self, names: Sequence[str]) -> list[int]:
        """See `rag.ports.PassageStore.collection_ids`."""
        return self._collections.ids(names)

    def filtered_documents(self, collection: int, filters: Mapping[str, Any]) -> list[str]:
        """See `rag.ports.PassageStore.filtered_documents`. A list of values means any of them, in the metadata too."""
        columns = {
            "filename": documents.c.filename,
            "media_type": documents.c.media_type,
            "document_id": documents.c.id,
        }
        query = select(documents.c.id, documents.c.metadata).where(
            documents.c.live, documents.c.collection_id == collection
        )
        for name, wanted in filters.items():
            if name in columns:
                query = query.where(columns[name].in_([value for value in _values(wanted) if isinstance(value, str)]))
        by_metadata = {name: _values(wanted) for name, wanted in filters.items() if name not in columns}
        with self._database.read() as connection:
            return [
                row.id
                for row in connection.execute(query)
                if all(_meets(row.metadata.get(name), wanted) for name, wanted in by_metadata.items())
            ]

    def edit(self, document_id: str, *, metadata: Mapping[str, Any]) -> Document:
        """Replace a document's metadata. Raises NotFoundError, and ConflictError for one in the trash."""
        with self._database.write() as connection:
            _refuse_trashed(connection, document_id)
            connection.execute(
                update(documents).where(documents.c.id == document_id).values(metadata=dict(metadata), updated_at=now())
            )
        return self.document(document_id)

    def move(self, document_id: str, collection: int) -> Document:
        """Put a document into another collection, to be indexed there anew.

        Raises:
            NotFoundError: there is none.
            ConflictError: the collection has a document of that name or with these bytes; details hold its id. Or the
                document is in the trash.
        """
        found = self.document(document_id)
        with self._database.write() as connection:
            _refuse_trashed(connection, document_id)
            old = connection.execute(select(documents.c.collection_id).where(documents.c.id == document_id)).scalar()
            if old == collection or old is None:
                return found
            refuse_alike(connection, collection, found)
            unindex(connection, self._lexical, document_id)
            connection.execute(
                update(documents)
                .where(documents.c.id == document_id)
                .values(
                    collection_id=collection,
                    status=DocumentStatus.QUEUED,
                    live=False,
                    attempts=0,
                    chunks=0,
                    updated_at=now(),
                )
            )
        return self.document(document_id)

    def delete(self, document_id: str) -> Document:
        """Forget a document: gone from search and the lexical index when this returns; its vectors follow.

        Raises:
            NotFoundError: there is none.
        """
        found = self.document(document_id)
        with self._database.write() as connection:
            remove(connection, self._lexical, [document_id])
        return found

    def delete_collection(self, name: str) -> tuple[int, list[str]]:
        """Forget a collection and all its documents; its id and the ids of the documents. Raises NotFoundError."""
        collection = self._collections.get(name).id
        with self._database.write() as connection:
            found = select(documents.c.id).where(documents.c.collection_id == collection)
            ids = list(connection.execute(found).scalars())
            self._lexical.delete_collection(connection, collection)
            remove(connection, None, ids)
            connection.execute(delete(collections).where(collections.c.id == collection))
        return collection, ids

    def ids(self) -> set[str]:
        """The ids of all documents, whatever their status."""
        with self._database.read() as connection:
            return set(connection.execute(select(documents.c.id)).scalars())

    def stored_bytes(self) -> int:
        """Bytes of all originals, those in the trash among them."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.coalesce(func.sum(documents.c.bytes), 0))).scalar_one())

    def statistics(self) -> dict[str, int]:
        """Number of documents by status."""
        counted = select(documents.c.status, func.count()).group_by(documents.c.status)
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(counted)}
        return {status: found.get(status, 0) for status in DocumentStatus if status != DocumentStatus.UNCHANGED}


def _section(connection: Connection, found: Passage, rows: Sequence[Any]) -> Section:
    """A passage with its neighbours; `rows` are those under its heading, itself among them, in their order."""
    place = next((at for at, row in enumerate(rows) if row.near == found.chunk_id), None)
    if place is None or len(rows) == 1:
        return Section(found, found, ((found.chunk_id, found.char_start),))
    first = last = place
    while first and rows[first - 1].ordinal == rows[first].ordinal - 1:
        first -= 1
    while last + 1 < len(rows) and rows[last + 1].ordinal == rows[last].ordinal + 1:
        last += 1
    start, end = rows[first].char_start, rows[last].char_end
    part = select(func.substr(texts.c.text, start + 1, end - start)).where(texts.c.document_id == found.document_id)
    text = str(connection.execute(part).scalar_one())
    members = tuple((row.near, row.char_start) for row in rows[first : last + 1])
    return Section(found, replace(found, char_start=start, char_end=end, text=text), members)


def present() -> Any:
    """The condition that a document is not in the trash."""
    return documents.c.status != DocumentStatus.TRASHED


def refuse_alike(connection: Connection, collection: int, found: Document) -> None:
    """Raise ConflictError if a collection has a document of that name or with these bytes; details hold its id."""
    same = (documents.c.filename == found.filename) | (documents.c.sha256 == found.sha256)
    there = select(documents.c.id).where(documents.c.collection_id == collection, same, present())
    if (other := connection.execute(there).scalar()) is not None:
        raise ConflictError(
            f"The collection has a document named {found.filename!r}, or with the same content, already.",
            details={"document_id": other},
        )


def trashed() -> ConflictError:
    """What is said where something is asked of a document in the trash."""
    return ConflictError("The document is in the trash. Restore it first.", code="document_trashed")


def _refuse_trashed(connection: Connection, document_id: str) -> None:
    if connection.execute(select(documents.c.id).where(documents.c.id == document_id, ~present())).first():
        raise trashed()


def remove(connection: Connection, lexical: Fts5Index | None, ids: Sequence[str]) -> None:
    """Delete documents in the caller's transaction, and note that their files are to be deleted and their vectors
    forgotten.

    `lexical` None: the caller has dropped the collection's lexical index as a whole.
    """
    for document_id in ids:
        unindex(connection, lexical, document_id)
        connection.execute(delete(documents).where(documents.c.id == document_id))
        connection.execute(insert(file_deletions).prefix_with("OR IGNORE").values(document_id=document_id))
        _empty_answers(connection, document_id)


def _empty_answers(connection: Connection, document_id: str) -> None:
    """Take the text and the citations out of the answers that cite a document; the questions stay."""
    citing = select(answer_citations.c.answer_id).where(answer_citations.c.document_id == document_id).distinct()
    ids = list(connection.execute(citing).scalars())
    for batch in (ids[at : at + _VARIABLES] for at in range(0, len(ids), _VARIABLES)):
        connection.execute(
            update(answers).where(answers.c.id.in_(batch)).values(answer=REMOVED_ANSWER, citations=[], sentences=[])
        )
        connection.execute(delete(answer_citations).where(answer_citations.c.answer_id.in_(batch)))


def unindex(connection: Connection, lexical: Fts5Index | None, document_id: str) -> None:
    """Take a document's text and chunks out of the catalog and both indexes (the vectors: noted, done after)."""
    collection = connection.execute(select(documents.c.collection_id).where(documents.c.id == document_id)).scalar()
    if collection is None:
        return
    if lexical is not None:
        rows = connection.execute(select(chunks.c.row).where(chunks.c.document_id == document_id)).scalars()
        lexical.delete(connection, collection, list(rows))
    note_vector_deletion(connection, document_id, collection)
    drop_of(connection, collection, [document_id])
    connection.execute(delete(chunks).where(chunks.c.document_id == document_id))
    connection.execute(delete(texts).where(texts.c.document_id == document_id))


def note_vector_deletion(connection: Connection, document_id: str, collection: int) -> None:
    """Remember, in the caller's transaction, that a document's vectors are to be forgotten."""
    connection.execute(
        insert(vector_deletions).prefix_with("OR IGNORE").values(document_id=document_id, collection_id=collection)
    )


_ORDERS = {
    "created": documents.c.created_at,
    "updated": documents.c.updated_at,
    "name": func.lower(documents.c.filename),
    "bytes": documents.c.bytes,
    "pages": documents.c.pages,
    "chunks": documents.c.chunks,
    "status": documents.c.status,
}


def _order(sort: str) -> list[Any]:
    """The columns to order by; ids last, so that no document is on two pages of a listing."""
    column = _ORDERS[sort.removeprefix("-")]
    return [column.desc() if sort.startswith("-") else column, documents.c.id]


def joined() -> Any:
    """Documents with their collection's name."""
    return select(documents, collections.c.name.label("collection")).join(collections)


def passages_query() -> Any:
    """Chunks with what a citation needs of their document."""
    return (
        select(chunks, documents.c.filename, documents.c.sha256, collections.c.name.label("collection"))
        .join(documents, chunks.c.document_id == documents.c.id)
        .join(collections, documents.c.collection_id == collections.c.id)
    )


def _values(wanted: Any) -> list[Any]:
    values = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(value, str | int | float | bool) for value in values):
        raise InvalidRequestError("A filter's value must be a text, a number, true or false, or a list of these.")
    return values


def _meets(value: Any, wanted: list[Any]) -> bool:
    """Whether a value of the metadata is one of those that are wanted, or lists one ("harbour, crane", a real list)."""
    if value in wanted or (isinstance(value, list) and any(each in wanted for each in value)):
        return True
    if not isinstance(value, str):
        return False
    texts = {each if isinstance(each, str) else str(each) for each in wanted if not isinstance(each, bool)}
    return not texts.isdisjoint([value, *value.split(", ")])
