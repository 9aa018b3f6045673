"""Token vectors in the catalog: kept per chunk and space, gone with their document, and no stray survives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from catalog.engine import Database
from catalog.token_vectors import BATCH, TokenVectorCatalog
from rag.ports import TokenVectorStore
from rag.retrieval.late_interaction import to_token_space
from rag.vectors import TokenVectors
from tests.fakes import TokenShelf

Put = Callable[[str, list[str], list[TokenVectors]], None]


def tokens(seed: int, count: int = 3) -> TokenVectors:
    rows = np.random.default_rng(seed).standard_normal((count, 64)).astype(np.float32)
    offsets = np.array([(place - 1, place) for place in range(count)], dtype=np.int32).reshape(-1, 2)
    return TokenVectors(offsets, to_token_space(rows))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "catalog.sqlite3")


@pytest.fixture(params=["fake", "catalog"])
def shelf(request: pytest.FixtureRequest, database: Database) -> tuple[TokenVectorStore, Put]:
    if request.param == "fake":
        fake = TokenShelf()
        return fake, fake.put
    real = TokenVectorCatalog(database)
    return real, lambda space, ids, found: real.store(1, space, ids, [each.split("-")[0] for each in ids], found)


def test_what_was_put_comes_back_by_chunk_and_space(shelf: tuple[TokenVectorStore, Put]) -> None:
    store, put = shelf
    put("m+1", ["a-0", "a-1"], [tokens(1), tokens(2, 0)])
    put("other", ["a-0"], [tokens(3)])

    found = store.token_vectors(["a-0", "a-1", "nowhere-0"], "m+1")

    assert set(found) == {"a-0", "a-1"}
    np.testing.assert_array_equal(found["a-0"].offsets, tokens(1).offsets)
    assert (found["a-0"].vectors * tokens(1).vectors).sum(axis=1).min() > 0.8
    assert len(found["a-1"].vectors) == 0
    assert set(store.token_vectors(["a-0", "a-1"], "other")) == {"a-0"}
    assert store.token_vectors([], "m+1") == {}


def test_what_is_put_again_replaces_what_was_there(shelf: tuple[TokenVectorStore, Put]) -> None:
    store, put = shelf
    put("m", ["a-0"], [tokens(1)])
    put("m", ["a-0"], [tokens(2, 5)])

    assert len(store.token_vectors(["a-0"], "m")["a-0"].offsets) == 5


def test_many_are_read_at_once(shelf: tuple[TokenVectorStore, Put]) -> None:
    store, put = shelf
    ids = [f"a-{place}" for place in range(BATCH + 5)]
    put("m", ids, [tokens(1, 1)] * len(ids))

    assert set(store.token_vectors(ids, "m")) == set(ids)


def test_strays_are_found_and_dropped(database: Database) -> None:
    store = TokenVectorCatalog(database)
    store.store(1, "m", ["a-0"], ["a"], [tokens(1)])

    assert store.orphans() == ["a-0"]
    assert store.bytes() > 0
    assert store.drop_orphans() == 1
    assert store.orphans() == []
    assert store.bytes() == 0


def test_the_vectors_of_another_model_go_when_the_collection_has_changed(database: Database) -> None:
    store = TokenVectorCatalog(database)
    store.store(1, "old", ["a-0"], ["a"], [tokens(1)])
    store.store(1, "new", ["a-0"], ["a"], [tokens(1)])
    store.store(2, "old", ["b-0"], ["b"], [tokens(1)])

    store.drop_other_spaces(1, "new")

    assert store.token_vectors(["a-0", "b-0"], "old").keys() == {"b-0"}
    assert store.token_vectors(["a-0"], "new").keys() == {"a-0"}
