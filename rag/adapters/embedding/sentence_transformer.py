"""Any sentence-transformers model as the embedder, for those who install and choose one.

Owns the door to sentence-transformers, which brings torch into the process: slower and larger than the default.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import ConfigurationError
from rag.retrieval.late_interaction import to_token_space
from rag.vectors import Encoded, TokenVectors, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEmbedder:
    """`rag.ports.Embedder` over a model name of the hub or a folder. Thread-safe; one call runs at a time.

    Loading happens at the first use, or in `load()`. An empty prompt means the model's own, if it has one.
    """

    def __init__(self, model_name_or_path: str, *, query_prompt: str = "", document_prompt: str = "") -> None:
        self._name = model_name_or_path
        self._query_prompt = query_prompt
        self._document_prompt = document_prompt
        self._loading = threading.Lock()
        self._encoding = threading.Lock()
        self._model: SentenceTransformer | None = None

    @property
    def model_id(self) -> str:
        """The last part of the name, what runs it, and a digest of the prompts where they were set."""
        name = f"{self._name.rstrip('/').rsplit('/', 1)[-1]}/sentence-transformers"
        if not self._query_prompt and not self._document_prompt:
            return name
        prompts = f"{self._query_prompt}\0{self._document_prompt}".encode()
        return f"{name}/{hashlib.sha256(prompts).hexdigest()[:8]}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        dimension = self._get().get_embedding_dimension()
        if dimension is None:
            raise ConfigurationError(f"The model {self._name!r} does not say how long its vectors are.")
        return int(dimension)

    @property
    def max_tokens(self) -> int:
        """Tokens of text that fit the window, less those of the document prompt."""
        model = self._get()
        prompt = self._document_prompt or str(model.prompts.get("document") or "")
        special = int(model.tokenizer.num_special_tokens_to_add(pair=False))
        return int(model.max_seq_length or 512) - special - self.count_tokens([prompt])[0]

    def load(self) -> None:
        """Load the model. Idempotent. Raises ConfigurationError when that fails."""
        self._get()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and never truncated."""
        if not texts:
            return []
        tokenizer = self._get().tokenizer
        with self._encoding:  # a fast tokenizer keeps truncation as state
            encoded = tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    @property
    def token_space(self) -> str:
        """That of the model itself: nothing is measured of its languages."""
        return self.model_id

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """See `rag.ports.Embedder.encode_documents`; for the price of both, since the library gives one or the other."""
        return Encoded(self.embed_documents(texts), self.embed_tokens(texts))

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        """As `encode_documents`, with the query prompt."""
        return Encoded(self.embed_queries(texts), self.embed_tokens(texts, query=True))

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension), float32, unit rows, in the order given."""
        return self._encode(self._get().encode_document, texts, self._document_prompt)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As `embed_documents`, with the query prompt."""
        return self._encode(self._get().encode_query, texts, self._query_prompt)

    def embed_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[TokenVectors]:
        """See `rag.ports.Embedder.embed_tokens`."""
        model = self._get()
        own = self._query_prompt if query else self._document_prompt
        prompt = own or str(model.prompts.get("query" if query else "document") or "")
        encode: Any = model.encode_query if query else model.encode_document
        found = []
        for text in texts:
            with self._encoding:
                hidden = encode([text], prompt=own or None, output_value="token_embeddings", show_progress_bar=False)[0]
                encoding = model.tokenizer(
                    prompt + text,
                    truncation=True,
                    max_length=model.max_seq_length,
                    return_offsets_mapping=True,
                    return_special_tokens_mask=True,
                )
            vectors = np.asarray(hidden.float().cpu().numpy(), dtype=np.float32)
            offsets = np.array(encoding["offset_mapping"], dtype=np.int32).reshape(-1, 2)[: len(vectors)] - len(prompt)
            kept = (offsets[:, 0] >= 0) & (offsets[:, 1] > offsets[:, 0])
            kept &= np.array(encoding["special_tokens_mask"][: len(vectors)]) == 0
            vectors = vectors[: len(kept)][kept]
            found.append(TokenVectors(offsets[kept], to_token_space(vectors)))
        return found

    def _encode(self, encode: Any, texts: Sequence[str], prompt: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._encoding:
            vectors = encode(
                list(texts),
                prompt=prompt or None,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    def _get(self) -> SentenceTransformer:
        with self._loading:
            if self._model is None:
                self._model = self._load()
            return self._model

    def _load(self) -> SentenceTransformer:
        try:
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(self._name)
        except ImportError as error:
            raise ConfigurationError(
                f"The embedding model {self._name!r} needs the package sentence-transformers, which does not import."
            ) from error
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigurationError(f"The embedding model {self._name!r} does not load: {error}") from error
