"""When a question is translated, and what is taken for a translation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.errors import ChatUnavailableError
from rag.language import language, query_terms
from rag.query.translation import Translator, documents_language
from rag.types import Retrieval
from tests.fakes import ScriptedChat
from tests.rag.passages import passage

ENGLISH = ("The pump runs at 40 bar.", "Apple trees blossom in April.", "The village is quiet.")
CHINESE = ("水泵的工作压力是四十巴。", "苹果树在四月开花。", "村庄很安静。")


def retrieved(query: str, *texts: str) -> Retrieval:
    passages = tuple(passage(text, name=str(n)) for n, text in enumerate(texts))
    return Retrieval(query, language(query), passages, dict.fromkeys(query_terms(query), 1.0), {})


def test_a_question_over_documents_in_the_other_language_is_translated() -> None:
    for query, texts, said, wanted in (
        (
            "水泵的压力是多少？",
            ENGLISH,
            "What is the pressure of the pump?\n(a note)",
            "What is the pressure of the pump?",
        ),
        ("What is the pressure of the pump?", CHINESE, "翻译：“水泵的压力是多少？”", "水泵的压力是多少？"),
    ):
        chat = ScriptedChat(said)
        found = Translator(chat).translated(retrieved(query, *texts))
        assert found == wanted
        assert chat.prompts[0][-1].content == query  # the documents are not shown


def test_a_few_documents_in_the_questions_language_do_not_hide_the_others() -> None:
    found = retrieved("水泵的压力是多少？", "苹果树在四月开花。", "村庄很安静。", "人们在唱歌。")
    beyond = tuple(passage(text, name=f"beyond-{n}") for n, text in enumerate(ENGLISH * 2))

    assert documents_language(found) is None
    assert documents_language(replace(found, beyond=beyond)) == "en"
    assert documents_language(replace(found, beyond=beyond[:2])) is None


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("What is the pressure of the pump?", ENGLISH),
        ("水泵的工作压力是多少？", CHINESE),
        ("Where is the pump?", ("水泵 pump", *CHINESE)),
        ("pump", ()),
    ],
)
def test_a_question_in_the_language_of_the_documents_is_not(query: str, texts: tuple[str, ...]) -> None:
    chat = ScriptedChat("水泵")

    assert Translator(chat).translated(retrieved(query, *texts)) is None
    assert chat.prompts == []


@pytest.mark.parametrize("said", ["", "  \n", "I cannot translate that.", ChatUnavailableError("down")])
def test_a_model_that_does_not_translate_changes_nothing(said: str | BaseException) -> None:
    found = retrieved("What is the pressure of the pump?", *CHINESE)

    assert documents_language(found) == "zh"
    assert Translator(ScriptedChat(said)).translated(found) is None
    assert Translator(ScriptedChat("水泵", ready=False)).translated(found) is None
