"""create_app(settings=None, services=None): the Flask application. Wiring only.

`python app.py`, `flask --app app run` and `gunicorn "app:create_app()"` all work. There is one process per data folder:
threads, not workers, serve requests side by side.
"""

from __future__ import annotations

import atexit
import logging
import socket
import sys
import threading
from typing import Any

from flask import Flask, request
from flask_cors import CORS
from flask_openapi.openapi import OpenAPI

from rag.errors import ConfigurationError
from rag.settings import Settings
from rag.version import VERSION
from startup import PartState
from web import errors, security
from web import health as operations
from web.api.collections import collections_blueprint
from web.api.conversations import conversations_blueprint
from web.api.documents import documents_blueprint
from web.api.jobs import jobs_blueprint
from web.api.new_documents import NewDocuments
from web.api.pages import document_pages_blueprint
from web.api.questions import questions_blueprint
from web.api.status import overview_blueprint
from web.api.trash import trash_blueprint
from web.api.uploads import Intake
from web.capacity import Capacity
from web.openai.blueprint import openai_blueprint
from web.pages import pages_blueprint
from web.server import serve
from wiring import Services, build_services, check_data_folder

# What a multipart request holds beside its files.
FORM_OVERHEAD = 1 << 20
# How long the greeting of a first run waits for the samples before it suggests a question all the same.
SAMPLES_PATIENCE_SECONDS = 60.0
# Weights may have to be fetched before it is known what does not load.
FAILURES_PATIENCE_SECONDS = 3600.0


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The application, with its models loading in the background.

    Args:
        settings: read from the environment when None.
        services: what to serve; built from the settings when None, and then closed at exit.

    Raises:
        ConfigurationError: a setting or the machine is wrong; the message says what to do.
    """
    if services is None:
        settings = settings or Settings.load()
        set_up_logging(settings)
        services = build_services(settings, first_run_samples=True)
        services.startup.begin()
        atexit.register(services.close)
    settings = services.settings
    app = OpenAPI(
        __name__,
        info={"title": "Docent", "version": VERSION, "description": "Answers with proof, from your own documents."},
        doc_ui=False,
        static_folder=None,
        validation_error_status=400,
        validation_error_callback=errors.invalid_body,
    )
    app.openapi_version = "3.1.0"
    app.config["MAX_CONTENT_LENGTH"] = (settings.max_upload_mb << 20) + FORM_OVERHEAD
    app.config["MAX_FORM_PARTS"] = 2000
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's default provider
    app.extensions["docent"] = services

    def spec() -> dict[str, Any]:
        return operations.with_errors(app.api_doc)

    @app.before_request
    def announce() -> None:
        # Under `flask run` or gunicorn only a request tells where we are; `python app.py` has said it before.
        if services.ownership.url is None:
            host = request.environ["SERVER_NAME"].replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # not bound here
            services.ownership.announce(f"http://{host}:{request.environ['SERVER_PORT']}")

    security.register(app, settings)
    errors.register(app, max_upload_mb=settings.max_upload_mb)
    operations.register(
        app,
        spec,
        startup=services.startup,
        pipeline=services.pipeline,
        catalog=services.documents,
        library=services.library,
    )
    intake = Intake(services.library, services.fetcher)
    intake.register(app)
    if settings.cors_origins:
        CORS(app, origins=list(settings.cors_origins), resources=[r"/api/.*", r"/v1/.*"])
    documents, library, collections = services.documents, services.library, services.collections
    jobs, startup = services.jobs, services.startup
    new_documents = NewDocuments(library, collections, jobs, intake)
    for blueprint in (
        documents_blueprint(documents, library, collections, jobs, startup, new_documents),
        document_pages_blueprint(documents, services.pictures),
        trash_blueprint(services.trash, startup),
        jobs_blueprint(jobs),
        collections_blueprint(collections, library, services.folders, services.reindexer, startup),
        questions_blueprint(services),
        conversations_blueprint(services.conversations, documents),
        overview_blueprint(services, version=VERSION),
        openai_blueprint(services),
    ):
        app.register_api(blueprint)
    app.register_blueprint(
        pages_blueprint(
            spec=spec,
            api_token=settings.api_token,
            max_upload_mb=settings.max_upload_mb,
            answers=settings.answers,
        )
    )
    app.wsgi_app = Capacity(app.wsgi_app, errors.full(app))  # type: ignore[method-assign]
    return app


def set_up_logging(settings: Settings) -> None:
    """One line an event on stderr; libraries only when something is wrong."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    for room in ("app", "rag", "ingest", "vectorstore", "catalog", "web", "startup", "wiring"):
        logging.getLogger(room).setLevel(settings.log_level)


def main() -> int:
    """Serve until interrupted, in one gunicorn worker with many threads.

    Exit status 2: a setting or the machine is wrong.
    """
    try:
        settings = Settings.load()
        check_data_folder(settings)
        listener = _listen(settings.host, settings.port)
    except ConfigurationError as error:
        print(f"docent: {error.message}", file=sys.stderr)
        return 2
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{shown}:{listener.getsockname()[1]}"

    built: list[Services] = []

    def build() -> Flask:
        app = create_app(settings)
        built.append(app.extensions["docent"])
        built[-1].ownership.announce(url)
        return app

    serve(build, listener, ready=lambda: greet(built[-1], url), close=lambda: built[-1].close())
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Stop the program that has the port, "
            "or set DOCENT_PORT to another one."
        ) from error
    return listener


def greet(services: Services, url: str) -> None:
    """Tell where the server is, and a first question once the samples of a first run can answer it."""
    print(f"Docent is at {url}/ (Ctrl-C stops it). Models load in the background; {url}/readyz tells how far they are.")
    threading.Thread(target=tell_failures, args=(services,), name="failures", daemon=True).start()
    with_token = bool(services.settings.api_token)
    if not services.samples_added:
        _suggest("Ask it something:", url, with_token)
        return
    print("The samples are being indexed.", flush=True)

    def suggest() -> None:
        indexed = services.pipeline.wait(SAMPLES_PATIENCE_SECONDS)
        _suggest("Ask it something:" if indexed else "Once the samples are in, ask it something:", url, with_token)

    threading.Thread(target=suggest, name="greeting", daemon=True).start()


def tell_failures(services: Services) -> None:
    """Tell what did not start, once everything has been tried."""
    if not services.startup.wait(FAILURES_PATIENCE_SECONDS):
        return
    for part, state in services.startup.report().items():
        if state["state"] == PartState.FAILED:
            print(f"docent: {part}: {state['detail']}", file=sys.stderr, flush=True)


def _suggest(lead: str, url: str, with_token: bool) -> None:
    token = ' -H "Authorization: Bearer $DOCENT_API_TOKEN"' if with_token else ""
    print(
        f"{lead}\n  curl -s {url}/api/v1/ask{token} -H 'Content-Type: application/json' "
        '-d \'{"question": "What happens when I delete a document?"}\'',
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
