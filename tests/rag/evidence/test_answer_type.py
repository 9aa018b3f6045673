"""What a question asks for, and whether a sentence holds it."""

from __future__ import annotations

import pytest

from rag.evidence.answer_type import Kind, expected, holds, parts


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was it built?", Kind.DATE),
        ("In which year did it open?", Kind.DATE),
        ("What is the deadline for expense reports?", Kind.DATE),
        ("How many days do I get?", Kind.QUANTITY),
        ("What is the price of the pump?", Kind.QUANTITY),
        ("What's the maximum pressure of the pump?", Kind.QUANTITY),
        ("What percentage of staff travels?", Kind.QUANTITY),
        ("Who runs the company?", Kind.NAME),
        ("Where is the pump?", Kind.PLACE),
        ("Which city hosts the office?", Kind.PLACE),
        ("Why is the sky blue?", None),
        ("What does the number mean?", None),
        ("公司是哪一年成立的？", Kind.DATE),
        ("什么时候开会？", Kind.DATE),
        ("年假有多少天？", Kind.QUANTITY),
        ("谁发明了电话？", Kind.NAME),
        ("该公司位于哪里？", Kind.PLACE),
        ("为什么天空是蓝色的？", None),
    ],
)
def test_what_is_asked_for(question: str, kind: Kind | None) -> None:
    assert expected(question) is kind


@pytest.mark.parametrize(
    ("kind", "sentence", "there"),
    [
        (Kind.DATE, "It opened on 3 May 1998.", True),
        (Kind.DATE, "It opened soon after.", False),
        (Kind.DATE, "它成立于一九九八年。", True),
        (Kind.PLACE, "It stands near Leipzig.", True),
        (Kind.PLACE, "It stands there.", False),
        (Kind.PLACE, "该公司位于上海市。", True),
        (Kind.QUANTITY, "It has three floors.", True),
        (Kind.QUANTITY, "It is high.", False),
        (Kind.QUANTITY, "员工有十五天年假。", True),
        (Kind.NAME, "It is led by Anna Berg.", True),
        (Kind.NAME, "it is led by a committee.", False),
    ],
)
def test_whether_a_sentence_holds_it(kind: Kind, sentence: str, there: bool) -> None:
    assert holds(kind, sentence) is there


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What is coinsurance and how does it work out?", ["What is coinsurance", "how does it work out?"]),
        ("Who founded it? When was it sold?", ["Who founded it", "When was it sold?"]),
        ("公司什么时候成立，创始人是谁？", ["公司什么时候成立", "创始人是谁？"]),
        ("Who signed the treaty and which other?", []),
        ("What are bread and butter?", []),
        ('What did he say: "Who are you? What do you want?"', []),
        ("员工请病假，请几天需要证明？", []),
        ("Who runs it? " * 100, []),
        ("Who runs it? What does it cost? When was it sold? Where is it? Why was it made?", []),
        ("What" + " " * 8000 + "is it?", []),
        ("If the pump stops, what is to be done?", []),
        ("如果水泵停了，怎么办？", []),
        ("", []),
    ],
)
def test_parts_are_the_questions_that_one_asks(question: str, found: list[str]) -> None:
    assert parts(question) == found
