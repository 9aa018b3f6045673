"""Paths on a command line to the files they mean, each with the name it will have as a document.

A file is named as it is; a file below a folder by its path inside that folder, so that two READMEs stay two documents.
Hidden files and folders are left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from rag.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file and the name of its document."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What to ingest, and how many files of other types lay beside it."""

    files: tuple[FoundFile, ...]
    skipped: tuple[str, ...]


def scan(
    paths: Sequence[Path],
    *,
    accepted: Sequence[str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    strict: bool = False,
) -> Scan:
    """Find the files.

    Args:
        paths: files and folders; a file named here is taken whatever its type.
        accepted: extensions, lower case with their dot, taken from folders.
        include, exclude: glob patterns against the name, or its last part. Only what is included and not excluded.
        strict: a folder that cannot be read is an error; otherwise it counts as empty.

    Raises:
        ConfigurationError: a path does not exist.
    """
    files: list[FoundFile] = []
    skipped: list[str] = []
    for root in paths:
        if not root.exists():
            raise ConfigurationError(f"{root}: there is no such file or folder.")
        cut = len(str(root / "x")) - 1
        for path in [root] if root.is_file() else _walk(root, strict=strict):
            shown = root.name if path == root else str(path)[cut:]
            name = os.fsencode(shown).decode(errors="replace")  # a name on disk need not be UTF-8
            if not is_chosen(name, include, exclude):
                continue
            if path != root and path.suffix.lower() not in accepted:
                skipped.append(name)
            else:
                files.append(FoundFile(path, name))
    return Scan(tuple(files), tuple(skipped))


def is_chosen(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether a name is included (by default it is) and not excluded."""
    return not (include and not _matches(name, include)) and not _matches(name, exclude)


def _walk(root: Path, *, strict: bool) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, onerror=_refuse if strict else None):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _refuse(error: OSError) -> None:
    raise ConfigurationError(f"{error.filename}: the folder cannot be read ({error.strerror}).") from error


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) or fnmatch(name.rsplit("/", 1)[-1], pattern) for pattern in patterns)
