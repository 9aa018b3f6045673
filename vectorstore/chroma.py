"""The dense index: Chroma behind `rag.ports.DenseIndex`. The only door to chromadb.

Chroma holds ids, vectors and the document id as filter key, never text. One process owns the folder (see owner.py):
two writers lose vectors without an error. The client is opened by `load()`, not at import or construction.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rag.errors import ConfigurationError, UnavailableError
from rag.types import Hit
from rag.vectors import Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

Result = TypeVar("Result")
# Chroma turns each document of a filter into a variable of SQL, of which there may be 32766.
MAX_DOCUMENTS = 10_000
# Chunks read at a time when a space is read as a whole.
PAGE_CHUNKS = 5_000
# Chunks written at a time. Chroma holds the interpreter's lock while it writes: 13 ms for 32 chunks, 47 ms for 128, in
# which no question is answered and no embedding thread goes on to its next text.
WRITE_CHUNKS = 32
# Recall@10 of .99 and more at these sizes; cosine must be said, Chroma's own default is l2. With 128 candidates looked
# at for 100 neighbours the last of these differ from one start to the next, and with them the scale of all scores; 256
# take no longer.
CONFIGURATION: Any = {"hnsw": {"space": "cosine", "ef_construction": 200, "max_neighbors": 32, "ef_search": 256}}


class ChromaIndex:
    """A Chroma folder. Thread-safe; `load` may be called any number of times.

    While it is open, a mark lies beside the folder (unless not `marked`): one that is there before tells of an unclean
    stop.
    """

    def __init__(self, path: Path, *, marked: bool = True) -> None:
        self._path = path
        self._mark = path.with_name(f"{path.name}.open") if marked else None
        self._client: ClientAPI | None = None
        self._spaces: dict[int, Collection] = {}
        self._opening = threading.Lock()

    @property
    def was_left_open(self) -> bool:
        """Before `load`: whether the process that had the folder open last did not close it."""
        return self._mark is not None and self._client is None and self._mark.exists()

    def load(self) -> None:
        """Open the folder.

        Raises:
            ConfigurationError: Chroma cannot open it.
        """
        with self._opening:
            if self._client is not None:
                return
            os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
            import chromadb
            from chromadb.config import Settings as ChromaSettings
            from chromadb.errors import ChromaError

            try:
                if self._mark is not None:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._mark.touch()
                self._client = chromadb.PersistentClient(
                    str(self._path), settings=ChromaSettings(anonymized_telemetry=False)
                )
            except (ChromaError, ValueError, OSError) as error:
                raise ConfigurationError(f"The vector index {self._path} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Close the folder; the object may be loaded again."""
        with self._opening:
            client, self._client = self._client, None
            self._spaces.clear()
        if client is not None:
            client.close()  # type: ignore[attr-defined]  # it is a Client
            if self._mark is not None:
                self._mark.unlink(missing_ok=True)

    def upsert(self, collection: int, ids: Sequence[str], vectors: Vectors, documents: Sequence[str]) -> None:
        """See `rag.ports.DenseIndex.upsert`."""
        for start in range(0, len(ids), WRITE_CHUNKS):
            part = slice(start, start + WRITE_CHUNKS)
            metadatas: Any = [{"document": document} for document in documents[part]]
            self._in_space(collection, partial(_store, list(ids[part]), vectors[part], metadatas))

    def query(
        self, collection: int, vector: Vectors, *, limit: int, documents: Sequence[str] | None = None
    ) -> list[Hit]:
        """See `rag.ports.DenseIndex.query`."""
        if documents is not None and len(documents) > MAX_DOCUMENTS:
            parts = [self.query(collection, vector, limit=limit, documents=part) for part in _parts(documents)]
            return sorted(itertools.chain(*parts), key=lambda hit: -hit.score)[:limit]
        if documents is not None and not documents:
            return []  # Chroma refuses an empty list

        def nearest(space: Collection) -> list[Hit]:
            wanted = min(limit, space.count())
            if not wanted:
                return []
            found = space.query(
                query_embeddings=np.asarray(vector, dtype=np.float32).reshape(1, -1),
                n_results=limit,
                where=None if documents is None else _of(documents),
                include=["distances"],
            )
            distances = (found["distances"] or [[]])[0]
            return [Hit(chunk_id, 1.0 - far) for chunk_id, far in zip(found["ids"][0], distances, strict=True)]

        return self._in_space(collection, nearest)

    def delete_documents(self, collection: int, documents: Sequence[str]) -> None:
        """See `rag.ports.DenseIndex.delete_documents`."""
        for part in _parts(documents):
            self._in_space(collection, partial(_forget, part))

    def delete_collection(self, collection: int) -> None:
        """See `rag.ports.DenseIndex.delete_collection`."""
        with self._opening:
            self._spaces.pop(collection, None)
        self.delete_named(_name(collection))

    def count(self, collection: int) -> int:
        """See `rag.ports.DenseIndex.count`."""
        return self._in_space(collection, lambda space: space.count())

    def spaces(self) -> list[int]:
        """Ids of the spaces that exist."""
        names = [space.name for space in self._opened().list_collections()]
        return sorted(int(match[1]) for name in names if (match := re.fullmatch(r"docent_(-?\d+)", name)))

    def names(self) -> dict[str, dict[str, Any]]:
        """What each space is called, with its metadata."""
        return {space.name: dict(space.metadata or {}) for space in self._opened().list_collections()}

    @staticmethod
    def name(collection: int) -> str:
        """What the space of a collection is called."""
        return _name(collection)

    def rename(self, collection: int, name: str, metadata: dict[str, Any] | None = None) -> None:
        """Call a space otherwise; whoever asks for the collection afterwards gets what bears its name then."""
        self._in_space(collection, partial(_rename, name, metadata))
        with self._opening:
            self._spaces.clear()

    def rename_named(self, old: str, new: str) -> None:
        """The same by names."""
        _rename(new, None, self._opened().get_collection(old, embedding_function=None))

    def delete_named(self, name: str) -> None:
        """Forget a space by its name. An unknown one is no error."""
        from chromadb.errors import NotFoundError

        with suppress(NotFoundError):
            self._opened().delete_collection(name)

    def entries(self, collection: int) -> dict[str, str]:
        """The document of each chunk that has a vector."""
        pages = self.pages(collection, vectors=False)
        return {chunk_id: owner for ids, owners, _ in pages for chunk_id, owner in zip(ids, owners, strict=True)}

    def pages(self, collection: int, *, vectors: bool = True) -> Iterator[tuple[list[str], list[str], Vectors]]:
        """Everything in a space, which must not change meanwhile: chunk ids, their documents and, if wanted,
        vectors.
        """
        wanted: Any = ["metadatas", "embeddings"] if vectors else ["metadatas"]
        for start in range(0, self.count(collection), PAGE_CHUNKS):
            get = partial(_get, {"limit": PAGE_CHUNKS, "offset": start, "include": wanted})
            part = self._in_space(collection, get)
            found = np.asarray(part["embeddings"] if vectors else [], dtype=np.float32)
            yield part["ids"], [str(facts["document"]) for facts in part["metadatas"]], found

    def delete_chunks(self, collection: int, ids: Sequence[str]) -> None:
        """Forget single chunks."""
        for part in _parts(ids):
            self._in_space(collection, partial(_forget_chunks, list(part)))

    def _opened(self) -> ClientAPI:
        if self._client is None:
            self.load()
        assert self._client is not None
        return self._client

    def _in_space(self, collection: int, action: Callable[[Collection], Result]) -> Result:
        """Do something with a space; once more with a fresh one if another thread deleted it meanwhile.

        Raises:
            UnavailableError: Chroma failed.
        """
        from chromadb.errors import ChromaError, NotFoundError

        try:
            try:
                return action(self._space(collection))
            except NotFoundError:
                with self._opening:
                    self._spaces.pop(collection, None)
                return action(self._space(collection))
        except ChromaError as error:
            raise UnavailableError(f"The vector index does not answer: {error}.", code="index_unavailable") from error

    def _space(self, collection: int) -> Collection:
        client = self._opened()
        with self._opening:
            if collection not in self._spaces:
                self._spaces[collection] = client.get_or_create_collection(
                    _name(collection),
                    configuration=CONFIGURATION,
                    embedding_function=None,
                )
            return self._spaces[collection]


def _name(collection: int) -> str:
    return f"docent_{collection}"


def _store(ids: list[str], vectors: Vectors, metadatas: Any, space: Collection) -> None:
    space.upsert(ids=ids, embeddings=vectors, metadatas=metadatas)


def _forget(documents: Sequence[str], space: Collection) -> None:
    space.delete(where=_of(documents))


def _rename(name: str, metadata: dict[str, Any] | None, space: Collection) -> None:
    space.modify(name=name, metadata=metadata)


def _get(arguments: dict[str, Any], space: Collection) -> Any:
    return space.get(**arguments)


def _forget_chunks(ids: list[str], space: Collection) -> None:
    space.delete(ids=ids)


def _parts(documents: Sequence[str]) -> Iterator[Sequence[str]]:
    return (documents[start : start + MAX_DOCUMENTS] for start in range(0, len(documents), MAX_DOCUMENTS))


def _of(documents: Sequence[str]) -> Any:
    return {"document": {"$in": list(documents)}}
