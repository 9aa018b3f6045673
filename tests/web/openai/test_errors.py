"""Whatever goes wrong under /v1 has OpenAI's error body, which its clients read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

from rag.errors import ChatUnavailableError
from tests.fakes import ScriptedChat
from tests.web.conftest import API, PUMP, Docent, Start, assert_error, error_object

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "At how many bar does the pump in hall four run?"}]


def openai_error(response: TestResponse, status: int, code: str, param: str | None = None) -> str:
    """The message of a failure under /v1."""
    error = error_object(response, status)
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == ("server_error" if status >= 500 else "invalid_request_error")
    assert (error["code"], error["param"]) == (code, param)
    assert error["message"]
    assert response.headers["X-Request-Id"]
    return str(error["message"])


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({}, "messages", "messages: Field required"),
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": "hello"}, "messages", "valid list"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role", "messages.0.role"),
        ({"messages": MESSAGES, "stream": "maybe"}, "stream", "boolean"),
        ({"messages": [{"role": "system", "content": "x"}]}, None, "no user message"),
        ([], None, "JSON object, not a list"),
    ],
)
def test_bodies_that_are_wrong(shared: Docent, body: object, param: str | None, words: str) -> None:
    assert words in openai_error(shared.client.post(CHAT, json=body), 400, "validation", param)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b'{"messages": [', "application/json", "It is not JSON"),
        (b"", "application/json", "empty"),
        (b"messages=1", "application/x-www-form-urlencoded", "Content-Type must be application/json"),
        (b"[" * 100_000, "application/json", ""),
    ],
)
def test_bodies_that_are_no_json(shared: Docent, data: bytes, kind: str, words: str) -> None:
    response = shared.client.post(CHAT, data=data, content_type=kind)
    assert words in openai_error(response, 400, "validation")


def test_questions_that_cannot_be_asked(shared: Docent) -> None:
    long = [{"role": "user", "content": "why " * 100_000}]
    openai_error(shared.client.post(CHAT, json={"messages": long}), 400, "question_too_long")
    empty = [{"role": "user", "content": " "}]
    openai_error(shared.client.post(CHAT, json={"messages": empty}), 400, "empty_question")
    openai_error(shared.client.post(CHAT, json={"messages": MESSAGES, "model": "gpt-4"}), 404, "model_not_found")
    openai_error(shared.client.post("/v1/embeddings", json={"input": []}), 400, "validation")
    openai_error(shared.client.post("/v1/embeddings", json={}), 400, "validation", "input")


def test_routes_and_methods_that_are_not_there(shared: Docent) -> None:
    openai_error(shared.client.get("/v1/files"), 404, "not_found")
    openai_error(shared.client.get("/v1"), 404, "not_found")
    refused = shared.client.get(CHAT)
    openai_error(refused, 405, "method_not_allowed")
    assert "POST" in refused.headers["Allow"]
    assert_error(shared.client.get(f"{API}/files"), 404, "not_found")
    assert_error(shared.client.get("/v1beta"), 404, "not_found")


def test_without_the_token(start: Start) -> None:
    docent = start(api_token="a-long-secret-token")
    response = docent.client.get("/v1/models")
    openai_error(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_too_large(start: Start) -> None:
    docent = start(max_upload_mb=1)
    response = docent.client.post(CHAT, data=b" " * (3 << 20), content_type="application/json")
    assert "1 MiB" in openai_error(response, 413, "too_large")


def test_what_fails_inside(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    docent = start()

    def fail(error: Exception) -> None:
        def events(_: object) -> object:
            raise error

        monkeypatch.setattr(docent.services.answerer, "events", events)

    fail(RuntimeError("a secret"))
    assert "secret" not in openai_error(docent.client.post(CHAT, json={"messages": MESSAGES}), 500, "internal")
    fail(TooManyRequests())
    openai_error(docent.client.post(CHAT, json={"messages": MESSAGES}), 429, "too_many_requests")
    fail(ChatUnavailableError("The model is away."))
    response = docent.client.post(CHAT, json={"messages": MESSAGES})
    openai_error(response, 503, "llm_unavailable")
    assert response.headers["Retry-After"]


def test_a_stream_that_fails_ends_with_the_error(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    docent = start(ScriptedChat("The pump runs."))
    docent.upload(("pump.txt", PUMP))

    def events(_: object) -> Any:
        raise RuntimeError("a secret")
        yield

    monkeypatch.setattr(docent.services.answerer, "events", events)
    text = docent.client.post(CHAT, json={"messages": MESSAGES, "stream": True}).text
    last = text.strip().split("\n\n")[-1]
    error = json.loads(last.removeprefix("data: "))["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("server_error", "internal")
    assert "secret" not in text
