"""`docent reindex`: vectors anew, alone or by the server that owns the data folder, which answers meanwhile."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypedDict

from cli.session import open_services, require_catalog
from rag.errors import ConfigurationError, OwnedElsewhereError

if TYPE_CHECKING:
    from rag.settings import Settings


class Changes(TypedDict):
    """What is made anew beside the vectors: with the model, and the chunk size, that the settings name now."""

    change_model: bool
    change_chunking: bool


def run(settings: Settings, collection: str | None, changes: Changes, *, as_json: bool) -> int:
    """Carry the command out on a collection (None: on all); its exit status."""
    require_catalog(settings)
    started = time.monotonic()
    try:
        done = _here(settings, collection, changes)
    except OwnedElsewhereError as error:
        url = error.details.get("url")
        if not url:
            raise
        done = _by_server(settings, collection, changes, url)
    seconds = time.monotonic() - started
    if as_json:
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


def _here(settings: Settings, collection: str | None, changes: Changes) -> list[dict[str, Any]]:
    with open_services(settings) as services:
        names = [collection] if collection else [each.name for each in services.collections.all()]
        return [asdict(services.reindexer.reindex(name, **changes)) for name in names]


def _by_server(settings: Settings, collection: str | None, changes: Changes, url: str) -> list[dict[str, Any]]:
    from cli.remote_backend import RemoteBackend

    server = RemoteBackend(url, "default", token=settings.api_token)
    names = [collection] if collection else server.collections()
    try:
        return [server.reindex(name, **changes) for name in names]
    except KeyError as error:
        raise ConfigurationError(f"{url} answers in a way that this Docent does not know.") from error
