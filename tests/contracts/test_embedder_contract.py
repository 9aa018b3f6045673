"""What every embedder must do: the fake, the ONNX adapter, the sentence-transformers adapter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.ports import Embedder
from tests.fakes import HashEmbedder

REAL = [pytest.param(name, marks=pytest.mark.model) for name in ("onnx", "onnx multilingual", "sentence-transformers")]
TEXTS = [
    "The cat sat on the mat.",
    "猫坐在垫子上。",
    "",
    "Interest rates rose by two percent in March. " * 60,
    "the cat",
]


@pytest.fixture(scope="module", params=["fake", *REAL])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "fake":
        return HashEmbedder()
    from rag.adapters.weights.files import ensure

    models_dir: Path = request.getfixturevalue("models_dir")
    if request.param == "onnx multilingual":
        from rag.adapters.embedding.embedders import E5_SMALL_Q4
        from rag.adapters.embedding.onnx import OnnxEmbedder

        return OnnxEmbedder(ensure(E5_SMALL_Q4.weights, models_dir), threads=2, model=E5_SMALL_Q4)
    folder: Path = ensure("english", models_dir)
    if request.param == "onnx":
        from rag.adapters.embedding.onnx import OnnxEmbedder

        return OnnxEmbedder(folder, threads=2)
    from rag.adapters.embedding.sentence_transformer import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(str(folder))


def test_names_itself(embedder: Embedder) -> None:
    assert embedder.model_id
    assert embedder.model_id == embedder.model_id.strip()


def test_vectors_have_the_promised_shape_and_length(embedder: Embedder) -> None:
    for embed in (embedder.embed_documents, embedder.embed_queries):
        vectors = embed(TEXTS)

        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_gives_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_documents([]).shape == (0, embedder.dimension)
    assert embedder.embed_queries([]).shape == (0, embedder.dimension)
    assert embedder.embed_queries([]).dtype == np.float32
    assert embedder.count_tokens([]) == []


def test_order_and_neighbours_do_not_matter(embedder: Embedder) -> None:
    together = embedder.embed_documents(TEXTS)
    reversed_order = embedder.embed_documents(TEXTS[::-1])[::-1]
    alone = np.concatenate([embedder.embed_documents([text]) for text in TEXTS])

    np.testing.assert_allclose(together, reversed_order, atol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_near_is_near(embedder: Embedder) -> None:
    cat, rates = embedder.embed_documents(["The cat sat on the mat", "Interest rates rose in March"])
    query = embedder.embed_queries(["Where sat the cat"])[0]

    assert query @ cat > query @ rates + 0.05  # the cosines of some models lie close together


def test_counts_tokens_without_a_limit(embedder: Embedder) -> None:
    short, chinese, empty, long = embedder.count_tokens(["one two three", "我们在这里", "", "word " * 1000])

    assert short == 3
    assert 2 <= chinese <= 6  # a vocabulary with Chinese words in it needs less than one with characters
    assert empty == 0
    assert long == 1000
    assert 0 < embedder.max_tokens < 1000


def test_text_beyond_the_window_is_not_read(embedder: Embedder) -> None:
    full = "word " * embedder.max_tokens
    inside, beyond, shorter = embedder.embed_documents([full, full + "zebra", full[5:]])

    np.testing.assert_allclose(inside, beyond, atol=1e-5)
    assert shorter.shape == inside.shape


@pytest.mark.parametrize("query", [False, True])
def test_tokens_have_a_place_in_the_text_and_a_unit_vector(embedder: Embedder, query: bool) -> None:
    text = "Cats sat here.\n我们在这里 and there"
    found, empty = embedder.embed_tokens([text, ""], query=query)

    assert found.vectors.shape == (len(found.offsets), embedder.dimension)
    assert found.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    covered = {place for start, end in found.offsets for place in range(start, end)}
    assert {place for place, character in enumerate(text) if character.isalpha()} <= covered <= set(range(len(text)))
    assert (np.diff(found.offsets[:, 0]) >= 0).all()
    assert len(empty.offsets) == len(empty.vectors) == 0


def test_tokens_beyond_the_window_are_not_read(embedder: Embedder) -> None:
    (found,) = embedder.embed_tokens(["word " * (embedder.max_tokens + 50)])

    assert 0 < len(found.vectors) <= embedder.max_tokens + 8


def test_many_threads_get_their_own_answers(embedder: Embedder) -> None:
    texts = [f"document about topic {number} " * (number + 1) for number in range(12)]
    expected = embedder.embed_queries(texts)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: (embedder.embed_queries([text])[0], embedder.count_tokens([text])), texts))

    np.testing.assert_allclose(np.stack([vector for vector, _ in found]), expected, atol=1e-5)
    assert [count for _, counts in found for count in counts] == embedder.count_tokens(texts)
