"""What a sentence lists."""

from __future__ import annotations

import pytest

from rag.verification.enumerations import enumerations


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        (
            "It covers diving lessons, surfing lessons, and riding.",
            [["It covers diving lessons", "surfing lessons", "riding"]],
        ),
        ("It holds oil, gas or water.", [["It holds oil", "gas", "water"]]),
        ("Tools, such as a saw, a plane, and a file, are lent.", []),
        ("课程包括潜水、冲浪和骑马。", [["课程包括潜水", "冲浪", "骑马"]]),
        ("The fee is due in May, as well as the deposit and the tax.", []),
        ("However, the pump runs.", []),
        ("It stands in Paris, France.", []),
        ("", []),
    ],
)
def test_items(sentence: str, found: list[list[str]]) -> None:
    assert enumerations(sentence) == found
