"""Rows to values: how a row of the catalog becomes a value of rag.types. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rag.types import Document, DocumentStatus, Passage


def now() -> datetime:
    """The present in UTC; the catalog stores times without a zone, always UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def to_document(row: Any) -> Document:
    """A row of documents joined with its collection's name."""
    return Document(
        id=row.id,
        filename=row.filename,
        collection=row.collection,
        media_type=row.media_type,
        bytes=row.bytes,
        sha256=row.sha256,
        status=DocumentStatus(row.status),
        created_at=row.created_at.replace(tzinfo=UTC),
        updated_at=row.updated_at.replace(tzinfo=UTC),
        progress_done=row.progress_done,
        progress_total=row.progress_total,
        error_code=row.error_code,
        error_message=row.error_message,
        warnings=tuple(row.warnings),
        pages=row.pages,
        chunks=row.chunks,
        metadata=row.metadata,
        replaces=row.replaces,
    )


def to_passage(row: Any) -> Passage:
    """A row of chunks joined with its document and collection."""
    return Passage(
        chunk_id=row.id,
        document_id=row.document_id,
        filename=row.filename,
        collection=row.collection,
        content_sha256=row.sha256,
        char_start=row.char_start,
        char_end=row.char_end,
        text=row.text,
        page=row.page,
        page_end=row.page_end,
        heading=row.heading,
    )
