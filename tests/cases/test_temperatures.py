"""Degrees Fahrenheit and Celsius are two scales with zeros of their own, not two sizes of one unit."""

from __future__ import annotations

import pytest

from rag.text.language import fold
from rag.verification.facts.quantities import quantities, stated


def _wrong(wanted: str, given: str) -> str | None:
    (one,) = quantities(fold(wanted))
    return stated(one, quantities(fold(given)))


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("212 °F", "100 °C"),
        ("32 °F", "0 ℃"),
        ("-40 °F", "-40 °C"),
        ("37 °C", "98.6 degrees Fahrenheit"),
        ("68 ℉", "20 摄氏度"),
        ("50 华氏度", "10 °C"),
    ],
)
def test_the_same_temperature_on_both_scales(wanted: str, given: str) -> None:
    assert _wrong(wanted, given) is None
    assert _wrong(given, wanted) is None


@pytest.mark.parametrize(("wanted", "given"), [("100 °F", "100 °C"), ("20 °F", "20 摄氏度"), ("0 °F", "0 °C")])
def test_the_same_number_on_both_scales_is_another_temperature(wanted: str, given: str) -> None:
    assert _wrong(wanted, given) == "unit"


def test_another_temperature_is_a_wrong_number() -> None:
    assert _wrong("70 °F", "20 °C") == "number"
