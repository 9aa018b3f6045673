"""OpenAI's chat completions over HTTP, for one model in this process that writes one answer at a time.

Owns the protocol: the key, the queue, streaming, what is told of chances and counts. A client that goes away stops the
model. Greedy only: a temperature above 0 is refused rather than ignored. Nothing of prompts or answers is logged.
"""

from __future__ import annotations

import hmac
import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

MAX_BODY_BYTES = 4 << 20
DEFAULT_TOKENS = 512
MOST_ALTERNATIVES = 20  # OpenAI's own bound


class WrittenToken(Protocol):
    """A token with its rivals."""

    @property
    def id(self) -> int: ...
    @property
    def alternatives(self) -> Mapping[int, float]: ...


class Writer(Protocol):
    """The model: rag.adapters.chat.openvino_llm, or a test's."""

    def tokens_of(self, messages: Sequence[Mapping[str, str]]) -> list[int]: ...
    def text_of(self, tokens: Sequence[int]) -> str: ...
    def write(
        self, prompt: Sequence[int], *, max_tokens: int, alternatives: int, gone: Callable[[], bool]
    ) -> Iterator[WrittenToken]: ...


class CompletionsServer(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1; /health is open, /v1/chat/completions wants `key` as a bearer token."""

    daemon_threads = True

    def __init__(self, writer: Writer, key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.writer = writer
        self.key = key
        self.queue = _Queue()

    @property
    def url(self) -> str:
        """The base URL, such as http://127.0.0.1:40123/v1."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Queue:
    """First come, first served; one at a time. A client that goes away leaves the queue."""

    POLL_SECONDS = 0.2

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def turn(self, gone: Callable[[], bool]) -> Iterator[bool]:
        """Waits for one's turn; False when `gone` said so before it came."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            with self._changed:
                while self._waiting[0] is not ticket and not gone():
                    self._changed.wait(self.POLL_SECONDS)
                mine = self._waiting[0] is ticket
            yield mine
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()


class _Request:
    """A checked body. ValueError says what is wrong."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        turns = body.get("messages")
        if not isinstance(turns, list) or not turns:
            raise ValueError("messages must be a list of turns.")
        for turn in turns:
            if not isinstance(turn, dict) or not all(isinstance(turn.get(key), str) for key in ("role", "content")):
                raise ValueError("Each turn needs role and content, both text.")
        self.messages: list[Mapping[str, str]] = turns
        if body.get("temperature"):
            raise ValueError("This server writes the likeliest token only: temperature must be 0.")
        if body.get("n", 1) != 1:
            raise ValueError("One answer at a time: n must be 1.")
        self.max_tokens = _whole(
            body.get("max_completion_tokens") or body.get("max_tokens") or DEFAULT_TOKENS, "max_tokens"
        )
        self.logprobs = bool(body.get("logprobs"))
        count = _whole(body.get("top_logprobs") or 0, "top_logprobs")
        self.rivals = min(count, MOST_ALTERNATIVES)  # told beside each token; its own chance is told in any case
        stop = body.get("stop") or []
        self.stops = [stop] if isinstance(stop, str) else [text for text in stop if isinstance(text, str) and text]
        self.stream = bool(body.get("stream"))
        self.with_usage = not self.stream or bool((body.get("stream_options") or {}).get("include_usage"))


class _Handler(BaseHTTPRequestHandler):
    server: CompletionsServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, {"status": "ok"})
        else:
            self._fail(404, "There is no such path.")

    def do_POST(self) -> None:
        self.close_connection = True
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self._fail(413, f"The body must have a length, at most {MAX_BODY_BYTES} bytes.")
            return
        body = self.rfile.read(int(length))
        if not hmac.compare_digest(
            self.headers.get("Authorization", "").encode(), f"Bearer {self.server.key}".encode()
        ):
            self._fail(401, "The key is missing or wrong.")
        elif self.path != "/v1/chat/completions":
            self._fail(404, "There is no such path.")
        else:
            with suppress(ConnectionError):
                self._complete(body)

    def _complete(self, body: bytes) -> None:
        try:
            parsed = json.loads(body)
            request = _Request(parsed if isinstance(parsed, dict) else {})
        except ValueError as error:
            self._fail(400, str(error))
            return
        with self.server.queue.turn(self._is_gone) as mine:
            if not mine:
                return
            completion = _Completion(self.server.writer, request, self._is_gone)
            try:
                pieces = completion.pieces()
                first = next(pieces, None)  # a prompt that is too long fails before anything was sent
            except ValueError as error:
                self._fail(400, str(error))
                return
            if request.stream:
                self._stream(completion, first, pieces)
            else:
                everything = [piece for piece in (first, *pieces) if piece]
                self._answer(200, completion.whole(everything))

    def _stream(self, completion: _Completion, first: _Piece | None, rest: Iterator[_Piece]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        if first:
            self._event(completion.chunk(first))
        for piece in rest:
            self._event(completion.chunk(piece))
        for last in completion.ending():
            self._event(last)
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, value: Mapping[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
        self.wfile.flush()

    def _is_gone(self) -> bool:
        """Whether the client closed the connection: then reading gives nothing at once."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _fail(self, status: int, message: str) -> None:
        self._answer(status, {"error": {"message": message, "code": status}})

    def _answer(self, status: int, value: Mapping[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Piece:
    """New text, and the chances of the tokens that it is made of."""

    def __init__(self, text: str, chances: list[dict[str, Any]]) -> None:
        self.text = text
        self.chances = chances


class _Completion:
    """One answer, as it comes and as it is told."""

    def __init__(self, writer: Writer, request: _Request, gone: Callable[[], bool]) -> None:
        self._writer = writer
        self._request = request
        self._gone = gone
        self._prompt = writer.tokens_of(request.messages)
        self._written = 0
        self._reason = "stop"
        self._head = {"id": f"chatcmpl-{time.time_ns():x}", "created": int(time.time()), "model": "local"}

    def pieces(self) -> Iterator[_Piece]:
        """Text as soon as its characters are whole and cannot be the beginning of a stop string."""
        request, ids, sent = self._request, [], ""
        chances: list[dict[str, Any]] = []
        writing = self._writer.write(
            self._prompt,
            max_tokens=request.max_tokens,
            alternatives=max(request.rivals, 1) if request.logprobs else 0,
            gone=self._gone,
        )
        text = ""
        for token in writing:
            ids.append(token.id)
            self._written = len(ids)
            if request.logprobs:
                chances.append(self._chance(token))
            text = self._writer.text_of(ids)
            end = min((place for stop in request.stops if (place := text.find(stop)) >= 0), default=-1)
            if end >= 0:
                text = text[:end]
                break
            sure = text[: len(text) - _begun(text, request.stops)]
            if len(sure) > len(sent):
                yield _Piece(sure[len(sent) :], chances)
                sent, chances = sure, []
        else:
            self._reason = "length" if self._written >= request.max_tokens else "stop"
        if len(text) > len(sent) or chances:
            yield _Piece(text[len(sent) :], chances)

    def chunk(self, piece: _Piece) -> dict[str, Any]:
        """An event of the stream."""
        return self._chunk({"role": "assistant", "content": piece.text}, None, piece.chances)

    def ending(self) -> Iterator[dict[str, Any]]:
        """The last events: why it ended, and the counts if they were asked for."""
        yield self._chunk({}, self._reason, [])
        if self._request.with_usage:
            yield {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage()}

    def whole(self, pieces: Sequence[_Piece]) -> dict[str, Any]:
        """The answer in one."""
        message = {"role": "assistant", "content": "".join(piece.text for piece in pieces)}
        choice = {"index": 0, "message": message, "finish_reason": self._reason, "logprobs": None}
        if self._request.logprobs:
            choice["logprobs"] = {"content": [chance for piece in pieces for chance in piece.chances]}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage()}

    def _chunk(self, delta: Mapping[str, str], reason: str | None, chances: list[dict[str, Any]]) -> dict[str, Any]:
        choice = {
            "index": 0,
            "delta": delta,
            "finish_reason": reason,
            "logprobs": {"content": chances} if chances else None,
        }
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def _usage(self) -> dict[str, int]:
        read, written = len(self._prompt), self._written
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

    def _chance(self, token: WrittenToken) -> dict[str, Any]:
        told = [self._told(rival, chance) for rival, chance in token.alternatives.items()]
        return {**self._told(token.id, token.alternatives[token.id]), "top_logprobs": told[: self._request.rivals]}

    def _told(self, token: int, chance: float) -> dict[str, Any]:
        text = self._writer.text_of([token])
        return {"token": text, "logprob": chance, "bytes": list(text.encode())}


def _begun(text: str, stops: Sequence[str]) -> int:
    """How many last characters of `text` could be the beginning of a stop string."""
    longest = max((len(stop) for stop in stops), default=1) - 1
    sizes = range(min(longest, len(text)), 0, -1)
    return next((size for size in sizes if any(stop.startswith(text[-size:]) for stop in stops)), 0)


def _whole(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} must be a whole number, not below 0.")
    return value
