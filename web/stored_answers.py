"""Stored answers as the page shows them again: spans joined with what the documents say there today.

An answer remembers spans only (catalog/conversations.py), so a quote is read from its document each time, and is null
where the document has gone, for good or into the trash.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from catalog.documents import DocumentCatalog
from rag.errors import DocentError
from rag.types import Document, DocumentStatus
from web import serializers as values
from web.rendering.answer import Checked, tree_of


class StoredAnswers:
    """Reads the documents that some answers cite, each once."""

    def __init__(self, catalog: DocumentCatalog) -> None:
        self._catalog = catalog
        self._documents: dict[str, Document | None] = {}

    def messages(self, turn: Any, *, with_tree: bool) -> list[dict[str, Any]]:
        """A row of the answers table as a question and its answer."""
        created = values.timestamp(turn.created_at.replace(tzinfo=UTC))
        checked = [Checked(*sentence) for sentence in turn.sentences]
        answer = {
            "role": "assistant",
            "content": turn.answer,
            "answer_id": turn.id,
            "answered": turn.answered,
            "reason": turn.reason,
            "certainty": turn.certainty,
            "groundedness": turn.groundedness,
            "model": turn.model,
            "citations": [self._citation(span) for span in turn.citations],
            "sentences": [_sentence(turn.answer, sentence) for sentence in checked],
            "nearest": [found for span in turn.nearest if (found := self._citation(span))["quote"] is not None],
            "feedback": {"rating": turn.rating, "comment": turn.comment} if turn.rating else None,
            "created_at": created,
        }
        if with_tree:
            answer["rendered"] = tree_of(turn.answer, checked, [span["n"] for span in turn.citations])
        return [{"role": "user", "content": turn.question, "created_at": created}, answer]

    def _citation(self, span: dict[str, Any]) -> dict[str, Any]:
        document = self._document(span["document_id"])
        known = {"filename": None, "page": None, "page_end": None, "quote": None, "content_sha256": None}
        if document is None:
            return {**span, **known}
        start, end = span["char_start"], span["char_end"]
        try:
            quote = self._catalog.text(document.id, start=start, end=end)
        except DocentError:  # it is being read anew
            return {**span, **known, "filename": document.filename}
        pages = [page.number for page in self._catalog.pages(document.id) if page.start < end and start < page.end]
        return {
            **span,
            "filename": document.filename,
            "page": pages[0] if pages else None,
            "page_end": pages[-1] if pages else None,
            "quote": quote,
            "content_sha256": document.sha256,
        }

    def _document(self, document_id: str) -> Document | None:
        if document_id not in self._documents:
            try:
                found = self._catalog.document(document_id)
            except DocentError:
                self._documents[document_id] = None
            else:
                self._documents[document_id] = None if found.status == DocumentStatus.TRASHED else found
        return self._documents[document_id]


def _sentence(answer: str, checked: Checked) -> dict[str, Any]:
    return {"text": answer[checked.start : checked.end], **checked._asdict()}
