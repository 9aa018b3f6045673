"""Deadlines of connections, so that a client that neither writes nor reads holds no thread for long.

A request must be whole within `HEADER_SECONDS`; a body must keep coming; an answer must be taken. Where many
connections are at their first lines at once, which honest clients send in one piece, the oldest of these go first.
Knows gunicorn's sockets and nothing of requests.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

HEADER_SECONDS = 20.0
# No byte read or taken for so long: gone.
IDLE_SECONDS = 30.0
# The least speed of a body, after IDLE_SECONDS: bytes a second.
LEAST_RATE = 1024
# Connections that may be in the middle of their first lines.
READING = 8
# What a connection that ends is waited for, in the thread that served it; gunicorn would wait 2 s in its main thread.
LINGER_SECONDS = 0.3
_LINGER_BYTES = 1 << 18
_PIECE = 1 << 16


class PatientSocket(socket.socket):
    """A connection that ends by itself when it is too slow. Reading one that is at its end gives nothing, as if it
    were closed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: float | None = None
        self._began = 0.0
        self._received = 0

    @classmethod
    def around(cls, accepted: socket.socket) -> PatientSocket:
        """Take an accepted socket over; the other one is of no use any more."""
        return cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())

    def begin_header(self) -> None:
        """A request begins."""
        self._deadline = time.monotonic() + HEADER_SECONDS

    def begin_body(self) -> None:
        """Its first lines are there."""
        self._deadline, self._began, self._received = None, time.monotonic(), 0

    def setblocking(self, flag: bool, /) -> None:
        """Block for `IDLE_SECONDS` at most. Harmless once it is closed."""
        if self.fileno() >= 0:
            self.settimeout(IDLE_SECONDS if flag else 0.0)

    def leave(self) -> None:
        """Close it, having taken what is still on its way for a moment: a reset would cost the client the end of its
        answer.
        """
        until, taken = time.monotonic() + LINGER_SECONDS, 0
        try:
            self.shutdown(socket.SHUT_WR)
            while taken < _LINGER_BYTES and (left := until - time.monotonic()) > 0:
                self.settimeout(left)
                if not (data := super().recv(_PIECE)):
                    break
                taken += len(data)
        except OSError:
            pass  # gone already
        finally:
            self.close()

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As `socket.recv`; nothing once the time is over. A shorter time-out that was set counts as in any socket."""
        own = self.gettimeout()
        if own == 0.0 or flags:
            return super().recv(size, flags)
        left = self._left(time.monotonic())
        if left <= 0:
            return b""
        if own is not None and own < left:
            return super().recv(size, flags)
        self.settimeout(left)
        try:
            data = super().recv(size, flags)
        except TimeoutError:
            return b""
        finally:
            self.setblocking(True)
        self._received += len(data)
        return data

    def _left(self, now: float) -> float:
        """Seconds that the next bytes may take."""
        if self._deadline is not None:
            return min(IDLE_SECONDS, self._deadline - now)
        late = self._received < LEAST_RATE * (now - self._began - IDLE_SECONDS)
        return 0.0 if late else IDLE_SECONDS

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """As `socket.sendall`, in pieces that must each be taken in time. Raises BrokenPipeError."""
        view = memoryview(data)
        try:
            for start in range(0, len(view), _PIECE):
                super().sendall(view[start : start + _PIECE], flags)
        except TimeoutError as error:
            raise BrokenPipeError(errno.EPIPE, "The client takes nothing.") from error


class Readers:
    """The connections that are at their first lines. Thread-safe."""

    def __init__(self, most: int = READING) -> None:
        self._most = most
        self._waiting: dict[PatientSocket, None] = {}  # the oldest first
        self._lock = threading.Lock()

    def begin(self, connection: PatientSocket) -> None:
        """A connection begins a request. Where too many do, the oldest is closed."""
        connection.begin_header()
        with self._lock:
            self._waiting[connection] = None
            too_many = len(self._waiting) > self._most
            oldest = next(iter(self._waiting)) if too_many else None
            if oldest is not None:
                del self._waiting[oldest]
        if oldest is not None:
            hang_up(oldest)

    def end(self, connection: PatientSocket) -> None:
        """Its first lines are there, or will not come."""
        with self._lock:
            self._waiting.pop(connection, None)


def hang_up(connection: socket.socket) -> None:
    """Break a connection that another thread may be reading."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is gone already
        return
