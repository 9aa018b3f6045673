"""Whether the one who asked is still there: asked by the chat model between two pieces, told by whoever serves.

A model on a CPU writes for half a minute; what nobody waits for must not hold it. The question is bound to the thread that makes
the answer, so that no layer in between has to pass it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from rag.errors import DocentError
from rag.ports import ChatModel
from rag.streams import stopped
from rag.types import ChatDelta, Message

_gone: ContextVar[Callable[[], bool]] = ContextVar("gone", default=lambda: False)


class AbandonedError(DocentError):
    """Nobody waits for the answer any more."""

    code = "client_gone"

    def __init__(self) -> None:
        super().__init__("The client has left.")


@contextmanager
def watched(gone: Callable[[], bool]) -> Iterator[None]:
    """Within the block, in this thread, `gone()` tells whether the one who asked has left."""
    token = _gone.set(gone)
    try:
        yield
    finally:
        _gone.reset(token)


class AbandonableChat:
    """A chat model that stops when nobody waits for it any more. Thread-safe, as the model is."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """See `ChatModel`."""
        return self._model.name

    def ready(self) -> bool:
        """See `ChatModel`."""
        return self._model.ready()

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        """See `ChatModel`. Raises AbandonedError where the one who asked has left, before the model is asked or while it writes."""
        gone = _gone.get()
        if gone():
            raise AbandonedError
        with stopped(self._model.stream(messages, max_tokens=max_tokens)) as stream:
            for delta in stream:
                if gone():
                    raise AbandonedError
                yield delta
