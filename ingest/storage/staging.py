"""Which files are being put into place and are acknowledged to nobody yet, in a note that outlives a stop.

A file is stored before its document is registered. A stop between the two leaves a file without a row; this note is how the next
start knows that such a file is no original of anybody's.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ingest.storage.data_folder import DataFolder, is_id

_SUFFIX = ".staging"


@contextmanager
def staging(folder: DataFolder, ids: Sequence[str]) -> Iterator[None]:
    """Within the block these files are put into place and registered; a stop inside leaves the note.

    Raises:
        OSError: the note cannot be written.
    """
    note = folder.incoming / f"{uuid.uuid4().hex}{_SUFFIX}"
    try:
        note.write_text("\n".join(ids), encoding="ascii")
        yield
    finally:
        note.unlink(missing_ok=True)


def staged_ids(folder: DataFolder) -> set[str]:
    """The files of all notes that a stop has left."""
    found: set[str] = set()
    for note in folder.incoming.glob(f"*{_SUFFIX}"):
        found.update(line for line in note.read_text(encoding="ascii", errors="replace").split() if is_id(line))
    return found
