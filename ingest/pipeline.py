"""The pipeline: queued documents -> text -> chunks -> vectors -> live, in three overlapping stages.

One thread reads and chunks the next batch while another embeds the present one and a third writes the one before. A
batch holds documents of one collection, so that many small files share their transaction. A bad file fails alone, with
its reason on its row. Everything may be stopped or killed anywhere: what is not live is queued again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from catalog.ingestion import IngestionCatalog, Work
from catalog.publication import Indexed, chunk_id
from ingest.chunker import chunk_document
from ingest.library import Library
from ingest.passwords import Passwords
from rag.errors import DocentError, UnavailableError, UnreadableError
from rag.ports import DenseIndex, Vectors
from rag.spaces import EmbeddingSpaces
from rag.types import DocumentStatus, ParsedDocument

BATCH_DOCUMENTS = 64
# The first batch of an upload is small and each next one twice as large, so that no stage waits long for the one before.
FIRST_DOCUMENTS = 8
BATCH_BYTES = 4 << 20
# Chunks embedded between two looks at the clock and the stop sign; a large file reports its progress this often.
SLICE_CHUNKS = 128
POLL_SECONDS = 1.0
# Wait after a failure of the machine, such as a full disk.
RETRY_SECONDS = 5.0

T = TypeVar("T")
log = logging.getLogger(__name__)


class Reader(Protocol):
    """Reads one file, usually in a child process."""

    def read(self, path: Path, filename: str, *, password: str | None = None) -> ParsedDocument:
        """Raises `rag.errors.DocentError` when the file cannot be read."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that is chunked and waits for its vectors."""

    collection: int
    documents: Sequence[Indexed]


@dataclass(frozen=True, slots=True)
class Slice:
    """Some chunks of a batch with their vectors, or the error that ended it; the `last` one makes the batch live."""

    batch: Prepared
    ids: Sequence[str] = ()
    owners: Sequence[str] = ()
    vectors: Vectors | None = None
    last: bool = False
    error: Exception | None = None


