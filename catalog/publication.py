"""Writing a document's text and chunks and making it live, in the transaction of `IngestionCatalog.go_live`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from catalog.mappers import now
from catalog.tables import chunks, documents, texts
from rag.types import Chunk, DocumentStatus, ParsedDocument

_OURS = frozenset({"synced_from", "fetched_from", "url", "archive", "commit", "filename", "media_type", "document_id"})
"""Keys that say where a document came from, by which folders are kept in step, or that filters know as other things."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document whose vectors are stored and that may go live."""

    id: str
    parsed: ParsedDocument
    chunks: Sequence[Chunk]


def publish(connection: Connection, batch: Sequence[Indexed]) -> list[tuple[int, Indexed, Chunk]]:
    """Store the text and chunks of documents and mark them live; each chunk with its row number."""
    if not batch:
        return []
    last = connection.execute(select(func.coalesce(func.max(chunks.c.row), 0))).scalar_one()
    found = [(item, chunk) for item in batch for chunk in item.chunks]
    rows = [(number, item, chunk) for number, (item, chunk) in enumerate(found, start=last + 1)]
    connection.execute(insert(texts), [_text_row(item) for item in batch])
    connection.execute(insert(chunks), [_chunk_row(*row) for row in rows])
    connection.execute(MARK_LIVE, [_live_row(item) for item in batch])
    for item in batch:
        if item.parsed.metadata:
            _default_metadata(connection, item.id, item.parsed.metadata)
    return rows


def _text_row(item: Indexed) -> dict[str, Any]:
    return {
        "document_id": item.id,
        "text": item.parsed.text,
        "pages": [[page.number, page.start, page.end] for page in item.parsed.pages],
        "headings": [[heading.level, heading.title, heading.start] for heading in item.parsed.headings],
    }


def _chunk_row(row: int, item: Indexed, chunk: Chunk) -> dict[str, Any]:
    return {
        "row": row,
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


def _live_row(item: Indexed) -> dict[str, Any]:
    return {
        "of": item.id,
        "chunks": len(item.chunks),
        "pages": len(item.parsed.pages) or None,
        "warnings": list(item.parsed.warnings),
        "progress_done": len(item.chunks),
        "progress_total": len(item.chunks),
        "updated_at": now(),
    }


MARK_LIVE = (
    update(documents)
    .where(documents.c.id == bindparam("of"))
    .values(
        status=DocumentStatus.INDEXED,
        live=True,
        error_code=None,
        error_message=None,
        **{
            name: bindparam(name)
            for name in ("chunks", "pages", "warnings", "progress_done", "progress_total", "updated_at")
        },
    )
)


def _default_metadata(connection: Connection, document_id: str, told: Mapping[str, str]) -> None:
    """What the file says about itself becomes metadata, except where the uploader said it, and where it came from."""
    own = {key: value for key, value in told.items() if key not in _OURS}
    given = func.json_patch(json.dumps(own), documents.c.metadata)
    connection.execute(update(documents).where(documents.c.id == document_id).values(metadata=given))


def chunk_id(document_id: str, ordinal: int) -> str:
    """The id of a chunk in both indexes: the same for the same bytes and recipe, so that work may be repeated."""
    return f"{document_id}-{ordinal}"
