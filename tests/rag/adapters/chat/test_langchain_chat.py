"""The chat adapter against a stub server: what it sends, what it maps, and that closing it stops the model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from rag.adapters.chat.langchain_chat import LangChainChat
from rag.errors import ChatUnavailableError
from rag.types import Message, Usage
from tests.rag.adapters.chat.stub_chat_server import StubChatServer, running_stub

KEY = "sk-very-secret-0123456789"
PROMPT = [Message("system", "Be brief."), Message("user", "Hello?")]


@pytest.fixture
def stub() -> Iterator[StubChatServer]:
    with running_stub() as server:
        yield server


def chat_at(url: str | None, **options: float) -> LangChainChat:
    return LangChainChat(lambda: url, model="stub", api_key=KEY, **options)


def test_streams_pieces_and_usage(stub: StubChatServer) -> None:
    deltas = list(chat_at(stub.url).stream(PROMPT, max_tokens=11))

    assert [delta.text for delta in deltas if delta.text] == ["Hello", " there", "."]
    assert deltas[-1].usage == Usage(prompt_tokens=7, completion_tokens=3)


def test_asks_what_it_should(stub: StubChatServer) -> None:
    list(chat_at(stub.url).stream(PROMPT, max_tokens=11))

    request = stub.requests[0]
    assert request["messages"] == [{"role": m.role, "content": m.content} for m in PROMPT]
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("stub", 0, 11)
    assert request["stream_options"] == {"include_usage": True}
    assert stub.headers[0]["authorization"] == f"Bearer {KEY}"


def test_closing_the_iterator_hangs_up(stub: StubChatServer) -> None:
    stub.pieces = ["word "] * 1000
    stub.delay = 0.01
    deltas = chat_at(stub.url).stream(PROMPT, max_tokens=1000)
    next(deltas)

    deltas.close()  # type: ignore[attr-defined]

    assert stub.hung_up.wait(5)


def test_no_url_yet_is_unavailable() -> None:
    chat = chat_at(None)

    assert not chat.ready()
    with pytest.raises(ChatUnavailableError, match="starting"):
        next(chat.stream(PROMPT, max_tokens=1))


def test_follows_a_changed_url(stub: StubChatServer) -> None:
    urls = ["http://127.0.0.1:9/v1"]
    chat = LangChainChat(lambda: urls[-1], model="stub")
    with pytest.raises(ChatUnavailableError):
        list(chat.stream(PROMPT, max_tokens=1))

    urls.append(stub.url)

    assert list(chat.stream(PROMPT, max_tokens=1))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "answered 400"),
        (401, "refused the key"),
        (403, "refused the key"),
        (404, "answered 404"),
        (429, "answered 429"),
        (500, "answered 500"),
        (503, "answered 503"),
    ],
)
def test_refusals_are_mapped_once_and_without_the_key(stub: StubChatServer, status: int, expected: str) -> None:
    stub.status = status
    stub.body = json.dumps({"error": {"message": f"the key {KEY} is no good"}})

    with pytest.raises(ChatUnavailableError, match=expected) as caught:
        list(chat_at(stub.url).stream(PROMPT, max_tokens=1))

    assert KEY not in caught.value.message
    assert len(stub.requests) == 1


def test_a_slow_token_times_out(stub: StubChatServer) -> None:
    stub.delay = 1.0

    with pytest.raises(ChatUnavailableError, match=r"nothing for 0\.2 s"):
        list(chat_at(stub.url, timeout_s=0.2).stream(PROMPT, max_tokens=1))

    assert len(stub.requests) == 1


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(ChatUnavailableError, match="cannot be reached"):
        list(chat_at("http://127.0.0.1:9/v1").stream(PROMPT, max_tokens=1))


def test_a_broken_stream_is_unavailable_after_its_pieces(stub: StubChatServer) -> None:
    stub.breaks_after = 2
    deltas = chat_at(stub.url).stream(PROMPT, max_tokens=1)

    assert [next(deltas).text, next(deltas).text] == ["Hello", " there"]
    with pytest.raises(ChatUnavailableError, match="broke off"):
        next(deltas)


@pytest.mark.parametrize(
    "events",
    [[], ["{not json"], ['{"error": {"message": "out of memory"}}'], ['{"choices": null}'], ['"text"'], ["[DONE]"]],
)
def test_nonsense_is_unavailable(stub: StubChatServer, events: list[str]) -> None:
    stub.raw_events = events

    with pytest.raises(ChatUnavailableError):
        list(chat_at(stub.url).stream(PROMPT, max_tokens=1))


def test_an_impossible_url_is_unavailable() -> None:
    with pytest.raises(ChatUnavailableError):
        list(chat_at("http://127.0.0.1:port/v1").stream(PROMPT, max_tokens=1))


def test_a_proxy_is_not_asked_about_loopback(stub: StubChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "OPENAI_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert list(chat_at(stub.url).stream(PROMPT, max_tokens=1))


def test_tracing_is_off_whatever_the_environment_says(stub: StubChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")

    list(chat_at(stub.url).stream(PROMPT, max_tokens=1))

    assert os.environ["LANGSMITH_TRACING"] == "false"
