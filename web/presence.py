"""Whether a request's client is still connected, told by its socket without reading from it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

# A look costs some microseconds; models write faster than anybody leaves.
LOOK_SECONDS = 0.1


def client_gone(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """What tells whether the client of a request has closed its connection; False for ever where the server shows no
    socket.

    A reverse proxy closes its own connection when its client leaves.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        return lambda: False
    looked, left = time.monotonic() - LOOK_SECONDS, False

    def gone() -> bool:
        nonlocal looked, left
        if not left and time.monotonic() - looked >= LOOK_SECONDS:
            looked, left = time.monotonic(), _is_closed(connection)
        return left

    return gone


def _is_closed(connection: socket.socket) -> bool:
    try:
        # not select, which takes no descriptors above 1023
        waiting = select.poll()
        waiting.register(connection, select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(waiting.poll(0)) and not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except (OSError, ValueError):
        return True
