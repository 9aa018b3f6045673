"""Signs of life and figures: /healthz, /readyz, /metrics, /openapi.json."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from catalog.documents import DocumentCatalog
from ingest.pipeline.pipeline import Pipeline
from ingest.storage.library import Library
from rag.errors import UnavailableError
from startup import Startup
from web.serializers import Reply

ERROR = {
    "description": "An error; /v1 uses OpenAI's body instead.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "error": {
                        "type": "object",
                        "properties": {
                            "code": {"type": "string"},
                            "message": {"type": "string"},
                            "details": {"type": "object"},
                            "request_id": {"type": "string"},
                        },
                    }
                },
            }
        }
    },
}


def with_errors(spec: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with our error body at every operation, instead of flask_openapi's."""
    paths = {
        path: {
            method: {**operation, "responses": {"default": ERROR, **_without_validation(operation["responses"])}}
            for method, operation in operations.items()
        }
        for path, operations in spec["paths"].items()
    }
    return {**spec, "paths": paths}


def _without_validation(responses: dict[str, Any]) -> dict[str, Any]:
    return {status: response for status, response in responses.items() if status != "400"}


def register(
    app: Flask,
    spec: Callable[[], dict[str, Any]],
    *,
    startup: Startup,
    pipeline: Pipeline,
    catalog: DocumentCatalog,
    library: Library,
) -> None:
    """Add the routes, and count every request."""
    registry = CollectorRegistry()
    requests = Counter(
        "docent_requests", "Requests by route and status.", ("method", "route", "status"), registry=registry
    )
    seconds = Histogram("docent_request_seconds", "Time to the first byte.", ("route",), registry=registry)
    documents = Gauge("docent_documents", "Documents by status.", ("status",), registry=registry)
    ready = Gauge("docent_ready", "Whether a part is ready.", ("part",), registry=registry)

    @app.before_request
    def start_clock() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = str(request.url_rule or "(none)")
        requests.labels(request.method, route, str(response.status_code)).inc()
        if "started" in g:
            seconds.labels(route).observe(time.perf_counter() - g.started)
        return response

    @app.get("/healthz")
    def healthz() -> Reply:
        return jsonify({"status": "ok"})

    @app.get("/readyz")
    def readyz() -> Reply:
        parts = {"catalog": {"state": "ready", "detail": ""}, **startup.report()}
        good = startup.ready
        if parts.get("ingestion", {}).get("state") == "ready":
            alive, detail = pipeline.health()
            parts["ingestion"] = {"state": "ready" if alive else "failed", "detail": detail}
            good = good and alive
        try:
            library.require_disk()
        except UnavailableError as error:  # questions are answered all the same
            parts["disk"] = {"state": "failed", "detail": error.message}
        response = jsonify({"ready": good, "parts": parts})
        response.status_code = 200 if good else 503
        if not good:
            response.headers["Retry-After"] = "2"
        return response

    @app.get("/metrics")
    def metrics() -> Reply:
        for status, number in catalog.statistics().items():
            documents.labels(status).set(number)
        for part, state in startup.report().items():
            ready.labels(part).set(state["state"] == "ready")
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @app.get("/openapi.json")
    def openapi() -> Reply:
        return jsonify(spec())
