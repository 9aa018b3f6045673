"""`docent reindex`, `doctor`, `backup`, `restore` and `purge`: what looks after a data folder."""

from __future__ import annotations

from pathlib import Path

import click

from cli import options


@click.command()
@click.option("--collection", metavar="C", help="default: every collection")
@click.option("--change-model", is_flag=True, help="with the model of DOCENT_EMBEDDING_MODEL instead of its own")
@click.option("--change-chunking", is_flag=True, help="cut into chunks of DOCENT_CHUNK_TOKENS instead of its own size")
@options.as_json
def reindex(*, collection: str | None, change_model: bool, change_chunking: bool, as_json: bool) -> int:
    """Make vectors anew, also with another embedding model."""
    from cli.upkeep.reindex import Changes, run
    from rag.settings import Settings

    changes = Changes(change_model=change_model, change_chunking=change_chunking)
    return run(Settings.load(), collection, changes, as_json=as_json)


@click.command()
@click.option("--repair", is_flag=True, help="mend what can be mended")
@options.as_json
def doctor(*, repair: bool, as_json: bool) -> int:
    """Hold catalog, indexes and uploads against each other."""
    from cli.upkeep.doctor import run
    from rag.settings import Settings

    return run(Settings.load(), mend=repair, as_json=as_json)


@click.command()
@click.argument("file", type=options.PATH, metavar="FILE.tar")
@options.as_json
def backup(*, file: Path, as_json: bool) -> int:
    """Write a data folder into one file, which does not exist yet."""
    from cli.upkeep.backup import run
    from rag.settings import Settings

    return run(Settings.load(), file, as_json=as_json)


@click.command()
@click.argument("file", type=options.PATH, metavar="FILE.tar")
@options.as_json
def restore(*, file: Path, as_json: bool) -> int:
    """Fill an empty data folder from a backup."""
    from cli.upkeep.restore import run
    from rag.settings import Settings

    return run(Settings.load(), file, as_json=as_json)


@click.command()
@options.as_json
def purge(*, as_json: bool) -> int:
    """Empty the trash and make deleted text unrecoverable."""
    from cli.upkeep.purge import run
    from rag.settings import Settings

    return run(Settings.load(), as_json=as_json)
