"""The pipeline: queued documents -> text -> chunks -> vectors -> live, in three overlapping stages.

One thread reads and chunks the next batch while another embeds the present one and a third writes the one before. A
batch holds documents of one collection, so that many small files share their transaction. A bad file fails alone, with
its reason on its row. Everything may be stopped or killed anywhere: what is not live is queued again.

Batches come on two lanes. While the main lane is busy with something large, a second thread reads small uploads for the
express lane, and the embedder takes slices of the batch with the least left and of the oldest in turn: a huge upload, or a huge
file, does not hold up a small one.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from catalog.ingestion import IngestionCatalog
from catalog.publication import Indexed
from ingest.pipeline.chunking import chunk_document
from ingest.pipeline.claimed import Batch, ClaimedDocument, ClaimedDocuments
from ingest.pipeline.embedding import ChunkVectors, EmbeddedChunks, embed
from ingest.storage.library import Library
from ingest.storage.passwords import Passwords
from rag.chunking_config import ChunkingConfig
from rag.errors import DocentError, UnavailableError, UnreadableError
from rag.ports import Embedder
from rag.retrieval.embedding_spaces import EmbeddingSpaces
from rag.types import DocumentStatus, ParsedDocument

BATCH_DOCUMENTS = 128
# Bytes of a full batch. The first batch of an upload is small, in documents and in bytes, and each next one twice as large, so
# that no stage waits long for the one before.
BATCH_BYTES = 4 << 20
FIRST_DOCUMENTS = 16
# Batches between claim and end: one is read, one waits, one is embedded. The express lane has one in all.
MAIN_BATCHES = 3
# Chunks embedded between two looks at the clock, the stop sign and the other lane; a large file reports its progress this often.
SLICE_CHUNKS = 128
POLL_SECONDS = 1.0
# A main lane that has not come back to the queue for so long is busy: small uploads go by the express lane.
EXPRESS_AFTER = 0.5
# Wait after a failure of the machine, such as a full disk.
RETRY_SECONDS = 5.0

T = TypeVar("T")
log = logging.getLogger(__name__)


class Reader(Protocol):
    """Reads one file, usually in a child process."""

    def read(
        self,
        path: Path,
        filename: str,
        *,
        password: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ParsedDocument:
        """Read a file; `progress` may be told of pages read and pages in all.

        Raises:
            DocentError: the file cannot be read.
        """

    def abandon(self, path: Path) -> None:
        """Break off the reading of that file, if it is under way."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some chunks of a batch with their vectors, or the error that ended it; the `last` one makes the batch live."""

    batch: Batch
    embedded: EmbeddedChunks | None = None
    last: bool = False
    error: Exception | None = None


class _Lane:
    """A way through the stages. `busy_since`: since when its thread has not come back to the queue."""

    def __init__(self, batches: int, *, small: bool) -> None:
        self.small = small
        self.slots = threading.Semaphore(batches)
        self.wake = threading.Event()
        self.busy_since: float | None = None


