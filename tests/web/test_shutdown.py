"""A server that is told to stop while it streams: each stream gets its last event, and the process is gone soon."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server_process import ServerProcess, running_server
from tests.web.conftest import API, PUMP, parse_events

QUESTION = "At how many bar does the pump in hall four run?"
pytestmark = pytest.mark.slow
PROGRAM = ("-m", "tests.stoppable")
# About 2 s on an idle machine; a server that waits for its streams takes more than 5.
SOON = 4.0


class Reader:
    """Reads a stream in a thread of its own; `begun` once `sign` has come."""

    def __init__(self, server: ServerProcess, sign: str, method: str, path: str, **request: Any) -> None:
        self.text = ""
        self.begun = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(server.url + path, method, sign, request))
        self._thread.start()

    def _read(self, url: str, method: str, sign: str, request: dict[str, Any]) -> None:
        with httpx.stream(method, url, timeout=60, trust_env=False, **request) as response:
            for piece in response.iter_text():
                self.text += piece
                if sign in self.text:
                    self.begun.set()

    def end(self) -> str:
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()
        return self.text


def terminate(server: ServerProcess) -> None:
    server.process.send_signal(signal.SIGTERM)


def press_ctrl_c(server: ServerProcess) -> None:
    os.killpg(server.process.pid, signal.SIGINT)  # a terminal tells all processes of the group


@pytest.mark.parametrize("stop", [terminate, press_ctrl_c])
def test_every_stream_gets_its_last_event(tmp_path: Path, stop: Callable[[ServerProcess], None]) -> None:
    with running_server(tmp_path, PROGRAM) as server:
        taken = server.client.post(f"{API}/documents", files=[("file", ("pump.txt", PUMP.encode()))]).json()
        assert server.finish(taken["job_id"])["status"] == "done"
        slow = [("file", (f"{n}.txt", f"Number {n} goes slowly.".encode())) for n in range(60)]
        job = server.client.post(f"{API}/documents", files=slow).json()["job_id"]
        asked = {"question": QUESTION, "stream": True}
        chat = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}
        readers = [
            Reader(server, "event: token", "POST", f"{API}/ask", json=asked),
            Reader(server, "event: job", "GET", f"{API}/jobs/{job}/events"),
            Reader(server, "40 bar", "POST", "/v1/chat/completions", json=chat),
        ]
        assert all(reader.begun.wait(20) for reader in readers), [reader.text for reader in readers]

        stop(server)
        begun = time.monotonic()
        status = server.process.wait(timeout=20)
        took = time.monotonic() - begun

        ask, events, completion = [reader.end() for reader in readers]
        for text in (ask, events):
            name, body = parse_events(text)[-1]
            assert name == "error"
            assert set(body["error"]) == {"code", "message", "details", "request_id"}
            assert body["error"]["code"] == "shutting_down"
            assert "again" in body["error"]["message"]
        error = json.loads(completion.strip().split("\n\n")[-1].removeprefix("data: "))["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert (error["type"], error["code"]) == ("server_error", "shutting_down")
        assert status == 0
        assert took < SOON
    assert_quiet(server)


def test_a_request_that_does_not_end_is_left_without_talk_of_memory(tmp_path: Path) -> None:
    with running_server(tmp_path, PROGRAM) as server:
        taken = server.client.post(f"{API}/documents", files=[("file", ("pump.txt", PUMP.encode()))]).json()
        server.finish(taken["job_id"])
        failed: queue.Queue[Exception] = queue.Queue()

        def ask() -> None:
            try:
                httpx.post(f"{server.url}{API}/ask", json={"question": QUESTION}, timeout=60, trust_env=False)
            except httpx.HTTPError as error:
                failed.put(error)

        threading.Thread(target=ask).start()
        time.sleep(1)
        terminate(server)
        begun = time.monotonic()
        assert server.process.wait(timeout=20) == 0
        assert time.monotonic() - begun < 7
        assert failed.get(timeout=5), "it was under way"
    assert_quiet(server)


def assert_quiet(server: ServerProcess) -> None:
    said = "".join(server.said)
    for word in ("SIGKILL", "memory", "Traceback", "ERROR", "WARNING"):
        assert word not in said, said
