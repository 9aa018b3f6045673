"""`python -m ingest reindex`: vectors anew, alone or by the server that owns the data folder, which answers meanwhile."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cli.session import open_services, require_catalog
from rag.errors import ConfigurationError, OwnedElsewhereError

if TYPE_CHECKING:
    from rag.settings import Settings


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    command.add_argument("--collection", metavar="C", help="default: every collection")
    command.add_argument(
        "--change-model", action="store_true", help="with the model of DOCENT_EMBEDDING_MODEL instead of its own"
    )
    command.add_argument(
        "--change-chunking", action="store_true", help="cut into chunks of DOCENT_CHUNK_TOKENS instead of its own size"
    )
    command.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Carry the command out; its exit status."""
    require_catalog(settings)
    started = time.monotonic()
    try:
        done = _here(options, settings)
    except OwnedElsewhereError as error:
        url = error.details.get("url")
        if not url:
            raise
        done = _by_server(options, settings, url)
    seconds = time.monotonic() - started
    if options.json:
        print(json.dumps({"collections": done, "seconds": round(seconds, 2)}, ensure_ascii=False))
        return 0
    for one in done:
        print(f"{one['collection']}: {one['chunks']} chunks, model {one['embedding_model']}, recipe {one['recipe']}")
        if one["cut_short"]:
            print(
                f"docent: {one['cut_short']} chunks of {one['collection']} are longer than the model's window; ingest "
                "their files anew to cut them to its size.",
                file=sys.stderr,
            )
    print(f"{len(done)} collections in {seconds:.1f} s.")
    return 0


def _here(options: argparse.Namespace, settings: Settings) -> list[dict[str, Any]]:
    with open_services(settings) as services:
        names = [options.collection] if options.collection else [each.name for each in services.collections.all()]
        return [
            asdict(
                services.reindexer.reindex(
                    name, change_model=options.change_model, change_chunking=options.change_chunking
                )
            )
            for name in names
        ]


def _by_server(options: argparse.Namespace, settings: Settings, url: str) -> list[dict[str, Any]]:
    from cli.backends import RemoteBackend

    server = RemoteBackend(url, "default", token=settings.api_token)
    names = [options.collection] if options.collection else server.collections()
    try:
        return [
            server.reindex(name, change_model=options.change_model, change_chunking=options.change_chunking)
            for name in names
        ]
    except KeyError as error:
        raise ConfigurationError(f"{url} answers in a way that this Docent does not know.") from error
