"""A whole server in one process: real catalog, real indexes, real readers; a hash embedder and a scripted chat."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app import create_app
from ingest.sources.url import UrlFetcher
from rag.ports import ChatModel
from rag.query.templates import template
from rag.settings import Settings
from rag.types import ChatDelta, Message, Usage
from tests.fakes import HashEmbedder, ScriptedChat
from wiring import Services, build_services

API = "/api/v1"
PATIENCE = 30.0
PUMP = "The pump in hall four runs at 40 bar. It was installed by Nordwind in 1998. Its oil is changed every March."
ORCHARD = "Apple trees in the orchard blossom in late April. Bees from the village pollinate them for free."
CHINESE = "水泵的工作压力是四十巴。它由北风公司于一九九八年安装。"


@dataclass
class Docent:
    """A running application with what its tests look into."""

    services: Services
    app: Flask
    client: FlaskClient
    embedder: HashEmbedder

    def send(self, *files: tuple[str, bytes | str], headers: dict[str, str] | None = None, **form: Any) -> TestResponse:
        """Post files as multipart; no waiting."""
        parts = [
            (io.BytesIO(content.encode() if isinstance(content, str) else content), name) for name, content in files
        ]
        return self.client.post(f"{API}/documents", data={"file": parts, **form}, headers=headers or {})

    def upload(self, *files: tuple[str, bytes | str], **form: Any) -> list[dict[str, Any]]:
        """Post files, wait for the job, and return its documents."""
        response = self.send(*files, **form)
        assert response.status_code == 202, response.text
        return self.finished(response)["documents"]  # type: ignore[no-any-return]

    def finished(self, response: TestResponse) -> dict[str, Any]:
        """The job that a 202 points to, once it has ended."""
        return self.job(response.headers["Location"])

    def job(self, url: str) -> dict[str, Any]:
        """The job at `url`, once it has ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found: dict[str, Any] = self.client.get(url).get_json()
            if found["status"] not in ("queued", "running"):
                return found
            time.sleep(0.01)
        raise AssertionError(f"the job did not end: {found}")

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET below the API's prefix, which must succeed."""
        response = self.client.get(API + path, query_string=query)
        assert response.status_code == 200, response.text
        return response.get_json()

    def search(self, query: str, **body: Any) -> list[dict[str, Any]]:
        """The passages of a search, which must succeed."""
        response = self.client.post(f"{API}/search", json={"query": query, **body})
        assert response.status_code == 200, response.text
        return response.get_json()["passages"]  # type: ignore[no-any-return]

    def ask(self, question: str, **body: Any) -> dict[str, Any]:
        """The answer to a question, which must succeed."""
        response = self.client.post(f"{API}/ask", json={"question": question, **body})
        assert response.status_code == 200, response.text
        return response.get_json()  # type: ignore[no-any-return]

    def stream(self, question: str, **body: Any) -> list[tuple[str, Any]]:
        """The events of a streamed answer."""
        response = self.client.post(f"{API}/ask", json={"question": question, "stream": True, **body})
        assert response.status_code == 200, response.text
        assert response.mimetype == "text/event-stream"
        return parse_events(response.text)

    def vectors(self, collection: str = "default") -> int:
        """Vectors that the dense index holds for a collection."""
        index = self.services.retriever._dense
        return index.count(self.services.collections.get(collection).id)

    def stored_files(self) -> list[Path]:
        """All files below the uploads folder."""
        return [path for path in (self.services.settings.data_dir / "uploads").rglob("*") if path.is_file()]


class Puppet:
    """A chat model whose script the test in hand writes: `says(...)` takes what `ScriptedChat` takes."""

    def __init__(self) -> None:
        self.script = ScriptedChat()
        self.name = self.script.name

    def says(self, *script: Any) -> None:
        """From now on."""
        self.script = ScriptedChat(*script)

    def ready(self) -> bool:
        return self.script.ready()

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        if messages[0].content == template("rewrite.txt"):  # leaves rewriting to the rules
            return iter([ChatDelta("", Usage(1, 1))])
        return self.script.stream(messages, max_tokens=max_tokens)


