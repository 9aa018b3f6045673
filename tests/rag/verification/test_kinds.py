"""Sentences against the spans they cite, a kind of truth and of falsehood at a time: numbers, names, quotes, words, in two languages."""

from __future__ import annotations

import pytest

from rag.types import Verdict
from rag.verification.verifier import Judgement, Verifier
from tests.rag.passages import evidence

SPAN = "The pump in hall four was installed by Nordwind GmbH on 3 March 1998 and runs at 1,250.0 bar."
KEPT = (Verdict.VERIFIED, Verdict.CONSISTENT)


def judge(sentence: str, span: str, *, context: str = "", question: str = "") -> Judgement:
    return Verifier().judge(sentence, [1], [evidence(1, span, heading=context or None)], question=question)


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
    assert judge(sentence, SPAN).verdict in KEPT


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
    found = judge(sentence, SPAN)

    assert found.verdict is Verdict.UNSUPPORTED
    assert missing in [text for _, text in found.missing]


@pytest.mark.parametrize(
    "sentence", ["Apples grow on trees.", "Gardening is a wonderful hobby for the whole family.", "苹果树四月开花。"]
)
def test_other_words_do_not(sentence: str) -> None:
    assert judge(sentence, SPAN).verdict is Verdict.UNSUPPORTED


def test_names_may_stand_in_the_context_and_numbers_may_not() -> None:
    span = "It was founded in 1998."

    assert judge("Nordwind was founded in 1998.", span, context="Nordwind GmbH").verdict in KEPT
    assert judge("It was founded in 1999.", span, context="Report 1999").verdict is Verdict.UNSUPPORTED


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
    assert (judge(sentence, "水泵的工作压力为40巴，由北风公司安装。").verdict in KEPT) is holds


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
        ("quote", "《红楼梦》的作者是曹雪芹。", "《西游记》的作者是曹雪芹。"),
        ("quote", "She called it 'a great success' for the town.", "She called it 'a great failure' for the town."),
        ("negation", "The plan covers dental care for children.", "The plan does not cover dental care for children."),
        ("negation", "学生不可以进入实验室。", "学生可以进入实验室。"),
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
    found = judge(sentence, span)

    assert found.verdict is Verdict.UNSUPPORTED
    assert kind in {reason for reason, _ in found.missing}


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
        ("The largest file is 1 GB.", "The largest file is 1024MB."),
        ("Each check is less than 1/26 of the salary.", "Each check is less than the salary / 26."),
        ("In 5.x the default is two replicas.", "In version 5 the default is two replicas."),
        (
            "`~=3.1.2` means `>=3.1.2, ==3.1.*`.",
            "`~=3.1.2` is equivalent to `>=3.1.2, ==3.1.*`. `~=3.1` is like `==3.*`.",
        ),
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
    assert judge(sentence, span).verdict in KEPT


@pytest.mark.parametrize(
    ("question", "sentence", "span"),
    [
        (
            "What type of problem is the travelling salesman problem an example of?",
            "The travelling salesman problem is an example of a function problem.",
            "A function problem is one with an answer that is more than yes or no; the travelling salesman problem is one.",
        ),
        (
            "When did the assembly make Warsaw its permanent seat?",
            "The assembly made Warsaw its permanent seat in 1569.",
            "Warsaw became the seat of the assembly in 1529, permanently in 1569.",
        ),
        (
            "Does the plan cover dental cleaning?",
            "Therefore, the plan covers dental cleaning.",
            "The plan covers dental cleaning twice a year.",
        ),
        ("该政策涵盖水损吗？", "对，该政策涵盖水损。", "该政策涵盖水损和火灾。"),
        ("海翠花园属于哪家物业管理？", "海翠花园属于港铁公司物业管理。", "港铁公司负责海翠花园的物业管理。"),
    ],
)
def test_an_answer_in_the_words_of_its_question_holds(question: str, sentence: str, span: str) -> None:
    assert judge(sentence, span, question=question).verdict in KEPT


@pytest.mark.parametrize(
    ("question", "sentence", "span"),
    [
        (
            "What type of problem is the travelling salesman problem an example of?",
            "The travelling salesman problem is an example of a function problem.",
            "Notable examples of such a problem include the travelling salesman problem.",
        ),
        (
            "海翠花园属于哪家物业管理？",
            "海翠花园属于港铁公司物业管理。",
            "海翠花园是第一个车站上盖住宅物业项目。",
        ),
        ("会议由哪个部门组织召开？", "会议由财务组织召开。", "会议由哪个部门组织召开，已经公布。"),
        (
            "Where are dogs allowed in summer?",
            "In summer dogs are allowed on the northern beach.",
            "Dogs on a leash are allowed in the park, but in summer, on the northern beach, they are not allowed.",
        ),
    ],
)
def test_what_text_alone_cannot_refute_is_never_verified(question: str, sentence: str, span: str) -> None:
    assert judge(sentence, span, question=question).verdict is not Verdict.VERIFIED
