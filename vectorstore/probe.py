"""`python -m vectorstore.probe FOLDER`: opens a Chroma folder and reads all of it, in a process of its own.

A damaged index can end the process that opens it, without an error to catch. So after an unclean stop the index is
first opened here; what the exit status says is for `is_sound`. Also owns where a damaged folder goes.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.vectors import Vectors
    from vectorstore.chroma import ChromaIndex

PROBE_SECONDS = 900
SAMPLES = 50  # of each page of 5,000 vectors
MAX_LOST = 0.1
SELF_SCORE = 0.99
"""Cosine of a vector with itself, less what single precision costs."""

_PROJECT = Path(__file__).resolve().parents[1]
_SOUND = 7  # no status that an interpreter ends with by accident

log = logging.getLogger(__name__)


def is_sound(folder: Path) -> bool:
    """Whether a Chroma folder, which nobody has open, can be opened and read as a whole. One without files is."""
    database = folder / "chroma.sqlite3"
    if not database.exists():
        return True
    with database.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return False
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module, no shell
            [sys.executable, "-m", "vectorstore.probe", str(folder)],
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.error("reading the vector index took longer than %d s", PROBE_SECONDS)
        return False
    if done.returncode != _SOUND:
        log.error("the vector index is damaged: reading it ended with status %d", done.returncode)
    return done.returncode == _SOUND


def set_aside(folder: Path) -> Path:
    """Move a damaged folder out of the way, in the place of an older one; where it is now."""
    aside = folder.with_name(f"{folder.name}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    return aside


def main(folder: str) -> int:
    """Read everything: ids and vectors by page, and whether vectors find themselves."""
    from vectorstore.chroma import ChromaIndex
    from vectorstore.hnsw_files import links_hold

    if not all(links_hold(part) for part in Path(folder).iterdir() if part.is_dir()):
        return 1
    index = ChromaIndex(Path(folder), marked=False)
    for space in index.spaces():
        asked = lost = 0
        for ids, _, vectors in index.pages(space):
            if len(vectors) != len(ids):
                return 1
            step = max(1, len(ids) // SAMPLES)
            asked += len(ids[::step])
            lost += len(lost_vectors(index, space, ids[::step], vectors[::step]))
        # the index is an approximate one: a few of many thousand may be missed without any damage
        if lost > MAX_LOST * asked:
            return 1
    index.close()
    return _SOUND


def lost_vectors(index: ChromaIndex, space: int, ids: Sequence[str], vectors: Vectors) -> list[str]:
    """Those of the chunks that a search for their own vector does not lead to, nor to an equal one."""
    lost = []
    for chunk, vector in zip(ids, vectors, strict=True):
        hits = index.query(space, vector, limit=3)
        if not hits or hits[0].score < SELF_SCORE:
            lost.append(chunk)
    return lost


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
