"""The server for `docent serve` and `python app.py`: gunicorn, one worker process with many threads, on an open socket.

One worker, because one process may own the data folder; gunicorn starts it anew if it dies. Threads, because an answer
streams for seconds. Must not build the application in the master: a Chroma client does not survive a fork.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from web import shutdown as stopping
from web.patience import LINGER_SECONDS, PatientSocket, Readers

THREADS = 48  # web/capacity.py and web/patience.py share them out
FIRST_BYTE_SECONDS = 0.05
# A stopped worker gives requests under way this long; the master kills it after the second, and speaks of lack of
# memory.
GRACE_SECONDS = 3
KILL_SECONDS = 8


class _Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Ends its streams when it is told to stop, by SIGTERM or by Ctrl-C, and gives up clients that are too slow."""

    def init_process(self) -> None:
        self.readers = Readers()
        self.cfg.set("graceful_timeout", GRACE_SECONDS)  # of this process; the master has its own
        super().init_process()

    def handle_exit(self, sig: int, frame: object) -> None:
        if self.alive:
            # in a thread, for the lock may be held by what the signal has interrupted
            threading.Thread(target=stopping.begin, name="stopping", daemon=True).start()
            self.cfg.set("keepalive", 1)  # a connection whose stream has ended is not waited for long
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: object) -> None:
        # Ctrl-C reaches the worker as SIGINT from the terminal and as SIGQUIT from the master: gunicorn would leave at
        # once, and then wait for its threads until it is killed
        self.handle_exit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Serve a connection; one that sends nothing yet goes back to the poller and holds no thread."""
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket.around(conn.sock)
        if not conn.initialized and not conn.data_ready and not conn.wait_for_data(FIRST_BYTE_SECONDS):
            return _DEFER
        self.readers.begin(conn.sock)
        try:
            result = super().handle(conn)
        finally:
            self.readers.end(conn.sock)
        if not result:
            conn.sock.leave()
        return result

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether another request may follow: not after a body that was refused and is not there yet."""
        return bool(keepalive and conn.parser.finish_body(deadline=time.monotonic() + LINGER_SECONDS))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Its first lines are there."""
        self.readers.end(conn.sock)
        conn.sock.begin_body()
        return super().handle_request(req, conn)


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


def serve(
    build: Callable[[], Flask], listener: socket.socket, *, ready: Callable[[], None], close: Callable[[], None]
) -> None:
    """Serve what `build` makes until SIGINT or SIGTERM.

    `ready` is called once the worker takes requests; `close` if it must leave while requests are under way.
    """
    listener.set_inheritable(True)

    def leave(_master: object, worker: _Worker) -> None:
        if not worker.nr_conns:
            return
        try:
            close()
        finally:
            os._exit(0)  # the interpreter's own end would wait for the threads of those requests

    _Server(
        build,
        {
            "bind": f"fd://{listener.fileno()}",
            "workers": 1,
            "worker_class": _Worker,
            "threads": THREADS,
            "keepalive": 15,
            "timeout": 120,
            "graceful_timeout": KILL_SECONDS,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": lambda _worker: ready(),
            "worker_exit": leave,
        },
    ).run()