@dataclass
class Stage:
    """A server with some documents, and the puppet that is its chat model."""

    docent: Docent
    chat: Puppet

    def playing(self, *script: Any) -> Docent:
        """The server, whose model says this from now on."""
        self.chat.says(*script)
        return self.docent


Start = Callable[..., Docent]


@contextmanager
def servers(folder: Path) -> Iterator[Start]:
    """What starts servers below `folder`: `start(chat=None, fetcher=None, **settings)`; all are closed at the end."""
    running: list[Services] = []

    def begin(chat: ChatModel | None = None, fetcher: UrlFetcher | None = None, **settings: Any) -> Docent:
        settings = {"data_dir": folder / f"data{len(running)}", "samples": False, "llm": "extractive", **settings}
        embedder = HashEmbedder()
        services = build_services(Settings(**settings), embedder=embedder, chat=chat)
        running.append(services)
        services.startup.begin()
        services.startup.require(patience=PATIENCE)
        services.fetcher = fetcher or services.fetcher
        services.startup.wait(PATIENCE)
        app = create_app(services=services)
        return Docent(services, app, app.test_client(), embedder)

    try:
        yield begin
    finally:
        for services in running:
            services.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers for one test."""
    with servers(tmp_path) as begin:
        yield begin


@pytest.fixture(scope="module")
def start_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts servers that the tests of a module share."""
    with servers(tmp_path_factory.mktemp("shared")) as begin:
        yield begin


@pytest.fixture
def docent(start: Start) -> Docent:
    """A server of the test's own, which answers with quoted sentences."""
    return start()


@pytest.fixture(scope="module")
def shared(start_once: Start) -> Docent:
    """A server for tests that leave nothing behind."""
    return start_once()


@contextmanager
def listening(app: Flask) -> Iterator[int]:
    """The application behind a real socket; the port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def parse_events(text: str) -> list[tuple[str, Any]]:
    """Server-sent events as (name, data); comments are left out."""
    events = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            events.append((lines["event"], json.loads(lines["data"])))
    return events


def error_object(response: TestResponse, status: int) -> dict[str, Any]:
    """The `error` object of a failure, under whatever prefix."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    body = response.get_json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    return error


def assert_error(response: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """The one shape of every failure; its `error` object."""
    error = error_object(response, status)
    assert set(error) == {"code", "message", "details", "request_id"}
    assert isinstance(error["code"], str)
    assert error["code"]
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["details"], dict)
    assert error["request_id"] == response.headers["X-Request-Id"]
    if code is not None:
        assert error["code"] == code, error
    if status == 503:
        assert int(response.headers["Retry-After"]) > 0
    return error


def eventually(condition: Callable[[], Any], *, patience: float = 5.0) -> None:
    """Wait until the condition holds."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.02)


def marks_of(answer: str) -> set[int]:
    """The numbers that stand in square brackets."""
    import re

    return {int(number) for number in re.findall(r"\[(\d+)\]", answer)}


def assert_cited(docent: Docent, answer: dict[str, Any]) -> None:
    """Marks and citations correspond one to one, quotes are exact, sentences stand where they say."""
    numbers: Sequence[int] = [citation["n"] for citation in answer["citations"]]
    assert len(set(numbers)) == len(numbers)
    assert marks_of(answer["answer"]) == set(numbers)
    for citation in answer["citations"]:
        text = docent.client.get(f"{API}/documents/{citation['document_id']}/text").text
        assert text[citation["char_start"] : citation["char_end"]] == citation["quote"]
        document = docent.get(f"/documents/{citation['document_id']}")
        assert (citation["filename"], citation["content_sha256"]) == (document["filename"], document["sha256"])
    for sentence in answer["sentences"]:
        assert answer["answer"][sentence["start"] : sentence["end"]] == sentence["text"]
        assert marks_of(sentence["text"]) == set(sentence["citations"])
    assert answer["groundedness"] is None or 0 <= answer["groundedness"] <= 1
