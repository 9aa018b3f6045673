"""Token vectors compared, and kept in two bits a dimension."""

from __future__ import annotations

import numpy as np
import pytest

from rag.retrieval.late_interaction import (
    max_similarities,
    max_similarity,
    nearest,
    pack,
    to_token_space,
    unpack,
)
from rag.vectors import TokenVectors, Vectors

RANDOM = np.random.default_rng(3)


def tokens(count: int, hidden: int = 384) -> TokenVectors:
    rows: Vectors = RANDOM.standard_normal((count, hidden)).astype(np.float32)
    offsets = np.array([(place * 3 - 4, place * 3 - 1) for place in range(count)], dtype=np.int32).reshape(-1, 2)
    return TokenVectors(offsets, to_token_space(rows))


def test_each_token_of_the_question_counts_its_best_match() -> None:
    axes = np.eye(4, dtype=np.float32)
    places = np.zeros((2, 2), dtype=np.int32)
    query = TokenVectors(places, axes[[0, 1]])

    assert max_similarity(query, TokenVectors(places, axes[[1, 0]])) == 1.0
    assert max_similarity(query, TokenVectors(places, axes[[0, 2]])) == 0.5
    assert max_similarity(query, TokenVectors(places, axes[[2, 3]])) == 0.0
    assert nearest(query, [TokenVectors(places, axes[[0, 2]])])[:, 0].tolist() == [1.0, 0.0]


def test_nothing_is_like_nothing() -> None:
    empty = TokenVectors(np.zeros((0, 2), dtype=np.int32), np.zeros((0, 384), dtype=np.float32))

    assert max_similarity(empty, tokens(3)) == max_similarity(tokens(3), empty) == 0.0
    assert max_similarities(tokens(2), []) == []


@pytest.mark.parametrize("hidden", [64, 100, 384])
def test_the_token_space_keeps_angles(hidden: int) -> None:
    rows: Vectors = RANDOM.standard_normal((6, hidden)).astype(np.float32)
    found = to_token_space(rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    assert found.shape[1] % 64 == 0
    np.testing.assert_allclose(found @ found.T, unit @ unit.T, atol=1e-5)


def test_what_all_tokens_have_in_common_does_not_count() -> None:
    common: Vectors = np.full(64, 0.1, dtype=np.float32)
    first, second = np.eye(64, dtype=np.float32)[:2]
    rows = np.stack([first + 3 * common, second + 3 * common])
    mean = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(axis=0)

    assert np.prod(to_token_space(rows), axis=0).sum() > 0.8
    left = to_token_space(rows, mean)
    assert left[0] @ left[1] < -0.9


def test_two_bits_keep_places_and_nearly_keep_similarities() -> None:
    kept = tokens(40)
    packed = pack(kept)
    found = unpack(packed)

    assert len(packed.vectors) == 40 * 384 // 4
    np.testing.assert_array_equal(found.offsets, kept.offsets)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    assert (found.vectors * kept.vectors).sum(axis=1).min() > 0.9
    query = TokenVectors(kept.offsets[:5], kept.vectors[:5])
    assert max_similarity(query, found) > max_similarity(query, unpack(pack(tokens(40)))) + 0.5


def test_no_tokens_take_no_bytes() -> None:
    packed = pack(tokens(0))

    assert packed.offsets == packed.vectors == b""
    assert len(unpack(packed).offsets) == len(unpack(packed).vectors) == 0
