"""When a question is translated, and what is taken for a translation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.errors import ChatUnavailableError
from rag.query.translation import Translator, documents_language, prose_language
from rag.text.language import language, query_terms
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


CODE = (
    "spring.datasource.url=jdbc:mysql://127.0.0.1:3306/app\nspring.datasource.username=root\nserver.port: 8080",
    "```java\nfor (Message message : messages) {\n  // send it to the broker, it is not yet there\n}\n```",
    "$ docker compose up -d\nexport JAVA_HOME=/opt/jdk\nkubectl get pods -n default",
    "| name | type | default |\n| retry | int | 3 |",
)


def test_code_in_a_collection_does_not_make_it_one_of_another_language() -> None:
    chinese = retrieved("水泵的压力是多少？", *CODE, CHINESE[0])
    english = retrieved("What is the pressure of the pump?", *CODE, ENGLISH[1])

    assert documents_language(chinese) is None
    assert documents_language(english) is None


def test_one_remark_among_code_makes_no_majority_but_prose_around_code_does() -> None:
    asked = "水泵的压力是多少？"

    assert documents_language(retrieved(asked, *CODE, "This file is read when the server starts.")) is None
    assert documents_language(retrieved(asked, *(f"{text}\n\n{CODE[1]}" for text in ENGLISH))) == "en"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        *((code, None) for code in CODE),
        ("SELECT name FROM t_user WHERE id = 1;\nINSERT INTO t_user VALUES (1, 'a');", None),
        ("public static void main(String[] args) {\n    consumer.start();\n}", None),
        ("把 `spring.datasource.url` 改成数据库的地址，再运行 bin/start.sh。", "zh"),
        ("在 Workflow Definition 页面点击 Create Workflow 按钮。", "zh"),
        ("Set `spring.datasource.url` to the address of the database, then run bin/start.sh.", "en"),
        ("See https://example.org/what/is/it", None),
        ("The menu has 设置 and 帮助, the second of which tells the version.", "en"),
        ("", None),
        ("8080", None),
    ],
)
def test_the_language_of_prose(text: str, spoken: str | None) -> None:
    assert prose_language(text) == spoken


def test_nothing_is_translated_where_the_embedder_finds_other_languages() -> None:
    chat = ScriptedChat("水泵的压力是多少？")
    found = retrieved("What is the pressure of the pump?", *CHINESE)

    assert Translator(chat, cross_lingual=True).translated(found) is None
    assert chat.prompts == []
    assert Translator(chat).translated(found) == "水泵的压力是多少？"
