"""`docent retry NAME…`: try documents again that failed or were cancelled, with a password where one was missing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.session import open_backend
from rag.errors import ConfigurationError
from rag.types import DocumentStatus

if TYPE_CHECKING:
    from cli.backends import Backend, Outcome
    from rag.settings import Settings

POLL_SECONDS = 0.2


def run(
    settings: Settings,
    *,
    documents: Sequence[str],
    every: bool,
    collection: str,
    server: str | None,
    password: str | None,
    as_json: bool,
) -> int:
    """Carry the command out; 1 when one of them failed again."""
    if bool(documents) == every:
        raise ConfigurationError("Name the documents to try again, or say --all.")
    with open_backend(settings, collection, server, password=password) as target:
        wanted = _wanted(target, documents)
        for document_id in wanted:
            target.retry(document_id)
        outcomes = _followed(target, wanted)
    return _told(outcomes, as_json=as_json)


def _wanted(target: Backend, named: Sequence[str]) -> list[str]:
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
