"""`python -m ingest COMMAND …`: one entry point for everything that is done to a data folder from a shell.

Without a command it ingests the paths that are given (cli.py). Exit status: 0 all well, 1 something failed, 2 usage or
configuration. A command's module is imported only when it is called.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from cli.commands import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or ingest paths; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in COMMANDS:
        from cli.ingest import main as ingest_paths

        return ingest_paths(given)
    from rag.errors import DocentError
    from rag.settings import Settings

    name, *rest = given
    module_name, about = COMMANDS[name]
    module = import_module(module_name)
    parser = argparse.ArgumentParser(prog=f"python -m ingest {name}", description=f"{about.capitalize()}.")
    module.add_arguments(parser)
    options = parser.parse_args(rest)
    try:
        status: int = module.run(options, Settings.load())
    except DocentError as error:
        print(f"docent: {error.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("docent: stopped", file=sys.stderr)
        return 130
    return status
