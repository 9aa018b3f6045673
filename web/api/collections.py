"""/api/v1/collections: list, create, read, delete, compare with a folder."""

from __future__ import annotations

from dataclasses import asdict

from flask import jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from catalog.collections import CollectionCatalog
from catalog.folders import FolderFiles
from ingest.pipeline.reindexing import Reindexer
from ingest.sources.followed_folders import Folders
from ingest.storage.library import Library
from rag.errors import InvalidRequestError
from startup import Startup
from web import serializers as values
from web.api.schemas import CollectionPath, FolderBody, NewCollection, ReindexBody
from web.serializers import Reply

TAG = Tag(name="collections", description="Named sets of documents.")


def collections_blueprint(
    collections: CollectionCatalog, library: Library, folders: Folders, reindexer: Reindexer, startup: Startup
) -> APIBlueprint:
    """The routes of collections."""
    api = APIBlueprint("collections", __name__, url_prefix=f"{values.PREFIX}/collections", abp_tags=[TAG])

    @api.get("", summary="List collections")
    def find() -> Reply:
        found = [values.collection(item) for item in collections.all()]
        return jsonify({"data": found, "total": len(found)})

    @api.post("", summary="Create a collection")
    def create(body: NewCollection) -> Reply:
        known = any(item.name == body.name for item in collections.all())
        return jsonify(values.collection(collections.ensure(body.name))), 200 if known else 201

    @api.get("/<string:name>", summary="One collection")
    def read(path: CollectionPath) -> Reply:
        return jsonify(values.collection(collections.get(path.name)))

    @api.delete("/<string:name>", summary="Delete a collection with its documents")
    def delete(path: CollectionPath) -> Reply:
        startup.require(patience=5)
        library.delete_collection(path.name)
        return "", 204

    @api.post("/<string:name>/sync/diff", summary="What would make a collection equal to a folder")
    def diff(path: CollectionPath, body: FolderBody) -> Reply:
        return jsonify(values.sync_plan(folders.diff(path.name, _folder(body))))

    @api.post("/<string:name>/sync", summary="Move and delete as a folder has it; what is new remains to be uploaded")
    def sync(path: CollectionPath, body: FolderBody) -> Reply:
        startup.require(patience=5)
        if body.source is None and not body.prune:
            raise InvalidRequestError(
                "Name the folder as 'source', or ask with 'prune' for every document to go that it does not hold.",
                code="validation",
            )
        return jsonify(values.sync_plan(folders.rearrange(path.name, _folder(body))))

    @api.post("/<string:name>/reindex", summary="Make its vectors anew; answers when it is done")
    def reindex(path: CollectionPath, body: ReindexBody) -> Reply:
        startup.require(patience=5)
        done = reindexer.reindex(path.name, change_model=body.change_model, change_chunking=body.change_chunking)
        return jsonify(asdict(done))

    return api


def _folder(body: FolderBody) -> FolderFiles:
    digests = {file.name: file.sha256 for file in body.files}
    return FolderFiles(digests, body.source, frozenset(body.keep), body.prune)
