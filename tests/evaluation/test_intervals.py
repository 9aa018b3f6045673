"""Means, percentiles, intervals, differences and p values, where they are known."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.intervals import compare, difference, figures, mean_figure, percentile_figure, permutation_p


def test_the_mean_and_its_interval() -> None:
    values = np.array([0.0, 1.0] * 50)

    found = mean_figure(values)

    assert (found.value, found.n) == (0.5, 100)
    # standard error .05, so about .4 to .6
    assert found.low == pytest.approx(0.402, abs=0.02)
    assert found.high == pytest.approx(0.598, abs=0.02)
    assert found == mean_figure(values)


def test_percentiles() -> None:
    found = percentile_figure(np.arange(101.0), 95)

    assert found.value == 95
    assert 85 < found.low < 95 < found.high <= 100


def test_figures_leave_out_what_no_question_has() -> None:
    found = figures([{"recall@5": 1.0, "total_ms": 10.0}, {"recall@5": 0.0}, {"total_ms": 30.0}])

    assert found.keys() == {"recall@5", "total_ms_p50", "total_ms_p95"}
    assert (found["recall@5"].value, found["recall@5"].n) == (0.5, 2)
    assert found["total_ms_p50"].value == 20
    assert found["total_ms_p95"].value == pytest.approx(29)


def test_signs_that_all_agree_are_no_chance() -> None:
    # 2 of 2**10 ways to give signs reach the mean
    assert permutation_p(np.ones(10)) == pytest.approx(2 / 1024, abs=0.0015)
    assert permutation_p(np.zeros(10)) == 1
    assert permutation_p(np.array([1.0, -1.0, 1.0, -1.0])) == 1


@pytest.mark.parametrize(
    ("b", "lower_better", "verdict"),
    [(1.0, False, "better"), (1.0, True, "worse"), (0.0, False, "no difference shown")],
)
def test_verdicts(b: float, lower_better: bool, verdict: str) -> None:
    found = difference(np.zeros(20), np.full(20, b), lower_better=lower_better)

    assert (found.difference, found.low, found.high) == (b, b, b)
    assert found.verdict == verdict


def test_a_small_difference_between_few_questions_is_not_shown() -> None:
    found = difference(np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0, 1.0]))

    assert found.difference == 0.25
    assert found.p == 1
    assert found.verdict == "no difference shown"


def test_a_comparison_pairs_by_question() -> None:
    a = [{"recall@5": 0.0, "accuracy": 1.0}, {"recall@5": 1.0}, {"false_answer": 1.0}] * 10
    b = [{"recall@5": 1.0}, {"recall@5": 1.0, "accuracy": 0.0}, {"false_answer": 0.0}] * 10

    found = compare(a, b)

    assert found.keys() == {"recall@5", "false_answer"}
    assert (found["recall@5"].a, found["recall@5"].b, found["recall@5"].n) == (0.5, 1.0, 20)
    assert found["recall@5"].verdict == found["false_answer"].verdict == "better"
