"""Whether a catalog is the one of the data folder it lies in: the question before anything of the folder is touched.

Catalog and folder share a random id and a generation that grows with every start. A catalog that is missing, emptied, of another
folder, older than the files or copied without its write-ahead log knows too little: what it does not know would look like
litter. Such a folder is refused, with the reason, until `doctor --repair` has taken the originals in again.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from catalog.engine import Database
from catalog.files import FileCatalog, Identity
from ingest.storage.data_folder import DataFolder
from ingest.storage.staging import staged_ids
from rag.errors import ConfigurationError

MEND = (
    "Nothing was changed. Put the right catalog back, with its -wal file if there is one, or restore a backup into a new folder; "
    "or run `python -m ingest doctor --repair`, which reads the originals anew."
)


class StrangeCatalogError(ConfigurationError):
    """The catalog is not the one that knows this folder's files."""

    code = "strange_catalog"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the folder says of itself. `open`: it was not given up orderly, or somebody has it open."""

    identity: Identity
    open: bool = False


def open_catalog(folder: DataFolder, *, adopt: bool = False) -> Database:
    """Open the catalog of a folder that the caller owns, and count this as a start. Make both where the folder is new.

    Args:
        adopt: make the catalog the folder's own, whatever it knows (`doctor --repair`). No file is touched.

    Raises:
        StrangeCatalogError: it does not know the folder's files. Nothing was changed but its schema.
        ConfigurationError: see `Database`.
    """
    mark = read_mark(folder)
    if folder.unfinished_restore.exists():
        raise StrangeCatalogError(
            f"A restore into {folder.path} was cut off. Run `python -m ingest restore` again with the same backup."
        )
    if not adopt:
        _require_catalog(folder)
    without_log = mark is not None and mark.open and not folder.write_ahead_log.exists()
    database = Database(folder.catalog)
    try:
        catalog = FileCatalog(database)
        known = catalog.read()
        if not adopt:
            _require_own(folder, catalog, mark, without_log=without_log)
        base = mark.identity if mark else known or Identity(uuid.uuid4().hex, 0)
        newest = max(each.generation for each in (base, known) if each)
        identity = Identity(base.id, newest + 1)
        catalog.write(identity)
        _synchronise(folder)
        _write_mark(folder, Mark(identity, open=True))
    except BaseException:
        database.close()
        raise
    return database


def close_catalog(folder: DataFolder, database: Database) -> None:
    """Close the catalog, and note that it is whole without its log."""
    database.close()
    if (mark := read_mark(folder)) is not None:
        _write_mark(folder, Mark(mark.identity))


@contextmanager
def catalog_of(folder: DataFolder) -> Iterator[Database]:
    """The folder's catalog, for the length of a block. See `open_catalog` for errors."""
    database = open_catalog(folder)
    try:
        yield database
    finally:
        close_catalog(folder, database)


def read_mark(folder: DataFolder) -> Mark | None:
    """The folder's mark; None where it has none that can be read."""
    try:
        found = json.loads(folder.mark.read_text(encoding="utf-8"))
        return Mark(Identity(str(found["id"]), int(found["generation"])), bool(found["open"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _require_catalog(folder: DataFolder) -> None:
    if folder.has_catalog():
        return
    if number := len(folder.originals()):
        raise StrangeCatalogError(
            f"The catalog {folder.catalog} is missing or empty, but {folder.uploads} holds {number} originals. {MEND}"
        )


def _require_own(folder: DataFolder, catalog: FileCatalog, mark: Mark | None, *, without_log: bool) -> None:
    files = {path.name for path in folder.originals()}
    if not files:
        return  # nothing can be lost
    known = catalog.read()
    unknown = files - catalog.known_files() - staged_ids(folder)
    if mark is None:
        if len(unknown) == len(files):
            raise _strange(folder, f"knows none of the {len(files)} originals in {folder.uploads}")
    elif known is None:
        raise _strange(folder, "is new or of an earlier version, and the folder was opened with another one since")
    elif known.id != mark.identity.id:
        raise _strange(folder, "belongs to another data folder")
    elif known.generation < mark.identity.generation:
        raise _strange(folder, f"is older than the files: {len(unknown)} originals are not in it")
    elif without_log and unknown:
        raise _strange(
            folder, f"lost its last changes (its -wal file is missing): {len(unknown)} originals are not in it"
        )


def _strange(folder: DataFolder, what: str) -> StrangeCatalogError:
    return StrangeCatalogError(f"The catalog {folder.catalog} {what}. {MEND}")


def _synchronise(folder: DataFolder) -> None:
    """Have the catalog's last transaction on the disk before the mark tells of it: a power cut must not make it look old."""
    if folder.write_ahead_log.exists():
        log = os.open(folder.write_ahead_log, os.O_RDONLY)
        try:
            os.fsync(log)
        finally:
            os.close(log)


def _write_mark(folder: DataFolder, mark: Mark) -> None:
    content = {"id": mark.identity.id, "generation": mark.identity.generation, "open": mark.open}
    part = folder.mark.with_suffix(".part")
    try:
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(folder.mark)
    except OSError as error:
        raise ConfigurationError(f"The data folder {folder.path} cannot be written ({error.strerror}).") from error
