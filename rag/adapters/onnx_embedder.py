"""The embedders of the presets: small BERT encoders, 8-bit, on ONNX Runtime.

Owns the door to onnxruntime and tokenizers. Each text runs alone, on one thread; several texts run on several threads.
Measured on two cores this beats padded batches on a shared thread pool (62 against 50 documents a second), nothing spins
when idle, and a vector depends on its text only: activations are quantised over the whole input, so in a batch the
neighbours would change it. Does not fetch weights.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.adapters.onnx_export import INPUT, OUTPUT, RECIPE, export
from rag.errors import ConfigurationError
from rag.ports import TokenVectors, Vectors
from rag.spaces import DenseProfile

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL_TOKENS = 2
LOWEST_PRIORITY = 19
# ONNX Runtime's fused skip connection and normalisation takes four times as long as the two one after the other; without
# it a text takes a tenth less.
_SLOWER = ["SkipLayerNormFusion"]


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A model that this embedder can run: mean over the tokens, unit length.

    Attributes:
        weights: its set of weights in the manifest.
        window: tokens it reads, special ones and the prompt included.
        dimension: length of a vector.
        profile: what its similarities are worth.
        query_prompt, document_prompt: what goes before a text.
        prompt_tokens: tokens of the document prompt.
        packed: whether the weights are one packed file, which the export takes apart.
        precise: layers whose feed-forward output is not quantised (`rag.adapters.onnx_export.export`).
    """

    weights: str
    window: int
    dimension: int
    profile: DenseProfile
    query_prompt: str = ""
    document_prompt: str = ""
    prompt_tokens: int = 0
    packed: bool = False
    precise: tuple[int, ...] = ()


# Dense weights: docs/decisions/0002-fusion.md and 0004-embedders.md. On Chinese MiniLM alone reaches nDCG@10 .24.
MINILM = OnnxModel(
    weights="english",
    window=256,
    dimension=384,
    profile=DenseProfile(
        weights={"en": 0.45, "zh": 0.05},
        unmatched=0.45,
        unrelated={"en": 0.1, "zh": 0.1},
        related={"en": 0.6, "zh": 0.6},
    ),
)


class OnnxEmbedder:
    """`rag.ports.Embedder` over a model folder such as all-MiniLM-L6-v2. Thread-safe.

    `threads` is how many texts of one call run at once. Loading happens at the first use, or in `load()`.
    """

    def __init__(self, model_dir: Path, *, threads: int, model: OnnxModel = MINILM) -> None:
        self._model_dir = model_dir
        self.model = model
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def model_id(self) -> str:
        """Folder name, precision and number of the export recipe."""
        return f"{self._model_dir.name}/int8/{RECIPE['recipe']}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.model.dimension

    @property
    def max_tokens(self) -> int:
        """Tokens of text that fit the window."""
        return self.model.window - SPECIAL_TOKENS - self.model.prompt_tokens

    @property
    def is_loaded(self) -> bool:
        """Whether a call would run at once."""
        return self._loaded is not None

    def load(self) -> None:
        """Load the model, exporting it first where that has not been done (half a minute). Idempotent.

        Raises:
            ConfigurationError: the folder does not hold a model that loads.
        """
        self._get()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and never truncated."""
        encoded = self._get().tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encoded]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension), float32, unit rows, in the order given; text beyond the window is not read.

        Runs at the lowest priority, being background work.
        """
        return self._embed([self.model.document_prompt + text for text in texts], _yield_to_others)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As `embed_documents`, at normal priority and with the query prompt."""
        return self._embed([self.model.query_prompt + text for text in texts], None)

    def embed_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[TokenVectors]:
        """See `rag.ports.Embedder.embed_tokens`; at normal priority."""
        prompt = self.model.query_prompt if query else self.model.document_prompt
        loaded = self._get()
        return [loaded.embed_tokens(prompt, text) for text in texts]

    def _embed(self, texts: Sequence[str], prepare_thread: Callable[[], None] | None) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        loaded = self._get()
        encoded = [encoding.ids for encoding in loaded.tokenizer.encode_batch_fast(list(texts))]

        def embed(row: int) -> None:
            vectors[row] = loaded.embed(encoded[row])

        if len(texts) == 1 and prepare_thread is None:
            embed(0)
        elif texts:
            # The longest first, so that no thread is left alone with a long text at the end. Threads of its own for
            # each call: in a shared pool a question would wait behind an ingestion.
            order = sorted(range(len(texts)), key=lambda row: -len(encoded[row]))
            with ThreadPoolExecutor(min(self._threads, len(texts)), "embed", prepare_thread) as pool:
                list(pool.map(embed, order))
        return vectors

    def _get(self) -> _Loaded:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = _Loaded(self._model_dir, self.model)
        return self._loaded


class _Loaded:
    """What is in memory once the model is loaded."""

    def __init__(self, model_dir: Path, model: OnnxModel) -> None:
        # Encoding is a small part of the work; its own threads would only warn at every later fork.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        if model.packed:
            export(model_dir, model.precise)  # makes tokenizer.json too
        self._window = model.window
        self.tokenizer = _read_tokenizer(model_dir)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()  # a state of the object, which counting must not have
        self.session = _open_session(export(model_dir, model.precise))

    def embed(self, ids: list[int]) -> Vectors:
        """Mean over the tokens that fit the window, scaled to unit length. Shape (dimension,)."""
        mean: Vectors = self._run(ids).mean(axis=0)
        return mean / np.linalg.norm(mean)

    def embed_tokens(self, prompt: str, text: str) -> TokenVectors:
        """The vectors of the text's own tokens that fit the window."""
        encoding = self.tokenizer.encode(prompt + text)
        hidden = self._run(encoding.ids)
        offsets = np.array(encoding.offsets[: len(hidden)], dtype=np.int32).reshape(-1, 2) - len(prompt)
        own = (offsets[:, 0] >= 0) & (offsets[:, 1] > offsets[:, 0])
        own &= np.array(encoding.special_tokens_mask[: len(hidden)]) == 0
        vectors = hidden[own]
        return TokenVectors(offsets[own], vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def _run(self, ids: list[int]) -> Vectors:
        """The last hidden state of the tokens that fit the window, shape (tokens, dimension)."""
        if len(ids) > self._window:
            ids = [*ids[: self._window - 1], ids[-1]]  # the last one is special
        hidden: Vectors = self.session.run([OUTPUT], {INPUT: np.array([ids], dtype=np.int64)})[0][0]
        return hidden


def _yield_to_others() -> None:
    """Give this thread the lowest priority, which only Linux can do for a thread.

    llama.cpp's threads wait for each other by spinning, so one busy processor slows the chat model down tenfold:
    measured on two cores during an ingestion, 2 tokens a second without this and 17 with it.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)


def _read_tokenizer(model_dir: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    path = model_dir / "tokenizer.json"
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"Cannot read {path}: {error.strerror}.") from error


def _open_session(path: Path) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the caller's own thread: no pool, nothing that spins
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
        )
    except (native.Fail, native.InvalidGraph, native.InvalidProtobuf, native.NoSuchFile, RuntimeError) as error:
        raise ConfigurationError(f"{path} does not load; delete its folder and start again.") from error
