"""Reads files in child processes, so that a hostile or damaged one costs a process and never the server.

Owns the life of the children: started on demand, kept for many files, killed on timeout, replaced after a crash. Nothing
that a child says is trusted beyond JSON of the expected shape. Must not know any file format.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from queue import LifoQueue
from typing import Any, TypeVar

from ingest.readers.pdf.picture import PagePicture, PictureOrder
from ingest.readers.sandbox.child import receive, send
from rag.errors import (
    DocentError,
    EncryptedError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
    UnreadableError,
    UnsupportedTypeError,
)
from rag.types import Heading, PageSpan, ParsedDocument

FILES_PER_CHILD = 500
"""Files after which a child is replaced, so that what libraries leak stays bounded."""
_READ_BYTES = 1 << 20
_REPORT_S = 0.5  # between two reports of progress that are passed on

_PROJECT = Path(__file__).resolve().parents[3]
_ERRORS: dict[str, Callable[..., DocentError]] = {
    each.__name__: each
    for each in (UnreadableError, EncryptedError, UnsupportedTypeError, TooLargeError, NotFoundError)
}
# The child gets what Python needs to start and no more: settings may hold keys.
_ENVIRONMENT = tuple("PATH LANG LC_ALL HOME TMPDIR TEMP TMP SYSTEMROOT LD_LIBRARY_PATH TESSDATA_PREFIX".split())

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told how many pages are read, and how many there are."""

logger = logging.getLogger(__name__)


class ReaderPool:
    """Up to `workers` files are read at once, each in its own process. Thread-safe; children start at first use.

    `timeout_s` is the longest wall-clock time for one file, `memory_mb` the address space of a child in MiB, `ocr` what
    reads pages that are pictures (see `engines.engine_of`), and `ocr_timeout_s` how long that may take for a file. Each page
    that was recognised gives the file its time anew.
    """

    def __init__(
        self, *, workers: int = 1, timeout_s: float, memory_mb: int, ocr: str = "off", ocr_timeout_s: float = 600.0
    ) -> None:
        self._ocr = ocr
        self._ocr_timeout_s = ocr_timeout_s
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._lock = threading.Lock()
        self._closed = False
        self._children: set[_Child] = set()
        self._idle: LifoQueue[_Child | None] = LifoQueue()
        for _ in range(workers):
            self._idle.put(None)

    def read(
        self, path: Path, filename: str, *, password: str | None = None, progress: Progress | None = None
    ) -> ParsedDocument:
        """Read the file at `path`, whose user-given name is `filename`; waits for a free child. `progress` is told after
        each page that was recognised.

        Raises:
            DocentError: as `registry.read_file`, and UnreadableError with code "reader_timeout", "reader_memory",
                "reader_crashed" or "reader_failed".
            UnavailableError: the pool is closed, or no child can be started.
        """
        message = {"path": os.fspath(path.absolute()), "filename": filename, "password": password}
        return self._ask(message, _document, progress)

    def abandon(self, path: Path) -> None:
        """Break off the reading of that file, if it is under way: its `read` ends with code "reader_abandoned"."""
        wanted = os.fspath(path.absolute())
        with self._lock:
            children = list(self._children)
        for child in children:
            child.abandon(wanted)

    def draw(self, path: Path, order: PictureOrder, *, password: str | None = None) -> PagePicture:
        """Draw a page of the PDF at `path`; waits for a free child.

        Raises:
            DocentError: as `pdf_picture.draw`, and as `read`.
        """
        message = {"path": os.fspath(path.absolute()), "picture": asdict(order), "password": password}
        return self._ask(message, _picture)

    def _ask(
        self, message: dict[str, Any], understand: Callable[[dict[str, Any]], T], progress: Progress | None = None
    ) -> T:
        child = self._idle.get()
        try:
            if child is None or not child.usable:
                self._retire(child)
                child = None
                child = self._start()
            return child.ask(message, understand, progress)
        finally:
            if child is not None and not child.usable:
                self._retire(child)
                child = None
            self._idle.put(child)

    def close(self) -> None:
        """End all children, also those in the middle of a file. Harmless when repeated."""
        with self._lock:
            self._closed = True
            children = list(self._children)
        for child in children:
            self._retire(child)

    def _start(self) -> _Child:
        with self._lock:
            if self._closed:
                raise UnavailableError("The readers have been shut down.")
            child = _Child(self._timeout_s, self._memory_mb, self._ocr, self._ocr_timeout_s)
            self._children.add(child)
        return child

    def _retire(self, child: _Child | None) -> None:
        if child is not None:
            with self._lock:
                self._children.discard(child)
            child.stop()


