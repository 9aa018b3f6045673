"""/api/v1/documents: upload, list, read, edit, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from flask import Response, jsonify, request, send_file
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import ValidationError

from catalog.documents import Page
from rag.errors import ConflictError, InvalidRequestError, NotFoundError
from rag.types import DocumentStatus
from web import serializers as values
from web.api.schemas import DocumentEdit, DocumentPath, DocumentQuery, NewText, NewUrl, Paging, TextQuery
from web.api.uploads import RETRY, checked_password, given_password, staged_text, staged_uploads, staged_url
from web.errors import invalid_body, json_body
from web.serializers import Reply
from wiring import DEFAULT_COLLECTION, Services

TAG = Tag(name="documents", description="Files and their text.")
UPLOAD = {
    "description": "Files as multipart; a text, or a URL to be fetched, as JSON.",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    "collection": {"type": "string", "default": DEFAULT_COLLECTION},
                    "metadata": {"type": "string", "description": "A JSON object."},
                    "password": {"type": "string", "description": "Opens PDFs that need one; kept in memory only."},
                },
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "url": {"type": "string", "description": "Instead of a text; see DOCENT_ALLOW_URLS."},
                    "title": {"type": "string"},
                    "collection": {"type": "string", "default": DEFAULT_COLLECTION},
                    "metadata": {"type": "object"},
                },
            }
        },
    },
}


def documents_blueprint(services: Services) -> APIBlueprint:
    """The routes of documents."""
    api = APIBlueprint("documents", __name__, url_prefix=f"{values.PREFIX}/documents", abp_tags=[TAG])

    @api.post("", summary="Upload files or a text", request_body=UPLOAD)
    def upload() -> Reply:
        services.library.require_room(request.content_length or 0)  # before anything is received and stored
        if request.mimetype == "multipart/form-data":
            collection = request.form.get("collection") or DEFAULT_COLLECTION
            password = checked_password(request.form.get("password") or None)
            files = staged_uploads(request, services)
        elif request.is_json:
            try:
                collection, password, files = _from_json(json_body(), services)
            except ValidationError as error:
                return invalid_body(error)
        else:
            raise InvalidRequestError("Send multipart/form-data with files, or application/json with a text.")
        return _registered(services, collection, files, password)

    @api.get("", summary="List documents")
    def find(query: DocumentQuery) -> Reply:
        found = services.documents.find(
            collection=query.collection,
            status=query.status,
            q=query.q,
            sort=query.sort,
            page=query.page,
            limit=query.limit,
        )
        return jsonify(listing(found, query, values.document))

    @api.get("/<string:document_id>", summary="One document")
    def read(path: DocumentPath) -> Reply:
        return jsonify(values.document(services.documents.document(path.document_id)))

    @api.patch("/<string:document_id>", summary="Change metadata or collection")
    def edit(path: DocumentPath, body: DocumentEdit) -> Reply:
        services.documents.document(path.document_id)
        if body.metadata is not None:
            services.documents.edit(path.document_id, metadata=body.metadata)
        if body.collection is not None:
            services.library.move(path.document_id, services.collections.ensure_writable(body.collection))
        return jsonify(values.document(services.documents.document(path.document_id)))

    @api.delete("/<string:document_id>", summary="Delete for good")
    def delete(path: DocumentPath) -> Reply:
        services.startup.require(patience=5)
        services.library.delete(path.document_id)
        return "", 204

    @api.post("/<string:document_id>/retry", summary="Try one again that failed or was cancelled", request_body=RETRY)
    def retry(path: DocumentPath) -> Reply:
        return jsonify(values.document(services.jobs.retry_document(path.document_id, password=given_password())))

    @api.get("/<string:document_id>/content", summary="The original bytes")
    def content(path: DocumentPath) -> Reply:
        return _content(services, path.document_id)

    @api.get("/<string:document_id>/text", summary="The text that offsets refer to")
    def text(path: DocumentPath, query: TextQuery) -> Reply:
        if query.end is not None and query.end < query.start:
            raise InvalidRequestError(f"end ({query.end}) lies before start ({query.start}).", code="validation")
        found = services.documents.text(path.document_id, start=query.start, end=query.end)
        return Response(found, mimetype="text/plain")

    @api.get("/<string:document_id>/chunks", summary="Its chunks, in order")
    def chunks(path: DocumentPath, query: Paging) -> Reply:
        found = services.documents.chunks(path.document_id, page=query.page, limit=query.limit)
        return jsonify(listing(found, query, values.passage))

    return api


def _from_json(given: Any, services: Services) -> tuple[str, str | None, list[Any]]:
    """Collection, password and staged files of a JSON body. Raises ValidationError, DocentError."""
    if isinstance(given, dict) and "url" in given:
        page = NewUrl.model_validate(given)
        return page.collection, page.password, staged_url(page, services)
    body = NewText.model_validate(given)
    return body.collection, None, [staged_text(body, services)]


def listing(found: Page, paging: Paging, to_json: Any) -> dict[str, Any]:
    """The contract's body of a paged listing."""
    return {
        "data": [to_json(item) for item in found.items],
        "total": found.total,
        "page": paging.page,
        "limit": paging.limit,
        "has_more": paging.page * paging.limit < found.total,
    }


