"""A passage store of one collection, in memory, and a retriever over it: documents of one chunk each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import NotFoundError
from rag.retrieval.embedding_spaces import EmbeddingSpace
from rag.retrieval.retriever import Retriever
from rag.types import PageSpan, Passage, Section
from tests.fakes import Bm25Index, HashEmbedder, NumpyDenseIndex, TokenShelf
from tests.rag.passages import passage, section


@dataclass(frozen=True, slots=True)
class OneSpace:
    """`EmbeddingSpaces` where every collection lives in the same one."""

    space: EmbeddingSpace

    def of(self, collection: int) -> EmbeddingSpace:
        """The only space."""
        return self.space


class Shelf:
    """`rag.ports.PassageStore` in memory; `hidden` are documents that the catalog has forgotten."""

    def __init__(self, texts: Mapping[str, str] | Sequence[Passage]) -> None:
        made = [passage(text, name=name) for name, text in texts.items()] if isinstance(texts, Mapping) else texts
        self.held = {item.chunk_id: item for item in made}
        self.hidden: set[str] = set()
        self.paged: dict[str, list[PageSpan]] = {}
        self.reaches: list[int] = []

    def passages(self, chunk_ids: Sequence[str]) -> dict[str, Passage]:
        return {c: self.held[c] for c in chunk_ids if c in self.held and self.held[c].document_id not in self.hidden}

    def sections(self, passages: Sequence[Passage], *, reach: int) -> list[Section]:
        self.reaches.append(reach)
        return [section(item) for item in passages]

    def collection_ids(self, names: Sequence[str]) -> list[int]:
        if set(names) - {"default"}:
            raise NotFoundError("There is no such collection.")
        return [1]

    def filtered_documents(self, collection: int, filters: Mapping[str, Any]) -> list[str]:
        return [item.document_id for item in self.held.values() if item.document_id in filters["name"]]

    def pages(self, document_id: str) -> list[PageSpan]:
        return self.paged.get(document_id, [])


def over(shelf: Shelf) -> tuple[Retriever, TokenShelf]:
    """A retriever that finds what is on the shelf, and the token vectors that it reads."""
    embedder, dense, lexical, tokens = HashEmbedder(), NumpyDenseIndex(), Bm25Index(), TokenShelf()
    held = list(shelf.held.values())
    encoded = embedder.encode_documents([item.text for item in held])
    dense.upsert(1, list(shelf.held), encoded.vectors, [item.document_id for item in held])
    tokens.put(embedder.token_space, list(shelf.held), encoded.tokens)
    lexical.add(1, [(item.chunk_id, item.document_id, item.text) for item in held])
    return Retriever(OneSpace(EmbeddingSpace(embedder)), dense, lexical, shelf, tokens), tokens
