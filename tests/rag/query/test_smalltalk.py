"""What gets a polite line, and what is a question about the documents after all."""

from __future__ import annotations

import pytest

from rag.query.smalltalk import polite_line
from rag.text.language import language


@pytest.mark.parametrize(
    "text",
    "hello|Hello!|hi there|Hey Docent|Good morning, everyone!|Hi, how are you?|thanks|Thank you very much!|ok thanks|Great, thank you."
    "|who are you?|Hello, who are you?|What can you do for me?|help|Bye!|THANKS|what’s your name?|thanks a lot for your help|thanks, that worked|help pls|good morning team|what can I ask you?|no thanks"
    "|你好|你好！|您好呀|早上好|谢谢|谢谢你！|好的，谢谢|好的谢谢您|你是谁？|你好，你是谁？|你能做什么？|再见|明白了|在吗？|帮助|收到，谢谢|嗯嗯 谢谢|我能问什么".split(
        "|"
    ),
)
def test_courtesy_gets_a_polite_line_in_its_language(text: str) -> None:
    found = polite_line(text)

    assert found is not None
    assert language(found) == language(text)


@pytest.mark.parametrize(
    "text",
    "hello world program|How do I write a hello world program?|Hi-Fi warranty?|help desk phone number?|Who are you insured with?|thanks clause"
    "|Thank you, and what is the notice period?|How does this work?|What can you do without a licence?|High|Hello Kitty|ok button colour"
    "|Good morning America ratings|great barrier reef||   |?!|1|hell|What is Docent?|help me find the notice period"
    "|你好世界程序|你好公司的地址|早上几点上班？|谢谢参与是什么意思|帮助中心的电话|你是谁的供应商|感谢信怎么写|好的供应商有哪些|再见合同"
    "|谢谢，年假有几天？|hi, how do I reset my password|hello can i bring my dog|thanks! and for contractors?|ok so where is it"
    "|help with printer|你好，请问怎么重置密码|好的，那实习生呢|嗨 打印机连不上网".split("|"),
)
def test_a_question_about_documents_does_not(text: str) -> None:
    assert polite_line(text) is None


def test_the_question_behind_the_greeting_is_answered() -> None:
    assert polite_line("Hi, who are you?") == polite_line("who are you")
    assert polite_line("Hi, thanks!") == polite_line("thanks")
    assert polite_line("hello " * 1000) is None
