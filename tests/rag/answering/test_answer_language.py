"""When the beginning of an answer tells which language it is in."""

from __future__ import annotations

import pytest

from rag.answering.answer_language import LONGEST_HELD, AnswerLanguage

ZH, EN = "压力是多少？", "What is the pressure?"


def shown(wanted: AnswerLanguage, text: str) -> str:
    found = ""
    for character in text:
        found += wanted.feed(character)
        if wanted.foreign:
            return found
    return found + wanted.rest()


@pytest.mark.parametrize(
    ("question", "text"),
    [
        *(
            (ZH, text)
            for text in (
                "水泵的压力是四十巴。",
                "PUMP-7的工作压力是四十巴。",
                "The Kestrel阀门",
                "`pip install docent` 就可以。",
            )
        ),
        *(
            (EN, text)
            for text in (
                "The pressure of the pump is forty bar.",
                "Hold the red button.",
                "负载均衡 (load balancing) spreads requests over all nodes.",
                "“死信队列”的意思 means the dead letter queue is full.",
                "Nordwind (北风公司) sells pumps.",
                "Set `名称` to the name of the task.",
            )
        ),
        *(
            (question, text)
            for question in (ZH, EN)
            for text in ("40", "Grundfos AG", "40 bar", "水泵", "北风公司", "[1]")
        ),
        *((question, "```\nsudo docent serve\nis the port in use\n```") for question in (ZH, EN)),
        *((question, "https://example.org/what/is/it") for question in (ZH, EN)),
    ],
)
def test_the_questions_language_and_names_numbers_and_code_are_at_home(question: str, text: str) -> None:
    wanted = AnswerLanguage.of(question)

    assert shown(wanted, text) == text
    assert not wanted.foreign


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (ZH, "The pressure of the pump is forty bar."),
        (ZH, "It is forty bar."),
        (ZH, "The answer is about the水泵"),
        (ZH, "```\nls\n```\nThis lists what is in the folder."),
        (EN, "水泵的工作压力是四十巴。"),
        (EN, "是四十巴。"),
        (EN, "请在设置里点击 reset password 按钮。"),
        (EN, "RocketMQ的死信队列用来保存无法消费的消息。"),
    ],
)
def test_another_language_is_foreign_and_none_of_it_is_shown(question: str, text: str) -> None:
    wanted = AnswerLanguage.of(question)

    assert shown(wanted, text) == ""
    assert wanted.foreign


@pytest.mark.parametrize(
    ("question", "spoken"),
    [
        ("what does 负载均衡 mean here", "en"),
        ("standalone模式重启以后数据还在吗", "zh"),
        ("What is the refund policy? in Chinese please", "zh"),
        ("Explain the refund policy in Chinese.", "zh"),
        ("退款政策是怎样的？用英文说一下", "en"),
        ("Is the handbook available in Chinese?", "en"),
        ("How do I write a letter in Chinese style?", "en"),
        ("英文版手册在哪里", "zh"),
        ("ポンプの圧力は？", None),
        ("펌프의 압력은?", None),
    ],
)
def test_the_language_wanted(question: str, spoken: str | None) -> None:
    assert AnswerLanguage.of(question).wanted == spoken


def test_japanese_and_korean_are_not_held_to_a_language() -> None:
    assert AnswerLanguage.of("ポンプの圧力は？").feed("The") == "The"
    assert shown(AnswerLanguage.of(EN), "圧力は40バールです。") == "圧力は40バールです。"


def test_what_has_no_language_is_not_held_back_for_ever() -> None:
    wanted = AnswerLanguage.of(ZH)
    code = "```\n" + "x = y + 1\n" * 40

    shown_at = next(n for n in range(len(code)) if wanted.feed(code[n]))

    assert shown_at <= LONGEST_HELD
    assert not wanted.foreign
