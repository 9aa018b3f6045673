"""Languages, sentences and index terms, in English and Chinese."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.language import (
    asks_whether,
    fold,
    is_cjk,
    keywords,
    language,
    leans_forward,
    query_terms,
    refers_back,
    sentences,
    stem,
    terms,
    trim,
)
from tests.rag.query.conversations import mixed_questions

MIXED = st.text(st.sampled_from("ab. 1。！\n-|[」)水泵A,é\t;…•") | st.characters(), max_size=60)


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@settings(deadline=None, max_examples=300)
@given(MIXED)
def test_sentences_cover_everything_but_white_space(text: str) -> None:
    spans = sentences(text)

    outside = text
    for start, end in reversed(spans):
        assert start < end
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        outside = outside[:start] + outside[end:]
    assert not outside.strip()
    assert spans == sorted(spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


@settings(deadline=None)
@given(MIXED)
def test_terms_are_stable_and_never_empty(text: str) -> None:
    found = terms(text, stop_words=True)

    assert all(found)
    assert not any(character.isspace() for term in found for character in term)
    assert terms(fold(text), stop_words=True) == found
    assert set(terms(text)) <= set(found)
    assert query_terms(text) == (terms(text) or found)


@pytest.mark.parametrize(
    "text",
    [
        ["The pump runs.", "It is old!", "Is it?"],
        ["Dr. Smith met J. R. Ewing at 5 p.m. in the U.S. embassy.", "He left."],
        ["It cost 3.5 million, e.g. for No. 5.", "Fig. 2 shows it."],
        ["水泵在运行。", "压力是四十巴！", "为什么？", "因为……", "是。”"],
        ['He said "Go!"', "She went."],
        ["First line\nwraps here.", "Second."],
        ["A paragraph without end", "Another one"],
        ["The steps:", "1. Open it", "2. Close it", "- Wait"],
        ["name | size", "bolt | 4"],
        ["It ends here [1].", "It goes on."],
        ["混合 text ends. ", "中文开始。"],
    ],
)
def test_where_sentences_end(text: list[str]) -> None:
    separators = {"A paragraph without end": "\n\n", "The steps:": "\n", "name | size": "\n"}
    joined = separators.get(text[0], " ").join(text)

    assert cut(joined) == [part.strip() for part in text]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("What is it?", "en"),
        ("这是什么？", "zh"),
        ("请问 DOCENT_PORT 的默认值是多少？", "zh"),
        ("What does the word 水泵 mean in this very long English question?", "en"),
        ("", "en"),
        ("12 + 3 = ?", "en"),
        ("ポンプの圧力は何ですか？", "zh"),
        ("펌프의 압력은 얼마입니까?", "zh"),
        ("“水泵”", "zh"),
    ],
)
def test_language_by_script(text: str, spoken: str) -> None:
    assert language(text) == spoken
    assert spoken == "en" or is_cjk(text)


def test_words_of_one_language_do_not_make_a_question_one_of_the_other() -> None:
    rows = mixed_questions()
    wrong = [asked for spoken, asked in rows if language(asked) != spoken]

    assert len(rows) > 150
    assert len(wrong) <= 0.02 * len(rows), wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pumps were running", ["pump", "run"]),
        ("O'Brien's café", ["obrien", "café"]),
        ("水泵的压力", ["水泵", "泵的", "的压", "压力"]),
        ("泵", ["泵"]),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", ["full", "width"]),
        ("GPT-4o in 2024", ["gpt", "4o", "2024"]),
        ("snake_case", ["snake", "case"]),
        ("the of and", []),
        ("!?", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_pairs_that_join_words_are_not_searched_for_where_two_others_are_left() -> None:
    assert keywords("雨侨的名字叫什么？") == ["雨侨", "名字"]
    assert keywords("你是谁？") == query_terms("你是谁？")
    assert keywords("埃及首都和人口") == query_terms("埃及首都和人口")
    assert keywords("Where is the pump?") == query_terms("Where is the pump?")


def test_a_question_of_stop_words_is_still_a_question() -> None:
    assert query_terms("To be or not to be") == ["to", "be", "or", "not", "to", "be"]


@pytest.mark.parametrize(("word", "root"), [("running", "run"), ("policies", "polici"), ("nordwind's", "nordwind")])
def test_stems(word: str, root: str) -> None:
    assert stem(word) == root


def test_trim_keeps_the_text_inside() -> None:
    assert trim("  ab\n", 0, 5) == (2, 4)
    assert trim("   ", 0, 3) == (3, 3)


@pytest.mark.parametrize(
    ("sentence", "refers"),
    [
        ("This saves money.", True),
        ("**These rules** hold.", True),
        ("Both are free.", True),
        ("The latter is red.", True),
        ("这会节省费用。", True),
        ("此举节省费用。", True),
        ("This Agreement ends in May.", False),
        ("Both the pump and the motor run.", False),
        ("Those who smoke pay more.", False),
        ("It runs at night.", False),
        ("此外，员工有年假。", False),
        ("那不勒斯位于意大利。", False),
        ("因此，水泵停止。", False),
    ],
)
def test_pointing_at_what_was_said_before(sentence: str, refers: bool) -> None:
    assert refers_back(sentence) is refers


@pytest.mark.parametrize(
    ("sentence", "announces"),
    [
        ("There are a few exceptions to this split copay.", True),
        ("Here are some tips:", True),
        ("The pump makes exceptions for the following services when they are given by others:", True),
        ("水泵需要检查：", True),
        ("However, there are several important steps that one can take.", True),
        ("The steps are as follows:", True),
        ("Leave comes in three types.", False),
        ("There are several types of leave, such as annual leave.", False),
        ("There are 14 employees in the office.", False),
        ("The following employees work in Leipzig.", False),
        ("公司有以下三种请假类型：", True),
        ("有几种方法可以报销。", True),
        ("报销需要填写申请表。", False),
        ("他有多种爱好，例如游泳。", False),
        ("申请流程如下：", True),
        ("Members with certain medical conditions pay no copay.", False),
        ("The plan covers people with several chronic conditions.", False),
        ("连续工作满12个月是申请的条件。", False),
        ("多数员工符合规定。", False),
        ("他于1998年提出这一要求。", False),
        ("The steps are the following" + " " * 20000 + "x", False),
    ],
)
def test_announcing_what_follows(sentence: str, announces: bool) -> None:
    assert leans_forward(sentence) is announces


@pytest.mark.parametrize(
    ("question", "whether"),
    [
        ("Does the plan cover dental care?", True),
        ("And isn't it covered abroad?", True),
        ("该政策涵盖水损吗？", True),
        ("是否需要审批？", True),
        ("What does the plan cover?", False),
        ("Who may apply?", False),
        ("年假有多少天？", False),
        ("合同规定了什么？", False),
    ],
)
def test_questions_that_want_a_yes_or_no(question: str, whether: bool) -> None:
    assert asks_whether(question) is whether
