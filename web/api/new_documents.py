"""POST /api/v1/documents: files, a text or what stands behind a URL become documents, in one job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from flask import jsonify, request
from pydantic import ValidationError

from catalog.collections import CollectionCatalog
from ingest.pipeline.jobs import Jobs
from ingest.storage.library import Library
from ingest.storage.unpacking import StagedFile
from rag.errors import ConflictError, InvalidRequestError
from rag.types import DocumentStatus
from web import serializers as values
from web.api.schemas import NewText, NewUrl
from web.api.uploads import Intake, checked_password
from web.errors import invalid_body, json_body
from web.serializers import Reply
from wiring import DEFAULT_COLLECTION

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


class NewDocuments:
    """A request to documents: its files are staged and registered as one job, once for each idempotency key."""

    def __init__(self, library: Library, collections: CollectionCatalog, jobs: Jobs, intake: Intake) -> None:
        self._library = library
        self._collections = collections
        self._jobs = jobs
        self._intake = intake

    def receive(self) -> Reply:
        """The answer to the present request. Raises DocentError for what cannot be taken."""
        self._library.require_room(request.content_length or 0)  # before anything is received and stored
        if request.mimetype == "multipart/form-data":
            collection = request.form.get("collection") or DEFAULT_COLLECTION
            password = checked_password(request.form.get("password") or None)
            files = self._intake.uploads(request)
        elif request.is_json:
            try:
                collection, password, files = _from_json(json_body(), self._intake)
            except ValidationError as error:
                return invalid_body(error)
        else:
            raise InvalidRequestError("Send multipart/form-data with files, or application/json with a text.")
        return self._registered(collection, files, password)

    def _registered(self, collection: str, files: list[StagedFile], password: str | None) -> Reply:
        """Register staged files as one job; a single file that cannot be read at all is refused at once."""
        key = request.headers.get("Idempotency-Key")
        digest = hashlib.sha256("\0".join([collection, *(file.sha256 for file in files)]).encode()).hexdigest()
        try:
            if key and (known := self._job_of_key(key, digest)):
                return self._accepted_before(known)
            if len(files) == 1 and files[0].rejected:
                raise files[0].rejected
            target = self._collections.ensure_writable(collection)
            try:
                job_id, outcomes = self._library.add(
                    target, files, idempotency_key=key, idempotency_digest=digest, password=password
                )
            except ConflictError:
                # the same request came twice at once, and the other one was first
                if key and (known := self._job_of_key(key, digest)):
                    return self._accepted_before(known)
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

    def _job_of_key(self, key: str, digest: str) -> str | None:
        """The job that this upload has made already under its key. Raises ConflictError when it was another upload."""
        known = self._library.job_of_key(key)
        if known is None:
            return None
        if known[1] != digest:
            raise ConflictError(
                "This Idempotency-Key was used for another upload.",
                code="idempotency_conflict",
                details={"job_id": known[0]},
            )
        return known[0]

    def _accepted_before(self, job_id: str) -> Reply:
        """The answer to an upload that was sent again with its key: its job as it stands."""
        return _accepted(
            job_id,
            [
                (item.id, item.filename, item.status, item.id if item.status == DocumentStatus.UNCHANGED else None)
                for item in self._jobs.get(job_id).documents
            ],
        )


def _from_json(given: Any, intake: Intake) -> tuple[str, str | None, list[StagedFile]]:
    """Collection, password and staged files of a JSON body. Raises ValidationError, DocentError."""
    if isinstance(given, dict) and "url" in given:
        page = NewUrl.model_validate(given)
        return page.collection, page.password, intake.url(page)
    body = NewText.model_validate(given)
    return body.collection, None, [intake.text(body)]


def _accepted(job_id: str, documents: Iterable[tuple[str, str, DocumentStatus, str | None]]) -> Reply:
    names = ("id", "filename", "status", "duplicate_of")
    body = {"job_id": job_id, "documents": [dict(zip(names, row, strict=True)) for row in documents]}
    return jsonify(body), 202, {"Location": f"{values.PREFIX}/jobs/{job_id}"}
