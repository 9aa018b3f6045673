"""What a folder holds: the digest of each accepted file by the name of its document.

Digests are the truth; sizes and times only save reading a file again while one process watches. Must not know where
documents are kept.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.naming import clean_filename
from ingest.readers.registry import accepted_extensions
from ingest.sources.folder import FoundFile, scan
from rag.errors import ConfigurationError, InvalidRequestError

# A file that changed this recently may change again within the clock's resolution: it is read again.
SETTLED_SECONDS = 2.0
_BLOCK = 1 << 18


@dataclass(slots=True)
class Manifest:
    """Digests and files by name; `unread` says of files that could not be read, why; `skipped` counts other types."""

    digests: dict[str, str] = field(default_factory=dict)
    files: dict[str, FoundFile] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    skipped: int = 0


class FolderReader:
    """Reads one folder, again and again."""

    def __init__(self, root: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self._root = root
        self._include = include
        self._exclude = exclude
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}

    def read(self) -> Manifest:
        """Hash what is there.

        Raises:
            ConfigurationError: no such folder, or a folder below it cannot be read.
        """
        if not self._root.is_dir():
            raise ConfigurationError(f"{self._root}: there is no such folder.")
        found = scan(
            [self._root], accepted=accepted_extensions(), include=self._include, exclude=self._exclude, strict=True
        )
        manifest = Manifest(skipped=len(found.skipped))
        known, self._known = self._known, {}
        for file in found.files:
            name = file.name
            try:
                name = clean_filename(file.name)
                if name in manifest.digests:
                    manifest.unread[file.name] = "another file has this name, but for characters that are not shown"
                    continue
                manifest.digests[name] = self._digest(file.path, known.get(file.path))
                manifest.files[name] = FoundFile(file.path, name)
            except InvalidRequestError as error:
                manifest.unread[name] = error.message
            except FileNotFoundError:  # gone since the folder was listed
                continue
            except OSError as error:
                manifest.unread[name] = f"cannot be read: {error.strerror}"
        return manifest

    def fingerprint(self) -> int:
        """A number that changes when the folder seems to: names, sizes and times, no content."""
        return hash(tuple(_entries(self._root)))

    def _digest(self, path: Path, known: tuple[tuple[int, ...], str] | None) -> str:
        with path.open("rb", buffering=0) as file:
            facts = _facts(os.fstat(file.fileno()))
            if known is not None and known[0] == facts:
                digest = known[1]
            else:
                hashing = hashlib.sha256()
                while block := file.read(_BLOCK):
                    hashing.update(block)
                digest = hashing.hexdigest()
        if time.time() - facts[1] / 1e9 > SETTLED_SECONDS:
            self._known[path] = (facts, digest)
        return digest


def _facts(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _entries(root: Path) -> list[tuple[str, int, int]]:
    found = []
    folders = [str(root)]
    while folders:
        try:
            with os.scandir(folders.pop()) as listing:
                for entry in listing:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        facts = entry.stat()
                        found.append((entry.path, facts.st_size, facts.st_mtime_ns))
        except OSError:
            found.append(("", 0, 0))  # gone or unreadable; reading the folder will tell
    return sorted(found)
