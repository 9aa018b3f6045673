"""Which embedding models this server can load: the presets, and a model named in the settings.

Owns the way from a name to a loaded embedder with its profile: weights fetched, exported once, kept in memory. Knows
nothing of collections but what the catalog remembers of one: its name and its model's id.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.adapters.embedding.onnx import MINILM, OnnxEmbedder, OnnxModel
from rag.adapters.embedding.onnx_export import export, is_exported
from rag.adapters.embedding.sentence_transformer import SentenceTransformerEmbedder
from rag.adapters.weights.download_sources import hub_is_reachable
from rag.adapters.weights.files import ensure, is_present
from rag.adapters.weights.manifest import load_manifest
from rag.adapters.weights.progress import MEBI, Progress, silent
from rag.ports import Embedder
from rag.retrieval.embedding_spaces import DenseProfile, EmbeddingSpace, unknown_model
from rag.settings import Settings

# docs/decisions/0004-embedders.md has the figures.
E5_SMALL = OnnxModel(
    means="multilingual-b18684e8",
    weights="multilingual",
    window=512,
    dimension=384,
    profile=DenseProfile(
        unrelated={"en": 0.13, "zh": 0.12},
        related={"en": 0.3, "zh": 0.3},
    ),
    query_prompt="query: ",
    document_prompt="passage: ",
    prompt_tokens=2,
    precise=(4, 5),
)
E5_SMALL_Q4 = replace(E5_SMALL, weights="multilingual-q4", packed=True)

Report = Callable[[str], None]


@dataclass(slots=True)
class _Entry:
    """A model that can be loaded; `load` may be called again."""

    space: EmbeddingSpace
    load: Callable[[Report, Progress], None]
    loading: threading.Lock = field(default_factory=threading.Lock)
    loaded: bool = False


class Embedders:
    """The embedders of one server, by model id. Thread-safe; constructing loads nothing.

    `given` takes the place of every model (tests). Of the two carriers of the multilingual weights, the one whose file is
    there decides; else the publisher's own where the model hub answers.
    """

    def __init__(self, settings: Settings, *, given: Embedder | None = None) -> None:
        self._entries: dict[str, _Entry] = {}
        if given is not None:
            self.default_id = self._add(_Entry(EmbeddingSpace(given), lambda _report, _progress: None))
            return
        presets = {model.weights: self._add_preset(settings, model) for model in (MINILM, E5_SMALL, E5_SMALL_Q4)}
        chosen = settings.embedding_model
        if chosen == "english":
            self.default_id = presets[MINILM.weights]
        elif chosen == "multilingual":
            self.default_id = presets[choose_multilingual(settings.models_dir).weights]
        else:
            self.default_id = self._add_named(settings)

    @property
    def default(self) -> Embedder:
        """The embedder of new collections; it loads itself when it is used before `load`."""
        return self._entries[self.default_id].space.embedder

    def knows(self, model_id: str) -> bool:
        """Whether this server can load the model of that id."""
        return model_id in self._entries

    def load(self, model_id: str, report: Report = lambda _: None, progress: Progress = silent) -> EmbeddingSpace:
        """The space of a known model, fetched, exported and loaded where that has not been done.

        Raises:
            KeyError: an unknown model.
            ConfigurationError: it cannot be fetched or does not load.
        """
        entry = self._entries[model_id]
        if not entry.loaded:
            with entry.loading:
                if not entry.loaded:
                    entry.load(report, progress)
                    entry.loaded = True
        return entry.space

    def _add(self, entry: _Entry) -> str:
        model_id = entry.space.embedder.model_id
        self._entries[model_id] = entry
        return model_id

    def _add_preset(self, settings: Settings, model: OnnxModel) -> str:
        folder = load_manifest().find(model.weights).location(settings.models_dir)
        embedder = OnnxEmbedder(folder, threads=settings.threads, model=model)

        def load(report: Report, progress: Progress) -> None:
            prepare(model, settings.models_dir, report, progress)
            report("loading")
            embedder.load()

        return self._add(_Entry(EmbeddingSpace(embedder, model.profile), load))

    def _add_named(self, settings: Settings) -> str:
        embedder = SentenceTransformerEmbedder(
            settings.embedding_model,
            query_prompt=settings.embedding_query_prompt,
            document_prompt=settings.embedding_document_prompt,
        )

        def load(report: Report, _progress: Progress) -> None:
            report("loading")
            embedder.load()

        return self._add(_Entry(EmbeddingSpace(embedder), load))


def choose_multilingual(models_dir: Path) -> OnnxModel:
    """The carrier of the multilingual weights: what is on disk, else what can be reached."""
    for model in (E5_SMALL, E5_SMALL_Q4):
        if is_present(model.weights, models_dir):
            return model
    hub = load_manifest().hub
    return E5_SMALL if hub and hub_is_reachable(hub) else E5_SMALL_Q4


def prepare(model: OnnxModel, models_dir: Path, report: Report = lambda _: None, progress: Progress = silent) -> Path:
    """Fetch and export a preset's weights where that has not been done; its folder.

    Raises:
        ConfigurationError: they cannot be fetched or exported.
    """
    if not is_present(model.weights, models_dir):
        size = load_manifest().find(model.weights).size
        report(f"fetching the weights of the embedding model, {size // MEBI} MiB")
    folder = ensure(model.weights, models_dir, progress=progress)
    if not is_exported(folder, model.precise):
        report("exporting the embedding model, once (half a minute)")
        export(folder, model.precise)
    return folder


class CollectionSpaces:
    """`rag.retrieval.embedding_spaces.EmbeddingSpaces`: the space of each collection, by the model that it was made with.

    `origin` gives a collection's name and its model's id, and raises NotFoundError.
    """

    def __init__(self, embedders: Embedders, origin: Callable[[int], tuple[str, str]]) -> None:
        self._embedders = embedders
        self._origin = origin

    def of(self, collection: int) -> EmbeddingSpace:
        """See `EmbeddingSpaces.of`."""
        name, model_id = self._origin(collection)
        if not self._embedders.knows(model_id):
            raise unknown_model(name, model_id, self._embedders.default_id)
        return self._embedders.load(model_id)


def models_to_load(models: Iterable[str], embedders: Embedders) -> list[str]:
    """The models to load at a start: the default one, then those of the catalog that can be loaded."""
    return list(dict.fromkeys([embedders.default_id, *(model for model in models if embedders.knows(model))]))
