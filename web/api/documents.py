"""/api/v1/documents: upload, list, read, edit, delete."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, jsonify, send_file
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from catalog.collections import CollectionCatalog
from catalog.documents import DocumentCatalog, Page
from ingest.pipeline.jobs import Jobs
from ingest.storage.library import Library
from rag.errors import InvalidRequestError, NotFoundError
from startup import Startup
from web import serializers as values
from web.api.new_documents import UPLOAD, NewDocuments
from web.api.schemas import DocumentEdit, DocumentPath, DocumentQuery, Paging, TextQuery
from web.api.uploads import RETRY, given_password
from web.serializers import Reply

TAG = Tag(name="documents", description="Files and their text.")


def documents_blueprint(
    documents: DocumentCatalog,
    library: Library,
    collections: CollectionCatalog,
    jobs: Jobs,
    startup: Startup,
    new_documents: NewDocuments,
) -> APIBlueprint:
    """The routes of documents."""
    api = APIBlueprint("documents", __name__, url_prefix=f"{values.PREFIX}/documents", abp_tags=[TAG])

    @api.post("", summary="Upload files or a text", request_body=UPLOAD)
    def upload() -> Reply:
        return new_documents.receive()

    @api.get("", summary="List documents")
    def find(query: DocumentQuery) -> Reply:
        found = documents.find(
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
        return jsonify(values.document(documents.document(path.document_id)))

    @api.patch("/<string:document_id>", summary="Change metadata or collection")
    def edit(path: DocumentPath, body: DocumentEdit) -> Reply:
        documents.document(path.document_id)
        if body.metadata is not None:
            documents.edit(path.document_id, metadata=body.metadata)
        if body.collection is not None:
            library.move(path.document_id, collections.ensure_writable(body.collection))
        return jsonify(values.document(documents.document(path.document_id)))

    @api.delete("/<string:document_id>", summary="Delete for good")
    def delete(path: DocumentPath) -> Reply:
        startup.require(patience=5)
        library.delete(path.document_id)
        return "", 204

    @api.post("/<string:document_id>/retry", summary="Try one again that failed or was cancelled", request_body=RETRY)
    def retry(path: DocumentPath) -> Reply:
        return jsonify(values.document(jobs.retry_document(path.document_id, password=given_password())))

    @api.get("/<string:document_id>/content", summary="The original bytes")
    def content(path: DocumentPath) -> Reply:
        return _content(documents, library, path.document_id)

    @api.get("/<string:document_id>/text", summary="The text that offsets refer to")
    def text(path: DocumentPath, query: TextQuery) -> Reply:
        if query.end is not None and query.end < query.start:
            raise InvalidRequestError(f"end ({query.end}) lies before start ({query.start}).", code="validation")
        found = documents.text(path.document_id, start=query.start, end=query.end)
        return Response(found, mimetype="text/plain")

    @api.get("/<string:document_id>/chunks", summary="Its chunks, in order")
    def chunks(path: DocumentPath, query: Paging) -> Reply:
        found = documents.chunks(path.document_id, page=query.page, limit=query.limit)
        return jsonify(listing(found, query, values.passage))

    return api


def listing(found: Page, paging: Paging, to_json: Any) -> dict[str, Any]:
    """The contract's body of a paged listing."""
    return {
        "data": [to_json(item) for item in found.items],
        "total": found.total,
        "page": paging.page,
        "limit": paging.limit,
        "has_more": paging.page * paging.limit < found.total,
    }


def _content(documents: DocumentCatalog, library: Library, document_id: str) -> Response:
    """The original bytes. A PDF may be shown by the browser; anything else is a download, so that it cannot run
    here.
    """
    found = documents.document(document_id)
    path = library.content_path(found.id)
    if not path.exists():
        raise NotFoundError("The original of this document is gone from the disk.", code="content_missing")
    shown = found.media_type == "application/pdf"
    response = send_file(path, mimetype=found.media_type, etag=found.sha256, conditional=True)
    kind = "inline" if shown else "attachment"
    name = quote(found.filename.replace("\\", "/").rsplit("/", 1)[-1], safe="")
    response.headers["Content-Disposition"] = f"{kind}; filename*=UTF-8''{name}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'" if not shown else "default-src 'none'"
    return response
