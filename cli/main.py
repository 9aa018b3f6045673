"""`docent`: the group of all commands, and its two doors, the installed command and `python -m ingest`.

Exit status: 0 all well, 1 something failed, 2 usage or configuration, 130 stopped. A command's work is imported when it
is called.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from cli.groups import LazyGroup
from cli.terminal import note
from rag.errors import DocentError
from rag.version import VERSION

PROGRAM = "docent"
# What `python -m ingest` knows by name; anything else is a path.
BESIDE_INGEST = ("sync", "git", "retry", "doctor", "backup", "restore", "purge", "reindex")


@click.group(
    cls=LazyGroup,
    places={
        "serve": "cli.commands.serving:serve",
        "ingest": "cli.commands.ingestion:ingest",
        "sync": "cli.commands.ingestion:sync",
        "git": "cli.commands.ingestion:git",
        "retry": "cli.commands.ingestion:retry",
        "reindex": "cli.commands.upkeep:reindex",
        "doctor": "cli.commands.upkeep:doctor",
        "backup": "cli.commands.upkeep:backup",
        "restore": "cli.commands.upkeep:restore",
        "purge": "cli.commands.upkeep:purge",
        "weights": "cli.commands.weights:weights",
        "eval": "cli.commands.evaluation:evaluation",
        "bench": "cli.commands.benchmark:bench",
        "completion": "cli.commands.completion:completion",
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings are read from DOCENT_… variables and .env: docs/settings.md.",
)
@click.version_option(VERSION, message="%(prog)s %(version)s")
def docent() -> None:
    """Answer questions about your own documents, with proof."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status. `arguments` default to the process's own."""
    try:
        status: int = docent.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except DocentError as error:
        note(error.message)
        return 2
    except click.Abort:
        note("stopped")
        return 130
    return status


def ingest_main(arguments: Sequence[str] | None = None) -> int:
    """`python -m ingest`: the commands on a data folder, or paths to ingest; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return main(given if given and given[0] in BESIDE_INGEST else ["ingest", *given])