def _registered(services: Services, collection: str, files: list[Any], password: str | None) -> Reply:
    """Register staged files as one job; a single file that cannot be read at all is refused at once."""
    key = request.headers.get("Idempotency-Key")
    digest = hashlib.sha256("\0".join([collection, *(file.sha256 for file in files)]).encode()).hexdigest()
    try:
        if key and (known := _job_of_key(services, key, digest)):
            return _accepted_before(services, known)
        if len(files) == 1 and files[0].rejected:
            raise files[0].rejected
        target = services.collections.ensure_writable(collection)
        try:
            job_id, outcomes = services.library.add(
                target, files, idempotency_key=key, idempotency_digest=digest, password=password
            )
        except ConflictError:
            # the same request came twice at once, and the other one was first
            if key and (known := _job_of_key(services, key, digest)):
                return _accepted_before(services, known)
            raise
    finally:
        for file in files:
            file.path.unlink(missing_ok=True)  # what was taken has been moved away
    return _accepted(
        job_id,
        [
            (outcome.document_id, file.filename, outcome.status, outcome.duplicate_of)
            for file, outcome in zip(files, outcomes, strict=True)
        ],
    )


def _job_of_key(services: Services, key: str, digest: str) -> str | None:
    """The job that this upload has made already under its key. Raises ConflictError when it was another upload."""
    known = services.library.job_of_key(key)
    if known is None:
        return None
    if known[1] != digest:
        raise ConflictError(
            "This Idempotency-Key was used for another upload.",
            code="idempotency_conflict",
            details={"job_id": known[0]},
        )
    return known[0]


def _accepted_before(services: Services, job_id: str) -> Reply:
    """The answer to an upload that was sent again with its key: its job as it stands."""
    return _accepted(
        job_id,
        [
            (item.id, item.filename, item.status, item.id if item.status == DocumentStatus.UNCHANGED else None)
            for item in services.jobs.get(job_id).documents
        ],
    )


def _accepted(job_id: str, documents: Iterable[tuple[str, str, DocumentStatus, str | None]]) -> Reply:
    names = ("id", "filename", "status", "duplicate_of")
    body = {"job_id": job_id, "documents": [dict(zip(names, row, strict=True)) for row in documents]}
    return jsonify(body), 202, {"Location": f"{values.PREFIX}/jobs/{job_id}"}


def _content(services: Services, document_id: str) -> Response:
    """The original bytes. A PDF may be shown by the browser; anything else is a download, so that it cannot run
    here.
    """
    found = services.documents.document(document_id)
    path = services.library.content_path(found.id)
    if not path.exists():
        raise NotFoundError("The original of this document is gone from the disk.", code="content_missing")
    shown = found.media_type == "application/pdf"
    response = send_file(path, mimetype=found.media_type, etag=found.sha256, conditional=True)
    kind = "inline" if shown else "attachment"
    name = quote(found.filename.replace("\\", "/").rsplit("/", 1)[-1], safe="")
    response.headers["Content-Disposition"] = f"{kind}; filename*=UTF-8''{name}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'" if not shown else "default-src 'none'"
    return response
