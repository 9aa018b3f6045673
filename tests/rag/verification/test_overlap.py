"""Sentences against the spans they cite: numbers, names, quotes and words, in English and Chinese."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.verification.overlap import best_evidence, best_span, check, numbers
from rag.verification.statements import statement, states_something
from tests.rag.passages import OFFSET, evidence
from tests.rag.verification.mutations import Statement, statements

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


def test_the_shortest_part_that_holds_is_cited() -> None:
    run = evidence(1, "Bees fly far. The pump runs at 40 bar. It was bought in 1998.")

    start, end, support = best_span("The pump runs at 40 bar.", run)

    assert support.holds
    assert run.passage.text[start - OFFSET : end - OFFSET] == "The pump runs at 40 bar."
    start, end, support = best_span("The pump of 1998 runs at 40 bar.", run)
    assert run.passage.text[start - OFFSET : end - OFFSET] == "The pump runs at 40 bar. It was bought in 1998."
    assert support.holds


def test_the_part_cited_holds_all_that_a_sentence_lists() -> None:
    run = evidence(
        1, "Ask for more.\n• Skiing and snowboarding lessons\n• Scuba diving lessons\n• Surfing lessons\n\nAsk us."
    )
    sentence = "The plan pays for skiing and snowboarding lessons, scuba diving lessons, and surfing lessons."

    start, end, support = best_span(sentence, run, question="What does the plan pay for?")

    assert support.holds
    assert run.passage.text[start - OFFSET : end - OFFSET].startswith("• Skiing")
    assert run.passage.text[start - OFFSET : end - OFFSET].endswith("• Surfing lessons")


def test_the_best_evidence_is_found_or_none() -> None:
    runs = [evidence(1, "Bees fly far."), evidence(2, "The pump runs at 40 bar."), evidence(3, "The pump is at rest.")]

    found = best_evidence("The pump runs at 40 bar.", runs)

    assert found is not None
    assert found[0].n == 2
    assert best_evidence("Nordwind was founded in 1998.", runs) is None
    assert best_evidence("Anything.", []) is None


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
        ("The pump runs at 40 bar.", True),
        ("In 1998:", True),
        ("水泵由北风公司安装。", True),
        ("Employees must register.", True),
    ],
)
def test_a_lead_in_states_nothing(sentence: str, states: bool) -> None:
    assert states_something(sentence) is states


@pytest.mark.parametrize(
    ("kind", "sentence", "span"),
    [
        ("number", "It costs 40 euros.", "It costs 45 euros."),
        ("number", "The committee has five members.", "The committee has seven members."),
        ("number", "委员会有五名成员。", "委员会有七名成员。"),
        ("number", "The limit is -5 degrees.", "The limit is 5 degrees."),
        ("unit", "Claims are paid within 5 weeks.", "Claims are paid within 5 days."),
        ("unit", "The fee is $30 for a visit.", "The fee is 30% for a visit."),
        ("date", "The bridge opened on 6 March 2021.", "The bridge opened on March 5, 2021."),
        ("date", "The bridge opened on 5 March 2021.", "The bridge opened in 2021."),
        ("date", "大桥于2021年4月通车。", "大桥于2021年3月5日通车。"),
        ("name", "Einstein discovered the comet.", "Halley discovered the comet."),
        ("name", "大桥由赵州集团建造。", "大桥由北风集团建造。"),
        ("name", "《红楼梦》的作者是曹雪芹。", "《西游记》的作者是曹雪芹。"),
        ("quote", "She called it 'a great success' for the town.", "She called it 'a great failure' for the town."),
        ("negation", "The plan covers dental care for children.", "The plan does not cover dental care for children."),
        ("negation", "学生不可以进入实验室。", "学生可以进入实验室。"),
        (
            "negation",
            "In summer dogs are allowed on the northern beach.",
            "Dogs on a leash are allowed in the park, but in summer, on the northern beach, they are not allowed.",
        ),
        (
            "negation",
            "学生夏季周末可以使用北区泳池设施。",
            "学生可以使用体育馆，但是夏季，周末，北区泳池设施，不可以使用。",
        ),
        (
            "negation",
            "Exceptions to prior approval include emergency care, and dental care for members requires a referral.",
            "Exceptions to prior approval include emergency care, but dental care for members does not require a referral.",
        ),
        ("comparative", "The fee is at most 40 euros a month.", "The fee is at least 40 euros a month."),
        ("comparative", "申请须在六月之后提交。", "申请须在六月之前提交。"),
        ("similarity", "The members elect a chair each spring.", "The pump in the hall is loud."),
    ],
)
def test_each_kind_of_falsehood_is_named(kind: str, sentence: str, span: str) -> None:
    assert kind in {reason for reason, _ in check(sentence, span).reasons}


@pytest.mark.parametrize(
    ("sentence", "span"),
    [
        ("The fee is $5 million a year.", "The fee is $5,000,000 a year."),
        ("费用为500万美元。", "费用为5,000,000美元。"),
        ("About 20 percent of the staff left.", "About 20% of the staff left."),
        ("约百分之二十的员工离职。", "约20%的员工离职。"),
        ("The test takes an hour and a half, 90 minutes.", "The test takes an hour and a half, 1.5 hours."),
        ("The bridge opened in March 2021.", "The bridge opened on 2021-03-05."),
        ("The bridge opened on the 5th of March, 2021.", "The bridge opened on 03/05/2021."),
        ("大桥于2021-03-05通车。", "大桥于二〇二一年三月五日通车。"),
        ("It was popular in the 1990s.", "It was popular in 1995."),
        ("The WHO praised the town.", "The World Health Organization praised the town."),
        ("Francois Muller founded the firm.", "François Müller founded the firm."),
        ("It takes 3 to 5 days to deliver.", "It takes 3-5 days to deliver."),
        ("The plan covers not only teeth but also eyes.", "The plan covers teeth and eyes."),
        ("There are three shells: Bash, Zsh and Fish.", "The shells are Bash, Zsh and Fish."),
        ("Over-the-counter drugs aren't covered.", "The plan says that over-the-counter drugs are not covered."),
        (
            "Exceptions to the prior approval process for members of Kestrel include emergency care, which does not require prior approval.",
            "There are some exceptions to the prior approval process, such as emergency care at Kestrel, which does not require prior approval.",
        ),
    ],
)
def test_another_form_of_the_same_holds(sentence: str, span: str) -> None:
    support = check(sentence, span)

    assert support.holds, support


REAL = st.sampled_from(statements())
# What more text may take away: it may deny or turn round what stood there.
TURNS = {"negation", "comparative"}


@settings(deadline=None, max_examples=150)
@given(REAL)
def test_a_sentence_supports_itself(item: Statement) -> None:
    assert check(item.sentence, item.sentence).holds
    assert check(item.span, item.span).holds


@settings(deadline=None, max_examples=150)
@given(REAL, REAL)
def test_more_text_takes_no_support_away(item: Statement, other: Statement) -> None:
    before = check(item.sentence, item.span, context=item.context)
    after = check(item.sentence, f"{item.span}\n\n{other.span}", context=item.context)

    assert {kind for kind, _ in after.reasons} <= {kind for kind, _ in before.reasons} | TURNS
    assert after.overlap >= before.overlap


@settings(deadline=None, max_examples=150)
@given(REAL, REAL)
def test_a_number_less_gives_no_support(item: Statement, other: Statement) -> None:
    stripped = re.sub(r"\d", "", other.span)

    if not check(item.sentence, other.span).holds:
        assert not check(item.sentence, stripped).holds


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_breaks_the_check(sentence: str, span: str) -> None:
    support = check(sentence, span)

    assert 0 <= support.overlap <= 1
    assert check(sentence, sentence).missing == () or not sentence.isascii()
    assert isinstance(statement(sentence), str)


@pytest.mark.parametrize(
    ("question", "sentence", "span", "holds"),
    [
        (
            "What type of problem is the travelling salesman problem an example of?",
            "The travelling salesman problem is an example of a function problem.",
            "Notable examples of such a problem include the travelling salesman problem.",
            False,
        ),
        (
            "What type of problem is the travelling salesman problem an example of?",
            "The travelling salesman problem is an example of a function problem.",
            "A function problem is one with an answer that is more than yes or no; the travelling salesman problem is one.",
            True,
        ),
        (
            "When did the assembly make Warsaw its permanent seat?",
            "The assembly made Warsaw its permanent seat in 1569.",
            "Warsaw became the seat of the assembly in 1529, permanently in 1569.",
            True,
        ),
        (
            "海翠花园属于哪家物业管理？",
            "海翠花园属于港铁公司物业管理。",
            "海翠花园是第一个车站上盖住宅物业项目。",
            False,
        ),
        (
            "Does the plan cover dental cleaning?",
            "Therefore, the plan covers dental cleaning.",
            "The plan covers dental cleaning twice a year.",
            True,
        ),
        ("该政策涵盖水损吗？", "对，该政策涵盖水损。", "该政策涵盖水损和火灾。", True),
        ("会议由哪个部门组织召开？", "会议由财务组织召开。", "会议由哪个部门组织召开，已经公布。", False),
        ("海翠花园属于哪家物业管理？", "海翠花园属于港铁公司物业管理。", "港铁公司负责海翠花园的物业管理。", True),
    ],
)
def test_what_was_asked_is_no_proof_of_what_is_told(question: str, sentence: str, span: str, holds: bool) -> None:
    support = check(sentence, span, question=question)

    assert support.holds is holds, support
