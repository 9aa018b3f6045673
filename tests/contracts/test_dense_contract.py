"""What every dense index must do: the fake in memory, and Chroma."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.ports import DenseIndex
from rag.vectors import Vectors
from tests.fakes import HashEmbedder, NumpyDenseIndex
from vectorstore.chroma import ChromaIndex

TEXTS = [
    "the cat sat on the mat",
    "interest rates rose in march",
    "猫坐在垫子上",
    "a dog sat on the cat",
    "bread and butter",
]
IDS = [f"d{n // 2}-{n}" for n in range(len(TEXTS))]
DOCUMENTS = [chunk_id.split("-")[0] for chunk_id in IDS]
EMBEDDER = HashEmbedder()


@pytest.fixture(params=["fake", "chroma"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DenseIndex]:
    if request.param == "fake":
        yield NumpyDenseIndex()
        return
    chroma = ChromaIndex(tmp_path / "chroma")
    chroma.load()
    yield chroma
    chroma.close()


def vectors(*texts: str) -> Vectors:
    return EMBEDDER.embed_documents(texts)


def fill(index: DenseIndex, collection: int = 1) -> None:
    index.upsert(collection, IDS, vectors(*TEXTS), DOCUMENTS)


def test_the_nearest_come_first_with_their_cosine(index: DenseIndex) -> None:
    fill(index)
    query = vectors("the cat sat")[0]

    hits = index.query(1, query, limit=3)

    assert hits[0].chunk_id == "d0-0"
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    exact = dict(zip(IDS, vectors(*TEXTS) @ query, strict=True))
    for hit in hits:
        assert hit.score == pytest.approx(exact[hit.chunk_id], abs=1e-5)


def test_a_limit_beyond_what_is_there(index: DenseIndex) -> None:
    fill(index)

    assert {hit.chunk_id for hit in index.query(1, vectors("cat")[0], limit=100)} == set(IDS)


@pytest.mark.parametrize(
    ("documents", "found"),
    [(["d0"], {"d0-0", "d0-1"}), (["d0", "d2"], {"d0-0", "d0-1", "d2-4"}), ([], set()), (["unknown"], set())],
)
def test_documents_restrict_the_search(index: DenseIndex, documents: list[str], found: set[str]) -> None:
    fill(index)

    hits = index.query(1, vectors("the cat sat")[0], limit=10, documents=documents)

    assert {hit.chunk_id for hit in hits} == found


def test_many_documents_may_be_asked_for(index: DenseIndex) -> None:
    fill(index)

    hits = index.query(1, vectors("cat")[0], limit=2, documents=[f"d{n}" for n in range(40_000)])

    assert len(hits) == 2


def test_nothing_stored_nothing_found(index: DenseIndex) -> None:
    assert index.query(7, vectors("cat")[0], limit=5) == []
    assert index.count(7) == 0


def test_the_same_id_is_replaced(index: DenseIndex) -> None:
    fill(index)

    index.upsert(1, ["d0-0"], vectors("bread and butter"), ["d0"])

    assert index.count(1) == len(IDS)
    hits = {hit.chunk_id: hit.score for hit in index.query(1, vectors("bread and butter")[0], limit=5)}
    assert hits["d0-0"] == pytest.approx(hits["d2-4"], abs=1e-5)


def test_nothing_to_store_is_no_error(index: DenseIndex) -> None:
    index.upsert(1, [], np.zeros((0, EMBEDDER.dimension), np.float32), [])

    assert index.count(1) == 0


def test_deleted_documents_are_gone(index: DenseIndex) -> None:
    fill(index)

    index.delete_documents(1, ["d0", "unknown"])
    index.delete_documents(1, [])
    index.delete_documents(99, ["d1"])

    assert index.count(1) == len(IDS) - 2
    assert not {"d0-0", "d0-1"} & {hit.chunk_id for hit in index.query(1, vectors("the cat sat")[0], limit=10)}


def test_collections_are_apart(index: DenseIndex) -> None:
    fill(index, 1)
    fill(index, 2)

    index.delete_documents(1, ["d0"])
    assert (index.count(1), index.count(2)) == (3, 5)
    index.delete_collection(2)
    index.delete_collection(2)
    index.delete_collection(3)
    assert (index.count(1), index.count(2)) == (3, 0)
    fill(index, 2)
    assert index.count(2) == 5


def test_more_than_one_batch_fits(index: DenseIndex) -> None:
    many = 5_600  # Chroma takes 5461 in one call
    rows = np.random.default_rng(0).normal(size=(many, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    index.upsert(1, [f"d-{n}" for n in range(many)], rows, ["d"] * many)

    assert index.count(1) == many
    assert index.query(1, rows[many - 1], limit=1)[0].chunk_id == f"d-{many - 1}"
    index.delete_documents(1, ["d"])
    assert index.count(1) == 0


def test_threads_do_not_disturb_each_other(index: DenseIndex) -> None:
    def work(number: int) -> None:
        own = number % 3
        index.upsert(own, [f"t{number}-0"], vectors(f"topic {number}"), [f"t{number}"])
        assert index.query(own, vectors(f"topic {number}")[0], limit=100)
        if number % 4 == 0:
            index.delete_documents(own, [f"t{number}"])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(60)))

    assert sum(index.count(own) for own in range(3)) == 45


def test_chroma_keeps_what_it_was_given(tmp_path: Path) -> None:
    for expected in (0, 5):
        index = ChromaIndex(tmp_path / "chroma")
        assert index.count(1) == expected
        fill(index)
        index.close()
        index.close()
    # closed, it may be opened again
    assert index.count(1) == 5
    index.close()


def test_chroma_survives_a_collection_deleted_under_it(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path / "chroma")
    fill(index)
    space = index._space(1)
    index.delete_collection(1)
    index._spaces[1] = space  # what a thread in the middle of a search still holds

    assert index.query(1, vectors("cat")[0], limit=3) == []
    index._spaces[1] = space
    index.delete_documents(1, ["d0"])
    index.close()