class _EmbeddingTask:
    """A batch while it is embedded; `left` counts its chunks."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.chunks = batch.chunks()
        self.left = sum(len(indexed.chunks) for _, indexed in batch.documents)


class Pipeline:
    """Indexes whatever the catalog has queued. `start` runs its stages in threads; `recipe` tells how the documents of a
    collection are cut.
    """

    def __init__(
        self,
        ingestion: IngestionCatalog,
        library: Library,
        reader: Reader,
        spaces: EmbeddingSpaces,
        vectors: ChunkVectors,
        *,
        recipe: Callable[[int], ChunkingConfig],
        passwords: Passwords | None = None,
    ) -> None:
        self._ingestion = ingestion
        self._library = library
        self._reader = reader
        self._spaces = spaces
        self._vectors = vectors
        self._recipe = recipe
        self._passwords = passwords or Passwords()
        self._main = _Lane(MAIN_BATCHES, small=False)
        self._express = _Lane(1, small=True)
        # the lanes' slots bound it
        self._prepared: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._embedded: queue.Queue[Slice | None] = queue.Queue(maxsize=2)
        self._flights = ClaimedDocuments()
        self._stopping = threading.Event()
        self._ended = threading.Condition()
        self._claiming = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._problem = ""

    def start(self) -> None:
        """Start the stages. The index must be loaded."""
        for stage in (self._prepare_forever, self._prepare_small_forever, self._embed_forever, self._publish_forever):
            thread = threading.Thread(target=stage, name=f"pipeline-{stage.__name__.strip('_')}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Say that there may be new work."""
        self._ingestion.changed()
        self._main.wake.set()
        self._express.wake.set()

    def drop(self, ids: Sequence[str]) -> None:
        """Documents were cancelled, moved or deleted: stop working on them, also in the middle of a file."""
        for document_id in self._flights.drop(ids):
            self._reader.abandon(self._library.content_path(document_id))

    def stop(self, timeout: float = 10.0) -> None:
        """Stop the stages; what was in flight is queued again, now or at the next start."""
        self._stopping.set()
        self.wake()
        self._prepared.put(None)  # wake the stages that wait for work; one that has some will look at the sign
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

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is queued or in flight, at most so many seconds; whether that came about.

        The catalog is asked when a batch has ended, which costs less than asking it over and over.
        """
        deadline = time.monotonic() + timeout
        with self._ended:
            while self.pending():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._ended.wait(min(left, POLL_SECONDS))
        return True

    @property
    def running(self) -> bool:
        """Whether every stage is alive."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def health(self) -> tuple[bool, str]:
        """Whether every stage that was started is alive, and what is wrong, if anything."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead and not self._stopping.is_set():
            return False, f"ended: {', '.join(dead)}; start the server again"
        return True, self._problem

    def _prepare_forever(self) -> None:
        lane, limit = self._main, FIRST_DOCUMENTS
        while not self._stopping.is_set():
            if lane.busy_since is None:
                lane.busy_since = time.monotonic()
            if not lane.slots.acquire(timeout=POLL_SECONDS):
                continue
            lane.wake.clear()
            found = self._fill_slot(lane, limit)
            lane.busy_since = None
            if found:
                limit = min(2 * limit, BATCH_DOCUMENTS)
            else:
                limit = FIRST_DOCUMENTS
                lane.wake.wait(POLL_SECONDS)

    def _prepare_small_forever(self) -> None:
        lane = self._express
        while not self._stopping.is_set():
            since = self._main.busy_since
            if since is None or time.monotonic() - since < EXPRESS_AFTER:
                self._stopping.wait(EXPRESS_AFTER)
            elif lane.slots.acquire(timeout=POLL_SECONDS):
                lane.wake.clear()
                if not self._fill_slot(lane, BATCH_DOCUMENTS):
                    lane.wake.wait(POLL_SECONDS)

    def _fill_slot(self, lane: _Lane, limit: int) -> bool:
        """Prepare a batch for a slot that was taken, which is given back where there is none; whether there was one."""
        try:
            batch = self._prepare(limit, small=lane.small)
        except UnavailableError as error:
            log.error("ingestion waits: %s", error.message)
            self._wait_for_the_machine(error.message)
        except Exception as error:  # the rim of a thread, which must outlive whatever went wrong
            log.exception("ingestion waits", exc_info=error)
            self._wait_for_the_machine(type(error).__name__)
        else:
            if batch is not None and batch.documents:
                self._prepared.put(batch)
                return True
            lane.slots.release()
            return batch is not None
        lane.slots.release()
        return True

    def _wait_for_the_machine(self, problem: str) -> None:
        self._problem = f"waits: {problem}"
        self._stopping.wait(RETRY_SECONDS)

    def _embed_forever(self) -> None:
        present: list[_EmbeddingTask] = []
        oldest = False
        while not self._stopping.is_set():
            with suppress(queue.Empty):
                while (batch := self._prepared.get(timeout=0 if present else POLL_SECONDS)) is not None:
                    present.append(_EmbeddingTask(batch))
            if not present:
                continue
            # every other slice is of the batch with the least left, so that the small pass, and the large come home too
            course = present[0] if oldest else min(present, key=lambda each: each.left)
            oldest = not oldest
            if not self._embed_slice(course):
                present.remove(course)

    def _embed_slice(self, course: _EmbeddingTask) -> bool:
        """Embed the next chunks of a batch; whether there may be more."""
        batch = course.batch
        if batch.over:
            return False
        try:
            part = list(islice(course.chunks, SLICE_CHUNKS))
            last = len(part) < SLICE_CHUNKS
            course.left -= len(part)
            embedded = None
            if part:
                ids, owners, chunks = zip(*part, strict=True)
                embedded = embed(self._spaces.of(batch.collection).embedder, ids, owners, chunks)
            self._put(Slice(batch, embedded, last))
        except Exception as error:  # noqa: BLE001  # the rim of a thread; the next stage puts the reason on the rows
            self._put(Slice(batch, error=error))
            return False
        return not last

    def _publish_forever(self) -> None:
        while (part := self._get()) is not None:
            batch = part.batch
            if batch.over:  # it failed: what still comes of it is dropped
                continue
            try:
                if not self._publish_or_fail(part) or part.last:
                    self._end(batch)
            except Exception as error:  # as above
                log.exception("a batch stays in flight", exc_info=error)
                self._end(batch)

    def _end(self, batch: Batch) -> None:
        """A batch is through: its place is free, and its documents may be claimed again, if they are queued."""
        batch.over = True
        self._flights.end(batch.flights)
        (self._express if batch.small else self._main).slots.release()
        self._main.wake.set()
        self._express.wake.set()
        with self._ended:
            self._ended.notify_all()

    def _put(self, part: Slice) -> None:
        """Hand over to the last stage; dropped when the pipeline stops."""
        while not self._stopping.is_set():
            try:
                self._embedded.put(part, timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return

    def _get(self) -> Slice | None:
        """The next slice to publish; None when the pipeline stops."""
        while not self._stopping.is_set():
            try:
                return self._embedded.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
        return None

    def _prepare(self, limit: int, *, small: bool) -> Batch | None:
        """Read and chunk the next batch; None when nothing is queued. Raises UnavailableError, also when the disk is nearly full."""
        try:
            self._library.require_disk()
        except UnavailableError:
            if not self._ingestion.pending():
                return None
            raise
        if not self._claiming.acquire(timeout=POLL_SECONDS):
            return None
        try:
            aloft = self._flights.ids()
            max_bytes = BATCH_BYTES * limit // BATCH_DOCUMENTS
            work = self._ingestion.claim(limit=limit, max_bytes=max_bytes, small=small, without=aloft)
            flights = self._flights.begin(work)
        finally:
            self._claiming.release()
        if not work:
            self._library.forget_vectors()  # a document waits for that, if it failed before
            return None
        batch = Batch(work[0].collection_id, flights, small=small)
        try:
            self._read_and_chunk(batch)
        except UnavailableError:
            self._hand_back([item.id for item in work])
            self._flights.end(flights)
            raise
        self._problem = ""
        if not batch.documents:
            self._abandon(batch, [flight.id for flight in flights if flight.dropped])
            self._flights.end(flights)
        return batch

    def _read_and_chunk(self, batch: Batch) -> None:
        parsed = [(flight, document) for flight in batch.flights if (document := self._read(flight)) is not None]
        self._ingestion.advance([flight.id for flight, _ in parsed], DocumentStatus.CHUNKING)
        try:
            embedder, recipe = self._spaces.of(batch.collection).embedder, self._recipe(batch.collection)
        except DocentError as error:  # the collection is gone, or made with a model or a recipe that is not known here
            for flight, _ in parsed:
                self._fail(flight.id, error)
            return
        for flight, document in parsed:
            if (indexed := self._chunk(flight, document, embedder, recipe)) is not None:
                batch.documents.append((flight, indexed))
        self._ingestion.expect({item.id: len(item.chunks) for _, item in batch.documents})

    def _read(self, flight: ClaimedDocument) -> ParsedDocument | None:
        if self._stopping.is_set() or flight.dropped:
            return None
        item = flight.work
        try:
            path, password = self._library.content_path(item.id), self._passwords.of(item.id)
            reached = partial(self._ingestion.reached, item.id)
            return self._reader.read(path, item.filename, password=password, progress=reached)
        except UnavailableError:
            if not self._stopping.is_set():
                raise
        except DocentError as error:
            # a stop ends the readers, and dropping a document its own, which is not the file's fault
            if not self._stopping.is_set() and not flight.dropped:
                if error.code == "wrong_password":
                    self._passwords.forget(item.id)
                self._fail(item.id, error)
        except Exception as error:  # noqa: BLE001  # the per-file rim of a batch: one bad file must not stop the others
            self._fail(item.id, _unexpected(error))
        return None

    def _chunk(
        self, flight: ClaimedDocument, document: ParsedDocument, embedder: Embedder, recipe: ChunkingConfig
    ) -> Indexed | None:
        if flight.dropped:
            return None
        item = flight.work
        try:
            chunks = chunk_document(document, embedder, target_tokens=recipe.tokens)
            if not chunks:
                raise UnreadableError("The file holds no text.", code="no_text")
        except DocentError as error:
            self._fail(item.id, error)
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(item.id, _unexpected(error))
        else:
            return Indexed(item.id, document, chunks)
        return None

    def _publish_or_fail(self, part: Slice) -> bool:
        """Store a slice; False when its batch has ended without going live."""
        batch = part.batch
        try:
            self._publish(part)
        except UnavailableError as error:
            log.error("ingestion waits: %s", error.message)
            self._wait_for_the_machine(error.message)
            self._hand_back([item.id for item in batch.living()])
            return False
        except Exception as error:  # noqa: BLE001  # as above, for a batch
            self._break_up(batch, error)
            return False
        self._problem = ""
        return True

    def _break_up(self, batch: Batch, error: Exception) -> None:
        """One document of a batch is to blame: each is tried again alone, and one that was alone has failed."""
        ids = [item.id for item in batch.living()]
        if len(ids) == 1:
            self._fail(ids[0], _unexpected(error))
        else:
            log.exception("a batch of %d documents broke; they are tried one by one", len(ids), exc_info=error)
            self._ingestion.suspect(ids)
        self._abandon(batch, [flight.id for flight in batch.flights])

    def _publish(self, part: Slice) -> None:
        """Store a slice's vectors; after the last one make the batch live in one transaction."""
        batch = part.batch
        if part.error is not None:
            raise part.error
        if part.embedded is not None:
            self._vectors.store(batch.collection, part.embedded)
        if not part.last:
            self._ingestion.progress(Counter(part.embedded.owners if part.embedded else ()))
            return
        living = batch.living()
        gone = self._ingestion.go_live(batch.collection, living)
        self._library.forget(gone)
        self._abandon(batch, [flight.id for flight in batch.flights if flight.dropped])
        log.info("indexed %d documents", len(living))

    def _abandon(self, batch: Batch, ids: Sequence[str]) -> None:
        """Forget the vectors of documents that will not go live with their batch."""
        if ids:
            self._ingestion.abandon(batch.collection, ids)
            self._library.forget_vectors()

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
