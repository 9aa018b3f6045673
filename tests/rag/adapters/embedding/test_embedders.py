"""Which models a server can load, for which collection, and what it says of one that it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.adapters.embedding import embedders as module
from rag.adapters.embedding.embedders import CollectionSpaces, Embedders, choose_multilingual, models_to_load
from rag.adapters.embedding.onnx import MINILM
from rag.adapters.embedding.sentence_transformer import SentenceTransformerEmbedder
from rag.errors import ConflictError
from rag.settings import Settings
from tests.fakes import HashEmbedder

ENGLISH, PUBLISHED, PACKED = (
    "all-MiniLM-L6-v2/int8/1",
    "multilingual-e5-small/int8/1",
    "multilingual-e5-small-q4/int8/1",
)


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "hub_is_reachable", lambda _hub: False)


def build(tmp_path: Path, **settings: str) -> Embedders:
    return Embedders(Settings(models_dir=tmp_path, **settings))  # type: ignore[arg-type]


def test_the_setting_names_the_default_and_the_presets_stay_known(tmp_path: Path) -> None:
    english, multilingual = build(tmp_path, embedding_model="english"), build(tmp_path)

    assert (english.default_id, multilingual.default_id) == (ENGLISH, PACKED)
    for found in (english, multilingual):
        assert all(found.knows(model) for model in (ENGLISH, PUBLISHED, PACKED))
        assert not found.knows("bge-m3/sentence-transformers")


def test_the_publisher_s_weights_are_preferred_where_the_hub_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "hub_is_reachable", lambda _hub: True)
    assert choose_multilingual(tmp_path).weights == "multilingual"

    # a collection that was made with the packed ones is not changed under way
    monkeypatch.setattr(module, "is_present", lambda name, _folder: name == "multilingual-q4")
    assert choose_multilingual(tmp_path).weights == "multilingual-q4"


def test_a_named_model_and_its_prompts_make_its_id(tmp_path: Path) -> None:
    plain = build(tmp_path, embedding_model="BAAI/bge-m3")
    prompted = build(tmp_path, embedding_model="BAAI/bge-m3", embedding_query_prompt="query: ")

    assert isinstance(plain.default, SentenceTransformerEmbedder)
    assert plain.default_id == "bge-m3/sentence-transformers"
    assert prompted.default_id.startswith("bge-m3/sentence-transformers/")
    assert not prompted.knows(plain.default_id)


def test_a_model_is_prepared_and_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[str] = []
    monkeypatch.setattr(module, "prepare", lambda model, *_: prepared.append(model.weights))
    monkeypatch.setattr(module.OnnxEmbedder, "load", lambda _self: None)
    embedders = build(tmp_path, embedding_model="english")
    said: list[str] = []

    first = embedders.load(ENGLISH, said.append)
    assert embedders.load(ENGLISH) is first
    assert (prepared, said) == (["english"], ["loading"])
    assert first.profile is MINILM.profile
    assert first.embedder is embedders.default


def test_each_collection_has_the_space_of_its_own_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "prepare", lambda *_: tmp_path)
    monkeypatch.setattr(module.OnnxEmbedder, "load", lambda _self: None)
    origins = {1: ("papers", ENGLISH), 2: ("合同", PACKED), 3: ("old", "bge-m3/sentence-transformers")}
    spaces = CollectionSpaces(build(tmp_path), origins.__getitem__)

    assert [spaces.of(number).embedder.model_id for number in (1, 2)] == [ENGLISH, PACKED]
    assert spaces.of(2).embedder.max_tokens > spaces.of(1).embedder.max_tokens
    with pytest.raises(ConflictError, match="'old' was made with the embedding model bge-m3") as caught:
        spaces.of(3)
    assert "DOCENT_EMBEDDING_MODEL" in caught.value.message
    assert caught.value.details == {"collection": "old", "embedding_model": "bge-m3/sentence-transformers"}


def test_a_start_loads_the_default_and_what_the_catalog_needs(tmp_path: Path) -> None:
    assert models_to_load([PACKED, "gone", ENGLISH], build(tmp_path)) == [PACKED, ENGLISH]


def test_a_given_embedder_takes_the_place_of_all(tmp_path: Path) -> None:
    given = HashEmbedder()
    embedders = Embedders(Settings(models_dir=tmp_path), given=given)

    assert embedders.default is given
    assert embedders.load(given.model_id).embedder is given
    assert not embedders.knows(ENGLISH)
