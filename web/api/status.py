"""/api/v1/status and /samples, and what of a document lies beside its text: its outline, and where it was cited."""

from __future__ import annotations

import shutil
from typing import Any

from flask import jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from catalog.conversations import CitingAnswer
from rag.answering.wording import EXTRACTIVE
from web import serializers as values
from web.api.documents import listing
from web.api.schemas import DocumentPath, Paging
from web.serializers import Reply
from wiring import DEFAULT_COLLECTION, SAMPLES_DIR, Services, add_folder

SERVER = Tag(name="server", description="What this server is made of, and how it is.")
DOCUMENTS = Tag(name="documents", description="Files and their text.")


def overview_blueprint(services: Services, *, version: str) -> APIBlueprint:
    """The routes that tell how things stand."""
    api = APIBlueprint("overview", __name__, url_prefix=values.PREFIX)

    @api.get("/status", summary="Models, readiness, disk and limits", tags=[SERVER])
    def status() -> Reply:
        return jsonify({"version": version, **_status(services)})

    @api.post("/samples", summary="Add the sample documents about Docent itself", tags=[SERVER])
    def samples() -> Reply:
        job_id = add_folder(services, SAMPLES_DIR, DEFAULT_COLLECTION)
        return jsonify({"job_id": job_id}), 202, {"Location": f"{values.PREFIX}/jobs/{job_id}"}

    @api.get("/documents/<string:document_id>/outline", summary="Its headings and pages, by offset", tags=[DOCUMENTS])
    def outline(path: DocumentPath) -> Reply:
        length, headings = services.documents.outline(path.document_id)
        pages = services.documents.pages(path.document_id)
        return jsonify(
            {
                "characters": length,
                "headings": [{"level": found.level, "title": found.title, "start": found.start} for found in headings],
                "pages": [{"number": page.number, "start": page.start, "end": page.end} for page in pages],
            }
        )

    @api.get("/documents/<string:document_id>/answers", summary="The answers that cite it", tags=[DOCUMENTS])
    def cited(path: DocumentPath, query: Paging) -> Reply:
        document = services.documents.document(path.document_id)
        found = services.conversations.citing(document.id, page=query.page, limit=query.limit)
        return jsonify(listing(found, query, _citing))

    return api


def _citing(answer: CitingAnswer) -> dict[str, Any]:
    return {
        "answer_id": answer.answer_id,
        "conversation_id": answer.conversation_id,
        "question": answer.question,
        "spans": [{"n": n, "char_start": start, "char_end": end} for n, start, end in answer.spans],
        "created_at": values.timestamp(answer.created_at),
    }


def _status(services: Services) -> dict[str, Any]:
    settings = services.settings
    disk = shutil.disk_usage(settings.data_dir)
    return {
        "ready": services.startup.ready,
        "parts": services.startup.report(),
        "models": {
            "answers": services.chat.name if services.chat else EXTRACTIVE,
            "answers_kind": settings.llm,
            "embeddings": services.embedder.model_id,
            "reranker": settings.rerank_model or None,
        },
        "disk": {
            "total_bytes": disk.total,
            "free_bytes": disk.free,
            "originals_bytes": services.documents.stored_bytes(),
        },
        "limits": {
            "upload_mb": settings.max_upload_mb,
            "reader_timeout_s": settings.reader_timeout_s,
            "reader_memory_mb": settings.reader_memory_mb,
            "ocr": settings.ocr,
        },
        "documents": services.documents.statistics(),
        "protected": bool(settings.api_token),
    }
