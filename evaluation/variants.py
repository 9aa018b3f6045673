"""Variants of the settings, as `--compare` names them.

A variant is `current`, a settings file (`DOCENT_` lines), or NAME=VALUE pairs with commas between them. What it names
wins over the environment and `.env`; the rest stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from rag.errors import ConfigurationError
from rag.settings import PREFIX, Settings, read_env_file

CURRENT = "current"


def read_variant(text: str, base: Settings) -> Settings:
    """The settings that a variant means, over `base`.

    Raises:
        ConfigurationError: it is none of the three, or holds a setting that is unknown or not valid.
    """
    if text == CURRENT:
        return base
    named = _pairs(text) if text.startswith(PREFIX) and "=" in text else _lines(text)
    # Settings check one another, so that those that others depend on are given with them.
    companions = {f"{PREFIX}{name.upper()}": str(getattr(base, name)) for name in ("llm_model", "host", "api_token")}
    parsed = Settings.load({**companions, **named}, env_file=None)
    names = [key.removeprefix(PREFIX).lower() for key in named]
    return replace(base, **{name: getattr(parsed, name) for name in names})


def _pairs(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in re.split(rf",\s*(?={PREFIX})", text)]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _lines(text: str) -> dict[str, str]:
    path = Path(text)
    if not path.is_file():
        raise ConfigurationError(
            f"{text!r} is neither a settings file nor NAME=VALUE pairs such as "
            f"DOCENT_TOP_K=5,DOCENT_MIN_CONFIDENCE=.4, nor the word {CURRENT!r}."
        )
    found = read_env_file(path)
    if not found:
        raise ConfigurationError(f"{path} holds no {PREFIX} lines.")
    return found
