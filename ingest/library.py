"""The library: takes files in, gives documents back, and forgets them, in the catalog, both indexes and on disk.

Files are stored under their document's id; a file's own name is data and never a path. Storing, registering and
deleting are ordered so that a stop anywhere leaves either a row without file (never: the file comes first) or a file
without row, which `drop_strays` removes at the next start.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from catalog.documents import DocumentCatalog
from catalog.ingestion import IngestionCatalog
from catalog.registration import NewFile, Registered
from ingest.readers.registry import HEAD_BYTES, media_type_of
from rag.errors import DocentError, InvalidRequestError, NotFoundError, UnavailableError
from rag.ports import DenseIndex
from rag.types import Collection

MAX_NAME = 1024
MAX_SEGMENT = 255
_COPY_BYTES = 1 << 20
# Controls, line ends, marks that turn the direction of a line (`exe.txt` shown for `txt.exe`), and the lone surrogates
# that stand for a name that is not UTF-8 on disk, which no database takes.
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file that lies in the incoming folder. `rejected` says why it cannot be read at all."""

    path: Path
    filename: str
    bytes: int
    sha256: str
    media_type: str = "application/octet-stream"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rejected: DocentError | None = None


class Library:
    """Files in, documents out. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        documents: DocumentCatalog,
        ingestion: IngestionCatalog,
        dense: DenseIndex,
        *,
        wake: Callable[[], None],
    ) -> None:
        self._folder = folder
        self.incoming = folder / "incoming"
        self._documents = documents
        self._ingestion = ingestion
        self._dense = dense
        self._wake = wake
        self._forgetting = threading.Lock()
        self.incoming.mkdir(parents=True, exist_ok=True)

    def stage(self, source: BinaryIO, filename: str, *, metadata: Mapping[str, Any] | None = None) -> StagedFile:
        """Copy a stream into the incoming folder, hashing it on the way. See `inspect` for errors."""
        path = self.incoming / uuid.uuid4().hex
        digest = hashlib.sha256()
        try:
            with path.open("wb") as target:
                while block := source.read(_COPY_BYTES):
                    digest.update(block)
                    target.write(block)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise UnavailableError(f"The file cannot be stored: {error.strerror}.", code="storage") from error
        return self.inspect(path, filename, digest.hexdigest(), metadata=metadata)

    def inspect(
        self, path: Path, filename: str, sha256: str, *, metadata: Mapping[str, Any] | None = None
    ) -> StagedFile:
        """Look at a file in the incoming folder: its name, its size, and whether its type is one that can be read.

        Raises:
            InvalidRequestError: not a possible file name. (Unreadable content is noted in `rejected` instead.)
        """
        try:
            name = clean_filename(filename)
        except InvalidRequestError:
            path.unlink(missing_ok=True)
            raise
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        size = path.stat().st_size
        try:
            media_type = media_type_of(name, head)
        except DocentError as error:
            return StagedFile(path, name, size, sha256, metadata=metadata or {}, rejected=error)
        return StagedFile(path, name, size, sha256, media_type, metadata or {})

    def add(
        self,
        collection: Collection,
        files: Sequence[StagedFile],
        *,
        idempotency_key: str | None = None,
        idempotency_digest: str | None = None,
    ) -> tuple[str, list[Registered]]:
        """Register staged files as one job, to be indexed in the background.

        Returns:
            The job's id, and what each file became.
        """
        job_id = uuid.uuid4().hex
        new = []
        for file in files:
            document_id = uuid.uuid4().hex
            path = self.content_path(document_id)
            path.parent.mkdir(exist_ok=True)
            file.path.rename(path)
            new.append(
                NewFile(
                    document_id, file.filename, file.media_type, file.bytes, file.sha256, file.metadata, file.rejected
                )
            )
        try:
            outcomes = self._ingestion.register(
                job_id, collection.id, new, idempotency_key=idempotency_key, idempotency_digest=idempotency_digest
            )
        except DocentError:
            self._unlink(file.id for file in new)
            raise
        self._unlink(file.id for file, outcome in zip(new, outcomes, strict=True) if outcome.document_id != file.id)
        self._wake()
        return job_id, outcomes

    def job_of_key(self, idempotency_key: str) -> tuple[str, str] | None:
        """The job that was made with this key, and the digest of what came with it."""
        return self._ingestion.job_of_key(idempotency_key)

    def content_path(self, document_id: str) -> Path:
        """Where a document's bytes lie."""
        if not re.fullmatch(r"[0-9a-f]{32}", document_id):
            raise NotFoundError(f"There is no document {document_id[:64]!r}.", code="document_not_found")
        return self._folder / document_id[:2] / document_id

    def move(self, document_id: str, collection: Collection) -> None:
        """Put a document into another collection, where it is indexed anew. Raises NotFoundError."""
        self._documents.move(document_id, collection.id)
        self.forget_vectors()
        self._wake()

    def delete(self, document_id: str) -> None:
        """Forget a document: when this returns it is in neither index, nor on disk. Raises NotFoundError."""
        self._documents.delete(document_id)
        self._unlink([document_id])
        self.forget_vectors()

    def delete_collection(self, name: str) -> None:
        """Forget a collection and its documents. Raises NotFoundError."""
        collection, ids = self._documents.delete_collection(name)
        self._unlink(ids)
        self._dense.delete_collection(collection)
        self._ingestion.vectors_deleted(collection, ids)

    def forget(self, ids: Sequence[str]) -> None:
        """Remove the bytes and vectors of documents that the catalog has forgotten already."""
        self._unlink(ids)
        self.forget_vectors()

    def forget_vectors(self) -> None:
        """Carry out the vector deletions that the catalog has noted."""
        # one at a time: a deletion read by one thread and done late must not meet vectors that another wrote since
        with self._forgetting:
            for collection, ids in self._ingestion.pending_vector_deletions().items():
                self._dense.delete_documents(collection, ids)
                self._ingestion.vectors_deleted(collection, ids)

    def resume(self) -> None:
        """At a start, before anything is indexed: queue what was cut off, finish deletions."""
        if resumed := self._ingestion.resume():
            log.info("resumed %d documents", resumed)
        self.forget_vectors()

    def drop_strays(self) -> None:
        """At a start, before any upload: drop the files that no row knows."""
        known = self._documents.ids()
        orphans = [path for path in self._folder.glob("??/*") if path.name not in known]
        orphans += list(self.incoming.iterdir())
        for path in orphans:
            path.unlink(missing_ok=True)
        if orphans:
            log.info("removed %d stray files", len(orphans))

    def _unlink(self, ids: Any) -> None:
        for document_id in ids:
            with suppress(FileNotFoundError):
                self.content_path(document_id).unlink()


def clean_filename(filename: str) -> str:
    """A file's name as data: control characters and climbing (`..`, a leading `/` or drive) removed, folders kept.

    Raises:
        InvalidRequestError: nothing is left, or it is too long.
    """
    parts = re.split(r"[\\/]", _UNSHOWN.sub("", filename).strip())
    # An empty part inside stays: "https://…" is the name of many a saved page.
    parts = [part for part in parts if part.strip() not in (".", "..")]
    while parts and (not parts[0].strip() or (len(parts) > 1 and re.fullmatch("[A-Za-z]:", parts[0]))):
        parts.pop(0)
    while parts and not parts[-1].strip():
        parts.pop()
    if not parts:
        raise InvalidRequestError("The file has no name.", code="invalid_filename")
    name = "/".join(parts)
    longest = max(map(len, parts))
    if len(name) > MAX_NAME or longest > MAX_SEGMENT:
        raise InvalidRequestError(
            f"The file name is too long: {longest} characters, at most {MAX_SEGMENT} "
            f"({MAX_NAME} with its folders). Rename the file.",
            code="invalid_filename",
        )
    return name
