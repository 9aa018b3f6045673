"""The weights in the code are those that the command prints, so that none is changed by hand."""

from __future__ import annotations

import pytest

from rag.text.language import LANGUAGE_WEIGHTS
from tests.rag.query.fitting import LANGUAGES, fit, followup_weights, language_weights


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_weights_of_follow_ups(spoken: str) -> None:
    rules = LANGUAGES[spoken]

    assert pytest.approx(followup_weights(spoken), abs=0.011) == {"bias": rules.BIAS, **rules.WEIGHTS}


def test_weights_of_languages() -> None:
    assert pytest.approx(language_weights(), abs=0.011) == LANGUAGE_WEIGHTS


def test_a_fit_finds_what_tells_the_labels_apart() -> None:
    weights = fit([{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}] * 10, [True, False] * 10, 0.1)

    assert weights["a"] > 1 > -1 > weights["b"]
