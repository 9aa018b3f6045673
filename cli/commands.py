"""The commands of `python -m ingest`: the module of each, and what it does."""

from __future__ import annotations

COMMANDS = {
    "sync": ("cli.sync", "make a collection equal to a folder"),
    "git": ("cli.git", "make a collection equal to a commit of a Git repository"),
    "retry": ("cli.retry", "try documents again that failed or were cancelled"),
    "doctor": ("cli.doctor", "hold catalog, indexes and uploads against each other"),
    "backup": ("cli.backup", "write a data folder into one file"),
    "restore": ("cli.restore", "fill an empty data folder from a backup"),
    "purge": ("cli.purge", "empty the trash and make deleted text unrecoverable"),
    "reindex": ("cli.reindex", "make vectors anew, also with another embedding model"),
}