class Pipeline:
    """Indexes whatever the catalog has queued. `start` runs it in threads, `run_until_idle` in the caller's."""

    def __init__(
        self,
        ingestion: IngestionCatalog,
        library: Library,
        reader: Reader,
        spaces: EmbeddingSpaces,
        dense: DenseIndex,
        *,
        chunk_tokens: int,
        passwords: Passwords | None = None,
    ) -> None:
        self._ingestion = ingestion
        self._library = library
        self._reader = reader
        self._spaces = spaces
        self._dense = dense
        self._chunk_tokens = chunk_tokens
        self._passwords = passwords or Passwords()
        self._prepared: queue.Queue[Prepared | None] = queue.Queue(maxsize=1)
        self._embedded: queue.Queue[Slice | None] = queue.Queue(maxsize=2)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._claiming = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the stages. The index must be loaded."""
        for stage in (self._prepare_forever, self._embed_forever, self._publish_forever):
            thread = threading.Thread(target=stage, name=f"pipeline-{stage.__name__.strip('_')}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that there may be new work."""
        self._wake.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop the stages; what was in flight is queued again, now or at the next start."""
        self._stopping.set()
        self._wake.set()
        with suppress(queue.Full):  # wake a stage that waits for work; one that has some will look at the sign
            self._prepared.put_nowait(None)
        with suppress(queue.Full):
            self._embedded.put_nowait(None)
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._threads and not any(thread.is_alive() for thread in self._threads):
            self._ingestion.release()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is in flight inside the block; what is queued waits. Questions are answered all the while."""
        with self._claiming:
            while self._threads and self._ingestion.in_flight() and not self._stopping.is_set():
                self._stopping.wait(0.05)
            yield

    def pending(self) -> int:
        """Documents that are queued or in flight."""
        return self._ingestion.pending()

    @property
    def running(self) -> bool:
        """Whether every stage is alive."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def _prepare_forever(self) -> None:
        limit = FIRST_DOCUMENTS
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                batch = self._prepare(limit)
            except UnavailableError as error:
                log.error("ingestion waits: %s", error.message)
                self._stopping.wait(RETRY_SECONDS)
                continue
            except Exception as error:  # the rim of a thread, which must outlive whatever went wrong
                log.exception("ingestion waits", exc_info=error)
                self._stopping.wait(RETRY_SECONDS)
                continue
            if batch is None:
                limit = FIRST_DOCUMENTS
                self._wake.wait(POLL_SECONDS)
            else:
                limit = min(2 * limit, BATCH_DOCUMENTS)
                if batch.documents:
                    self._put(self._prepared, batch)

    def _embed_forever(self) -> None:
        while (batch := self._get(self._prepared)) is not None:
            try:
                self._embed(batch)
            except Exception as error:  # noqa: BLE001  # as above; the next stage puts the reason on the rows
                self._put(self._embedded, Slice(batch, error=error))

    def _publish_forever(self) -> None:
        ended: Prepared | None = None  # a batch that failed: what still comes of it is dropped
        while (part := self._get(self._embedded)) is not None:
            if part.batch is ended:
                continue
            try:
                if not self._publish_or_fail(part):
                    ended = part.batch
            except Exception as error:  # as above
                log.exception("a batch stays in flight", exc_info=error)
                ended = part.batch

    def _put(self, stage: queue.Queue[T | None], item: T) -> None:
        """Hand over to the next stage; dropped when the pipeline stops."""
        while not self._stopping.is_set():
            try:
                stage.put(item, timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return

    def _get(self, stage: queue.Queue[T | None]) -> T | None:
        """The next item of a stage; None when the pipeline stops."""
        while not self._stopping.is_set():
            try:
                return stage.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
        return None

    def _prepare(self, limit: int) -> Prepared | None:
        """Read and chunk the next batch; None when nothing is queued."""
        if not self._claiming.acquire(timeout=POLL_SECONDS):
            return None
        try:
            work = self._ingestion.claim(limit=limit, max_bytes=BATCH_BYTES)
        finally:
            self._claiming.release()
        if not work:
            return None
        try:
            return self._read_and_chunk(work)
        except UnavailableError:
            self._hand_back([item.id for item in work])
            raise

    def _read_and_chunk(self, work: Sequence[Work]) -> Prepared:
        parsed = [(item, document) for item in work if (document := self._read(item)) is not None]
        self._ingestion.advance([item.id for item, _ in parsed], DocumentStatus.CHUNKING)
        ready = [indexed for item, document in parsed if (indexed := self._chunk(item, document)) is not None]
        totals = {item.id: len(item.chunks) for item in ready}
        self._ingestion.expect(totals)
        return Prepared(work[0].collection_id, ready)

    def _read(self, item: Work) -> ParsedDocument | None:
        if self._stopping.is_set():
            return None
        try:
            path, password = self._library.content_path(item.id), self._passwords.of(item.id)
            return self._reader.read(path, item.filename, password=password)
        except UnavailableError:
            if not self._stopping.is_set():
                raise
        except DocentError as error:
            if not self._stopping.is_set():  # a stop ends the readers, which is not the file's fault
                if error.code == "wrong_password":
                    self._passwords.forget(item.id)
                self._fail(item.id, error)
        except Exception as error:  # noqa: BLE001  # the per-file rim of a batch: one bad file must not stop the others
            self._fail(item.id, _unexpected(error))
        return None

    def _chunk(self, item: Work, document: ParsedDocument) -> Indexed | None:
        try:
            embedder = self._spaces.of(item.collection_id).embedder
            chunks = chunk_document(document, embedder, target_tokens=self._chunk_tokens)
            if not chunks:
                raise UnreadableError("The file holds no text.", code="no_text")
        except DocentError as error:
            self._fail(item.id, error)
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(item.id, _unexpected(error))
        else:
            return Indexed(item.id, document, chunks)
        return None

    def _embed(self, batch: Prepared) -> None:
        """Embed a batch slice by slice."""
        ids = [chunk_id(item.id, chunk.ordinal) for item in batch.documents for chunk in item.chunks]
        texts = [chunk.embedding_text for item in batch.documents for chunk in item.chunks]
        owners = [item.id for item in batch.documents for _ in item.chunks]
        embedder = self._spaces.of(batch.collection).embedder
        for start in range(0, len(ids), SLICE_CHUNKS):
            if self._stopping.is_set():
                return
            part = slice(start, start + SLICE_CHUNKS)
            vectors = embedder.embed_documents(texts[part])
            self._put(
                self._embedded, Slice(batch, ids[part], owners[part], vectors, last=start + SLICE_CHUNKS >= len(ids))
            )

    def _publish_or_fail(self, part: Slice) -> bool:
        """Store a slice; False when its batch has ended without going live."""
        batch = part.batch
        try:
            self._publish(part)
        except UnavailableError as error:
            log.error("ingestion waits: %s", error.message)
            self._stopping.wait(RETRY_SECONDS)
            self._hand_back([item.id for item in batch.documents])
            return False
        except Exception as error:  # noqa: BLE001  # as above, for a batch
            failed = [item.id for item in batch.documents if self._fail(item.id, _unexpected(error))]
            self._dense.delete_documents(batch.collection, failed)
            return False
        return True

    def _publish(self, part: Slice) -> None:
        """Store a slice's vectors; after the last one make the batch live in one transaction."""
        if part.error is not None:
            raise part.error
        assert part.vectors is not None
        self._dense.upsert(part.batch.collection, part.ids, part.vectors, part.owners)
        if not part.last:
            self._ingestion.progress(Counter(part.owners))
            return
        gone = self._ingestion.go_live(part.batch.collection, part.batch.documents)
        self._library.forget(gone)
        log.info("indexed %d documents", len(part.batch.documents))

    def _hand_back(self, ids: Sequence[str]) -> None:
        try:
            self._ingestion.requeue(ids)
        except UnavailableError as error:
            # still no disk: the rows stay in flight and are queued again at the next start
            log.error("ingestion cannot be queued again: %s", error.message)

    def _fail(self, document_id: str, error: DocentError) -> bool:
        log.warning("document %s failed: %s", document_id, error.code)
        return self._ingestion.fail(document_id, code=error.code, message=error.message)


def _unexpected(error: Exception) -> DocentError:
    log.exception("unexpected error while indexing", exc_info=error)
    return DocentError(f"Unexpected error ({type(error).__name__}). The server's log has the details.")
