"""Zip archives, measured before anything in them is unpacked.

Owns which members may become documents: paths, links, nesting, one set of limits for all levels (`archive_limits`).
`plan_archive` lists them and `Member.copy_to` unpacks one as a stream.
Nothing is ever written under a name that an archive chose.
"""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from ingest.readers.archive_limits import DAMAGE, ArchiveLimits, bomb, measure
from ingest.storage.member_names import told_names
from rag.errors import UnreadableError

_BLOCK = 1 << 20
_LITTER = frozenset({"__MACOSX", ".git", ".svn", "__pycache__"})
_LITTER_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `path` is relative, with "/", safe to show; `size` is its unpacked bytes as declared.

    `within` names the members to open on the way to it, outermost first.
    """

    path: str
    size: int
    within: tuple[str, ...]
    archive: Path

    def copy_to(self, target: BinaryIO) -> int:
        """Write the content to `target` and return the number of bytes, at most `size`. Of many, use `ArchiveReader`.

        Raises:
            UnreadableError: damaged, or longer than it said.
        """
        with ArchiveReader() as reader:
            return reader.copy(self, target)


class ArchiveReader:
    """Unpacks members of archives, each archive opened once: the ones around the last member stay open. Use as a context manager."""

    def __init__(self) -> None:
        self._levels: list[tuple[Path, tuple[str, ...], zipfile.ZipFile, ExitStack]] = []

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_from(0)

    def copy(self, member: Member, target: BinaryIO) -> int:
        """See `Member.copy_to`."""
        written = 0
        for block in self._blocks(member):
            written += len(block)
            if written > member.size:
                raise bomb(f"{member.path} unpacks to more than it says.")
            target.write(block)  # a full disk is not the archive's fault
        return written

    def _blocks(self, member: Member) -> Iterator[bytes]:
        try:
            with self._archive(member.archive, member.within[:-1]).open(member.within[-1]) as stream:
                while block := stream.read(_BLOCK):
                    yield block
        except (*DAMAGE, KeyError) as error:
            raise UnreadableError(f"{member.path} is damaged inside its archive.") from error

    def _archive(self, path: Path, within: tuple[str, ...]) -> zipfile.ZipFile:
        """The archive that a member lies in, opened where it is not open yet."""
        for depth in range(len(within) + 1):
            wanted = within[:depth]
            if len(self._levels) > depth and self._levels[depth][:2] == (path, wanted):
                continue
            self._close_from(depth)
            stack = ExitStack()
            try:
                if depth:
                    around = self._levels[depth - 1][2]
                    info = around.getinfo(wanted[-1])
                    file = stack.enter_context(_seekable(stack.enter_context(around.open(info)), info.file_size))
                else:
                    file = stack.enter_context(path.open("rb"))
                archive = stack.enter_context(zipfile.ZipFile(file))
            except BaseException:
                stack.close()
                raise
            self._levels.append((path, wanted, archive, stack))
        return self._levels[len(within)][2]

    def _close_from(self, depth: int) -> None:
        while len(self._levels) > depth:
            self._levels.pop()[3].close()


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """What would come out of an archive, in the order of its directory, and what was `skipped`: path and reason."""

    members: tuple[Member, ...]
    skipped: tuple[tuple[str, str], ...]


def plan_archive(path: Path, limits: ArchiveLimits | None = None) -> ArchivePlan:
    """The members of the zip at `path`, with those of zips inside it down to `limits.depth`, all within one set of limits.

    Raises:
        UnreadableError: as `measure`, and when the members of all levels together are over a limit.
    """
    limits = limits or ArchiveLimits()
    tally = _Tally(limits)
    with path.open("rb") as file:
        _collect(_Level(file, path, "", (), limits.depth), tally)
    return ArchivePlan(tuple(tally.members), tuple(tally.skipped))


class _Tally:
    """What has been found on all levels together."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.members: list[Member] = []
        self.skipped: list[tuple[str, str]] = []
        self._bytes = 0
        self._entries = 0

    def count(self, size: int) -> None:
        """Count an entry of `size` unpacked bytes. Raises UnreadableError over the limits."""
        self._entries += 1
        self._bytes += size
        if self._entries > self.limits.members:
            raise bomb(f"it holds more than {self.limits.members} members.")
        if self._bytes > self.limits.unpacked_bytes:
            raise bomb(f"it unpacks to more than {self.limits.unpacked_bytes >> 20} MiB.")


@dataclass(frozen=True, slots=True)
class _Level:
    """One archive on the way down: its open file, the root archive, the path shown before its members, levels left."""

    file: BinaryIO
    root: Path
    prefix: str
    within: tuple[str, ...]
    depth: int


def _collect(level: _Level, tally: _Tally) -> None:
    seen: set[str] = set()
    with measure(level.file, tally.limits) as archive:
        members = archive.infolist()
        told = told_names(members)
        for info in members:
            tally.count(info.file_size)
            if info.is_dir():
                continue
            name = told.get(info.filename, info.filename)
            shown = level.prefix + name.replace("\\", "/")
            reason = _reason_to_skip(info, name, seen)
            seen.add(info.filename)
            if reason:
                tally.skipped.append((shown, reason))
            elif name.lower().endswith(".zip"):
                _descend(level, archive, info, shown, tally)
            else:
                tally.members.append(Member(shown, info.file_size, (*level.within, info.filename), level.root))


def _descend(level: _Level, archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, tally: _Tally) -> None:
    if level.depth < 1:
        tally.skipped.append((shown, "archives nested too deeply"))
        return
    try:
        with archive.open(info) as stream, _seekable(stream, info.file_size) as file:
            _collect(_Level(file, level.root, f"{shown}/", (*level.within, info.filename), level.depth - 1), tally)
    except DAMAGE:
        tally.skipped.append((shown, "damaged"))
    except UnreadableError as error:
        if error.code == "archive_bomb":
            raise
        tally.skipped.append((shown, "damaged"))


def _reason_to_skip(info: zipfile.ZipInfo, name: str, seen: set[str]) -> str | None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts:
        return "unsafe path"
    if _LITTER.intersection(parts) or parts[-1].lower() in _LITTER_FILES:
        return "litter of the operating system"
    if parts[0].startswith("/") or ".." in parts or ":" in parts[0] or len(name) > 1000:
        return "unsafe path"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link or a device"
    if info.flag_bits & 0x1:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        return "unknown compression"
    return "a second member of the same name" if info.filename in seen else None


@contextmanager
def _seekable(stream: IO[bytes], size: int) -> Iterator[BinaryIO]:
    """A copy of a member that can be opened as an archive; on disk once it is large."""
    with tempfile.SpooledTemporaryFile(max_size=8 << 20) as copy:
        left = size
        while left > 0 and (block := stream.read(min(_BLOCK, left))):
            copy.write(block)
            left -= len(block)
        copy.seek(0)
        yield copy  # type: ignore[misc]  # offers what a BinaryIO does
