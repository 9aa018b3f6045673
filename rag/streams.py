"""Texts that come piece by piece, and how one of them is left in the middle. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def stopped(stream: Iterator[T]) -> Iterator[Iterator[T]]:
    """The stream; however the block is left, what makes it is stopped, where it can be."""
    try:
        yield stream
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
