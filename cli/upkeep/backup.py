"""`docent backup FILE.tar`: everything but weights, vectors included, as one file that `restore` takes.

The data folder must be free, so that catalog, uploads and vectors are of one moment. The file appears under its name
only when it is complete; a list of digests at its end tells later damage.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.engine import HEAD
from cli.session import require_catalog
from ingest.storage.data_folder import CATALOG, DataFolder
from ingest.storage.folder_identity import catalog_of
from rag.errors import ConfigurationError, UnavailableError
from vectorstore.owner import Ownership

if TYPE_CHECKING:
    from rag.settings import Settings

LISTING = "docent-backup.json"
FORMAT = 1
_BLOCK = 1 << 20


def run(settings: Settings, file: Path, *, as_json: bool) -> int:
    """Carry the command out; its exit status."""
    folder = require_catalog(settings)
    if file.exists():
        raise ConfigurationError(f"{file} exists already.")
    started = time.monotonic()
    with Ownership(settings.data_dir):
        files = write_backup(folder, file)
    size, seconds = file.stat().st_size, time.monotonic() - started
    if as_json:
        print(json.dumps({"file": str(file), "files": files, "bytes": size, "seconds": round(seconds, 2)}))
    else:
        print(f"{files} files, {size / 1e6:.1f} MB written to {file} in {seconds:.1f} s.")
    return 0


def write_backup(folder: DataFolder, target: Path) -> int:
    """Write the backup of a data folder that the caller owns; the number of files in it.

    Raises:
        UnavailableError: it cannot be written. Nothing is left behind.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            copy = Path(scratch, CATALOG)
            with catalog_of(folder) as database:
                database.copy_to(copy)
            digests: dict[str, str] = {}
            part.touch(mode=0o600)
            with tarfile.open(part, "w") as archive:
                for name, path in [(CATALOG, copy), *_members(folder)]:
                    digests[name] = _add(archive, name, path)
                _add_listing(archive, digests)
        part.replace(target)
    except OSError as error:
        raise UnavailableError(f"The backup cannot be written: {error.strerror}.", code="storage") from error
    finally:
        part.unlink(missing_ok=True)
    return len(digests)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _members(folder: DataFolder) -> Iterator[tuple[str, Path]]:
    for path in (*folder.originals(), *sorted(folder.vectors.rglob("*"))):
        if path.is_file():
            yield path.relative_to(folder.path).as_posix(), path


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    # the owner's name is nobody's business
    facts = tarfile.TarInfo(name)
    facts.size = path.stat().st_size
    with path.open("rb") as file:
        archive.addfile(facts, file)
    return digest_of(path)


def _add_listing(archive: tarfile.TarFile, digests: dict[str, str]) -> None:
    content = json.dumps({"format": FORMAT, "catalog": HEAD, "files": digests}).encode()
    facts = tarfile.TarInfo(LISTING)
    facts.size = len(content)
    archive.addfile(facts, io.BytesIO(content))
