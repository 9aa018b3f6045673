"""`docent git REPOSITORY`: makes a collection equal to a commit, as `sync` does to a folder.

A second run is a difference: files are told by their content, so only what changed between the commits is read again.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.folders import SOURCE
from cli.sync import Place, Wanted, make_equal
from ingest.sources.git import Git

if TYPE_CHECKING:
    from rag.settings import Settings


def run(
    settings: Settings,
    repository: str,
    wanted: Wanted,
    *,
    ref: str = "HEAD",
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    name: str | None = None,
    password: str | None = None,
    git: Git | None = None,
) -> int:
    """Carry the command out; its exit status. `git` defaults to one that fetches from the hosts of the settings."""
    started = time.monotonic()
    git = git or Git(hosts=settings.allow_urls)
    known = name or (repository if "://" in repository else str(Path(repository).resolve()))
    with tempfile.TemporaryDirectory(prefix="docent-git-") as scratch:
        commit = git.open(repository, ref, Path(scratch))
        files = Path(scratch, "files")
        files.mkdir()
        limit = settings.max_upload_mb << 20
        manifest = git.read(commit, files, max_bytes=limit, include=include, exclude=exclude)
        source = f"git:{known}"
        metadata = {SOURCE: source, "git_repository": known, "git_commit": commit.id}
        place = Place(source, f"{repository} at {commit.id[:12]}", metadata, password, {"commit": commit.id})
        return make_equal(manifest, place, wanted, settings, started=started)