class _Child:
    """One process; used by one thread at a time, stopped by any."""

    def __init__(self, timeout_s: float, memory_mb: int, ocr: str, ocr_timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._longest_s = timeout_s if ocr == "off" else timeout_s + ocr_timeout_s
        self._files = 0
        self._path = ""  # of the file that it has in hand
        self._timed_out = False
        self._abandoned = False
        self._out_of_memory = False
        arguments = [str(memory_mb), str(timeout_s), str(os.getpid()), ocr, str(ocr_timeout_s)]
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        search_path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
        # One thread for Tesseract: the other processor answers questions meanwhile.
        environment |= {"PYTHONPATH": search_path, "PYTHONUTF8": "1", "OMP_THREAD_LIMIT": "1"}
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
                [sys.executable, "-m", "ingest.readers.sandbox.child", *arguments],
                cwd=_PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise UnavailableError(f"No reader process can be started: {error.strerror}.") from error

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether another file may be given to it."""
        spent = self._timed_out or self._out_of_memory or self._files >= FILES_PER_CHILD
        return not spent and self._process.poll() is None

    def ask(
        self, message: dict[str, Any], understand: Callable[[dict[str, Any]], T], progress: Progress | None = None
    ) -> T:
        """Have a request answered. Raises as `ReaderPool.read`; the child may not be usable afterwards."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._files += 1
        self._path = str(message["path"])
        try:
            send(self._process.stdin, message)  # type: ignore[arg-type]
            reply = self._reply(self._process.stdout.fileno(), progress)
        except TimeoutError:
            self._timed_out = True
            reply = None
        except (OSError, json.JSONDecodeError, UnicodeDecodeError):
            reply = None
        finally:
            self._path = ""
        if reply is None:
            raise self._fallen()
        if "error" in reply:
            raise self._reported(reply["error"])
        try:
            return understand(reply)
        except (KeyError, TypeError, ValueError) as error:
            self.stop()
            raise UnreadableError("The reader gave no sensible answer for this file.", code="reader_crashed") from error

    def _reply(self, pipe: int, progress: Progress | None) -> dict[str, Any] | None:
        """The answer itself. Each report before it gives the child its time anew, but not for ever: it may be hostile."""
        last, told = time.monotonic() + self._longest_s, 0.0
        while True:
            reply = receive(_Until(min(time.monotonic() + self._timeout_s, last), pipe))
            if reply is None or "progress" not in reply:
                return reply
            counts = _counts(reply)
            if counts is None:
                return None
            if progress is None or time.monotonic() - told < _REPORT_S:
                continue
            told = time.monotonic()
            try:
                progress(*counts)
            except BaseException:
                self.stop()  # it would go on, and its answer be taken for that to the next file
                raise

    def abandon(self, path: str) -> None:
        """Kill the process if it has that file in hand."""
        if self._path == path:
            self._abandoned = True
            self._process.kill()

    def stop(self) -> None:
        """Kill the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # unsent bytes for a process that is gone
                    logger.debug("pipe of reader %d was broken", self.pid)

    def _fallen(self) -> UnreadableError:
        self._process.kill()
        status = self._process.wait()
        if self._abandoned:
            return UnreadableError("The reading was broken off.", code="reader_abandoned")
        if self._timed_out or status == -getattr(signal, "SIGXCPU", 0):
            return UnreadableError(
                f"Reading the file took longer than {self._timeout_s:g} seconds. Split it, or raise DOCENT_READER_TIMEOUT_S.",
                code="reader_timeout",
            )
        logger.warning("reader %d ended with status %d", self.pid, status)
        return UnreadableError(
            "The reader crashed on this file; it may be damaged. Open it in its own program and save it anew.",
            code="reader_crashed",
        )

    def _reported(self, error: dict[str, Any]) -> DocentError:
        code = str(error["code"])
        if code == "reader_memory":
            self._out_of_memory = True  # what it could not free stays with it
            return UnreadableError(
                "Reading the file needs more memory than DOCENT_READER_MEMORY_MB allows. Split it, or raise that setting.",
                code=code,
            )
        if code == "reader_failed":
            logger.error("reader %d failed: %s", self.pid, error.get("cause"))
            return UnreadableError(
                "The file cannot be read; it may be damaged. Open it in its own program and save it anew.", code=code
            )
        kind = _ERRORS.get(str(error["kind"]), UnreadableError)
        return kind(str(error["message"]), code=code, details=dict(error["details"]))


class _Until:
    """A pipe as a stream that is read until a moment of the monotonic clock."""

    def __init__(self, deadline: float, pipe: int) -> None:
        self._deadline = deadline
        self._pipe = select.poll()  # unlike select, it takes any descriptor
        self._pipe.register(pipe, select.POLLIN)
        self._descriptor = pipe

    def read(self, count: int) -> bytes:
        """As many bytes, fewer at the end. Raises TimeoutError."""
        parts: list[bytes] = []
        while count:
            left = self._deadline - time.monotonic()
            if left <= 0 or not self._pipe.poll(1000 * left):
                raise TimeoutError
            part = os.read(self._descriptor, min(count, _READ_BYTES))
            if not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _counts(reply: dict[str, Any]) -> tuple[int, int] | None:
    match reply["progress"]:
        case [int(done), int(total)] if 0 <= done <= total < 1 << 31:
            return done, total
    return None


def _picture(reply: dict[str, Any]) -> PagePicture:
    fields = reply["picture"]
    return PagePicture(b64decode(fields["png"], validate=True), int(fields["wanted"]), int(fields["found"]))


def _document(reply: dict[str, Any]) -> ParsedDocument:
    fields = reply["document"]
    return ParsedDocument(
        text=str(fields["text"]),
        pages=tuple(PageSpan(int(each["number"]), int(each["start"]), int(each["end"])) for each in fields["pages"]),
        headings=tuple(
            Heading(int(each["level"]), str(each["title"]), int(each["start"])) for each in fields["headings"]
        ),
        metadata={str(key): str(value) for key, value in dict(fields["metadata"]).items()},
        warnings=tuple(str(each) for each in fields["warnings"]),
    )
