"""Prompt templates on disk, checked when they are read."""

from __future__ import annotations

import string
from pathlib import Path

from rag.errors import ConfigurationError


def read_template(path: Path, placeholders: set[str]) -> str:
    """The text of a template, which has exactly these `{placeholders}`.

    Raises:
        ConfigurationError: it is missing, or has other placeholders than it should.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"The prompt {path.name} cannot be read: {error.strerror}.") from error
    found = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    if found != placeholders:
        raise ConfigurationError(
            f"The prompt {path.name} must have the placeholders {sorted(placeholders)}, not {sorted(found)}."
        )
    return text
