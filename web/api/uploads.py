"""Uploads: multipart files through flask_uploads, or a text in JSON, staged for the library.

flask_uploads cuts names that are not Latin and refuses `报告.pdf`, so it is given a name of ours and the file's own
name travels beside it as data. Every file is hashed while it is copied.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from functools import partial
from typing import IO, Any

from flask import Flask, Request, request
from flask_uploads import ALL, UploadSet, configure_uploads
from pydantic import ValidationError
from werkzeug.datastructures import FileStorage

from ingest.sources.url import UrlFetcher
from ingest.storage.library import Library
from ingest.storage.unpacking import StagedFile
from rag.errors import InvalidRequestError, UnavailableError
from web.api.schemas import MAX_PASSWORD, NewText, NewUrl, RetryBody, bounded, storable
from web.errors import json_body

incoming = UploadSet("incoming", ALL)
RETRY = {
    "description": "Nothing, or the password that was missing.",
    "required": False,
    "content": {"application/json": {"schema": RetryBody.model_json_schema()}},
}


class Intake:
    """Bytes of a request to staged files: named, measured, hashed, each of a type that is read or with the reason why
    it is not.
    """

    def __init__(self, library: Library, fetcher: UrlFetcher) -> None:
        self._library = library
        self._fetcher = fetcher

    def register(self, app: Flask) -> None:
        """Point flask_uploads at the library's incoming folder."""
        app.config["UPLOADED_INCOMING_DEST"] = str(self._library.incoming)
        configure_uploads(app, incoming)

    def uploads(self, upload: Request) -> list[StagedFile]:
        """The files of a multipart request; archives as their members.

        Raises:
            InvalidRequestError: no file, a bad file name or bad metadata.
            UnavailableError: the disk is full.
        """
        files = [file for file in upload.files.getlist("file") if file.filename]
        if not files:
            raise InvalidRequestError("The request has no file: send at least one part named 'file'.", code="no_file")
        metadata = _metadata(upload.form.get("metadata"))
        staged: list[StagedFile] = []
        try:
            for file in files:
                staged.append(self._save(file, metadata))
            return self._library.unpacked(staged)
        except BaseException:
            for one in staged:
                one.path.unlink(missing_ok=True)
            raise

    def text(self, body: NewText) -> StagedFile:
        """A text as a Markdown file."""
        if not body.text.strip():
            raise InvalidRequestError("The text is empty.", code="validation")
        content = body.text.encode()
        name = body.title.strip() or f"text-{hashlib.sha256(content).hexdigest()[:8]}"
        return self._library.stage(io.BytesIO(content), f"{name}.md", metadata=body.metadata)

    def url(self, body: NewUrl) -> list[StagedFile]:
        """What stands behind a URL; an archive as its members.

        Raises:
            InvalidRequestError: the URL is not one that may be fetched.
            DocentError: as `UrlFetcher.open` and `UrlFetcher.copy`.
        """
        if not self._fetcher.enabled:
            raise InvalidRequestError(
                "Uploading by URL is not enabled on this server: DOCENT_ALLOW_URLS names no host.",
                code="url_not_allowed",
            )
        with self._fetcher.open(body.url) as page:
            moved = {"fetched_from": page.url} if page.url != body.url else {}
            metadata = {"url": body.url, **moved, **body.metadata}
            file = self._library.stage_written(partial(self._fetcher.copy, page), page.name, metadata)
        return self._library.unpacked([file])

    def _save(self, file: FileStorage, metadata: dict[str, Any]) -> StagedFile:
        own_name = file.filename or ""
        source = _HashingStream(file.stream)
        path = self._library.incoming / f"{uuid.uuid4().hex}.bin"
        stored = FileStorage(stream=source, filename=path.name)  # type: ignore[arg-type]  # has all that is used
        try:
            incoming.save(stored)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise UnavailableError(f"The file cannot be stored: {error.strerror}.", code="storage") from error
        return self._library.inspect(path, own_name, source.sha256, metadata=metadata)


def given_password() -> str | None:
    """The password in the body of the present request, which may be empty. Raises InvalidRequestError."""
    if not request.get_data(cache=True):
        return None
    try:
        return RetryBody.model_validate(json_body(force=True)).password
    except ValidationError as error:
        # not pydantic's own message: it may hold the input
        raise InvalidRequestError(
            'The body may be {"password": a text of at most 1024 characters}, and no more.', code="validation"
        ) from error


def checked_password(given: str | None) -> str | None:
    """The password itself. Raises InvalidRequestError for what cannot be one."""
    if given is not None and len(given) > MAX_PASSWORD:
        raise InvalidRequestError(f"The password has more than {MAX_PASSWORD} characters.", code="validation")
    return given


def _metadata(raw: str | None) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        found = json.loads(raw)
        if not isinstance(found, dict):
            raise InvalidRequestError("metadata must be a JSON object.", code="validation")
        return bounded(storable(found))
    except ValueError as error:
        raise InvalidRequestError(f"metadata cannot be taken: {error}.", code="validation") from error


class _HashingStream:
    """A readable stream that hashes what is read from it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of what was read so far, in hexadecimal."""
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """Read and hash."""
        block = self._source.read(size)
        self._digest.update(block)
        return block
