"""The server for `python app.py`: gunicorn with one worker process and many threads, on a socket that is open already.

One worker, because one process may own the data folder; gunicorn starts it anew if it dies. Threads, because an answer
streams for seconds. Must not build the application in the master: a Chroma client does not survive a fork.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

THREADS = 48


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    def __init__(self, build: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._build = build
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._build()


def serve(build: Callable[[], Flask], listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve what `build` makes until SIGINT or SIGTERM; `ready` is called once the worker takes requests."""
    listener.set_inheritable(True)
    _Server(
        build,
        {
            "bind": f"fd://{listener.fileno()}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 15,
            "timeout": 120,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": lambda _worker: ready(),
        },
    ).run()
