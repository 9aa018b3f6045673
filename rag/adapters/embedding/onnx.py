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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rag.adapters.embedding.language_means import read_language_means
from rag.adapters.embedding.onnx_export import INPUT, OUTPUT, RECIPE, export
from rag.errors import ConfigurationError
from rag.retrieval.embedding_spaces import DenseProfile
from rag.retrieval.late_interaction import to_token_space
from rag.text.language import language
from rag.vectors import Encoded, TokenVectors, Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

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
        means: name of the file of what its vectors owe to the language alone (rag.adapters.embedding.language_means), "" for none.
        precise: layers whose feed-forward output is not quantised (`rag.adapters.embedding.onnx_export.export`).
    """

    weights: str
    window: int
    dimension: int
    profile: DenseProfile
    query_prompt: str = ""
    document_prompt: str = ""
    prompt_tokens: int = 0
    packed: bool = False
    means: str = ""
    precise: tuple[int, ...] = ()


# Dense weights: docs/decisions/0002-fusion.md and 0004-embedders.md. On Chinese MiniLM alone reaches nDCG@10 .24.
MINILM = OnnxModel(
    means="english-e7b43c3c",
    weights="english",
    window=256,
    dimension=384,
    profile=DenseProfile(
        unrelated={"en": 0.2, "zh": 0.2},
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
        self._means = read_language_means(model.means) if model.means else None

    @property
    def model_id(self) -> str:
        """Folder name, precision and number of the export recipe."""
        return f"{self._model_dir.name}/int8/{RECIPE['recipe']}"

    @property
    def token_space(self) -> str:
        """The model's id and the name of its means."""
        return f"{self.model_id}+{self._means.name}" if self._means else self.model_id

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.model.dimension

    @property
    def max_tokens(self) -> int:
        """Tokens of text that fit the window."""
        return self.model.window - SPECIAL_TOKENS - self.model.prompt_tokens

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

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        """See `rag.ports.Embedder.encode_documents`; text beyond the window is not read.

        Runs at the lowest priority, being background work.
        """
        means = self._means.document_tokens if self._means else None
        return self._encode(self.model.document_prompt, texts, means, _yield_to_others)

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        """As `encode_documents`, at normal priority and with the query prompt; without what tells languages apart."""
        means = self._means.query_tokens if self._means else None
        found = self._encode(self.model.query_prompt, texts, means, None)
        if self._means is not None:
            for row, text in enumerate(texts):
                found.vectors[row] = self._means.query_vector(found.vectors[row], language(text))
        return found

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension), float32, unit rows, in the order given; at the lowest priority."""
        return self.encode_documents(texts).vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """As `embed_documents`, at normal priority and with the query prompt; without what tells languages apart."""
        return self.encode_queries(texts).vectors

    def embed_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[TokenVectors]:
        """See `rag.ports.Embedder.embed_tokens`; at normal priority."""
        if query:
            return self.encode_queries(texts).tokens
        means = self._means.document_tokens if self._means else None
        return self._encode(self.model.document_prompt, texts, means, None).tokens

    def hidden_states(self, texts: Sequence[str], *, query: bool) -> list[tuple[Vectors, Vectors]]:
        """Of each text its vector, and the last hidden state of its own tokens: what means are measured on."""
        prompt = self.model.query_prompt if query else self.model.document_prompt
        loaded = self._get()
        encoded = loaded.tokenizer.encode_batch([prompt + text for text in texts])
        return [(vector, own) for vector, _, own in (loaded.encode(each, len(prompt)) for each in encoded)]

    def _encode(
        self,
        prompt: str,
        texts: Sequence[str],
        means: Mapping[str, Vectors] | None,
        prepare_thread: Callable[[], None] | None,
    ) -> Encoded:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        tokens: dict[int, TokenVectors] = {}
        loaded = self._get()
        encoded = loaded.tokenizer.encode_batch([prompt + text for text in texts])

        def embed(row: int) -> None:
            vectors[row], offsets, hidden = loaded.encode(encoded[row], len(prompt))
            mean = means[language(texts[row])] if means else None
            tokens[row] = TokenVectors(offsets, to_token_space(hidden, mean))

        if len(texts) == 1 and prepare_thread is None:
            embed(0)
        elif texts:
            # The longest first, so that no thread is left alone with a long text at the end. Threads of its own for
            # each call: in a shared pool a question would wait behind an ingestion.
            order = sorted(range(len(texts)), key=lambda row: -len(encoded[row].ids))
            with ThreadPoolExecutor(min(self._threads, len(texts)), "embed", prepare_thread) as pool:
                list(pool.map(embed, order))
        return Encoded(vectors, [tokens[row] for row in range(len(texts))])

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
        _keep_to_one_thread()
        self.session = _open_session(export(model_dir, model.precise))

    def encode(self, encoding: Encoding, prompt: int) -> tuple[Vectors, npt.NDArray[np.int32], Vectors]:
        """The mean over the tokens that fit the window, scaled to unit length; and of the text's own tokens among them the offsets
        and the last hidden state. `prompt`: how many characters of what was encoded are the prompt's.
        """
        hidden = self._run(encoding.ids)
        mean: Vectors = hidden.mean(axis=0)
        offsets = np.array(encoding.offsets[: len(hidden)], dtype=np.int32).reshape(-1, 2) - np.int32(prompt)
        own = (offsets[:, 0] >= 0) & (offsets[:, 1] > offsets[:, 0])
        own &= np.array(encoding.special_tokens_mask[: len(hidden)]) == 0
        return mean / np.linalg.norm(mean), offsets[own], hidden[own]

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


def _keep_to_one_thread() -> None:
    """Let numpy's matrix products run on the caller's own thread, in this process, from now on.

    They are small, and several texts run at once: on threads of their own, which wait for each other by spinning, one that takes
    .8 ms took 12 (two busy cores).
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


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
