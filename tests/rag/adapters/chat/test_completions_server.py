"""The protocol of the local chat model's server, over a writer that spells a given text letter by letter."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import httpx
import pytest

from rag.adapters.chat.completions_server import CompletionsServer
from rag.adapters.chat.openvino_llm import PromptTooLongError, Token

KEY = "k" * 32


class Speller:
    """Each UTF-8 byte is a token; every token has the byte after it as its rival."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.delay = 0.0
        self.at_work = 0
        self.most_at_work = 0
        self.stopped = threading.Event()

    def tokens_of(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        return list("".join(turn["content"] for turn in messages).encode())

    def text_of(self, tokens: Sequence[int]) -> str:
        return bytes(tokens).decode(errors="ignore")

    def write(
        self, prompt: Sequence[int], *, max_tokens: int, alternatives: int, gone: Callable[[], bool]
    ) -> Iterator[Token]:
        if len(prompt) > 100:
            raise PromptTooLongError("too long")
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            for byte in self.text.encode()[:max_tokens]:
                if gone():
                    self.stopped.set()
                    return
                time.sleep(self.delay)
                yield Token(byte, dict([(byte, -0.1), (byte + 1, -2.5)][:alternatives]))
        finally:
            self.at_work -= 1


@pytest.fixture
def server() -> Iterator[CompletionsServer]:
    server = CompletionsServer(Speller("Yes: 你好 STOP here"), KEY)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def speller(server: CompletionsServer) -> Speller:
    assert isinstance(server.writer, Speller)
    return server.writer


def ask(server: CompletionsServer, *, key: str = KEY, **further: object) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": "Hi"}], **further}
    with httpx.Client(trust_env=False, timeout=10) as client:
        return client.post(f"{server.url}/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})


def events(response: httpx.Response) -> list[dict[str, object]]:
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_answers_in_one_with_counts(server: CompletionsServer) -> None:
    told = ask(server).json()

    assert told["choices"][0]["message"]["content"] == "Yes: 你好 STOP here"
    assert told["choices"][0]["finish_reason"] == "stop"
    assert told["choices"][0]["logprobs"] is None
    assert told["usage"] == {"prompt_tokens": 2, "completion_tokens": 21, "total_tokens": 23}


def test_streams_whole_characters_and_the_usage_last(server: CompletionsServer) -> None:
    told = events(ask(server, stream=True, stream_options={"include_usage": True}))

    pieces = [event["choices"][0]["delta"].get("content", "") for event in told[:-1]]  # type: ignore[index]
    assert "".join(pieces) == "Yes: 你好 STOP here"
    assert "你" in pieces
    assert "�" not in "".join(pieces)
    assert told[-2]["choices"][0]["finish_reason"] == "stop"  # type: ignore[index]
    assert told[-1]["usage"]["completion_tokens"] == 21  # type: ignore[index]


def test_tells_the_chances_of_each_token(server: CompletionsServer) -> None:
    told = ask(server, logprobs=True, top_logprobs=2).json()["choices"][0]["logprobs"]["content"]

    assert len(told) == 21
    assert (told[0]["token"], told[0]["logprob"]) == ("Y", -0.1)
    assert [rival["token"] for rival in told[0]["top_logprobs"]] == ["Y", "Z"]
    only = ask(server, logprobs=True).json()["choices"][0]["logprobs"]["content"][0]
    assert (only["logprob"], only["top_logprobs"]) == (-0.1, [])


@pytest.mark.parametrize("stream", [False, True])
def test_stops_before_a_stop_string(server: CompletionsServer, stream: bool) -> None:
    answer = ask(server, stop=["STOP"], stream=stream)

    if stream:
        text = "".join(event["choices"][0]["delta"].get("content", "") for event in events(answer))  # type: ignore[index]
    else:
        text = answer.json()["choices"][0]["message"]["content"]
    assert text == "Yes: 你好 "


def test_says_when_the_length_ended_it(server: CompletionsServer) -> None:
    told = ask(server, max_tokens=3).json()["choices"][0]

    assert (told["message"]["content"], told["finish_reason"]) == ("Yes", "length")


@pytest.mark.parametrize(
    ("further", "said"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": None}]}, "role and content"),
        ({"temperature": 0.7}, "temperature"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"messages": [{"role": "user", "content": "x" * 101}]}, "too long"),
    ],
)
def test_refuses_what_it_cannot_do(server: CompletionsServer, further: dict[str, object], said: str) -> None:
    answer = ask(server, **further)

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_wants_its_key_but_for_health(server: CompletionsServer) -> None:
    assert ask(server, key="wrong").status_code == 401
    with httpx.Client(trust_env=False) as client:
        assert client.get(server.url.replace("/v1", "/health")).json() == {"status": "ok"}
        assert client.get(f"{server.url}/models").status_code == 404


def test_one_answer_at_a_time(server: CompletionsServer) -> None:
    speller(server).delay = 0.005
    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(ask(server).status_code)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == [200, 200, 200]
    assert speller(server).most_at_work == 1


def test_a_client_that_goes_away_stops_the_writer(server: CompletionsServer) -> None:
    speller(server).text, speller(server).delay = "x" * 1000, 0.02
    body = {"messages": [{"role": "user", "content": "Hi"}], "stream": True, "max_tokens": 1000}
    headers = {"Authorization": f"Bearer {KEY}"}
    with (
        httpx.Client(trust_env=False, timeout=10) as client,
        client.stream("POST", f"{server.url}/chat/completions", json=body, headers=headers) as response,
    ):
        next(response.iter_lines())

    until = time.monotonic() + 5
    while speller(server).at_work and time.monotonic() < until:
        time.sleep(0.01)
    assert not speller(server).at_work
    speller(server).text = "again"
    assert ask(server).json()["choices"][0]["message"]["content"] == "again"
