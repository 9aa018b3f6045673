"""What of an answer states something, and what a statement says beside its dressing."""

from __future__ import annotations

import pytest

from rag.verification.facts.facts import facts_of
from rag.verification.statements import statement, states_something


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,250.0 bar", {"1250"}),
        ("twelve of 12", {"12"}),
        ("-3.5 % and +7", {"3.5", "7"}),
        ("１２人", {"12"}),
        ("3 March 1998", {"3", "1998"}),
        ("ninety", {"90"}),
        ("none", set()),
    ],
)
def test_numbers_in_one_form(text: str, found: set[str]) -> None:
    assert {each.plain for each in facts_of(text).quantities} == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n1. The pump runs.", "The pump runs."),
        ("12) The pump runs.", "The pump runs."),
        ("3、水泵在运行。", "水泵在运行。"),
        ("- The pump runs. ", "The pump runs."),
        ("3.5 bar is enough.", "3.5 bar is enough."),
        ("-5 degrees", "-5 degrees"),
        ("1998 was cold.", "1998 was cold."),
        ("According to the sources, the pump runs.", "the pump runs."),
        ("Based on the provided documents, the pump runs.", "the pump runs."),
        ("The text states that the pump runs.", "The text states that the pump runs."),
        ("根据提供的资料，水泵在运行。", "水泵在运行。"),
        ("According to the contract, the pump runs.", "According to the contract, the pump runs."),
        ("According to the sources, ", "According to the sources,"),
    ],
)
def test_the_number_of_a_list_item_and_that_the_sources_say_it_say_nothing(text: str, said: str) -> None:
    assert statement(text) == said


@pytest.mark.parametrize(
    ("sentence", "states"),
    [
        ("Here is what the documents say:", False),
        ("The key points are:", False),
        ("Yes.", False),
        ("是的。", False),
        ("***", False),
        ("# Pumps of 2024", False),
        ("# 40 bar is the limit.", True),
        ("# Pumps\nThey run at 40 bar.", True),
        ("The sources clearly contain the answer to this question.", False),
        ("Employees should follow the steps outlined in sources and to ensure safety.", False),
        ("The tips for employees are found in source.", False),
        ("相关步骤可以在来源中找到。", False),
        ("The pump runs at 40 bar, as stated in the sources.", True),
        ("The plan covers dental care, as described in the source.", True),
        ("How many bar has pump 4?", False),
        ("Debian 只做 GNU/Linux 吗？", False),
        ("The pump runs at 40 bar.", True),
        ("In 1998:", True),
        ("水泵由北风公司安装。", True),
        ("Employees must register.", True),
    ],
)
def test_a_lead_in_states_nothing(sentence: str, states: bool) -> None:
    assert states_something(sentence) is states
