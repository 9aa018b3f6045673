"""`docent ingest`, `sync`, `git` and `retry`: what brings documents in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli import options


@click.command(epilog="Also `python -m ingest PATH…`, which knows sync, git, retry and the upkeep by their names, too.")
@click.argument("paths", nargs=-1, required=True, type=options.PATH, metavar="PATH...")
@options.collection
@options.patterns
@options.dry_run
@options.as_json
@options.password
@options.server
def ingest(**given: Any) -> int:
    """Ingest files and folders into a collection."""
    from cli.ingest import run

    return run(**given)


@click.command()
@click.argument("folder", type=options.PATH, metavar="DIR")
@options.collection
@options.patterns
@options.dry_run
@click.option("--watch", is_flag=True, help="keep it so, until stopped")
@options.prune
@options.yes
@options.name
@options.as_json
@options.server
@options.password
def sync(
    folder: Path,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    name: str | None,
    password: str | None,
    **given: Any,
) -> int:
    """Make a collection equal to a folder."""
    from cli.sync import Wanted, run
    from rag.settings import Settings

    wanted = Wanted(**given)
    return run(Settings.load(), folder, wanted, include=include, exclude=exclude, name=name, password=password)


@click.command()
@click.argument("repository", metavar="REPOSITORY")
@click.option("--ref", default="HEAD", help="branch, tag or commit (default: what HEAD is)")
@options.collection
@options.patterns
@options.dry_run
@options.prune
@options.yes
@options.name
@options.as_json
@options.server
@options.password
def git(
    repository: str,
    ref: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    name: str | None,
    password: str | None,
    **given: Any,
) -> int:
    """Make a collection equal to a commit of a Git repository.

    REPOSITORY is a folder, or a URL at a host of DOCENT_ALLOW_URLS.
    """
    from cli.git import run
    from cli.sync import Wanted
    from rag.settings import Settings

    wanted = Wanted(**given)
    settings = Settings.load()
    return run(settings, repository, wanted, ref=ref, include=include, exclude=exclude, name=name, password=password)


@click.command()
@click.argument("documents", nargs=-1, metavar="[NAME]...")
@click.option("--all", "every", is_flag=True, help="every document of the collection that failed")
@options.collection
@options.password
@options.as_json
@options.server
def retry(**given: Any) -> int:
    """Try documents again that failed or were cancelled.

    NAME is a file name or an id of a document.
    """
    from cli.retry import run
    from rag.settings import Settings

    return run(Settings.load(), **given)
