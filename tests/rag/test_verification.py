"""Sentences against the spans they cite: numbers, names, quotes and words, in English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.verification import best_evidence, best_span, check, numbers, statement
from tests.rag.passages import OFFSET, evidence

SPAN = "The pump in hall four was installed by Nordwind GmbH on 3 March 1998 and runs at 1,250.0 bar."


@pytest.mark.parametrize(
    "sentence",
    [
        SPAN,
        "The pump runs at 1250 bar.",
        "Nordwind installed the pump in 1998.",
        "In hall 4, the pump runs at 1,250 bar.",
        "It was “installed by Nordwind GmbH”.",
        "the PUMP was installed in March 1998",
    ],
)
def test_what_the_span_says_holds(sentence: str) -> None:
    support = check(sentence, SPAN)

    assert support.holds, support


@pytest.mark.parametrize(
    ("sentence", "missing"),
    [
        ("The pump in hall four runs at 1,300 bar.", "1300"),
        ("The pump was installed by Nordwind in 1999.", "1999"),
        ("The pump in hall four was installed by Siemens.", "Siemens"),
        ("It was “installed by Nordwind AG”.", "installed by Nordwind AG"),
    ],
)
def test_a_wrong_number_name_or_quote_does_not(sentence: str, missing: str) -> None:
    support = check(sentence, SPAN)

    assert not support.holds
    assert missing in support.missing


@pytest.mark.parametrize(
    "sentence", ["Apples grow on trees.", "Gardening is a wonderful hobby for the whole family.", "苹果树四月开花。"]
)
def test_other_words_do_not(sentence: str) -> None:
    assert not check(sentence, SPAN).holds


def test_names_may_stand_in_the_context_and_numbers_may_not() -> None:
    span = "It was founded in 1998."

    assert check("Nordwind was founded in 1998.", span, context="Nordwind GmbH").holds
    assert not check("It was founded in 1999.", span, context="Report 1999").holds


@pytest.mark.parametrize(
    ("sentence", "holds"),
    [
        ("水泵的工作压力为40巴。", True),
        ("水泵由北风公司安装。", True),
        ("水泵的工作压力为50巴。", False),
        ("水泵由Siemens公司安装。", False),
        ("苹果树四月开花。", False),
        ("它被称为「北风公司」的水泵。", True),
        ("它被称为「南风公司」的水泵。", False),
    ],
)
def test_chinese(sentence: str, holds: bool) -> None:
    assert check(sentence, "水泵的工作压力为40巴，由北风公司安装。").holds is holds


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
    assert numbers(text) == found


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
    ],
)
def test_the_number_of_a_list_item_says_nothing(text: str, said: str) -> None:
    assert statement(text) == said


def test_the_shortest_part_that_holds_is_cited() -> None:
    run = evidence(1, "Bees fly far. The pump runs at 40 bar. It was bought in 1998.")

    start, end, support = best_span("The pump runs at 40 bar.", run)

    assert support.holds
    assert run.passage.text[start - OFFSET : end - OFFSET] == "The pump runs at 40 bar."
    start, end, support = best_span("The pump of 1998 runs at 40 bar.", run)
    assert (start, end) == (run.start, run.end)
    assert support.holds


def test_the_best_evidence_is_found_or_none() -> None:
    runs = [evidence(1, "Bees fly far."), evidence(2, "The pump runs at 40 bar."), evidence(3, "The pump is at rest.")]

    found = best_evidence("The pump runs at 40 bar.", runs)

    assert found is not None
    assert found[0].n == 2
    assert best_evidence("Nordwind was founded in 1998.", runs) is None
    assert best_evidence("Anything.", []) is None


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_breaks_the_check(sentence: str, span: str) -> None:
    support = check(sentence, span)

    assert 0 <= support.overlap <= 1
    assert check(sentence, sentence).missing == () or not sentence.isascii()
    assert isinstance(statement(sentence), str)
