"""Values to JSON: the response bodies of the REST contract, one function a shape. Adds fields, renames none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response

from catalog.folders import SyncPlan
from rag.answering.events import Cited, Done, Event, Retrieved, Token, Verified
from rag.types import Answer, AnswerSentence, Citation, Collection, Document, Job, Passage, Retrieval
from web.rendering.answer import Checked, tree_of
from web.rendering.markup import Node
from web.warning_codes import notice_of

PREFIX = "/api/v1"

# What a view returns. (flask.typing has the like, but its names exist for type checkers only, and flask_openapi reads
# the annotations at run time.)
Reply = Response | tuple[Response | str, int] | tuple[Response, int, dict[str, str]]


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def document(item: Document) -> dict[str, Any]:
    """The `Document` of the contract."""
    error = {"code": item.error_code, "message": item.error_message} if item.error_code else None
    return {
        "id": item.id,
        "filename": item.filename,
        "collection": item.collection,
        "media_type": item.media_type,
        "bytes": item.bytes,
        "sha256": item.sha256,
        "status": item.status,
        "progress": {"done": item.progress_done, "total": item.progress_total},
        "error": error,
        "warnings": list(item.warnings),
        "notices": [notice_of(warning) for warning in item.warnings],
        "pages": item.pages,
        "chunks": item.chunks,
        "metadata": dict(item.metadata),
        "replaces": item.replaces,
        "created_at": timestamp(item.created_at),
        "updated_at": timestamp(item.updated_at),
    }


def job(item: Job) -> dict[str, Any]:
    """The `Job` of the contract."""
    return {
        "id": item.id,
        "status": item.status,
        "progress": {"done": item.done, "total": item.total},
        "documents": [document(found) for found in item.documents],
        "rate": None if item.rate is None else round(item.rate, 3),
        "eta_seconds": None if item.eta_seconds is None else round(item.eta_seconds, 1),
        "created_at": timestamp(item.created_at),
    }


def collection(item: Collection) -> dict[str, Any]:
    """A collection."""
    return {
        "name": item.name,
        "documents": item.documents,
        "chunks": item.chunks,
        "embedding_model": item.embedding_model,
        "recipe": item.recipe,
        "created_at": timestamp(item.created_at),
    }


def sync_plan(item: SyncPlan) -> dict[str, Any]:
    """What makes a collection equal to a folder: lists of names."""
    return {
        "add": item.add,
        "replace": item.replace,
        "unchanged": item.unchanged,
        "move": [{"from": old, "to": new} for old, new in item.move],
        "delete": item.delete,
        "kept": item.kept,
        "failed": item.failed,
        "adopt": len(item.adopted),
    }


def passage(item: Passage) -> dict[str, Any]:
    """The `Passage` of the contract."""
    return {
        "chunk_id": item.chunk_id,
        "document_id": item.document_id,
        "filename": item.filename,
        "collection": item.collection,
        "page": item.page,
        "page_end": item.page_end,
        "char_start": item.char_start,
        "char_end": item.char_end,
        "heading": item.heading,
        "text": item.text,
        "score": item.score,
        "scores": {"dense": item.dense, "lexical": item.lexical, "fused": item.fused, "focus": item.focus},
        "ranks": {"dense": item.dense_rank, "lexical": item.lexical_rank},
    }


def retrieval(item: Retrieval) -> dict[str, Any]:
    """The body of a search."""
    return {
        "query": item.query,
        "language": item.language,
        "closeness": item.similarity,
        "passages": [passage(found) for found in item.passages],
        "timings": dict(item.timings),
    }


def citation(item: Citation) -> dict[str, Any]:
    """The `Citation` of the contract."""
    return {
        "n": item.n,
        "document_id": item.document_id,
        "filename": item.filename,
        "page": item.page,
        "page_end": item.page_end,
        "char_start": item.char_start,
        "char_end": item.char_end,
        "quote": item.quote,
        "content_sha256": item.content_sha256,
        "score": item.score,
        "url": f"{PREFIX}/documents/{item.document_id}/content" + (f"#page={item.page}" if item.page else ""),
    }


def sentence(item: AnswerSentence) -> dict[str, Any]:
    """A sentence of an answer with its verdict."""
    return {
        "text": item.text,
        "start": item.start,
        "end": item.end,
        "citations": list(item.citations),
        "verdict": item.verdict,
        "checked_by": item.checked_by,
        "missing": [{"kind": kind, "text": text} for kind, text in item.missing],
    }


def answer(item: Answer) -> dict[str, Any]:
    """The `Answer` of the contract."""
    return {
        "id": item.id,
        "question": item.question,
        "standalone_question": item.standalone_question,
        "answer": item.answer,
        "answered": item.answered,
        "reason": item.reason,
        "citations": [citation(found) for found in item.citations],
        "sentences": [sentence(found) for found in item.sentences],
        "dropped": [sentence(found) for found in item.dropped],
        "groundedness": item.groundedness,
        "certainty": item.certainty,
        "confidence": item.confidence,
        "searched": item.searched,
        "retrieved": [passage(found) for found in item.retrieved],
        "nearest": [passage(found) for found in item.nearest],
        "conversation_id": item.conversation_id,
        "model": item.model,
        "prompt_version": item.prompt_version,
        "usage": {
            "prompt_tokens": item.usage.prompt_tokens,
            "completion_tokens": item.usage.completion_tokens,
        },
        "timings": dict(item.timings),
    }


def rendered(item: Answer) -> list[Node]:
    """The answer's text as a tree of nodes."""
    return tree_of(item.answer, [checked(found) for found in item.sentences], [c.n for c in item.citations])


def checked(item: AnswerSentence) -> Checked:
    """A sentence as the renderer takes it."""
    return Checked(item.start, item.end, item.verdict, item.checked_by)


def event(item: Event, *, with_tree: bool = False) -> tuple[str, dict[str, Any]]:
    """The name and data of a server-sent event."""
    if isinstance(item, Retrieved):
        return "retrieval", {"passages": [passage(found) for found in item.passages]}
    if isinstance(item, Token):
        return "token", {"text": item.text}
    if isinstance(item, Cited):
        return "citation", citation(item.citation)
    if isinstance(item, Verified):
        return "verification", sentence(item.sentence)
    assert isinstance(item, Done)
    return "done", {**answer(item.answer), **({"rendered": rendered(item.answer)} if with_tree else {})}
