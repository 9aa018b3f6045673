"""An optional cross-encoder that reads question and passage together, for those who install and choose one.

Off by default: on two cores it costs more time than the whole rest of a search.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.adapters.cross_encoder import load_cross_encoder
from rag.errors import ConfigurationError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH = 16


class CrossEncoderReranker:
    """`rag.ports.Reranker` over a model name of the hub or a folder. Thread-safe; one call runs at a time.

    Loading happens at the first use, or in `load()`.
    """

    def __init__(self, model_name_or_path: str) -> None:
        self._name = model_name_or_path
        self._loading = threading.Lock()
        self._running = threading.Lock()
        self._model: CrossEncoder | None = None

    @property
    def model_id(self) -> str:
        """The last part of the name."""
        return self._name.rstrip("/").rsplit("/", 1)[-1]

    def load(self) -> None:
        """Load the model. Idempotent. Raises ConfigurationError when that fails."""
        self._get()

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query, 0..1 (a sigmoid of the model's score), in the order given.

        Raises:
            ConfigurationError: the model does not load, or gives more than one score for a pair.
        """
        if not texts:
            return []
        model = self._get()
        import torch

        with self._running:
            scores = model.predict(
                [(query, text) for text in texts],
                batch_size=BATCH,
                activation_fn=torch.nn.Sigmoid(),
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return [float(score) for score in scores]

    def _get(self) -> CrossEncoder:
        with self._loading:
            if self._model is None:
                self._model = self._load()
            return self._model

    def _load(self) -> CrossEncoder:
        model = load_cross_encoder(self._name, setting="DOCENT_RERANK_MODEL")
        if model.num_labels != 1:
            raise ConfigurationError(
                f"DOCENT_RERANK_MODEL={self._name!r} gives {model.num_labels} scores for a pair; a reranker gives one."
            )
        return model
