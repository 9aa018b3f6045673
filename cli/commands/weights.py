"""`docent weights`: the group, and its commands `list`, `fetch` and `verify`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from cli import options
from cli.groups import LazyGroup

PLACES = {name: f"cli.commands.weights:{name}_weights" for name in ("list", "fetch", "verify")}


def _complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from cli.weights import known

    taken = context.params.get("names") or ()
    return [CompletionItem(name) for name in known() if name.startswith(incomplete) and name not in taken]


def _names_and_folder(command: Callable[..., int]) -> Callable[..., int]:
    folder = click.option("--models-dir", type=options.PATH, metavar="DIR", help="default: DOCENT_MODELS_DIR")
    return click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_complete)(folder(command))


@click.group(cls=LazyGroup, places=PLACES, default="list", invoke_without_command=True)
@click.pass_context
def weights(context: click.Context) -> int:
    """Model weights on this machine: list, fetch or verify them.

    NAME is a set of weights; without one, what the default settings need. Without a command they are listed.
    """
    if context.invoked_subcommand is None:
        from cli.weights import show

        return show((), None)
    return 0


@click.command("list")
@_names_and_folder
def list_weights(*, names: tuple[str, ...], models_dir: Path | None) -> int:
    """Tell what there is, how large, and whether it is here."""
    from cli.weights import show

    return show(names, models_dir)


@click.command("fetch")
@_names_and_folder
def fetch_weights(*, names: tuple[str, ...], models_dir: Path | None) -> int:
    """Fetch what is missing, and verify it."""
    from cli.weights import fetch

    return fetch(names, models_dir)


@click.command("verify")
@_names_and_folder
def verify_weights(*, names: tuple[str, ...], models_dir: Path | None) -> int:
    """Hold every file against its SHA-256."""
    from cli.weights import check

    return check(names, models_dir)
