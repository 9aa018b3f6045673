"""Archives to staged files: each member becomes a file of its own, as if it had been uploaded beside its neighbours.

Owns what becomes of the members that are left out: each is told, with its reason, as a file that failed. What an archive
may hold at all is measured in archives.py. Must not register anything.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from ingest.naming import clean_filename
from ingest.readers.archive_limits import bomb
from ingest.readers.registry import accepted_extensions, all_extensions, media_type_of
from ingest.storage.archives import ArchivePlan, ArchiveReader, Member, plan_archive
from rag.errors import DocentError, InvalidRequestError, UnavailableError, UnreadableError, UnsupportedTypeError

UNPACKING_SECONDS = 60.0
"""For one archive, as a whole: somebody waits for it."""

LITTER = "litter of the operating system"


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file that lies in the incoming folder. `rejected` says why it cannot be read at all; an `archive` is unpacked
    before it is registered.
    """

    path: Path
    filename: str
    bytes: int
    sha256: str
    media_type: str = "application/octet-stream"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rejected: DocentError | None = None
    archive: bool = False


Stage = Callable[[Callable[[BinaryIO], object], str, Mapping[str, Any]], StagedFile]
"""Stages what a function writes, under a name, with metadata."""


def unpack(archive: StagedFile, stage: Stage) -> list[StagedFile]:
    """The members of a staged archive as staged files; the archive itself where it cannot be unpacked as a whole.

    Raises:
        UnavailableError: they cannot be stored. Nothing of them is left behind.
    """
    staged: list[StagedFile] = []
    try:
        until = time.monotonic() + UNPACKING_SECONDS
        plan = plan_archive(archive.path)
        with ArchiveReader() as reader:
            for member in plan.members:
                if time.monotonic() > until:
                    raise bomb(f"unpacking it takes longer than {UNPACKING_SECONDS:g} seconds.")
                staged.append(_stage_member(archive, member, reader, stage))
        staged += _left_out(archive, plan)
        if not staged:
            raise UnreadableError("The archive holds no files.", code="empty")
    except UnreadableError as error:
        _discard(staged)
        return [replace(archive, archive=False, rejected=error)]
    except BaseException:
        _discard(staged)
        raise
    archive.path.unlink(missing_ok=True)
    return staged


def told_apart(files: Sequence[tuple[StagedFile, StagedFile]]) -> list[StagedFile]:
    """Files with the uploaded file that each came from. A member that bears another's name gets its archive's before it,
    so that two READMEs of one upload stay two documents.
    """
    taken = {file.filename for file, origin in files if file.filename == origin.filename}
    named = []
    for file, origin in files:
        if file.filename != origin.filename:
            if file.filename in taken:
                file = replace(file, filename=f"{origin.filename}/{file.filename}")
            taken.add(file.filename)
        named.append(file)
    return named


def _stage_member(archive: StagedFile, member: Member, reader: ArchiveReader, stage: Stage) -> StagedFile:
    metadata = {"archive": archive.filename, **archive.metadata}
    if PurePosixPath(member.path).suffix.lower() not in accepted_extensions():
        return _failed(archive, member.path, _unsupported(member.path))
    try:
        return stage(partial(reader.copy, member), member.path, metadata)
    except UnreadableError as error:
        if error.code == "archive_bomb":
            raise
        return _failed(archive, member.path, error)
    except InvalidRequestError as error:
        return _failed(archive, member.path, error)


def _left_out(archive: StagedFile, plan: ArchivePlan) -> list[StagedFile]:
    return [
        _failed(archive, path, UnreadableError(f"Left out of {archive.filename}: {reason}.", code="archive_member"))
        for path, reason in plan.skipped
        if reason != LITTER
    ]


def _unsupported(path: str) -> DocentError:
    if PurePosixPath(path).suffix.lower() in all_extensions():
        return UnsupportedTypeError("Pictures in archives are not read; upload those that show text by themselves.")
    try:
        media_type_of(path, b"any")
    except DocentError as error:
        return error
    return UnreadableError("Files of this type are not accepted.", code="unsupported_type")


def _failed(archive: StagedFile, path: str, error: DocentError) -> StagedFile:
    """A member that is not unpacked: a file without bytes. Its digest stands for it alone, for equal bytes are one document."""
    try:
        name = clean_filename(path)
    except InvalidRequestError:  # no name is left, or it is too long to be one
        name = path.encode(errors="replace").decode()[:60].replace("/", "_") or "(a member without a name)"
    digest = hashlib.sha256(f"{archive.sha256}\0{path}".encode(errors="replace")).hexdigest()
    empty = archive.path.with_name(uuid.uuid4().hex)
    try:
        empty.touch()
    except OSError as problem:
        raise UnavailableError(f"The file cannot be stored: {problem.strerror}.", code="storage") from problem
    metadata = {"archive": archive.filename, **archive.metadata}
    return StagedFile(empty, name, 0, digest, metadata=metadata, rejected=error)


def _discard(staged: Sequence[StagedFile]) -> None:
    for file in staged:
        file.path.unlink(missing_ok=True)
