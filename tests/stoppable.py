"""`python -m tests.stoppable`: the real server process with a hash embedder and a chat model that never ends.

It prints its address as `python app.py` does. tests/web/test_shutdown.py stops it.
"""

from __future__ import annotations

import atexit
import socket
import time
from collections.abc import Iterator, Sequence

from flask import Flask

from app import create_app, set_up_logging
from rag.settings import Settings
from rag.types import ChatDelta, Message
from rag.vectors import Encoded
from tests.fakes import HashEmbedder, ScriptedChat
from web.server import serve
from wiring import Services, build_services

# A model that says the same twice running is stopped, so this one counts.
ENDLESS = "The pump in hall four runs at 40 bar [1]. " + " ".join(
    f"The pump in hall four has run {n} times." for n in range(500)
)


class EndlessChat(ScriptedChat):
    """A word every 50 ms, for longer than any test waits."""

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        for delta in super().stream(messages, max_tokens=max_tokens):
            time.sleep(0.05)
            yield delta


class SlowEmbedder(HashEmbedder):
    """A third of a second for every batch that says "slowly"."""

    def encode_documents(self, texts: Sequence[str]) -> Encoded:
        if any("slowly" in text for text in texts):
            time.sleep(0.3)
        return super().encode_documents(texts)


def main() -> None:
    """Serve until a signal."""
    settings = Settings.load()
    set_up_logging(settings)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    built: list[Services] = []

    def build() -> Flask:
        chat = EndlessChat(ENDLESS)
        services = build_services(settings, embedder=SlowEmbedder(), chat=chat)
        services.startup.begin()
        atexit.register(services.close)
        built.append(services)
        return create_app(services=services)

    def ready() -> None:
        built[-1].startup.require(patience=30)
        print(f"Docent is at {url}/ ", flush=True)

    serve(build, listener, ready=ready, close=lambda: built[-1].close())


if __name__ == "__main__":
    main()
