"""`python -m ingest retry NAME…`: try documents again that failed or were cancelled, with a password where one was missing."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

from cli.session import add_password_arguments, open_backend, password_of
from rag.errors import ConfigurationError
from rag.types import DocumentStatus

if TYPE_CHECKING:
    from cli.backends import Backend, Outcome
    from rag.settings import Settings

POLL_SECONDS = 0.2


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    command.add_argument("documents", nargs="*", metavar="NAME", help="file names or ids of documents")
    command.add_argument("--all", action="store_true", help="every document of the collection that failed")
    command.add_argument("--collection", default="default", metavar="C", help="default: default")
    add_password_arguments(command)
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")
    command.add_argument("--server", metavar="URL", help="default: the server that owns the data folder, if any")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Carry the command out; 1 when one of them failed again."""
    if bool(options.documents) == options.all:
        raise ConfigurationError("Name the documents to try again, or say --all.")
    password = password_of(options)
    with open_backend(settings, options.collection, options.server, password=password) as target:
        wanted = _wanted(target, options.documents)
        for document_id in wanted:
            target.retry(document_id)
        outcomes = _followed(target, wanted)
    return _told(outcomes, as_json=options.json)


def _wanted(target: Backend, named: list[str]) -> list[str]:
    """Ids of the documents to try again. Raises ConfigurationError for a name that none of them has."""
    ended = target.find(DocumentStatus.FAILED) | target.find(DocumentStatus.CANCELLED)
    if not named:
        return list(ended)
    found = []
    for name in named:
        alike = [document_id for document_id, filename in ended.items() if name in (document_id, filename)]
        if not alike:
            raise ConfigurationError(f"{name}: no document of that name or id has failed in this collection.")
        found += alike
    return list(dict.fromkeys(found))


def _followed(target: Backend, ids: list[str]) -> list[Outcome]:
    outcomes: dict[str, Outcome] = {}
    while len(outcomes) < len(ids):
        for document_id in ids:
            if document_id not in outcomes:
                ended, outcome = target.outcome(document_id)
                if ended:
                    outcomes[document_id] = outcome
        if len(outcomes) < len(ids):
            time.sleep(POLL_SECONDS)
    return [outcomes[document_id] for document_id in ids]


def _told(outcomes: list[Outcome], *, as_json: bool) -> int:
    failed = [outcome for outcome in outcomes if outcome.status != DocumentStatus.INDEXED]
    if as_json:
        failures = [{"file": outcome.name, "reason": outcome.reason} for outcome in failed]
        print(json.dumps({"tried": len(outcomes), "failures": failures}, ensure_ascii=False))
    else:
        for outcome in failed:
            print(f"{outcome.status}: {outcome.name}: {outcome.reason}", file=sys.stderr)
        print(f"{len(outcomes)} tried again: {len(outcomes) - len(failed)} indexed, {len(failed)} not.")
    return 1 if failed else 0
