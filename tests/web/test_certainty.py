"""Certainty, what verdicts rest on, nearest passages: as given, streamed, remembered and put to other clients."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from app import create_app
from catalog.conversations import ConversationCatalog
from catalog.engine import Database
from rag.types import Abstention, AnswerPolicy, Certainty, CheckedBy, Verdict
from tests.server_process import PROJECT
from tests.told import Said, Told, ToldAnswerer
from tests.web.conftest import API, ORCHARD, PUMP, Docent, Start, assert_error
from web.stored_answers import StoredAnswers

PRESSURE = "At how many bar does the pump run?"
COLOUR = "Which colour is the pump?"
NOBODY = "Who painted the Mona Lisa?"
STEPS = "怎么换油？"
CAVEAT = "The documents suggest this"


@pytest.fixture(scope="module")
def stage(start_once: Start) -> tuple[Docent, ToldAnswerer]:
    """A server of two documents whose answers are told."""
    docent = start_once()
    docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
    told = ToldAnswerer(docent.services.retriever)
    told.answers = {
        PRESSURE: Told(
            [Said("It runs at 40 bar."), Said("It was put there in 1998.", Verdict.VERIFIED, CheckedBy.MODEL)]
        ),
        COLOUR: Told(
            [Said("It may be blue.", Verdict.CONSISTENT), Said("It costs 9 euros.", Verdict.UNSUPPORTED, None)],
            Certainty.LOW,
        ),
        NOBODY: Told([Said("I found nothing about this.")], reason=Abstention.NO_EVIDENCE),
        STEPS: Told([Said("1. 停机。", gap="\n"), Said("2. 换油。")], Certainty.LOW),
    }
    services = replace(docent.services, answerer=told)  # type: ignore[arg-type]
    app = create_app(services=services)
    return replace(docent, services=services, app=app, client=app.test_client()), told


def messages_of(docent: Docent, answer: dict[str, Any], **query: Any) -> Any:
    (_, message) = docent.get(f"/conversations/{answer['conversation_id']}/messages", **query)["data"]
    return message


def test_an_answer_says_how_certain_it_is_and_what_its_verdicts_rest_on(stage: tuple[Docent, ToldAnswerer]) -> None:
    docent, _ = stage
    sure, doubtful, none = docent.ask(PRESSURE), docent.ask(COLOUR), docent.ask(NOBODY)
    assert [answer["certainty"] for answer in (sure, doubtful, none)] == ["high", "low", None]
    assert [sentence["checked_by"] for sentence in sure["sentences"]] == ["text", "model"]
    assert [sentence["verdict"] for sentence in doubtful["sentences"]] == ["consistent"]


def test_a_conversation_remembers_them_as_they_were(stage: tuple[Docent, ToldAnswerer]) -> None:
    docent, _ = stage
    sure, doubtful, none = (docent.ask(question) for question in (PRESSURE, COLOUR, NOBODY))
    kept = messages_of(docent, sure, rendered=True)
    assert (kept["certainty"], kept["nearest"]) == ("high", [])
    assert [sentence["checked_by"] for sentence in kept["sentences"]] == ["text", "model"]
    assert {"verdict": "verified", "checked_by": "model"} in kept["rendered"][0]["children"]
    kept = messages_of(docent, doubtful)
    assert kept["certainty"] == "low"
    assert [near["quote"] for near in kept["nearest"]] == [passage["text"] for passage in doubtful["nearest"]]
    kept = messages_of(docent, none)
    assert (kept["answered"], kept["certainty"]) == (False, None)
    assert {near["filename"] for near in kept["nearest"]} == {"pump.txt", "orchard.txt"}


def test_nearest_passages_of_what_is_gone_are_forgotten(docent: Docent) -> None:
    (pump, _) = docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
    answer = docent.ask(NOBODY)
    assert not answer["answered"]
    before = {near["filename"] for near in messages_of(docent, answer)["nearest"]}
    docent.client.delete(f"{API}/documents/{pump['id']}")
    assert {near["filename"] for near in messages_of(docent, answer)["nearest"]} == before - {"pump.txt"}
    assert "40 bar" not in json.dumps(messages_of(docent, answer))


def test_answers_from_before_are_read_without_what_they_do_not_know(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "catalog" / "migrations"))
    path = tmp_path / "catalog.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        moment = "2025-01-02 03:04:05.000000"
        connection.execute(text("INSERT INTO conversations VALUES ('c', 'Pumps', :at, :at)"), {"at": moment})
        connection.execute(
            text(
                "INSERT INTO answers "
                "(id, conversation_id, question, answer, answered, citations, sentences, model, created_at) "
                "VALUES ('a', 'c', 'What?', 'It runs. It hums.', 1, '[]', '[[0, 8, \"verified\"]]', 'm', :at)"
            ),
            {"at": moment},
        )
    engine.dispose()
    database = Database(path)
    try:
        (turn,) = ConversationCatalog(database).turns("c")
    finally:
        database.close()
    (_, kept) = StoredAnswers(None).messages(turn, with_tree=True)  # type: ignore[arg-type]  # it cites no document
    assert kept["sentences"] == [{"text": "It runs.", "start": 0, "end": 8, "verdict": "verified", "checked_by": None}]
    assert (kept["certainty"], kept["nearest"]) == (None, [])
    assert kept["rendered"][0]["children"] == ["It runs.", {"verdict": "verified"}, " It hums."]


@pytest.mark.parametrize("asked", ["strict", "balanced", "open", None])
def test_how_much_must_speak_for_it_goes_with_the_question(
    stage: tuple[Docent, ToldAnswerer], asked: str | None
) -> None:
    docent, told = stage
    answer = docent.ask(COLOUR, answers=asked)
    assert told.asked[-1].answers == AnswerPolicy(asked or "balanced")
    verdicts = [sentence["verdict"] for sentence in answer["sentences"]]
    assert verdicts == (["consistent", "unsupported"] if asked == "open" else ["consistent"])
    refused = docent.client.post(f"{API}/ask", json={"question": COLOUR, "answers": "bold"})
    assert_error(refused, 400, "validation")


def test_a_tree_grows_with_the_answer(stage: tuple[Docent, ToldAnswerer]) -> None:
    docent, _ = stage
    events = docent.stream(STEPS, rendered=True)
    nodes: list[Any] = []
    for name, data in events:
        if name == "rendering":
            assert data["keep"] <= len(nodes)
            nodes = nodes[: data["keep"]] + data["nodes"]
    final = events[-1][1]["rendered"]
    assert nodes == final, "what was shown last is what the answer is"
    assert final[0]["tag"] == "ol"
    assert json.dumps(final).count('"verdict": "verified"') == 2
    assert not [name for name, _ in docent.stream(STEPS) if name == "rendering"], "only where it was asked for"


def complete(docent: Docent, question: str, **more: Any) -> Any:
    body = {"model": "docent", "messages": [{"role": "user", "content": question}], **more}
    response = docent.client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    return response


def streamed_text(response: Any) -> str:
    frames = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for frame in frames for choice in frame["choices"])


def test_clients_that_show_text_only_read_the_caveat_below_it(stage: tuple[Docent, ToldAnswerer]) -> None:
    docent, _ = stage
    body = complete(docent, COLOUR).get_json()
    content = body["choices"][0]["message"]["content"]
    assert content.startswith(body["docent"]["answer"] + "\n\n⚠ " + CAVEAT)
    assert body["docent"]["certainty"] == "low"
    assert CAVEAT not in body["docent"]["answer"]
    assert streamed_text(complete(docent, COLOUR, stream=True)).split("⚠")[1] == content.split("⚠")[1]
    assert "没有明说" in streamed_text(complete(docent, STEPS, stream=True)), "in the language of the question"
    assert "⚠" not in streamed_text(complete(docent, PRESSURE, stream=True))


def test_and_what_nothing_supports_where_they_asked_for_it(stage: tuple[Docent, ToldAnswerer]) -> None:
    docent, told = stage
    content = complete(docent, COLOUR, answers="open").get_json()["choices"][0]["message"]["content"]
    assert told.asked[-1].answers == AnswerPolicy.OPEN
    assert "⚠ unsupported: “It costs 9 euros." in content
    complete(docent, COLOUR, temperature=0.3)
    assert told.asked[-1].answers == AnswerPolicy.BALANCED


def test_an_excerpt_of_markdown(docent: Docent) -> None:
    source = "# Setup\n\nFirst.\n\n1. Run `docent serve`.\n2. Ask.\n\nLast."
    (document,) = docent.upload(("setup.md", source))
    at = source.index("docent serve")
    found = docent.get(f"/documents/{document['id']}/excerpt", start=at, end=at + 5, highlight=f"{at}-{at + 6}")
    (steps,) = found["nodes"]
    assert (steps["tag"], found["marked"], found["characters"]) == ("ol", "docent", len(source))
    assert {"tag": "mark", "children": ["docent"]} in steps["children"][0]["children"][0]["children"][1]["children"]
    everything = docent.get(f"/documents/{document['id']}/excerpt", start=0, end=9999)
    assert [node["tag"] for node in everything["nodes"]] == ["h2", "p", "ol", "p"]
    assert (everything["start"], everything["end"], everything["marked"]) == (0, len(source), "")


def test_an_excerpt_of_plain_lines_holds_what_is_cited(docent: Docent) -> None:
    source = "\n\n".join(f"Paragraph {n} tells of pump {n}." for n in range(400))
    (document,) = docent.upload(("long.txt", source))
    at = source.index("pump 200.")
    found = docent.get(f"/documents/{document['id']}/excerpt", start=at - 100, end=at + 100, highlight=f"{at}-{at + 9}")
    assert {"tag": "mark", "children": ["pump 200."]} in [
        child for node in found["nodes"] for child in node["children"]
    ]
    assert len(found["nodes"]) < 40
    assert found["start"] <= at - 100
    assert found["end"] >= at + 100
    url = f"{API}/documents/{document['id']}/excerpt"
    assert_error(docent.client.get(url, query_string={"start": 0, "end": 9, "highlight": "5-99999"}), 400, "validation")
    assert_error(docent.client.get(url), 400, "validation")
    assert_error(docent.client.get(f"{API}/documents/nothing/excerpt?start=0&end=1"), 404, "document_not_found")
