"""Documents between the queue and their end, as the pipeline holds them: each may be dropped at any moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from catalog.publication import Indexed, chunk_id
from catalog.queue import Work
from rag.types import Chunk


@dataclass(slots=True, eq=False)
class ClaimedDocument:
    """A claimed document. `dropped`: cancelled, moved or deleted; nothing more is to be done for it."""

    work: Work
    dropped: bool = False

    @property
    def id(self) -> str:
        """The document's id."""
        return self.work.id


@dataclass(slots=True, eq=False)
class Batch:
    """Documents of one collection that go live together. `over`: it has ended, well or not."""

    collection: int
    flights: Sequence[ClaimedDocument]
    documents: list[tuple[ClaimedDocument, Indexed]] = field(default_factory=list)
    small: bool = False
    over: bool = False

    def living(self) -> list[Indexed]:
        """Its documents that nobody has dropped."""
        return [indexed for flight, indexed in self.documents if not flight.dropped]

    def chunks(self) -> Iterator[tuple[str, str, Chunk]]:
        """Id, document and chunk of each chunk; of a document that is dropped, no more."""
        for flight, indexed in self.documents:
            for chunk in indexed.chunks:
                if flight.dropped:
                    break
                yield chunk_id(indexed.id, chunk.ordinal), indexed.id, chunk


class ClaimedDocuments:
    """All flights of a pipeline. Thread-safe."""

    def __init__(self) -> None:
        self._aloft: dict[str, ClaimedDocument] = {}
        self._lock = threading.Lock()

    def ids(self) -> set[str]:
        """The documents in flight; none of these may be claimed again, whatever its row says."""
        with self._lock:
            return set(self._aloft)

    def begin(self, work: Sequence[Work]) -> list[ClaimedDocument]:
        """ClaimedDocuments for claimed documents."""
        flights = [ClaimedDocument(item) for item in work]
        with self._lock:
            self._aloft.update((flight.id, flight) for flight in flights)
        return flights

    def end(self, flights: Sequence[ClaimedDocument]) -> None:
        """They have come to their end."""
        with self._lock:
            for flight in flights:
                self._aloft.pop(flight.id, None)

    def drop(self, ids: Sequence[str]) -> list[str]:
        """Drop those of these documents that are in flight; which they are."""
        with self._lock:
            found = [document_id for document_id in ids if document_id in self._aloft]
            for document_id in found:
                self._aloft[document_id].dropped = True
        return found
