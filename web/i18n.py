"""The page's languages: one flat catalogue a language (i18n/*.json), read by templates and scripts alike.

Owns which language a request gets: its own wish (`?lang=`), the cookie of an earlier one, what the browser prefers,
English. A text may have {places}; one that depends on a number is a pair, for one and for any other number.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Request

LANGUAGES = {"en": "English", "zh": "中文"}
COOKIE = "docent_lang"
SECONDS_KEPT = 365 * 24 * 3600
PAGE_ONLY = "page."
"""Keys that begin so are for templates and are not sent to the scripts."""

WARNING = "warning."
"""Keys of what readers say of a document, in English (web/warning_codes.py); the English page shows their own
sentences.
"""

Text = str | list[str]


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> dict[str, Text]:
    """All texts of a language."""
    path = Path(__file__).parent / "i18n" / f"{language}.json"
    found: dict[str, Text] = json.loads(path.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=len(LANGUAGES))
def for_scripts(language: str) -> dict[str, Text]:
    """The texts that the scripts show."""
    unused = (PAGE_ONLY, WARNING) if language == "en" else (PAGE_ONLY,)
    return {key: text for key, text in catalogue(language).items() if not key.startswith(unused)}


def translate(language: str, key: str, **values: Any) -> str:
    """A text with its places filled. An unknown key is an error of ours and raises KeyError."""
    text = catalogue(language)[key]
    if isinstance(text, list):
        text = text[0 if values["n"] == 1 else 1]
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def language_of(request: Request) -> str:
    """The language of a page."""
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in LANGUAGES:
            return str(wish)
    for tag in request.accept_languages.values():
        if (primary := tag.split("-")[0].lower()) in LANGUAGES:
            return primary
    return next(iter(LANGUAGES))
