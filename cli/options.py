"""Arguments and options that several commands have, each spelt once, and the types of their values."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

Command = Callable[..., int]

# What a path means is told by the command that opens it, in one line.
PATH = click.Path(path_type=Path, readable=False)

collection = click.option(
    "--collection", default="default", metavar="C", show_default=True, help="the collection of documents"
)
as_json = click.option("--json", "as_json", is_flag=True, help="print the outcome as JSON")
server = click.option("--server", metavar="URL", help="default: the server that owns the data folder, if any")
dry_run = click.option("--dry-run", is_flag=True, help="show what would be done, and stop")
name = click.option("--name", help="what documents follow (default: the path or URL), where that changes")
prune = click.option("--prune", is_flag=True, help="delete documents that came from elsewhere, too")
yes = click.option("--yes", is_flag=True, help="delete everything although there are no files")
limit = click.option("--limit", type=click.IntRange(min=1), metavar="N", help="only the first N questions")
drafts = click.option("--drafts", is_flag=True, help="take drafted questions, too")
set_name = click.option("--set", "set_name", metavar="NAME", help="what the rows' set is called (default: the file's)")
golden = click.argument("golden", type=PATH, metavar="GOLDEN.jsonl")
out = click.option("--out", type=PATH, required=True, metavar="FILE", help="the JSON to write")


def patterns(command: Command) -> Command:
    """--include and --exclude."""
    exclude = click.option("--exclude", multiple=True, metavar="GLOB", help="no files that match (several times: any)")
    include = click.option(
        "--include", multiple=True, metavar="GLOB", help="only files that match (several times: any)"
    )
    return include(exclude(command))


def password(command: Command) -> Command:
    """Two ways to tell a password, which the command gets as `password`.

    It never stands on the command line itself, which others on the machine can read.
    """

    @wraps(command)
    def told(*, ask_password: bool, password_env: str | None, **options: Any) -> int:
        from cli.session import read_password

        if ask_password and password_env:
            raise click.UsageError("--password and --password-env exclude each other.")
        return command(password=read_password(ask=ask_password, variable=password_env), **options)

    asked = click.option("--password", "ask_password", is_flag=True, help="ask for the password that opens the files")
    variable = click.option("--password-env", metavar="NAME", help="take the password from that environment variable")
    return asked(variable(told))


def named_set(text: str) -> tuple[str, Path]:
    """COLLECTION=golden.jsonl, as a value of click."""
    collection, equals, path = text.partition("=")
    if not collection or not equals or not path:
        raise click.BadParameter("expected COLLECTION=golden.jsonl")
    return collection, Path(path)


def chosen_features(text: str) -> tuple[str, tuple[str, ...]]:
    """[JUDGEMENT=]A,B: a judgement, or nothing for all of them, and names of features."""
    judgement, _, names = text.rpartition("=")
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    if not chosen:
        raise click.BadParameter("expected names of features")
    return judgement, chosen


def share(text: str) -> tuple[str, float]:
    """[JUDGEMENT=]X: a judgement, or nothing for all of them, and a share from 0 to 1."""
    judgement, _, number = text.rpartition("=")
    try:
        found = float(number)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise click.BadParameter("expected a number from 0 to 1")
    return judgement, found
