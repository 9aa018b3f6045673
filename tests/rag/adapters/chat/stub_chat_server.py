"""An OpenAI-compatible server that streams what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StubChatServer(ThreadingHTTPServer):
    """`pieces` are streamed, `delay` seconds apart; `status` other than 200 answers `body` instead.

    `breaks_after` pieces the connection is cut; `requests` holds the bodies, `headers` their headers, and `hung_up` is
    set once a client closes the connection before the end.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pieces = ["Hello", " there", "."]
        self.delay = 0.0
        self.status = 200
        self.body = json.dumps({"error": {"message": "no"}})
        self.raw_events: list[str] | None = None
        self.breaks_after: int | None = None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def events(self) -> Iterator[str]:
        if self.raw_events is not None:
            yield from self.raw_events
            return
        frame = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "stub"}
        for index, piece in enumerate(self.pieces):
            if index == self.breaks_after:
                return
            choice = {"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}
            yield json.dumps({**frame, "choices": [choice]})
        yield json.dumps({**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        yield json.dumps({**frame, "choices": [], "usage": usage})
        yield "[DONE]"


class _Handler(BaseHTTPRequestHandler):
    server: StubChatServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(json.loads(body))
        self.server.headers.append({key.lower(): value for key, value in self.headers.items()})
        self.close_connection = True
        if self.server.status != 200:
            self._answer(self.server.status, "application/json", self.server.body)
            return
        if self.server.raw_events == []:
            self._answer(200, "text/html", "<html>hello</html>")
            return
        self._stream()

    def _answer(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for event in self.server.events():
                data = f"data: {event}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
                time.sleep(self.server.delay)
            if self.server.breaks_after is None:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server.hung_up.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def running_stub() -> Iterator[StubChatServer]:
    """A stub that listens while the block runs."""
    with StubChatServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
