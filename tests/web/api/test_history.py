"""A question in its conversation, through REST and through OpenAI's protocol; and streams that cannot take text back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag.errors import ChatUnavailableError
from tests.web.conftest import API, ORCHARD, PUMP, Docent, Puppet, Stage, Start, assert_error

QUESTION = "At how many bar does the pump in hall four run?"
GOOD = "The pump in hall four runs at 40 bar [1]."
FOLLOWED = f"{QUESTION} Since when?"


@pytest.fixture(scope="module")
def stage(start_once: Start) -> Stage:
    chat = Puppet()
    docent = start_once(chat, min_confidence=0.0)
    docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
    return Stage(docent, chat)


def complete(docent: Docent, messages: list[dict[str, Any]], **more: Any) -> Any:
    return docent.client.post("/v1/chat/completions", json={"model": "docent", "messages": messages, **more})


def streamed(response: Any) -> tuple[str, dict[str, Any]]:
    """The text of a streamed completion and the whole answer that came with it."""
    frames = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    text = "".join(
        choice["delta"].get("content") or "" for frame in frames for choice in frame["choices"] if choice["delta"]
    )
    return text, next(frame["docent"] for frame in frames if "docent" in frame)


def test_a_conversation_is_remembered_by_its_id(stage: Stage) -> None:
    docent = stage.playing(GOOD)
    first = docent.ask(QUESTION)

    followed = docent.ask("Since when?", conversation_id=first["conversation_id"])
    changed = docent.ask("When do apple trees blossom?", conversation_id=first["conversation_id"])

    assert (followed["question"], followed["standalone_question"]) == ("Since when?", FOLLOWED)
    assert changed["standalone_question"] == "When do apple trees blossom?"
    gone = docent.client.post(f"{API}/ask", json={"question": "Why?", "conversation_id": "nobody"})
    assert_error(gone, 404, "conversation_not_found")


@pytest.mark.parametrize("repeated", [True, False])
def test_a_conversation_may_be_the_clients_own(stage: Stage, repeated: bool) -> None:
    docent = stage.playing(GOOD)
    messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "At 40 bar. [1]"}]

    answer = docent.ask("Since when?", messages=[*messages, *[{"role": "user", "content": "Since when?"}] * repeated])

    assert answer["standalone_question"] == FOLLOWED


@pytest.mark.parametrize(
    "messages",
    [
        "text",
        [1],
        [{"role": "user"}],
        [{"role": "wizard", "content": "a"}],
        [{"role": "user", "content": "a" * 40_000}],
    ],
)
def test_messages_are_checked(stage: Stage, messages: Any) -> None:
    response = stage.docent.client.post(f"{API}/ask", json={"question": "Why?", "messages": messages})

    assert_error(response, 400, "validation")


def test_openai_clients_send_their_conversation(stage: Stage) -> None:
    docent = stage.playing(GOOD)
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {"role": "assistant", "content": "At 40 bar. [1]"},
        {"role": "tool", "content": "nothing", "tool_call_id": "a"},
        {"role": "user", "content": "Since when?"},
    ]

    body = complete(docent, messages).get_json()

    assert body["docent"]["standalone_question"] == FOLLOWED
    assert body["docent"]["question"] == "Since when?"
    assert complete(docent, messages[:1]).status_code == 400


DOWN = ChatUnavailableError("It is down.")
# What closes an answer of low certainty for a chat client.
CAVEAT = "\n\n⚠"


@pytest.mark.parametrize(
    "script",
    [
        "The pump in hall four runs at 40 bar [1]. It costs 9,000 euros [1]. Its oil is changed every March [1].",
        "It costs 9,000 euros [1]. The pump in hall four runs at 40 bar [1].",
        "It costs 9,000 euros [1].",
        "- The pump in hall four runs at 40 bar [1]\n- It costs 9,000 euros [1]\n- Its oil is changed every March [1]",
        "no",
        "",
        [DOWN],
        ["It costs 9,000 euros [1]. It ", DOWN],
    ],
)
def test_openai_clients_see_nothing_that_is_taken_back(stage: Stage, script: Any) -> None:
    docent = stage.playing(script)

    text, answer = streamed(complete(docent, [{"role": "user", "content": QUESTION}], stream=True))

    assert text.partition(CAVEAT)[0] == answer["answer"]
    assert (CAVEAT in text) is (answer["certainty"] == "low")
    assert "9,000" not in text
    kept = ("verified", "consistent", "misattributed")
    assert all(sentence["verdict"] in kept for sentence in answer["sentences"])


def test_openai_streams_hold_what_is_supported_and_nothing_else(stage: Stage) -> None:
    docent = stage.playing("It costs 9,000 euros [1]. The pump in hall four runs at 40 bar [1]. It is blue [1].")

    text, answer = streamed(complete(docent, [{"role": "user", "content": QUESTION}], stream=True))

    assert text.partition(CAVEAT)[0] == answer["answer"] == "The pump in hall four runs at 40 bar. [1]"
