"""Entailment by a cross-encoder trained for natural language inference, for those who install and choose one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.adapters.cross_encoder import load_cross_encoder
from rag.errors import ConfigurationError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH = 16


class CrossEncoderEntailment:
    """`rag.ports.Entailment` over a model name of the hub or a folder. Thread-safe; one call runs at a time.

    Which of its scores is entailment, its own configuration tells. Loading happens at the first use, or in `load()`.
    """

    def __init__(self, model_name_or_path: str) -> None:
        self._name = model_name_or_path
        self._loading = threading.Lock()
        self._running = threading.Lock()
        self._model: tuple[CrossEncoder, int] | None = None

    @property
    def name(self) -> str:
        """The last part of the model's name."""
        return self._name.rstrip("/").rsplit("/", 1)[-1]

    def load(self) -> None:
        """Load the model. Idempotent. Raises ConfigurationError when that fails."""
        self._get()

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """See `Entailment.entails`; a softmax over the model's labels."""
        if not pairs:
            return []
        model, label = self._get()
        import torch

        with self._running:
            scores = model.predict(
                list(pairs),
                batch_size=BATCH,
                activation_fn=torch.nn.Softmax(dim=-1) if model.num_labels > 1 else torch.nn.Sigmoid(),
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return [float(row if model.num_labels == 1 else row[label]) for row in scores]

    def _get(self) -> tuple[CrossEncoder, int]:
        with self._loading:
            if self._model is None:
                self._model = self._load()
            return self._model

    def _load(self) -> tuple[CrossEncoder, int]:
        model = load_cross_encoder(self._name, setting="DOCENT_ENTAILMENT_MODEL")
        if model.num_labels == 1:
            return model, 0
        labels = {str(name).casefold(): int(at) for at, name in (getattr(model.config, "id2label", None) or {}).items()}
        found = [at for name, at in labels.items() if name.startswith("entail")]
        if len(found) != 1:
            raise ConfigurationError(
                f"DOCENT_ENTAILMENT_MODEL={self._name!r} has the labels {', '.join(labels)}: none of them is entailment."
            )
        return model, found[0]
