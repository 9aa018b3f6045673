"""Groups of commands that know where each command stands, and import it when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group whose commands are places such as `cli.commands.upkeep:doctor`, in the order in which help lists them.

    With `default`, arguments that do not begin with the name of a command are arguments of that one.
    """

    def __init__(self, *arguments: Any, places: Mapping[str, str], default: str | None = None, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._places = places
        self._default = default

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, in their order."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # likewise
        """Import a command; None when there is none of that name."""
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command's name before arguments that begin with none."""
        if self._default and args and args[0] not in (*self._places, *ctx.help_option_names):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Ctrl-C is an Abort at once: click's own way to one prints an empty line before."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise click.Abort from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands and options; where none begins so, what the default command takes first."""
        found = super().shell_complete(ctx, incomplete)
        command = self.get_command(ctx, self._default) if self._default and not found else None
        if command is None:
            return found
        return next(each for each in command.params if isinstance(each, click.Argument)).shell_complete(ctx, incomplete)
