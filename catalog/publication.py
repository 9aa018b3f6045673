"""Writing a document's text and chunks and making it live, in the transaction of `IngestionCatalog.go_live`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from catalog.rows import now
from catalog.tables import chunks, documents, texts
from rag.types import Chunk, DocumentStatus, ParsedDocument


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document whose vectors are stored and that may go live."""

    id: str
    parsed: ParsedDocument
    chunks: Sequence[Chunk]


def publish(connection: Connection, item: Indexed) -> list[int]:
    """Store a document's text and chunks and mark it live; the chunks' row numbers, in order."""
    _insert_text(connection, item)
    rows = _insert_chunks(connection, item)
    _mark_live(connection, item)
    return rows


def _insert_text(connection: Connection, item: Indexed) -> None:
    connection.execute(
        insert(texts).values(
            document_id=item.id,
            text=item.parsed.text,
            pages=[[page.number, page.start, page.end] for page in item.parsed.pages],
            headings=[[heading.level, heading.title, heading.start] for heading in item.parsed.headings],
        )
    )


def _insert_chunks(connection: Connection, item: Indexed) -> list[int]:
    last = connection.execute(select(func.coalesce(func.max(chunks.c.row), 0))).scalar_one()
    rows = list(range(last + 1, last + 1 + len(item.chunks)))
    if rows:
        connection.execute(
            insert(chunks),
            [
                {
                    "row": number,
                    "id": chunk_id(item.id, chunk.ordinal),
                    "document_id": item.id,
                    "ordinal": chunk.ordinal,
                    "char_start": chunk.start,
                    "char_end": chunk.end,
                    "page": chunk.page,
                    "page_end": chunk.page_end,
                    "heading": chunk.heading,
                    "text": chunk.text,
                }
                for number, chunk in zip(rows, item.chunks, strict=True)
            ],
        )
    return rows


def _mark_live(connection: Connection, item: Indexed) -> None:
    title = item.parsed.metadata.get("title")
    connection.execute(
        update(documents)
        .where(documents.c.id == item.id)
        .values(
            status=DocumentStatus.INDEXED,
            live=True,
            chunks=len(item.chunks),
            pages=len(item.parsed.pages) or None,
            warnings=list(item.parsed.warnings),
            progress_done=len(item.chunks),
            progress_total=len(item.chunks),
            error_code=None,
            error_message=None,
            updated_at=now(),
            **({"metadata": func.json_patch(func.json_object("title", title), documents.c.metadata)} if title else {}),
        )
    )


def chunk_id(document_id: str, ordinal: int) -> str:
    """The id of a chunk in both indexes: the same for the same bytes and recipe, so that work may be repeated."""
    return f"{document_id}-{ordinal}"
