"""The library: takes files in, gives documents back, and forgets them, in the catalog, both indexes and on disk.

Files are stored under their document's id; a file's own name is data and never a path. Storing, registering and
deleting are ordered so that a stop anywhere leaves either a row without file (never: the file comes first) or a file
without row, which `drop_orphans` removes at the next start, if it can be told whose it is. Any other file is kept.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from catalog.documents import DocumentCatalog
from catalog.files import FileCatalog
from catalog.ingestion import IngestionCatalog
from catalog.registration import NewFile, Registered
from ingest.naming import clean_filename
from ingest.readers.registry import HEAD_BYTES, is_archive, media_type_of
from ingest.storage.data_folder import DataFolder
from ingest.storage.passwords import Passwords
from ingest.storage.staging import staged_ids, staging
from ingest.storage.unpacking import StagedFile, told_apart, unpack
from rag.errors import DocentError, InvalidRequestError, UnavailableError
from rag.ports import DenseIndex
from rag.types import Collection, DocumentStatus

_COPY_BYTES = 1 << 20
RESERVE_BYTES = 128 << 20
log = logging.getLogger(__name__)


class Library:
    """Files in, documents out. Thread-safe."""

    def __init__(
        self,
        folder: DataFolder,
        files: FileCatalog,
        documents: DocumentCatalog,
        ingestion: IngestionCatalog,
        dense: DenseIndex,
        *,
        wake: Callable[[], None],
        passwords: Passwords | None = None,
        forgotten: Callable[[str], None] = lambda _: None,
        dropped: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._files = files
        self.incoming = folder.incoming
        self._documents = documents
        self._ingestion = ingestion
        self._dense = dense
        self._wake = wake
        self._passwords = passwords or Passwords()
        self._forgotten = forgotten  # told the id of each document whose bytes or text are gone
        self._dropped = dropped  # told the ids of documents that need no more work
        self._forgetting = threading.Lock()
        self.incoming.mkdir(parents=True, exist_ok=True)

    def stage(self, source: BinaryIO, filename: str, *, metadata: Mapping[str, Any] | None = None) -> StagedFile:
        """Copy a stream into the incoming folder, hashing it on the way. See `inspect` for errors."""
        return self.stage_written(partial(shutil.copyfileobj, source, length=_COPY_BYTES), filename, metadata or {})

    def stage_written(
        self, write: Callable[[BinaryIO], object], filename: str, metadata: Mapping[str, Any]
    ) -> StagedFile:
        """The same for what a function writes; nothing stays of it when that raises."""
        path = self.incoming / uuid.uuid4().hex
        try:
            with path.open("wb") as target:
                hashing = _HashingTarget(target)
                write(hashing)  # type: ignore[arg-type]  # has all that is used
        except OSError as error:
            path.unlink(missing_ok=True)
            raise UnavailableError(f"The file cannot be stored: {error.strerror}.", code="storage") from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return self.inspect(path, filename, hashing.digest.hexdigest(), metadata=metadata, head=bytes(hashing.head))

    def unpacked(self, files: Sequence[StagedFile]) -> list[StagedFile]:
        """Staged files, with the members of archives in the place of the archives.

        Raises:
            UnavailableError: they cannot be stored.
        """
        found: list[tuple[StagedFile, StagedFile]] = []
        try:
            for file in files:
                members = unpack(file, self.stage_written) if file.archive else [file]
                found += [(member, file) for member in members]
        except BaseException:
            for member, _ in found:
                member.path.unlink(missing_ok=True)
            raise
        return told_apart(found)

    def inspect(
        self,
        path: Path,
        filename: str,
        sha256: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        head: bytes | None = None,
    ) -> StagedFile:
        """Look at a file in the incoming folder: its name, its size, and whether its type is one that can be read.

        `head`: its first `HEAD_BYTES` bytes, where they are known already.

        Raises:
            InvalidRequestError: not a possible file name. (Unreadable content is noted in `rejected` instead.)
        """
        try:
            name = clean_filename(filename)
        except InvalidRequestError:
            path.unlink(missing_ok=True)
            raise
        if head is None:
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
        size = path.stat().st_size
        if is_archive(name, head):
            return StagedFile(path, name, size, sha256, "application/zip", metadata or {}, archive=True)
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
        password: str | None = None,
    ) -> tuple[str, list[Registered]]:
        """Register staged files as one job, to be indexed in the background. `password` opens those that need one.

        Returns:
            The job's id, and what each file became.
        """
        job_id = uuid.uuid4().hex

        def entrust(outcomes: Sequence[Registered]) -> None:
            if password is None:
                return
            for outcome in outcomes:
                if outcome.status == DocumentStatus.QUEUED:
                    self._passwords.remember([outcome.document_id], password)
                else:
                    self._passwords.offer(outcome.document_id, password)

        ids = [uuid.uuid4().hex for _ in files]
        new = [
            NewFile(own, file.filename, file.media_type, file.bytes, file.sha256, file.metadata, file.rejected)
            for own, file in zip(ids, files, strict=True)
        ]
        try:
            with staging(self._folder, ids):
                try:
                    self._put_into_place(files, ids)
                    outcomes = self._ingestion.register(
                        job_id,
                        collection.id,
                        new,
                        idempotency_key=idempotency_key,
                        idempotency_digest=idempotency_digest,
                        before_commit=entrust,
                    )
                except BaseException:
                    self._unlink(ids)
                    raise
                self._unlink(own for own, outcome in zip(ids, outcomes, strict=True) if outcome.document_id != own)
        except OSError as error:
            raise UnavailableError(f"The file cannot be stored: {error.strerror}.", code="storage") from error
        self._wake()
        return job_id, outcomes

    def _put_into_place(self, files: Sequence[StagedFile], ids: Sequence[str]) -> None:
        for file, own in zip(files, ids, strict=True):
            path = self.content_path(own)
            try:
                file.path.rename(path)
            except FileNotFoundError:
                path.parent.mkdir(exist_ok=True)
                file.path.rename(path)

    def require_room(self, more: int = 0) -> None:
        """Refuse an upload of so many bytes while too much waits to be indexed, or the disk is nearly full.

        Raises:
            QueueFullError, UnavailableError: see above.
        """
        self.require_disk(more)
        self._ingestion.require_room(more)

    def require_disk(self, more: int = 0) -> None:
        """Keep room for deletions, which write before they free anything. Raises UnavailableError."""
        if shutil.disk_usage(self._folder.path).free < RESERVE_BYTES + more:
            raise UnavailableError(
                f"The disk of the data folder is nearly full: less than {RESERVE_BYTES >> 20} MiB would be left. Nothing new is taken; "
                "delete documents, or make room.",
                code="storage",
            )

    def job_of_key(self, idempotency_key: str) -> tuple[str, str] | None:
        """The job that was made with this key, and the digest of what came with it."""
        return self._ingestion.job_of_key(idempotency_key)

    def content_path(self, document_id: str) -> Path:
        """Where a document's bytes lie. Raises NotFoundError for what cannot be an id."""
        return self._folder.original(document_id)

    def move(self, document_id: str, collection: Collection) -> None:
        """Put a document into another collection, where it is indexed anew. Raises NotFoundError."""
        self._documents.move(document_id, collection.id)
        self._dropped([document_id])
        self.forget_vectors()
        self._wake()

    def delete(self, document_id: str) -> None:
        """Forget a document: when this returns it is in neither index, nor on disk. Raises NotFoundError."""
        self._documents.delete(document_id)
        self.forget([document_id])

    def delete_collection(self, name: str) -> None:
        """Forget a collection and its documents. Raises NotFoundError."""
        collection, ids = self._documents.delete_collection(name)
        self._dropped(ids)
        self._delete_files(ids)
        self._dense.delete_collection(collection)
        self._ingestion.vectors_deleted(collection, ids)

    def unindexed(self, document_id: str) -> None:
        """The catalog has dropped a document's text and kept its row: stop working on it, and drop its pictures and vectors.

        Its bytes stay, and so does its password, which may be wanted again.
        """
        self._dropped([document_id])
        self._forgotten(document_id)
        self.forget_vectors()

    def wake(self) -> None:
        """Something was queued."""
        self._wake()

    def forget(self, ids: Sequence[str]) -> None:
        """Remove the bytes and vectors of documents that the catalog has forgotten already."""
        if not ids:
            return
        self._dropped(ids)
        self._delete_files(ids)
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

    def drop_orphans(self) -> None:
        """At a start, before any upload: finish deletions, and drop uploads that were cut off. What nobody can account for stays."""
        self._delete_files(self._files.pending_file_deletions())
        known = self._documents.ids()
        cut_off = [self.content_path(own) for own in staged_ids(self._folder) - known]
        cut_off += list(self.incoming.iterdir())
        for path in cut_off:
            path.unlink(missing_ok=True)
        if cut_off:
            log.info("removed %d files of uploads that were cut off", len(cut_off))
        if unknown := len(self.unknown_files()):
            log.error(
                "%d files in %s are not in the catalog; they are kept: `python -m ingest doctor --repair` takes them in",
                unknown, self._folder.uploads,
            )  # fmt: skip

    def unknown_files(self) -> list[Path]:
        """Files that lie where originals lie and that no document accounts for."""
        known = self._documents.ids()
        return [path for path in self._folder.originals() if path.name not in known]

    def _delete_files(self, ids: Sequence[str]) -> None:
        """Carry out deletions that the catalog has noted."""
        self._unlink(ids)
        if ids:
            self._files.files_deleted(ids)

    def _unlink(self, ids: Any) -> None:
        for document_id in ids:
            with suppress(FileNotFoundError):
                self.content_path(document_id).unlink()
            self._passwords.forget(document_id)
            self._forgotten(document_id)


class _HashingTarget:
    """A writable stream that hashes what goes through it, and keeps the first `HEAD_BYTES` bytes of it."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self.digest = hashlib.sha256()
        self.head = bytearray()

    def write(self, block: bytes) -> int:
        """Hash and write."""
        self.digest.update(block)
        if len(self.head) < HEAD_BYTES:
            self.head += block[: HEAD_BYTES - len(self.head)]
        return self._target.write(block)
