"""Pictures of cited pages: drawn in a child process, kept on disk up to a limit, forgotten with their document.

Owns the picture cache, one folder a document. A picture's tag names all that it depends on, so a cached one is never wrong.
Must not draw: that is for the reader pool's children.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingest.readers.pdf.picture import PagePicture, PictureOrder
from ingest.storage.passwords import Passwords
from rag.errors import EncryptedError, NotFoundError, UnavailableError, UnreadableError

VERSION = 2
"""Of the drawing; a new one makes cached pictures old."""

MAX_BYTES = 256 << 20
LOCKED = (
    "The page cannot be drawn: the PDF needs its password again, which is kept in memory only. "
    "Send it as `password` to …/retry, or upload the file again with it."
)
_PATIENCE = 20.0  # seconds that a request waits for others to be drawn
_MAX_FAILURES = 256
_SHRINK = 0.8

log = logging.getLogger(__name__)


class PageRenderer(Protocol):
    """What draws: `ReaderPool`."""

    def draw(self, path: Path, order: PictureOrder, *, password: str | None = None) -> PagePicture:
        """Draw a page of the PDF at `path`."""

    def close(self) -> None:
        """End its processes."""


@dataclass(frozen=True, slots=True)
class Commission:
    """A picture that is wanted, of a document. Pictures with the same `tag` are the same."""

    document_id: str
    tag: str
    order: PictureOrder


class PagePictures:
    """Draws pages, one at a time, and remembers them below `folder`. Thread-safe.

    `content_path` tells where a document's bytes lie; `max_bytes` is what the pictures may take on disk.
    """

    def __init__(
        self,
        folder: Path,
        artist: PageRenderer,
        content_path: Callable[[str], Path],
        *,
        passwords: Passwords | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._folder = folder
        self._artist = artist
        self._content_path = content_path
        self._passwords = passwords or Passwords()
        self._max_bytes = max_bytes
        self._drawing = threading.Lock()
        self._storing = threading.Lock()
        self._bytes: int | None = None  # counted at the first picture
        self._failures: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def commission(
        self, document_id: str, sha256: str, *, number: int, width: int, text: str = "", start: int = 0, end: int = 0
    ) -> Commission:
        """What to draw: page `number` (1-based) `width` pixels wide, characters [start, end) of the page's `text` marked.

        `sha256` is that of the document's bytes.
        """
        parts = (VERSION, sha256, number, width, start, end, text)
        digest = hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace"))
        return Commission(document_id, digest.hexdigest()[:40], PictureOrder(number, width, text, start, end))

    def draw(self, commission: Commission) -> PagePicture:
        """The picture, drawn now or before.

        Raises:
            NotFoundError: there is no such page (code "page_not_found"), or the file is gone ("content_missing").
            EncryptedError: the document needs a password, or another one.
            UnreadableError: the page cannot be drawn; remembered, so that a hostile one costs its time once.
            UnavailableError: too many pictures are being drawn (code "pictures_busy").
        """
        if (known := self._known(commission)) is not None:
            return known
        if not self._drawing.acquire(timeout=_PATIENCE):
            raise UnavailableError("Other pages are being drawn. Try again shortly.", code="pictures_busy")
        try:
            if (known := self._known(commission)) is not None:  # drawn while this one waited
                return known
            source = self._content_path(commission.document_id)
            if not source.exists():
                raise NotFoundError("The original of this document is gone from the disk.", code="content_missing")
            password = self._passwords.of(commission.document_id)
            try:
                picture = self._artist.draw(source, commission.order, password=password)
            except EncryptedError as error:
                self._passwords.forget(commission.document_id)
                raise EncryptedError(LOCKED, code=error.code) from error
            except UnreadableError as error:
                self._failures[commission.tag] = (error.message, error.code)
                while len(self._failures) > _MAX_FAILURES:
                    self._failures.popitem(last=False)
                raise
        finally:
            self._drawing.release()
        self._store(commission, picture)
        return picture

    def forget(self, document_id: str) -> None:
        """Remove a document's pictures; call it when its bytes are gone."""
        folder = self._folder / document_id
        with self._storing:
            if folder.exists():
                shutil.rmtree(folder, ignore_errors=True)
                self._bytes = None

    def drop_orphans(self, known: Collection[str]) -> None:
        """At a start: remove the pictures of documents that are not known, and what was cut off while it was written."""
        if not self._folder.exists():
            return
        for folder in self._folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
        for path in self._folder.glob("*/*.part"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """End the process that draws."""
        self._artist.close()

    def _known(self, commission: Commission) -> PagePicture | None:
        if (failure := self._failures.get(commission.tag)) is not None:
            raise UnreadableError(failure[0], code=failure[1])
        for path in (self._folder / commission.document_id).glob(f"{commission.tag}-*.png"):
            with suppress(OSError, ValueError):
                _, wanted, found = path.stem.split("-")
                png = path.read_bytes()
                os.utime(path)  # the oldest go first
                # a power cut may leave the name without the bytes
                if png.startswith(b"\x89PNG") and png.endswith(b"IEND\xaeB`\x82"):
                    return PagePicture(png, int(wanted), int(found))
        return None

    def _store(self, commission: Commission, picture: PagePicture) -> None:
        name = f"{commission.tag}-{picture.wanted}-{picture.found}.png"
        target = self._folder / commission.document_id / name
        part = target.with_suffix(".part")
        with self._storing:
            if not self._content_path(commission.document_id).exists():
                return  # deleted meanwhile: nothing of it may stay
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                part.write_bytes(picture.png)
                part.replace(target)
            except OSError as error:  # a full disk costs the cache, not the picture
                log.warning("a picture cannot be kept: %s", error.strerror)
                part.unlink(missing_ok=True)
                return
            self._shrink(len(picture.png))

    def _shrink(self, added: int) -> None:
        """Count what was added; over the limit, drop the pictures that have not been asked for the longest."""
        self._bytes = self._bytes + added if self._bytes is not None else sum(size for _, size, _ in self._pictures())
        if self._bytes <= self._max_bytes:
            return
        for _, size, path in sorted(self._pictures()):
            if self._bytes <= _SHRINK * self._max_bytes:
                break
            path.unlink(missing_ok=True)
            self._bytes -= size

    def _pictures(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.glob("*/*.png"):
            with suppress(FileNotFoundError):
                found = path.stat()
                yield found.st_mtime, found.st_size, path
