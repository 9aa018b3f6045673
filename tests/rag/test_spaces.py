"""What similarities are worth, and the strength of the keywords that decides it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.fusion import Legs, fuse_spaces, lexical_strength
from rag.spaces import DenseProfile, EmbeddingSpace, OneSpace, unknown_model
from rag.types import Hit
from tests.fakes import HashEmbedder

PROFILE = DenseProfile(
    weights={"en": 0.4, "zh": 0.1}, unmatched=0.9, unrelated={"en": 0.1, "zh": 0.8}, related={"en": 0.6, "zh": 0.9}
)


def test_the_dense_leg_rules_where_the_keywords_match_nothing() -> None:
    assert PROFILE.weight("en", 1.0) == pytest.approx(0.4)
    assert PROFILE.weight("en", 0.0) == pytest.approx(0.9)
    assert PROFILE.weight("zh", 0.5) == pytest.approx(0.5)
    assert PROFILE.weight("en", 7.0) == pytest.approx(0.4)


def test_closeness_is_a_share_of_the_model_s_own_scale() -> None:
    assert PROFILE.closeness([0.35], "en") == pytest.approx(0.5)
    assert PROFILE.closeness([0.85, 0.2], "zh") == pytest.approx(0.5)
    assert (PROFILE.closeness([-1.0], "en"), PROFILE.closeness([1.0], "zh")) == (0.0, 1.0)
    assert PROFILE.closeness([], "en") == 0.0


def test_the_strength_of_keywords() -> None:
    rarity = {"pump": 5.0, "warranty": 5.0}

    assert lexical_strength([], rarity) == lexical_strength([Hit("a", 3.0)], {}) == 0.0
    assert lexical_strength([Hit("a", 1.0)], rarity) == 0.0
    assert lexical_strength([Hit("a", 8.0), Hit("b", 1.0)], rarity) == 1.0
    assert 0.0 < lexical_strength([Hit("a", 4.0)], rarity) < 1.0
    # words of nearly every chunk, which FTS5 counts for nothing, match all the same
    assert lexical_strength([Hit("a", 0.3)], {"plan": 0.11, "provide": 0.19, "plus": 0.81}) == 1.0


def test_spaces_are_fused_each_with_its_own_scale_and_weight() -> None:
    near = Legs([Hit("n1", 0.9), Hit("n2", 0.8)], [Hit("n2", 4.0)], 0.9)
    words = Legs([Hit("w1", 0.3), Hit("w2", 0.2)], [Hit("w1", 8.0), Hit("w2", 1.0)], 0.1)

    fused = {hit.chunk_id: hit.score for hit in fuse_spaces([near, words])}

    assert fused == pytest.approx({"w1": 1.0, "n1": 0.9, "n2": 0.1 * 3 / 7, "w2": 0.0})


def test_without_keywords_every_space_is_ranked_by_similarity() -> None:
    fused = fuse_spaces([Legs([Hit("a", 0.9), Hit("b", 0.7)], [], 0.1), Legs([], [], 0.5)])

    assert fused == [Hit("a", 1.0), Hit("b", 0.0)]


def test_one_space_for_all() -> None:
    space = EmbeddingSpace(HashEmbedder())

    assert OneSpace(space).of(1) is OneSpace(space).of(2) is space


def test_the_error_of_an_unknown_model_says_what_to_set() -> None:
    error = unknown_model("papers", "model-x", "model-a")

    assert error.code == "embedding_model_mismatch"
    assert all(word in error.message for word in ("papers", "model-x", "model-a", "DOCENT_EMBEDDING_MODEL"))


def test_a_margin_counts_for_half() -> None:
    profile = replace(PROFILE, margins=(0.1, 0.2))

    apart, alike = profile.closeness([0.35, 0.2, 0.1], "en"), profile.closeness([0.35, 0.35], "en")

    assert (apart, alike) == (pytest.approx(0.75), pytest.approx(0.25))
    assert profile.closeness([0.35], "en") == pytest.approx(0.5)
