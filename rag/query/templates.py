"""The prompts of this room (prompts/*.txt)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rag.text.templates import read_template

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
    return read_template(FOLDER / name, PLACEHOLDERS[name])
