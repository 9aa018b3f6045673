"""/api/v1/collections: list, create, read, delete."""

from __future__ import annotations

from flask import jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from web import values
from web.api.schemas import CollectionPath, NewCollection
from web.values import Reply
from wiring import Services

TAG = Tag(name="collections", description="Named sets of documents.")


def collections_blueprint(services: Services) -> APIBlueprint:
    """The routes of collections."""
    api = APIBlueprint("collections", __name__, url_prefix=f"{values.PREFIX}/collections", abp_tags=[TAG])

    @api.get("", summary="List collections")
    def find() -> Reply:
        found = [values.collection(item) for item in services.collections.all()]
        return jsonify({"data": found, "total": len(found)})

    @api.post("", summary="Create a collection")
    def create(body: NewCollection) -> Reply:
        known = any(item.name == body.name for item in services.collections.all())
        return jsonify(values.collection(services.collections.ensure(body.name))), 200 if known else 201

    @api.get("/<string:name>", summary="One collection")
    def read(path: CollectionPath) -> Reply:
        return jsonify(values.collection(services.collections.get(path.name)))

    @api.delete("/<string:name>", summary="Delete a collection with its documents")
    def delete(path: CollectionPath) -> Reply:
        services.startup.require(patience=5)
        services.library.delete_collection(path.name)
        return "", 204

    return api
