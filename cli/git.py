"""`python -m ingest git REPOSITORY`: makes a collection equal to a commit, as `sync` does to a folder.

A second run is a difference: files are told by their content, so only what changed between the commits is read again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.folders import SOURCE
from cli.session import add_password_arguments, password_of
from cli.sync import Place, make_equal
from ingest.sources.git import Git

if TYPE_CHECKING:
    from rag.settings import Settings


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    command.add_argument("repository", metavar="REPOSITORY", help="a folder, or a URL at a host of DOCENT_ALLOW_URLS")
    command.add_argument("--ref", default="HEAD", help="branch, tag or commit (default: what HEAD is)")
    command.add_argument("--collection", default="default", metavar="C", help="default: default")
    command.add_argument("--include", action="append", default=[], metavar="GLOB", help="only files that match")
    command.add_argument("--exclude", action="append", default=[], metavar="GLOB", help="no files that match")
    command.add_argument("--dry-run", action="store_true", help="show the plan, and stop")
    command.add_argument("--prune", action="store_true", help="delete documents that did not come from it, too")
    command.add_argument("--yes", action="store_true", help="delete everything although the commit holds no files")
    command.add_argument("--name", help="what the repository is known by (default: its path or URL)")
    command.add_argument("--json", action="store_true", help="print the plan and the outcome as JSON")
    command.add_argument("--server", metavar="URL", help="default: the server that owns the data folder, if any")
    add_password_arguments(command)
    command.set_defaults(watch=False)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Carry the command out; its exit status."""
    return synchronise(options, settings, Git(hosts=settings.allow_urls))


def synchronise(options: argparse.Namespace, settings: Settings, git: Git) -> int:
    """The same with a given git."""
    started = time.monotonic()
    given = options.repository
    known = options.name or (given if "://" in given else str(Path(given).resolve()))
    with tempfile.TemporaryDirectory(prefix="docent-git-") as scratch:
        commit = git.open(given, options.ref, Path(scratch))
        files = Path(scratch, "files")
        files.mkdir()
        limit = settings.max_upload_mb << 20
        manifest = git.read(commit, files, max_bytes=limit, include=options.include, exclude=options.exclude)
        source = f"git:{known}"
        metadata = {SOURCE: source, "git_repository": known, "git_commit": commit.id}
        place = Place(source, f"{given} at {commit.id[:12]}", metadata, password_of(options), {"commit": commit.id})
        return make_equal(manifest, place, options, settings, started=started)
