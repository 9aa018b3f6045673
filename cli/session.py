"""Opening what a command works on: this process's own services, or the server that owns the data folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from getpass import getpass
from typing import TYPE_CHECKING, Any

from ingest.storage.data_folder import DataFolder
from rag.errors import ConfigurationError, OwnedElsewhereError
from rag.settings import secret_of

if TYPE_CHECKING:
    from cli.backends import Backend
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


def require_catalog(settings: Settings) -> DataFolder:
    """The data folder. Raises ConfigurationError when it is none of Docent's."""
    folder = DataFolder(settings.data_dir)
    if not folder.has_catalog() and not folder.originals():
        raise ConfigurationError(f"{settings.data_dir} holds no catalog of Docent: is DOCENT_DATA_DIR right?")
    return folder


def read_password(*, ask: bool, variable: str | None) -> str | None:
    """The password of an environment variable, or from the terminal, or None. Raises ConfigurationError."""
    if variable:
        return secret_of(variable)
    if not ask:
        return None
    if not sys.stdin.isatty():
        raise ConfigurationError("--password asks on a terminal; without one use --password-env NAME.")
    return getpass("Password of the files: ") or None


@contextmanager
def open_backend(
    settings: Settings,
    collection: str,
    server: str | None,
    *,
    metadata: Mapping[str, Any] | None = None,
    password: str | None = None,
) -> Iterator[Backend]:
    """The given server; else this process, if the data folder is free; else the server that owns it.

    Raises:
        ConfigurationError: none of these can be used.
    """
    from cli.local_backend import LocalBackend
    from cli.remote_backend import RemoteBackend
    from wiring import build_services

    if server:
        yield RemoteBackend(server, collection, token=settings.api_token, metadata=metadata, password=password)
        return
    try:
        services = build_services(settings, with_chat=False)
    except OwnedElsewhereError as error:
        url = error.details.get("url")
        if not url:
            raise
        yield RemoteBackend(url, collection, token=settings.api_token, metadata=metadata, password=password)
        return
    try:
        yield LocalBackend(services, collection, metadata=metadata, password=password)
    finally:
        services.close()
