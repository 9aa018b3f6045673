"""When the beginning of an answer tells which language it is in."""

from __future__ import annotations

import pytest

from rag.answering.answer_language import AnswerLanguage
from tests.rag.passages import evidence

CHINESE = evidence(1, "水泵的工作压力是四十巴。")
ENGLISH = evidence(1, "The pump runs at 40 bar.")


def shown(tongue: Tongue, text: str) -> str:
    found = ""
    for character in text:
        found += tongue.feed(character)
        if tongue.foreign:
            return found
    return found + tongue.rest()


@pytest.mark.parametrize("text", ["水泵的压力是四十巴。", "PUMP-7的工作压力是四十巴。", "40", "Grundfos AG", "40 bar"])
def test_chinese_numbers_and_names_are_at_home(text: str) -> None:
    tongue = Tongue.of("压力是多少？", [CHINESE])

    assert shown(tongue, text) == text
    assert not tongue.foreign


@pytest.mark.parametrize(
    "text", ["The pressure of the pump is forty bar.", "It is forty bar.", "The answer is about the水泵"]
)
def test_english_is_not_and_none_of_it_is_shown(text: str) -> None:
    tongue = Tongue.of("压力是多少？", [CHINESE])

    assert shown(tongue, text) == ""
    assert tongue.foreign


def test_nothing_is_held_back_where_question_or_sources_are_english() -> None:
    assert Tongue.of("At how many bar?", [CHINESE]).feed("The") == "The"
    assert Tongue.of("压力是多少？", [ENGLISH]).feed("The") == "The"


def test_japanese_and_korean_are_not_taken_for_chinese() -> None:
    assert Tongue.of("ポンプの圧力は？", [evidence(1, "ポンプは40バールで動く。")]).feed("The") == "The"
