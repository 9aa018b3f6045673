"""`docent purge`: makes what was deleted unrecoverable from the files of the data folder.

The trash is emptied first: what lies there is deleted for good, as if each document of it had been. Deletions take
effect at once, but indexes keep traces: keyword segments until they are merged, vectors in Chroma's files, free pages.
All of these are written anew. What backups and disks keep beyond that is not within reach.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.audit import CatalogAudit
from cli.session import open_services, require_catalog
from ingest.storage.folder_identity import catalog_of
from rag.errors import UnavailableError
from vectorstore.chroma import ChromaIndex
from vectorstore.index_swap import settle
from vectorstore.owner import Ownership

if TYPE_CHECKING:
    from rag.settings import Settings


def run(settings: Settings, *, as_json: bool) -> int:
    """Carry the command out; its exit status."""
    folder = require_catalog(settings)
    started = time.monotonic()
    with Ownership(settings.data_dir):
        _finish_swap(folder.vectors)
    with open_services(settings, load=False) as services:
        settle(services.dense, services.collections.models())
        services.library.resume()  # deletions that a stop left behind
        emptied = services.trash.empty()
    with Ownership(settings.data_dir):
        vectors = renew_vectors(folder.vectors)
        with catalog_of(folder) as database:
            CatalogAudit(database).compact()
    seconds = time.monotonic() - started
    if as_json:
        print(json.dumps({"trash": emptied, "vectors": vectors, "seconds": round(seconds, 2)}))
    else:
        if emptied:
            print(f"{emptied} documents in the trash deleted for good.")
        print(
            f"Catalog, keyword indexes and {vectors} vectors written anew in {seconds:.1f} s; nothing deleted remains."
        )
    return 0


def renew_vectors(folder: Path) -> int:
    """Write the vectors of a Chroma folder, which nobody has open, into a new one and put it in the other's place.

    The new files are written by a fresh process, which never held what was deleted: the index writes its spare places
    as it finds them in memory, and in ours they may be what the old index left there.

    Raises:
        UnavailableError: the writing process failed; the folder is as it was.
    """
    if not folder.exists():
        return 0
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    writer = spawn.Process(target=_write, args=(fresh, receiver), name="purge-writer")
    writer.start()
    receiver.close()
    source = ChromaIndex(folder)
    copied = 0
    try:
        for space in source.spaces():
            for ids, owners, vectors in source.pages(space):
                sender.send((space, ids, vectors, owners))
                copied += len(ids)
        sender.send(None)
    except BrokenPipeError as error:
        raise UnavailableError("The process that writes the vectors anew ended early.") from error
    finally:
        source.close()
        sender.close()
        writer.join()
    if writer.exitcode:
        raise UnavailableError(f"The process that writes the vectors anew ended with status {writer.exitcode}.")
    folder.rename(folder.with_name(f"{folder.name}.old"))
    fresh.rename(folder)
    _finish_swap(folder)
    return copied


def _write(folder: Path, pages: Connection) -> None:
    """In a process of its own: store what comes through the pipe, up to None."""
    target = ChromaIndex(folder)
    target.load()
    try:
        while (page := pages.recv()) is not None:
            space, ids, vectors, owners = page
            target.upsert(space, ids, vectors, owners)
    finally:
        target.close()


def _finish_swap(folder: Path) -> None:
    """After a stop between the two renames the old folder is still whole; after both it is to go."""
    old = folder.with_name(f"{folder.name}.old")
    if old.exists() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
