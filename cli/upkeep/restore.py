"""`docent restore FILE.tar`: fills an empty data folder from a backup. No model is called.

Everything is unpacked beside its place and held against the backup's list of digests before any of it counts; the
catalog is put into place last, so that a data folder which has one is complete.
"""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.engine import Database
from cli.upkeep.backup import FORMAT, LISTING, digest_of
from ingest.storage.data_folder import CATALOG, UPLOADS, VECTORS, DataFolder
from rag.errors import ConfigurationError
from vectorstore.owner import Ownership

if TYPE_CHECKING:
    from rag.settings import Settings

_NAME = re.compile(
    rf"{re.escape(CATALOG)}|{re.escape(LISTING)}|{UPLOADS}/[0-9a-f]{{2}}/[0-9a-f]{{32}}|{VECTORS}(/[\w\-][\w.\-]*)+"
)


def run(settings: Settings, file: Path, *, as_json: bool) -> int:
    """Carry the command out; its exit status."""
    started = time.monotonic()
    if not file.is_file():
        raise ConfigurationError(f"{file}: there is no such file.")
    folder = DataFolder(settings.data_dir)
    with Ownership(folder.path):
        files = read_backup(file, folder)
    seconds = time.monotonic() - started
    if as_json:
        print(json.dumps({"files": files, "data_dir": str(settings.data_dir), "seconds": round(seconds, 2)}))
    else:
        print(f"{files} files restored into {settings.data_dir} in {seconds:.1f} s.")
    return 0


def read_backup(source: Path, folder: DataFolder) -> int:
    """Fill a data folder that the caller owns; the number of files. What an earlier restore that was cut off has left is replaced.

    Raises:
        ConfigurationError: the folder is not empty, or the file is no backup, damaged, or of a newer Docent.
    """
    again = folder.unfinished_restore.exists()
    if not again:
        _require_empty(folder)
    try:
        with tempfile.TemporaryDirectory(prefix="restoring-", dir=folder.path) as scratch:
            unpacked = DataFolder(Path(scratch))
            files = _unpack(source, unpacked.path)
            Database(unpacked.catalog).close()  # one that this Docent can open
            folder.unfinished_restore.touch()
            for name in (UPLOADS, VECTORS):
                shutil.rmtree(folder.path / name, ignore_errors=True)
            folder.mark.unlink(missing_ok=True)  # the next start makes one that is the catalog's
            for name in (UPLOADS, VECTORS, CATALOG):
                if (unpacked.path / name).exists():
                    (unpacked.path / name).rename(folder.path / name)
            folder.unfinished_restore.unlink()
    except (tarfile.TarError, EOFError) as error:
        raise ConfigurationError(f"{source} is no backup of Docent, or it is cut off.") from error
    except OSError as error:
        raise ConfigurationError(f"{source} cannot be restored: {error.strerror}.") from error
    return files


def _require_empty(folder: DataFolder) -> None:
    found = [path.name for path in (folder.catalog, folder.vectors) if path.exists()]
    if folder.originals():
        found.append("uploads")
    if found:
        raise ConfigurationError(f"{folder.path} is not empty: it has {found[0]}. Set DOCENT_DATA_DIR to a new folder.")


def _unpack(source: Path, folder: Path) -> int:
    with tarfile.open(source, "r:") as archive:
        for member in archive:
            if not member.isfile() or not _NAME.fullmatch(member.name):
                raise ConfigurationError(f"{source} is no backup of Docent: it holds {member.name[:100]!r}.")
            content = archive.extractfile(member)
            assert content is not None
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            with content, path.open("wb") as target:
                shutil.copyfileobj(content, target, 1 << 20)
    listing = _listing(source, folder)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {LISTING}
    for name in sorted(present ^ set(listing)):
        raise ConfigurationError(f"{source} is damaged: {name} is missing, or should not be there.")
    for name, digest in listing.items():
        if digest_of(folder / name) != digest:
            raise ConfigurationError(f"{source} is damaged: {name} is not what was written.")
    return len(listing)


def _listing(source: Path, folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / LISTING).read_text(encoding="utf-8"))
        if found["format"] > FORMAT:
            raise ConfigurationError(f"{source} was written by a newer Docent. Install that version or newer.")
        files: dict[str, str] = dict(found["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{source} is no backup of Docent, or it is cut off.") from error
    return files
