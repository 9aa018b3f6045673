"""One owner of a data folder: the lock that keeps two processes from writing one index.

The lock is the kernel's (flock), so it ends with its process however that ends; the file's content only tells others
who holds it and where to send their work.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError, OwnedElsewhereError

LOCK_NAME = "owner.lock"


class Ownership:
    """The lock on a data folder; use as a context manager or call `release`."""

    def __init__(self, data_dir: Path) -> None:
        """Take the lock.

        Raises:
            OwnedElsewhereError: another process holds it; details may hold `pid` and `url`.
            ConfigurationError: the folder cannot be written.
        """
        self._path = data_dir / LOCK_NAME
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(PermissionError):  # somebody else's folder that we may use is for them to protect
                data_dir.chmod(0o700)  # documents are not for every account of the machine
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {data_dir} cannot be written ({error.strerror}). "
                "Change its permissions or set DOCENT_DATA_DIR to another folder."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            holder = read_owner(data_dir)
            who = f"process {holder['pid']}" if "pid" in holder else "another process"
            where = f" at {holder['url']}" if "url" in holder else ""
            raise OwnedElsewhereError(
                f"The data folder {data_dir} is in use by {who}{where}. "
                "Stop it, or set DOCENT_DATA_DIR to another folder.",
                details=holder,
            ) from error
        self.url: str | None = None
        self.announce(None)

    def announce(self, url: str | None) -> None:
        """Tell others who holds the folder and, once it is known, at which URL it takes requests."""
        self.url = url
        content = json.dumps({"pid": os.getpid(), **({"url": url} if url else {})}).encode()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, content, 0)

    def release(self) -> None:
        """Give the folder up. A second call does nothing."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Ownership:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def read_owner(data_dir: Path) -> dict[str, Any]:
    """What the holder of the lock last announced; empty when nobody did."""
    try:
        facts = json.loads((data_dir / LOCK_NAME).read_text(encoding="utf-8") or "{}")
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
