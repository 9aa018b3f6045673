"""What similarities are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.retrieval.embedding_spaces import DenseProfile, unknown_model

PROFILE = DenseProfile(unrelated={"en": 0.1, "zh": 0.8}, related={"en": 0.6, "zh": 0.9})


def test_closeness_is_a_share_of_the_model_s_own_scale() -> None:
    assert PROFILE.similarity([0.35], "en") == pytest.approx(0.5)
    assert PROFILE.similarity([0.85, 0.2], "zh") == pytest.approx(0.5)
    assert (PROFILE.similarity([-1.0], "en"), PROFILE.similarity([1.0], "zh")) == (0.0, 1.0)
    assert PROFILE.similarity([], "en") == 0.0


def test_the_error_of_an_unknown_model_says_what_to_set() -> None:
    error = unknown_model("papers", "model-x", "model-a")

    assert error.code == "embedding_model_mismatch"
    assert all(word in error.message for word in ("papers", "model-x", "model-a", "DOCENT_EMBEDDING_MODEL"))


def test_a_margin_counts_for_half() -> None:
    profile = replace(PROFILE, margins=(0.1, 0.2))

    apart, alike = profile.similarity([0.35, 0.2, 0.1], "en"), profile.similarity([0.35, 0.35], "en")

    assert (apart, alike) == (pytest.approx(0.75), pytest.approx(0.25))
    assert profile.similarity([0.35], "en") == pytest.approx(0.5)
