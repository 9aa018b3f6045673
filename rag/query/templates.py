"""The prompts of this room (prompts/*.txt), checked when they are read."""

from __future__ import annotations

import string
from functools import lru_cache
from pathlib import Path

from rag.errors import ConfigurationError

FOLDER = Path(__file__).parent / "prompts"
PLACEHOLDERS = {
    "rewrite.txt": set[str](),
    "conversation.txt": {"conversation", "question"},
    "translate.txt": {"language"},
}


@lru_cache(maxsize=len(PLACEHOLDERS))
def template(name: str) -> str:
    """The template of this file name.

    Raises:
        ConfigurationError: it is missing, or has other placeholders than it should.
    """
    try:
        text = (FOLDER / name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"The prompt {name} cannot be read: {error.strerror}.") from error
    found = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    expected = PLACEHOLDERS[name]
    if found != expected:
        raise ConfigurationError(
            f"The prompt {name} must have the placeholders {sorted(expected)}, not {sorted(found)}."
        )
    return text
