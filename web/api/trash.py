"""/api/v1/documents/{id}/trash and /restore, /api/v1/trash: deleting with a way back, beside DELETE, which has none."""

from __future__ import annotations

from flask import jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from ingest.storage.trash import Trash
from startup import Startup
from web import serializers as values
from web.api.schemas import DocumentPath, TrashQuery
from web.serializers import Reply

TAG = Tag(name="documents", description="Files and their text.")


def trash_blueprint(trash: Trash, startup: Startup) -> APIBlueprint:
    """The routes of the trash; it is listed as documents of the status `trashed`."""
    api = APIBlueprint("trash", __name__, url_prefix=values.PREFIX, abp_tags=[TAG])

    @api.post("/documents/<string:document_id>/trash", summary="Put it into the trash: no longer found, not yet gone")
    def put(path: DocumentPath) -> Reply:
        startup.require(patience=5)
        return jsonify(values.document(trash.put(path.document_id)))

    @api.post("/documents/<string:document_id>/restore", summary="Take it out of the trash, to be indexed again")
    def restore(path: DocumentPath) -> Reply:
        return jsonify(values.document(trash.restore(path.document_id)))

    @api.delete("/trash", summary="Empty the trash: delete for good what lies there")
    def empty(query: TrashQuery) -> Reply:
        startup.require(patience=5)
        return jsonify({"deleted": trash.empty(query.collection)})

    return api
