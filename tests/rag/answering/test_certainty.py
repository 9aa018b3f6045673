"""How sure an answer is: what is known of it as features, the small model's yes and no, and the calibrated chances."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering import certainty as room
from rag.answering.certainty import (
    FOUND,
    Calibrated,
    ModelKind,
    calibrated,
    certainty,
    found_features,
    gate,
    written_features,
)
from rag.errors import ConfigurationError
from rag.text.language import language, query_terms
from rag.types import Certainty, Evidence, Retrieval, Verdict
from rag.verification.verifier import Judgement
from tests.rag.passages import evidence, passage


def known(question: str, *shown: Evidence, similarity: float = 0.7) -> dict[str, float]:
    idf = dict.fromkeys(query_terms(question), 4.0)
    found = Retrieval(question, language(question), (passage("x"),), idf, {}, similarity=similarity)
    return found_features(found, shown)


def judged(verdict: Verdict, score: float = 0.5) -> Judgement:
    return Judgement(verdict, (), (), None, score)


def test_what_is_found_is_told_before_any_model() -> None:
    found = known(
        "Where does the heron live?",
        evidence(1, "Herons live at rivers.", worth=0.4),
        evidence(2, "Trees are green.", worth=0.9),
    )

    assert set(found) == set(FOUND)
    assert (found["similarity"], found["best"], found["second"]) == (0.7, 0.9, 0.4)
    assert found["coverage"] == found["named"] == 1


def test_nothing_shown_is_worth_nothing() -> None:
    found = known("Where does the heron live?", similarity=0.2)

    assert found == {"similarity": 0.2, "best": 0, "second": 0, "coverage": 0, "named": 1}


def test_words_are_covered_by_headings_and_file_names_too() -> None:
    covered = known("水泵的压力是多少？", evidence(1, "四十巴。", heading="水泵的压力", name="a"))
    other = known("水泵的压力是多少？", evidence(1, "苍鹭分布于河流。", name="a"))

    assert covered["coverage"] > 0.5 > other["coverage"]


def test_a_name_or_figure_that_stands_nowhere_is_told() -> None:
    text = "The Kestrel pump was built in 1998."

    assert known("Was the Kestrel pump built in 1998?", evidence(1, text))["named"] == 1
    assert known("Was the Osprey pump built in 1998?", evidence(1, text))["named"] == 0.5
    assert known("Was the Osprey pump built in 2005?", evidence(1, text))["named"] == 0


@pytest.mark.parametrize(
    ("alternatives", "said", "expected"),
    [
        ({"Yes": math.log(0.9), "No": math.log(0.1)}, "No", math.log(9) / 6),
        ({" yes": math.log(0.3), "Yes": math.log(0.3), "no": math.log(0.3)}, "", math.log(2) / 6),
        ({"是": 0.0}, "", 1.0),
        ({"否": 0.0}, "", -1.0),
        ({"Maybe": 0.0}, "No.", -1.0),
        ({"Maybe": 0.0}, "Maybe", 1.0),
        ({}, "no", -1.0),
        ({}, "没有。", -1.0),
        ({}, "Yes", 1.0),
    ],
)
def test_the_yes_and_no_of_a_model_is_weighed_by_its_chances(
    alternatives: dict[str, float], said: str, expected: float
) -> None:
    assert gate(alternatives, said) == pytest.approx(expected, abs=1e-4)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_likelier_yes_never_weighs_less(one: float, other: float) -> None:
    def weighed(yes: float) -> float:
        return gate({"Yes": math.log(yes + 1e-12), "No": math.log(1 - yes + 1e-12)}, "")

    low, high = sorted((one, other))
    assert -1 <= weighed(low) <= weighed(high) <= 1


def test_what_verification_says_of_the_claims() -> None:
    found = written_features(
        [
            judged(Verdict.VERIFIED, 0.9),
            judged(Verdict.CONSISTENT, 0.5),
            judged(Verdict.MISATTRIBUTED, 0.7),
            judged(Verdict.UNSUPPORTED, 0.1),
        ]
    )

    assert found == {"kept": 0.75, "verified": 0.5, "support": pytest.approx(0.7), "weakest": 0.5, "single": 0}
    assert written_features([judged(Verdict.VERIFIED)])["single"] == 1
    assert written_features([]) == {"kept": 0, "verified": 0, "support": 0, "weakest": 0, "single": 0}
    assert written_features([judged(Verdict.UNCITED)])["kept"] == 0


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(-1e6, 1e6)))
def test_a_chance_is_a_chance_whatever_the_features(features: dict[str, float]) -> None:
    assert 0 <= Calibrated(-1.0, {"a": 2.0, "b": -3.0}, 0.5).probability(features) <= 1


def test_high_from_the_threshold_on(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {f"certainty-{kind}": Calibrated(0.0, {"kept": 1.0}, 0.7) for kind in ModelKind}
    monkeypatch.setattr(room, "calibrated", lambda: made)

    sure, chance = certainty(ModelKind.HOSTED, {"kept": 1.0})
    assert sure is Certainty.HIGH
    assert chance == pytest.approx(0.731, abs=1e-3)
    assert certainty(ModelKind.HOSTED, {"kept": 0.5})[0] is Certainty.LOW


def test_each_kind_of_model_has_a_calibration_of_its_own() -> None:
    assert set(calibrated()) == {"topic", "extractive", "local", *(f"certainty-{kind}" for kind in ModelKind)}
    assert all(0 <= each.threshold <= 1 for each in calibrated().values())


@pytest.mark.parametrize("content", [None, "{", json.dumps({"judgements": {"topic": {"bias": 1}}})])
def test_a_calibration_that_cannot_be_used_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "calibration.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr(room, "FILE", tmp_path / "calibration.json")
    try:
        calibrated.cache_clear()
        with pytest.raises(ConfigurationError, match="restore it"):
            calibrated()
    finally:
        calibrated.cache_clear()
