"""Deterministic stand-ins for the ports, for tests that must not need weights or a network.

Each fake passes the same contract suite as the real adapter (tests/contracts), and records what it was asked.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from rag.errors import ChatUnavailableError
from rag.retrieval.late_interaction import to_token_space
from rag.text.language import query_terms, terms
from rag.types import ChatDelta, Hit, Message, Usage
from rag.vectors import Encoded, TokenVectors, Vectors

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")


class HashEmbedder:
    """A bag of words hashed into `dimension` signed buckets: texts that share words are near each other.

    A token is a run of non-space characters, or a single CJK character. `calls` counts calls of the two embed methods,
    `embedded` holds every text embedded, in order; both are safe to read after the calls have returned.
    """

    def __init__(self, *, dimension: int = 64, seed: int = 0, max_tokens: int = 254) -> None:
        self._dimension = dimension
        self._seed = seed
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        self.calls = 0
        self.embedded: list[str] = []

    @property
    def model_id(self) -> str:
        return f"hash-bow/{self._dimension}/{self._seed}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_TOKEN.findall(text)) for text in texts]

    @property
    def token_space(self) -> str:
        return self.model_id

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        return Encoded(self.embed_documents(texts), self.embed_tokens(texts))

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        return Encoded(self.embed_queries(texts), self.embed_tokens(texts, query=True))

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            self.calls += 1
            self.embedded.extend(texts)
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for token in _TOKEN.findall(text.casefold())[: self._max_tokens]:
                bucket, sign = self._place(token.strip(".,;:!?()[]\"'。，；：！？") or token)
                vectors[row, bucket] += sign
            if not vectors[row].any():  # an empty text, or signs that cancelled out, still needs a unit vector
                vectors[row, 0] = 1.0
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if len(texts) else vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_documents(texts)

    def embed_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[TokenVectors]:
        found = []
        for text in texts:
            tokens = list(_TOKEN.finditer(text))[: self._max_tokens]
            vectors = np.zeros((len(tokens), self._dimension), dtype=np.float32)
            for row, token in enumerate(tokens):
                word = token.group().casefold()
                bucket, sign = self._place(word.strip(".,;:!?()[]\"'。，；：！？") or word)
                vectors[row, bucket] = sign
            offsets = np.array([token.span() for token in tokens], dtype=np.int32).reshape(-1, 2)
            found.append(TokenVectors(offsets, to_token_space(vectors)))
        return found

    def _place(self, token: str) -> tuple[int, float]:
        digest = hashlib.blake2b(f"{self._seed}:{token}".encode(), digest_size=8).digest()
        value = int.from_bytes(digest, "big")
        return (value >> 1) % self._dimension, 1.0 if value & 1 else -1.0


class ScriptedChat:
    """A chat model that says what it was told to say, and records its prompts.

    Each item of `script` is the completion of one call: a text (streamed word by word), a list of pieces, or an
    exception, which is raised; a list may hold an exception too, raised when its turn comes. The last item is repeated
    when the script is used up. `prompts` holds the messages of each call; `closed` counts streams given up early.
    """

    def __init__(
        self,
        *script: str | BaseException | Sequence[str | BaseException],
        name: str = "scripted",
        ready: bool = True,
        usage: Usage | None = None,
    ) -> None:
        self._script = script or ("",)
        self._name = name
        self._usage = usage or Usage(prompt_tokens=1, completion_tokens=1)
        self._lock = threading.Lock()
        self.is_ready = ready
        self.prompts: list[tuple[Message, ...]] = []
        self.max_tokens: list[int] = []
        self.closed = 0

    @property
    def name(self) -> str:
        return self._name

    def ready(self) -> bool:
        return self.is_ready

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        with self._lock:
            item = self._script[min(len(self.prompts), len(self._script) - 1)]
            self.prompts.append(tuple(messages))
            self.max_tokens.append(max_tokens)
        if not self.is_ready:
            raise ChatUnavailableError("The scripted chat model is not ready.")
        if isinstance(item, BaseException):
            raise item
        try:
            for piece in re.findall(r"\S+\s*|^\s+", item) if isinstance(item, str) else item:
                if isinstance(piece, BaseException):
                    raise piece
                yield ChatDelta(piece)
            yield ChatDelta("", self._usage)
        except GeneratorExit:
            with self._lock:
                self.closed += 1
            raise


class NumpyDenseIndex:
    """`rag.ports.DenseIndex` in memory, exact: every vector is compared with the query."""

    def __init__(self) -> None:
        self._spaces: dict[int, dict[str, tuple[str, Vectors]]] = {}
        self._lock = threading.Lock()

    def upsert(self, collection: int, ids: Sequence[str], vectors: Vectors, documents: Sequence[str]) -> None:
        with self._lock:
            space = self._spaces.setdefault(collection, {})
            for chunk_id, vector, document in zip(ids, vectors, documents, strict=True):
                space[chunk_id] = (document, vector)

    def query(
        self, collection: int, vector: Vectors, *, limit: int, documents: Sequence[str] | None = None
    ) -> list[Hit]:
        with self._lock:
            items = list(self._spaces.get(collection, {}).items())
        found = [
            Hit(chunk_id, float(stored @ vector))
            for chunk_id, (document, stored) in items
            if documents is None or document in documents
        ]
        return sorted(found, key=lambda hit: -hit.score)[:limit]

    def delete_documents(self, collection: int, documents: Sequence[str]) -> None:
        with self._lock:
            space = self._spaces.get(collection, {})
            for chunk_id in [chunk_id for chunk_id, (document, _) in space.items() if document in documents]:
                del space[chunk_id]

    def delete_collection(self, collection: int) -> None:
        with self._lock:
            self._spaces.pop(collection, None)

    def count(self, collection: int) -> int:
        with self._lock:
            return len(self._spaces.get(collection, {}))


class Bm25Index:
    """`rag.ports.LexicalIndex` in memory. `add` puts chunks in: (chunk id, document id, text)."""

    def __init__(self) -> None:
        self._chunks: dict[int, dict[str, tuple[str, list[str]]]] = {}

    def add(self, collection: int, chunks: Sequence[tuple[str, str, str]]) -> None:
        held = self._chunks.setdefault(collection, {})
        held.update({chunk_id: (document, terms(text)) for chunk_id, document, text in chunks})

    def query(self, collection: int, query: str, *, limit: int, documents: Sequence[str] | None = None) -> list[Hit]:
        wanted = dict.fromkeys(query_terms(query))
        chunks = self._chunks.get(collection, {})
        idf = self.idf(collection, list(wanted))
        mean = sum(len(words) for _, words in chunks.values()) / len(chunks) if chunks else 1.0
        hits = []
        for chunk_id, (document, words) in chunks.items():
            counts = [(idf[term], words.count(term)) for term in wanted]
            norm = 1.2 * (0.25 + 0.75 * len(words) / mean)
            score = sum(weight * count * 2.2 / (count + norm) for weight, count in counts)
            if score > 0 and (documents is None or document in documents):
                hits.append(Hit(chunk_id, score))
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    def idf(self, collection: int, terms: Sequence[str]) -> dict[str, float]:
        chunks = self._chunks.get(collection, {})
        if not chunks:
            return dict.fromkeys(terms, 0.0)
        held = {term: sum(term in words for _, words in chunks.values()) for term in terms}
        return {term: math.log(1 + (len(chunks) - n + 0.5) / (n + 0.5)) for term, n in held.items()}


class TokenShelf:
    """`rag.ports.TokenVectorStore` in memory; `put` keeps the token vectors of chunks."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], TokenVectors] = {}

    def put(self, space: str, ids: Sequence[str], tokens: Sequence[TokenVectors]) -> None:
        self._held.update({(chunk_id, space): each for chunk_id, each in zip(ids, tokens, strict=True)})

    def token_vectors(self, chunk_ids: Sequence[str], space: str) -> dict[str, TokenVectors]:
        return {chunk_id: self._held[chunk_id, space] for chunk_id in chunk_ids if (chunk_id, space) in self._held}
