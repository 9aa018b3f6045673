"""Opens what is measured: the data folder of the settings, or the server that owns it or is named.

The only file of this package that knows the wiring; imported by the command alone. Everything else takes its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from evaluation.fitting.observations import Subject
from evaluation.local import LocalSubject
from evaluation.rest import RestSubject
from rag.errors import ConfigurationError, OwnedElsewhereError
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.ports import ChatModel, Embedder
    from rag.types import Passage
    from wiring import Services

PAGE = 500
LOADING_SECONDS = 3600


@contextmanager
def open_subject(
    settings: Settings, collection: str, *, ask: bool, server: str | None, notify: Callable[[str], None]
) -> Iterator[Subject]:
    """The given server; else this process, if the data folder is free; else the server that owns it, which is told.

    Raises:
        OwnedElsewhereError: another command has the data folder open.
        NotFoundError, ConfigurationError, UnavailableError: as the others of this file.
    """
    with ExitStack() as opened:
        subject: Subject | None = None
        if not server:
            try:
                subject = opened.enter_context(open_local(settings, collection, ask=ask))
            except OwnedElsewhereError as error:
                if "url" not in error.details:
                    raise
                server = str(error.details["url"])
                notify(f"measuring the server at {server}, which has the data folder open; its evidence cannot be seen")
        yield subject or opened.enter_context(open_server(str(server), collection, token=settings.api_token))


@contextmanager
def open_server(url: str, collection: str, *, token: str) -> Iterator[Subject]:
    """A running server. Raises ConfigurationError."""
    subject = RestSubject(url, collection, token=token)
    try:
        yield subject
    finally:
        subject.close()


@contextmanager
def open_local(settings: Settings, collection: str, *, ask: bool) -> Iterator[Subject]:
    """The data folder of the settings, in this process.

    Raises:
        OwnedElsewhereError: a server, or another command, has it open.
        NotFoundError: it has no such collection.
        ConfigurationError, UnavailableError: a part cannot be used.
    """
    with open_services(settings, chat=ask) as services:
        services.collections.get(collection)
        yield local_subject(services, collection)


@contextmanager
def open_judges(settings: Settings) -> Iterator[tuple[Embedder, ChatModel | None]]:
    """The embedder, and the chat model where it judges entailment; the data folder is not opened."""
    from rag.adapters.embedding.embedders import Embedders
    from wiring import chat_of

    embedders = Embedders(settings)
    embedders.load(embedders.default_id)
    wanted = settings.entailment_model == "chat" or (not settings.entailment_model and settings.llm == "openai")
    chat, step, stop = chat_of(settings) if wanted else (None, None, None)
    try:
        if step:
            step.run(lambda _: None)
        yield embedders.default, chat
    finally:
        if stop:
            stop()


@contextmanager
def open_services(settings: Settings, *, chat: bool) -> Iterator[Services]:
    """The wired parts, loaded; with the chat model where the settings have one and it is wanted."""
    from wiring import build_services

    services = build_services(settings, with_chat=chat)
    try:
        services.startup.begin()
        services.startup.require(patience=LOADING_SECONDS)
        services.startup.wait(LOADING_SECONDS)
        for part, state in services.startup.report().items():
            if state["state"] == "failed":
                raise ConfigurationError(f"The {part} model failed to start: {state['detail']}")
        yield services
    finally:
        services.close()


def local_subject(services: Services, collection: str) -> LocalSubject:
    """The parts that are measured, as the answerer uses them."""
    from rag.answering.certainty import calibrated, found_features

    settings = services.settings
    return LocalSubject(
        searcher=services.retriever,
        answerer=services.answerer,
        collection=collection,
        top_k=settings.top_k,
        select=services.selector.select,
        confidence=lambda found, evidence: calibrated()["topic"].probability(found_features(found, evidence)),
        texts=services.documents.text,
        names=lambda: {name for _, name in indexed_documents(services, collection)},
    )


def indexed_documents(services: Services, collection: str) -> list[tuple[str, str]]:
    """Id and name of every indexed document of a collection. Raises NotFoundError."""
    services.collections.get(collection)
    found: list[tuple[str, str]] = []
    page = 1
    while True:
        batch = services.documents.find(collection=collection, status="indexed", page=page, limit=PAGE)
        found += [(item.id, item.filename) for item in batch.items]
        if len(found) >= batch.total or not batch.items:
            return found
        page += 1


def all_chunks(services: Services, collection: str) -> list[Passage]:
    """Every chunk of a collection. Raises NotFoundError."""
    found: list[Passage] = []
    for document_id, _ in indexed_documents(services, collection):
        page, total, seen = 1, 1, 0
        while seen < total:
            batch = services.documents.chunks(document_id, page=page, limit=PAGE)
            if not batch.items:
                break
            found += batch.items
            total, seen, page = batch.total, seen + len(batch.items), page + 1
    return found
