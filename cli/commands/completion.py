"""`docent completion`: the script that teaches a shell the commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(epilog='For bash: eval "$(docent completion bash)" in ~/.bashrc; likewise for the others.')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script by which a shell completes commands."""
    root = context.find_root()
    kind = get_completion_class(shell)
    assert kind is not None
    print(kind(root.command, {}, "docent", "_DOCENT_COMPLETE").source())
    return 0
