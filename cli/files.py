"""Writing what a command was asked to write."""

from __future__ import annotations

from pathlib import Path

from rag.errors import ConfigurationError


def write_text(path: Path, text: str) -> None:
    """Write a file anew. Raises ConfigurationError when it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
