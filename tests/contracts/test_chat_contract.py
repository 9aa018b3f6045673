"""What every chat model must do: the fake, the adapter over a stub server, the adapter over the local model."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from rag.ports import ChatModel
from rag.types import ChatDelta, Message
from tests.fakes import ScriptedChat
from tests.rag.adapters.chat.stub_chat_server import running_stub

PROMPT = [Message("system", "You are brief."), Message("user", "Name three colours.")]
CHAT_READY_SECONDS = 120


@pytest.fixture(scope="module", params=["fake", "stub", pytest.param("local", marks=pytest.mark.model)])
def chat(request: pytest.FixtureRequest) -> Iterator[ChatModel]:
    if request.param == "fake":
        yield ScriptedChat("red, green and blue")
    elif request.param == "stub":
        from rag.adapters.chat.langchain_chat import LangChainChat

        with running_stub() as server:
            yield LangChainChat(lambda: server.url, model="stub")
    else:
        yield from _local_chat(request.getfixturevalue("models_dir"))


def _local_chat(models_dir: Path) -> Iterator[ChatModel]:
    from rag.adapters.chat.langchain_chat import LangChainChat
    from rag.adapters.chat.local_llm import LocalChatServer
    from rag.adapters.weights.files import ensure

    server = LocalChatServer(ensure("chat", models_dir), threads=2)
    chat = LangChainChat(lambda: server.base_url, model="local", api_key=server.api_key)
    server.start()
    try:
        chat.load()
        until = monotonic() + CHAT_READY_SECONDS
        while not chat.ready() and monotonic() < until:
            sleep(0.1)
        yield chat
    finally:
        server.stop()


def text_of(deltas: list[ChatDelta]) -> str:
    return "".join(delta.text for delta in deltas)


def test_has_a_name_and_is_ready(chat: ChatModel) -> None:
    assert chat.name
    assert chat.ready()


def test_streams_text_and_tells_the_usage_last(chat: ChatModel) -> None:
    deltas = list(chat.stream(PROMPT, max_tokens=24))

    assert text_of(deltas).strip()
    assert len(deltas) > 2
    assert [delta.usage for delta in deltas[:-1]] == [None] * (len(deltas) - 1)
    assert deltas[-1].usage is not None
    assert deltas[-1].usage.prompt_tokens > 0
    assert 0 < deltas[-1].usage.completion_tokens <= 24


def test_the_same_prompt_gets_the_same_answer(chat: ChatModel) -> None:
    first, second = (text_of(list(chat.stream(PROMPT, max_tokens=12))) for _ in range(2))

    assert first == second


def test_can_be_closed_early_and_asked_again(chat: ChatModel) -> None:
    deltas = chat.stream(PROMPT, max_tokens=200)
    next(deltas)
    deltas.close()  # type: ignore[attr-defined]

    assert list(chat.stream(PROMPT, max_tokens=8))


def test_answers_two_at_once(chat: ChatModel) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: text_of(list(chat.stream(PROMPT, max_tokens=8))), range(2)))

    assert all(answers)
