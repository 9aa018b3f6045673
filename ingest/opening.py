"""Opening what a command works on: this process's own services, or the server that owns the data folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigurationError, OwnedElsewhereError

if TYPE_CHECKING:
    from ingest.targets import Target
    from rag.settings import Settings
    from wiring import Services


@contextmanager
def open_services(settings: Settings, *, load: bool = True) -> Iterator[Services]:
    """This process's own services; with `load`, once the models are there.

    Raises:
        OwnedElsewhereError: another process owns the data folder.
        ConfigurationError, UnavailableError: it cannot be used, or a model does not load.
    """
    from wiring import build_services

    services = build_services(settings, with_chat=False)
    try:
        if load:
            services.startup.begin()
            services.startup.require(patience=3600)
        yield services
    finally:
        services.close()


def require_catalog(settings: Settings) -> Path:
    """The path of the catalog. Raises ConfigurationError when the data folder has none."""
    path = settings.data_dir / "catalog.sqlite3"
    if not path.is_file():
        raise ConfigurationError(f"{settings.data_dir} holds no catalog of Docent: is DOCENT_DATA_DIR right?")
    return path


@contextmanager
def open_target(
    settings: Settings, collection: str, server: str | None, *, metadata: Mapping[str, Any] | None = None
) -> Iterator[Target]:
    """The given server; else this process, if the data folder is free; else the server that owns it.

    Raises:
        ConfigurationError: none of these can be used.
    """
    from ingest.targets import LocalTarget, RestTarget
    from wiring import build_services

    if server:
        yield RestTarget(server, collection, token=settings.api_token, metadata=metadata)
        return
    try:
        services = build_services(settings, with_chat=False)
    except OwnedElsewhereError as error:
        url = error.details.get("url")
        if not url:
            raise
        yield RestTarget(url, collection, token=settings.api_token, metadata=metadata)
        return
    try:
        yield LocalTarget(services, collection, metadata=metadata)
    finally:
        services.close()
