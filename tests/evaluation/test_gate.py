"""What a gate lets through, and what is no gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.gate import failures, read_gate
from evaluation.intervals import Figure
from rag.errors import ConfigurationError

FIGURES = {"ndcg@10": Figure(0.8, 0.7, 0.9, 50), "false_answer": Figure(0.1, 0.0, 0.2, 20)}


def gate(tmp_path: Path, text: str, name: str = "gate.json") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_value_on_the_bound_passes(tmp_path: Path) -> None:
    bounds = read_gate(gate(tmp_path, '{"ndcg@10": {"min": 0.8}, "false_answer": {"max": 0.1, "min": 0}}'))

    assert failures(bounds, FIGURES) == []


def test_each_figure_that_fails_has_a_line(tmp_path: Path) -> None:
    text = '{"ndcg@10": {"min": 0.81}, "false_answer": {"max": 0.09}, "total_ms_p95": {"max": 4000}}'

    assert failures(read_gate(gate(tmp_path, text)), FIGURES) == [
        "ndcg@10 is 0.8, below its minimum 0.81 (n=50)",
        "false_answer is 0.1, above its maximum 0.09 (n=20)",
        "total_ms_p95 was not measured: no question of this run has it",
    ]


def test_toml_is_taken(tmp_path: Path) -> None:
    bounds = read_gate(gate(tmp_path, '["ndcg@10"]\nmin = 0.9\n', "gate.toml"))

    assert len(failures(bounds, FIGURES)) == 1


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("gate.json", "{", "is not JSON"),
        ("gate.toml", "=", "is not TOML"),
        ("gate.json", "[]", "must be an object"),
        ("gate.json", "{}", "must be an object"),
        ("gate.json", '{"ndcg": {"min": 1}}', "'ndcg', which is no figure"),
        ("gate.json", '{"ndcg@10": 0.8}', "must give ndcg@10 a number"),
        ("gate.json", '{"ndcg@10": {}}', "must give ndcg@10 a number"),
        ("gate.json", '{"ndcg@10": {"least": 1}}', "must give ndcg@10 a number"),
        ("gate.json", '{"ndcg@10": {"min": "1"}}', "must give ndcg@10 a number"),
    ],
)
def test_what_is_no_gate(tmp_path: Path, name: str, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read_gate(gate(tmp_path, text, name))


def test_a_gate_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_gate(tmp_path / "gate.json")
