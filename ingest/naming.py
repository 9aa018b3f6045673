"""File names as data: never a path, nothing that a screen would show wrongly."""

from __future__ import annotations

import re

from rag.errors import InvalidRequestError

MAX_NAME = 1024
MAX_SEGMENT = 255
# Controls, line ends, marks that turn the direction of a line (`exe.txt` shown for `txt.exe`), and the lone surrogates
# that stand for a name that is not UTF-8 on disk, which no database takes.
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def clean_filename(filename: str) -> str:
    """A file's name as data: control characters and climbing (`..`, a leading `/` or drive) removed, folders kept.

    Raises:
        InvalidRequestError: nothing is left, or it is too long.
    """
    parts = re.split(r"[\\/]", _UNSHOWN.sub("", filename).strip())
    # An empty part inside stays: "https://…" is the name of many a saved page.
    parts = [part for part in parts if part.strip() not in (".", "..")]
    while parts and (not parts[0].strip() or (len(parts) > 1 and re.fullmatch("[A-Za-z]:", parts[0]))):
        parts.pop(0)
    while parts and not parts[-1].strip():
        parts.pop()
    if not parts:
        raise InvalidRequestError("The file has no name.", code="invalid_filename")
    name = "/".join(parts)
    longest = max(map(len, parts))
    if len(name) > MAX_NAME or longest > MAX_SEGMENT:
        raise InvalidRequestError(
            f"The file name is too long: {longest} characters, at most {MAX_SEGMENT} "
            f"({MAX_NAME} with its folders). Rename the file.",
            code="invalid_filename",
        )
    return name
