"""The fit recovers a boundary that is known, and its file says the same as the model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.main import main
from evaluation.fitting.certainty import (
    auc,
    calibrate,
    choose_threshold,
    fit_logistic,
    judge,
    left_out,
    risk_coverage,
    sigmoid,
    to_json,
)
from evaluation.fitting.feature_rows import FeatureRow, read_rows
from rag.errors import ConfigurationError


def drawn(n: int, *, judgement: str = "en", name: str = "s", seed: int = 1, shift: float = 0.0) -> list[FeatureRow]:
    """Rows whose log odds are 2 + 3 near - 40 small, with a constant feature beside."""
    random = np.random.default_rng(seed)
    near, small = random.normal(0, 1, n), random.normal(0.05 + shift, 0.05, n)
    answerable = random.random(n) < 1 / (1 + np.exp(-(2 + 3 * near - 40 * small)))
    return [
        FeatureRow(judgement, bool(yes), {"near": float(a), "small": float(b), "same": 1.0}, name)
        for yes, a, b in zip(answerable, near, small, strict=True)
    ]


def write(path: Path, rows: list[FeatureRow]) -> Path:
    lines = [
        {"judgement": row.judgement, "answerable": row.answerable, "features": row.features, "set": row.set}
        for row in rows
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_known_boundary_is_recovered() -> None:
    model = calibrate(drawn(20_000), {"": 0.1})["en"]

    weights = dict(zip(model.features, model.weights, strict=True))
    assert weights["near"] == pytest.approx(3, rel=0.06)
    assert weights["small"] == pytest.approx(-40, rel=0.06)
    assert weights["same"] == 0
    assert model.bias == pytest.approx(2, rel=0.1)


def test_separable_rows_have_a_finite_fit() -> None:
    values = np.array([[0.0], [1.0], [2.0], [3.0]])

    weights, bias = fit_logistic(values, np.array([0.0, 0.0, 1.0, 1.0]), np.ones(4), l2=1.0)

    assert 0 < weights[0] < 10
    assert -bias / weights[0] == pytest.approx(1.5)  # the boundary lies in the middle


def test_the_solution_is_the_minimum() -> None:
    """At the minimum of the penalised loss its gradient is 0, in whatever scale."""
    random = np.random.default_rng(0)
    values = random.normal(5, 3, (40, 2))
    labels = (values[:, 0] + random.normal(0, 3, 40) > 5).astype(float)
    weights, bias = fit_logistic(values, labels, np.ones(40), l2=1.0)
    scale = values.std(axis=0)

    gap = sigmoid(values @ weights + bias) - labels

    assert gap.sum() == pytest.approx(0, abs=1e-6)
    assert gap @ ((values - values.mean(axis=0)) / scale) + weights * scale == pytest.approx(np.zeros(2), abs=1e-6)


def test_the_threshold_is_the_highest_within_the_target() -> None:
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.75, 0.1])
    answerable = np.array([True, True, True, True, False, False])

    def chosen(target: float) -> float:
        return choose_threshold(p, answerable, ["s"] * 6, false_abstain=target)

    assert chosen(0.0) == 0.6
    assert chosen(0.25) == 0.7
    assert chosen(0.5) == 0.8
    assert chosen(0.49) == 0.7


def test_each_set_weighs_the_same_in_the_threshold() -> None:
    p = np.array([0.9] * 8 + [0.3, 0.9])
    sets = ["large"] * 8 + ["small"] * 2

    # half of the small set is a quarter of the mean, though it is a tenth of the rows
    assert choose_threshold(p, np.ones(10, dtype=bool), sets, false_abstain=0.1) == 0.3
    assert choose_threshold(p, np.ones(10, dtype=bool), sets, false_abstain=0.25) == 0.9


def test_auc_counts_ties_half() -> None:
    assert auc(np.array([2.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx(3.5 / 4)
    assert math.isnan(auc(np.array([]), np.array([1.0])))


def test_risk_against_coverage() -> None:
    risk, covered = risk_coverage(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, False, True, False]))

    assert risk.tolist() == pytest.approx([0, 1 / 3, 0.5])
    assert covered.tolist() == pytest.approx([0.25, 0.75, 1.0])


def test_a_set_left_out_shows_what_does_not_carry_over() -> None:
    rows = (
        drawn(2000, name="one", seed=1) + drawn(2000, name="two", seed=2) + drawn(2000, name="odd", shift=0.1, seed=3)
    )

    models = calibrate(rows, {"": 0.1})
    outside = {fit.set: fit for fit in left_out(rows, {"": 0.1})}

    assert np.mean([fit.false_abstain for fit in judge(models, rows)]) <= 0.1 + 1e-9
    assert outside.keys() == {"one", "two", "odd"}
    assert outside["odd"].false_abstain > 0.2  # its answerable questions look worse than those it was fitted on
    assert left_out(drawn(100), {"": 0.1}) == []


def test_the_file_is_enough_to_decide() -> None:
    rows = drawn(500) + drawn(500, judgement="zh", seed=9)
    models = calibrate(rows, {"": 0.1})

    file: dict[str, Any] = json.loads(json.dumps(to_json(models, rows, {"": 0.1})))

    assert file["version"] == 1
    assert file["judgements"]["en"]["sets"] == ["s"]
    assert list(file["judgements"]["en"]["weights"]) == ["near", "same", "small"]
    for row in rows:
        fitted = file["judgements"][row.judgement]
        z = fitted["bias"] + sum(weight * row.features[name] for name, weight in fitted["weights"].items())
        model = models[row.judgement]
        assert 1 / (1 + math.exp(-z)) == pytest.approx(float(model.probabilities([row])[0]), abs=1e-5)
    assert 0 <= models["zh"].threshold - file["judgements"]["zh"]["threshold"] < 1e-4


def test_the_command_writes_draws_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write(tmp_path / "one.jsonl", drawn(300, name="甲", seed=1))
    second = write(tmp_path / "two.jsonl", drawn(300, name="", seed=2))
    out, plot = tmp_path / "calibration.json", tmp_path / "curve.png"

    assert main(["eval", "calibrate", str(first), str(second), "--out", str(out), "--plot", str(plot)]) == 0

    assert json.loads(out.read_text(encoding="utf-8"))["judgements"]["en"]["sets"] == ["two", "甲"]
    assert plot.read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "Each set by a model that never saw it" in printed
    assert printed.count("two") == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "one.jsonl:2: expected"),
        ('{"language": "en", "answerable": true, "features": {}}', "at least one"),
        ('{"language": "en", "answerable": 1, "features": {"a": 1}}', "answerable must be"),
        ('{"language": "en", "answerable": true, "features": {"a": NaN}}', "finite"),
        ('{"language": "en", "answerable": true, "features": {"b": 1}}', "other features"),
        ('{"language": "en", "answerable": true, "features": {"a": 1}}', "both kinds"),
    ],
)
def test_rows_that_cannot_be_fitted(tmp_path: Path, line: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text('{"language": "en", "answerable": true, "features": {"a": 1}}\n' + line + "\n", encoding="utf-8")

    assert main(["eval", "calibrate", str(path), "--out", str(tmp_path / "out.json")]) == 2

    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_each_judgement_has_features_and_a_target_of_its_own() -> None:
    late = [FeatureRow("late", row.answerable, {"near": row.features["near"]}, row.set) for row in drawn(500)]

    models = calibrate([*drawn(500), *late], {"late": 0.3, "": 0.05})

    assert models["late"].features == ("near",)
    fits = {fit.judgement: fit.false_abstain for fit in judge(models, [*drawn(500), *late])}
    assert fits["en"] == pytest.approx(0.05, abs=0.01)
    assert fits["late"] == pytest.approx(0.3, abs=0.01)
    with pytest.raises(ConfigurationError, match="No row is of the judgement 'model'"):
        calibrate(drawn(50), {"model": 0.1})


def test_no_rows(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no rows"):
        read_rows([tmp_path / "none.jsonl"])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_rows([tmp_path / "absent.jsonl"])
