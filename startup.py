"""What still has to happen before every question can be answered, done in the background and reported part by part.

Owns the states behind /readyz and the thread that loads the models. Opens nothing by itself: it runs the steps that
wiring.py gives it, in order, and remembers how each went.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.errors import DocentError, LoadingError, UnavailableError

log = logging.getLogger(__name__)


class PartState(StrEnum):
    """How a part of the server stands."""

    WAITING = "waiting"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One part and what makes it ready. A part that is not `required` may fail without making questions fail."""

    part: str
    run: Callable[[Callable[[str], None]], None]
    required: bool = True


class Startup:
    """Runs the steps once, in one thread per chain of steps; answers how far they are."""

    def __init__(self, *chains: Sequence[Step]) -> None:
        self._chains = chains
        self._required = {step.part: step.required for chain in chains for step in chain}
        self._states = dict.fromkeys(self._required, PartState.WAITING)
        self._details = dict.fromkeys(self._required, "")
        self._changed = threading.Condition()

    def begin(self) -> None:
        """Start working through the chains in the background."""
        for number, chain in enumerate(self._chains):
            threading.Thread(target=self._work, args=(chain,), name=f"startup-{number}", daemon=True).start()

    def report(self) -> dict[str, dict[str, str]]:
        """State and detail of each part."""
        return {part: {"state": self._states[part], "detail": self._details[part]} for part in self._states}

    @property
    def ready(self) -> bool:
        """Whether every required part is ready."""
        return all(state == PartState.READY for part, state in self._states.items() if self._required[part])

    def require(self, *, patience: float = 0.0) -> None:
        """Wait up to `patience` seconds for the required parts.

        Raises:
            LoadingError: they are still loading.
            UnavailableError: one of them failed; the message says why.
        """
        deadline = time.monotonic() + patience
        with self._changed:
            while not self.ready:
                for part, required in self._required.items():
                    if required and self._states[part] == PartState.FAILED:
                        raise UnavailableError(
                            f"The {part} failed to start: {self._details[part]}", code="start_failed"
                        )
                left = deadline - time.monotonic()
                if left <= 0:
                    waiting = [
                        p for p, needed in self._required.items() if needed and self._states[p] != PartState.READY
                    ]
                    raise LoadingError(f"Still loading: {', '.join(waiting)}. Try again in a few seconds.")
                self._changed.wait(left)

    def wait(self, timeout: float) -> bool:
        """Wait until every part, required or not, is ready or has failed."""
        ended = (PartState.READY, PartState.FAILED)
        with self._changed:
            return self._changed.wait_for(lambda: all(state in ended for state in self._states.values()), timeout)

    def _work(self, chain: Sequence[Step]) -> None:
        for step in chain:
            self._set(step.part, PartState.LOADING, "")
            started = time.monotonic()
            try:
                step.run(lambda detail, part=step.part: self._set(part, PartState.LOADING, detail))  # type: ignore[misc]
            except DocentError as error:
                log.error("%s: %s", step.part, error.message)
                self._fail(chain, step.part, error.message)
                return
            except Exception as error:  # the rim of a thread: it must end in a state people can see
                log.exception("%s failed", step.part, exc_info=error)
                self._fail(chain, step.part, f"{type(error).__name__}: {error}")
                return
            log.info("%s ready after %.1f s", step.part, time.monotonic() - started)
            self._set(step.part, PartState.READY, "")

    def _fail(self, chain: Sequence[Step], part: str, detail: str) -> None:
        """A part has failed, and so have those after it, which need it."""
        after = [step.part for step in chain]
        for later in after[after.index(part) + 1 :]:
            self._set(later, PartState.FAILED, f"not started, because the {part} failed")
        self._set(part, PartState.FAILED, detail)

    def _set(self, part: str, state: PartState, detail: str) -> None:
        with self._changed:
            self._states[part] = state
            self._details[part] = detail
            self._changed.notify_all()
