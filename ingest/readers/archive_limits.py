"""How much an archive may unpack to, judged by its own directory before anything in it is read.

Owns the limits and the first opening of every zip: uploaded archives, Office files, e-books. Must not unpack anything.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from rag.errors import UnreadableError

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
    struct.error,
)
"""What `zipfile` raises on damaged, encrypted and exotic archives."""

_RATIO_FREE_BYTES = 16 << 20  # small archives may be as tight as they like
_DIRECTORY_BYTES_PER_MEMBER = 512
_END, _END64 = b"PK\x05\x06", b"PK\x06\x06"


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The most an archive may hold. `ratio`: unpacked to packed; `depth`: archives within archives, 0 for none."""

    members: int = 10_000
    unpacked_bytes: int = 512 << 20
    ratio: int = 200
    depth: int = 1


def bomb(reason: str) -> UnreadableError:
    """The error for an archive that is refused for its measures."""
    return UnreadableError(f"The archive was not opened: {reason}", code="archive_bomb")


def measure(file: BinaryIO, limits: ArchiveLimits | None = None) -> zipfile.ZipFile:
    """Open an archive whose own directory stays within the limits; the caller closes it. `zipfile` holds members to it.

    Raises:
        UnreadableError: over a limit (code "archive_bomb"), or no zip archive that can be opened.
    """
    limits = limits or ArchiveLimits()
    size = file.seek(0, 2)
    count, directory = _directory_size(file, size)
    if count > limits.members or directory > limits.members * _DIRECTORY_BYTES_PER_MEMBER:
        raise bomb(f"it holds more than {limits.members} members.")
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGE as error:
        raise UnreadableError(
            "The file is damaged, perhaps cut off: its archive cannot be opened. Save or download it anew and upload it again."
        ) from error
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if len(members) > limits.members:
        raise bomb(f"it holds {len(members)} members; the limit is {limits.members}.")
    if unpacked > limits.unpacked_bytes:
        raise bomb(f"it unpacks to {unpacked >> 20} MiB; the limit is {limits.unpacked_bytes >> 20}.")
    if unpacked > _RATIO_FREE_BYTES and unpacked > limits.ratio * max(packed, 1):
        raise bomb(f"it unpacks to {unpacked // max(packed, 1)} times its size; the limit is {limits.ratio} times.")
    if packed > size:
        raise bomb("its members overlap.")
    return archive


def _directory_size(file: BinaryIO, size: int) -> tuple[int, int]:
    """Members and bytes of the central directory as its end record says; (0, 0) where there is none (not a zip)."""
    file.seek(max(0, size - 65_557))
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        return 0, 0
    count, directory = struct.unpack_from("<HI", tail, end + 10)
    wide = tail.rfind(_END64, 0, end)
    if (count == 0xFFFF or directory == 0xFFFFFFFF) and wide >= 0 and len(tail) >= wide + 56:
        count, directory = struct.unpack_from("<QQ", tail, wide + 32)
    return count, directory
