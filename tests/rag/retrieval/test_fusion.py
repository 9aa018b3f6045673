"""One score from what the legs and the headings say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.fusion import LEGS, Candidate, Ranker, fitted, preselected, retriever_features, scaled
from rag.retrieval.passage_features import NAMES

SCORES = st.none() | st.floats(-1, 50, allow_nan=False)


@given(st.lists(SCORES, max_size=8))
def test_scaled_scores_keep_their_order_between_nothing_and_one(values: list[float | None]) -> None:
    found = scaled(values)

    assert all(0 <= value <= 1 for value in found)
    for value, own in zip(values, found, strict=True):
        for other, its in zip(values, found, strict=True):
            if value is not None and other is not None and value > other:
                assert own >= its


def test_scaling() -> None:
    assert scaled([]) == []
    assert scaled([7.0, None]) == [1.0, 0.0]
    assert scaled([3.0, 2.0, 1.0]) == pytest.approx([1.0, 0.5, 0.0])


def test_similarities_are_scaled_within_their_space_and_keywords_over_all() -> None:
    first, second = Candidate("a", 0, 0.9, 8.0, 0.5), Candidate("b", 0, 0.8, None, 0.4)
    other, last = Candidate("c", 1, 0.3, 4.0, 0.2), Candidate("d", 1, 0.2, 0.0, 0.1)

    found = retriever_features([first, second, other, last])

    assert [row["cosine"] for row in found] == [1.0, 0.0, 1.0, 0.0]
    assert [row["bm25"] for row in found] == [1.0, 0.0, 0.5, 0.0]
    assert [row["max_similarity"] for row in found] == [1.0, 0.0, 1.0, 0.0]


def test_a_chunk_without_token_vectors_keeps_the_place_of_its_one_vector() -> None:
    known = [Candidate("a", cosine=0.9, max_similarity=0.3), Candidate("b", cosine=0.5, max_similarity=0.6)]

    found = retriever_features([*known, Candidate("c", cosine=0.8)])

    assert found[2]["max_similarity"] == pytest.approx(0.75)


def test_the_best_of_both_legs_are_looked_at() -> None:
    near = [Candidate(f"n{place}", cosine=1 - place / 100) for place in range(50)]
    worded = [Candidate(f"w{place}", bm25=50 - place) for place in range(50)]

    chosen = {each.chunk_id for each in preselected([*near, *worded], 10)}

    assert chosen == {f"{leg}{place}" for leg in "nw" for place in range(5)}
    assert len(preselected([*near, *worded], 1000)) == 100
    assert preselected([], 10) == []


def test_the_fitted_ranker_knows_only_features_that_there_are() -> None:
    assert set(fitted().weights) <= {*LEGS, *NAMES}
    best = fitted().score({name: 1.0 for name, weight in fitted().weights.items() if weight > 0})

    assert best == pytest.approx(1.0)
    assert fitted().score({}) == 0.0


def test_weights_decide() -> None:
    ranker = Ranker({"bm25": 3.0, "cosine": 1.0, "like_named": -1.0})

    assert ranker.score({"bm25": 1.0}) == pytest.approx(0.75)
    assert ranker.score({"bm25": 1.0, "like_named": 1.0}) == pytest.approx(0.5)
    assert ranker.part({"bm25": 1.0, "cosine": 1.0}, ("cosine",)) == pytest.approx(0.25)
