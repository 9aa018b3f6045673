"""Clients that hang up, over a real socket: in the middle of an upload, and in the middle of a stream."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from rag.types import ChatDelta, Message
from tests.fakes import ScriptedChat
from tests.web.conftest import API, PUMP, Docent, Start, eventually, listening

QUESTION = "At how many bar does the pump in hall four run?"


class SlowChat(ScriptedChat):
    """Says a few words, then waits before each further one until it is told to go on."""

    def __init__(self) -> None:
        counted = " ".join(f"The pump in hall four has run {n} times." for n in range(200))
        super().__init__(f"The pump in hall four runs at 40 bar [1]. {counted}")
        self.go_on = threading.Event()

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        stream = super().stream(messages, max_tokens=max_tokens)
        try:
            for number, delta in enumerate(stream):
                if number > 20:
                    self.go_on.wait(0.05)
                yield delta
        finally:
            stream.close()  # type: ignore[attr-defined]


def alive(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().read() == b'{"status":"ok"}\n'
    finally:
        connection.close()


# werkzeug leaves the anonymous temporary file of a broken form to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("sent", [0, 20, 1_000, 300_000])
def test_an_upload_that_breaks_off_leaves_nothing(docent: Docent, sent: int) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    body = (head + b"pump " * 100_000)[:sent]
    with listening(docent.app) as port:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(
                    f"POST {API}/documents HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 10000000\r\n"
                    "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
                    + body
                )
        assert alive(port)
        eventually(lambda: threading.active_count() < 20)

    assert docent.stored_files() == []
    assert docent.get("/documents")["total"] == 0
    assert docent.upload(("pump.txt", PUMP))[0]["status"] == "indexed"


def test_a_stream_that_is_left_stops_the_model(start: Start) -> None:
    chat = SlowChat()
    docent = start(chat)
    docent.upload(("pump.txt", PUMP))
    body = json.dumps({"question": QUESTION, "stream": True}).encode()
    with listening(docent.app) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(
                f"POST {API}/ask HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
                "Content-Type: application/json\r\n\r\n".encode()
                + body
            )
            received = b""
            while b"event: token" not in received:
                received += client.recv(4096)
        eventually(lambda: chat.closed == 1)
        assert alive(port)
        # nothing of it was stored, for it never ended
        assert docent.get("/conversations")["total"] == 0
        eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "sse"])


class Mumbling(ScriptedChat):
    """Writes one word after the other and never ends a sentence."""

    def __init__(self) -> None:
        super().__init__("pump " * 1000)
        self.said = 0

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        stream = super().stream(messages, max_tokens=max_tokens)
        try:
            for delta in stream:
                time.sleep(0.02)
                self.said += 1
                yield delta
        finally:
            stream.close()  # type: ignore[attr-defined]


MESSAGES = {"model": "docent", "messages": [{"role": "user", "content": QUESTION}]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{API}/ask", {"question": QUESTION}),
        (f"{API}/ask", {"question": QUESTION, "stream": True}),
        ("/v1/chat/completions", MESSAGES),
        ("/v1/chat/completions", {**MESSAGES, "stream": True}),
    ],
)
def test_leaving_stops_a_model_that_has_said_nothing_whole(start: Start, path: str, body: dict[str, object]) -> None:
    chat = Mumbling()
    docent = start(chat)
    docent.upload(("pump.txt", PUMP))
    content = json.dumps(body).encode()
    with listening(docent.app) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(content)}\r\n"
                "Content-Type: application/json\r\n\r\n".encode()
                + content
            )
            eventually(lambda: chat.said > 3)
        eventually(lambda: chat.closed >= 1, patience=2)
        assert chat.said < 200
        assert alive(port)
        said = chat.said
        eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "sse"])
    assert chat.said == said
    assert docent.get("/conversations")["total"] == 0


def test_a_client_that_waits_gets_its_answer(start: Start) -> None:
    docent = start(ScriptedChat("The pump in hall four runs at 40 bar [1]."))
    docent.upload(("pump.txt", PUMP))
    with listening(docent.app) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(
            "POST", f"{API}/ask", json.dumps({"question": QUESTION}), {"Content-Type": "application/json"}
        )
        answer = json.loads(connection.getresponse().read())
        connection.close()
    assert "40 bar" in answer["answer"]


def test_the_events_of_a_job_end_when_nobody_listens(docent: Docent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.jobs.REPEAT_SECONDS", 0.1)
    monkeypatch.setattr("web.api.jobs.POLL_SECONDS", 0.02)
    monkeypatch.setattr("web.sse.PING_SECONDS", 0.1)
    gate = threading.Event()
    embed = docent.embedder.embed_documents

    def embed_late(texts: list[str]) -> object:
        gate.wait(20)
        return embed(texts)

    docent.embedder.embed_documents = embed_late  # type: ignore[method-assign,assignment]
    url = docent.send(("pump.txt", PUMP)).headers["Location"]
    with listening(docent.app) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(f"GET {url}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            while b"event: job" not in client.recv(4096):
                pass
        eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "sse"])
    gate.set()
    assert docent.job(url)["status"] == "done"


def test_pings_fill_the_silence(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.sse.PING_SECONDS", 0.02)
    docent = start(SlowChat())
    docent.upload(("pump.txt", PUMP))

    response = docent.client.post(f"{API}/ask", json={"question": QUESTION, "stream": True}, buffered=False)
    text = ""
    for piece in response.response:
        text += piece if isinstance(piece, str) else piece.decode()
        if ": ping" in text:
            break
    response.close()

    assert ": ping\n\n" in text
