"""The arithmetic of two rankings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.fusion import fuse, scaled
from rag.types import Hit

HITS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.floats(-1, 50, allow_nan=False)), max_size=8, unique_by=lambda hit: hit[0]
).map(lambda pairs: sorted((Hit(*pair) for pair in pairs), key=lambda hit: -hit.score))


@given(HITS, HITS, st.floats(0, 1))
def test_fusion_keeps_every_chunk_once_in_order_and_in_range(
    dense: list[Hit], lexical: list[Hit], dense_weight: float
) -> None:
    fused = fuse(dense, lexical, dense_weight=dense_weight)

    assert sorted(hit.chunk_id for hit in fused) == sorted({hit.chunk_id for hit in [*dense, *lexical]})
    assert [hit.score for hit in fused] == sorted((hit.score for hit in fused), reverse=True)
    assert all(-1e-9 <= hit.score <= 1 + 1e-9 for hit in fused)


@given(HITS)
def test_one_leg_alone_keeps_its_order(hits: list[Hit]) -> None:
    scores = scaled(hits)
    for fused in (fuse(hits, [], dense_weight=0.05), fuse([], hits, dense_weight=0.95)):
        assert [hit.score for hit in fused] == [scores[hit.chunk_id] for hit in fused]
        assert [hit.score for hit in fused] == sorted(scores.values(), reverse=True)


def test_weights_decide_between_the_legs() -> None:
    dense, lexical = [Hit("d", 0.9), Hit("l", 0.1)], [Hit("l", 9.0), Hit("d", 1.0)]

    assert fuse(dense, lexical, dense_weight=0.9)[0].chunk_id == "d"
    assert fuse(dense, lexical, dense_weight=0.1)[0].chunk_id == "l"
    assert [hit.chunk_id for hit in fuse(dense, lexical, dense_weight=0.5)] == ["l", "d"]


def test_scaling() -> None:
    assert scaled([]) == {}
    assert scaled([Hit("a", 7.0)]) == {"a": 1.0}
    assert scaled([Hit("a", 3.0), Hit("b", 2.0), Hit("c", 1.0)]) == pytest.approx({"a": 1.0, "b": 0.5, "c": 0.0})
