"""What the use-cases need from the outside, one Protocol per part that is truly swapped or faked.

Each port has one contract suite in tests/contracts that runs over the fake and the real adapter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from rag.types import ChatDelta, Hit, Message, PageSpan, Passage, Section
from rag.vectors import Encoded, TokenVectors, Vectors


class TokenCounter(Protocol):
    """The embedder's own tokenizer, for sizing chunks."""

    @property
    def max_tokens(self) -> int:
        """Tokens of text that fit the embedder's window, special tokens already subtracted."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and never truncated."""


class Embedder(TokenCounter, Protocol):
    """Texts to unit vectors. Thread-safe."""

    @property
    def model_id(self) -> str:
        """Name of the model, with everything that changes its vectors; a collection remembers it."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def token_space(self) -> str:
        """Name of the space of its token vectors: `model_id`, and what makes them short. Only vectors of one space can be compared."""

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """Vectors of the texts and of their tokens, as of `embed_documents` and `embed_tokens`, for the price of one of them."""

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        """As `encode_documents`, with the model's query prompt where it has one."""

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension), float32, unit rows, in the order given."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As `embed_documents`, with the model's query prompt where it has one."""

    def embed_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[TokenVectors]:
        """The vectors of each text's tokens, in order; special tokens and those of the prompt are left out.

        `query`: with the query prompt instead of the document prompt. What is beyond the window is not read.
        """


class DenseIndex(Protocol):
    """Nearest neighbours by cosine similarity, one space per collection id. Thread-safe."""

    def upsert(self, collection: int, ids: Sequence[str], vectors: Vectors, documents: Sequence[str]) -> None:
        """Store vectors, shape (n, dimension), of chunk `ids`; `documents[i]` is the document id of chunk i."""

    def query(
        self, collection: int, vector: Vectors, *, limit: int, documents: Sequence[str] | None = None
    ) -> list[Hit]:
        """The `limit` nearest chunks, best first; score is cosine similarity. `documents` restricts the search."""

    def delete_documents(self, collection: int, documents: Sequence[str]) -> None:
        """Forget every chunk of these documents. Unknown ids are no error."""

    def delete_collection(self, collection: int) -> None:
        """Forget the whole space. An unknown collection is no error."""

    def count(self, collection: int) -> int:
        """Number of vectors stored."""


class TokenVectorStore(Protocol):
    """The token vectors that are kept beside the chunks. Thread-safe."""

    def token_vectors(self, chunk_ids: Sequence[str], space: str) -> dict[str, TokenVectors]:
        """Those of the chunks among `chunk_ids` that have any of that `Embedder.token_space`, by chunk id.

        Offsets count from the start of the chunk's text; tokens of what was embedded before it (headings) have offsets below 0.
        """


class LexicalIndex(Protocol):
    """Keyword search over chunks, one index per collection id, reading committed state. Thread-safe."""

    def query(self, collection: int, query: str, *, limit: int, documents: Sequence[str] | None = None) -> list[Hit]:
        """The `limit` best chunks by BM25, best first; scores are positive, higher is better."""

    def idf(self, collection: int, terms: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of each term, 0 upwards; a term that occurs nowhere has the highest."""


class PassageStore(Protocol):
    """The catalog's side of retrieval: the truth about which chunks exist."""

    def passages(self, chunk_ids: Sequence[str]) -> dict[str, Passage]:
        """The live chunks among `chunk_ids`, by id; deleted or half-ingested ones are simply absent."""

    def sections(self, passages: Sequence[Passage], *, reach: int) -> list[Section]:
        """Each passage with up to `reach` chunks before and behind it that stand under the same heading, in the same order."""

    def collection_ids(self, names: Sequence[str]) -> list[int]:
        """Ids of the named collections. Raises NotFoundError for an unknown name."""

    def filtered_documents(self, collection: int, filters: Mapping[str, Any]) -> list[str]:
        """Ids of live documents whose filename, media type or metadata match every filter."""

    def pages(self, document_id: str) -> list[PageSpan]:
        """The document's pages in order; empty for a format without pages or an unknown document."""


class ChatModel(Protocol):
    """A chat model that streams. Thread-safe."""

    @property
    def name(self) -> str:
        """The model's name, as reported in answers."""

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        """Pieces of the completion as they come. Raises ChatUnavailableError; closing the iterator stops the model."""

    def ready(self) -> bool:
        """Whether a call would be answered now."""


class Entailment(Protocol):
    """Whether a text says what a sentence says, judged by a model. Thread-safe."""

    @property
    def name(self) -> str:
        """What judges, as reported."""

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """For each (premise, hypothesis) the chance, 0..1, that the premise says the hypothesis; None where the model cannot tell.

        All pairs are judged in as few calls as the model allows.
        """


class Reranker(Protocol):
    """Scores passages against a query one pair at a time: dearer than both legs, and optional. Thread-safe."""

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """The relevance of each text, 0..1, in the order given."""
