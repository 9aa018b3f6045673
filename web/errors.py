"""Errors to responses: the one place where an error becomes a status code and the contract's error body."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, Response, g, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from rag.abandonment import AbandonedError
from rag.errors import (
    ConfigurationError,
    ConflictError,
    DocentError,
    InvalidRequestError,
    NotFoundError,
    QueueFullError,
    TooLargeError,
    UnavailableError,
    UnreadableError,
    UnsupportedTypeError,
)
from web.capacity import Application, busy

log = logging.getLogger(__name__)
# The field of what is wrong with a body as a whole.
WHOLE = "(body)"

# The first class that matches counts: subclasses stand before their bases.
STATUS: tuple[tuple[type[DocentError], int], ...] = (
    (UnsupportedTypeError, 415),
    (InvalidRequestError, 400),
    (NotFoundError, 404),
    (ConflictError, 409),
    (TooLargeError, 413),
    (UnreadableError, 422),
    (QueueFullError, 429),
    (UnavailableError, 503),
    (ConfigurationError, 500),
)


class UnauthorizedError(DocentError):
    """The request carries no valid token."""

    code = "unauthorized"


class ForbiddenError(DocentError):
    """The request comes from where it must not."""

    code = "forbidden"


def status_of(error: DocentError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, AbandonedError):
        return 499  # nginx's number, for the log: nobody reads the answer
    if isinstance(error, UnauthorizedError):
        return 401
    if isinstance(error, ForbiddenError):
        return 403
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def request_id() -> str:
    """The id of the present request, for logs and error bodies."""
    if "request_id" not in g:
        g.request_id = uuid.uuid4().hex
    return str(g.request_id)


def describer() -> Callable[[DocentError], dict[str, Any]]:
    """Makes the contract's error body for the present request, also after the request context is gone."""
    known, for_openai = request_id(), _for_openai()
    return lambda error: openai_body(error, status_of(error)) if for_openai else _body(error, known)


def _for_openai() -> bool:
    """Whether the present request's client expects OpenAI's error body."""
    return request.path == "/v1" or request.path.startswith("/v1/")


def _body(error: DocentError, known: str) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message, "details": error.details, "request_id": known}}


def openai_body(error: DocentError, status: int) -> dict[str, Any]:
    """OpenAI's error body; `param` is the field that is wrong, None where it is not one field."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    problems = error.details.get("problems") or [{"field": WHOLE}]
    param = None if problems[0]["field"] == WHOLE else problems[0]["field"]
    return {"error": {"message": error.message, "type": kind, "param": param, "code": error.code}}


def respond(error: DocentError, status: int | None = None) -> Response:
    """An error as a response."""
    status = status or status_of(error)
    response = jsonify(openai_body(error, status) if _for_openai() else _body(error, request_id()))
    response.status_code = status
    if isinstance(error, UnavailableError):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthorizedError):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def invalid_body(error: ValidationError) -> Response:
    """What pydantic found wrong, in our shape."""
    problems = [
        {"field": ".".join(str(part) for part in found["loc"]) or WHOLE, "message": _message(found)}
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = problems[0]
    return respond(
        InvalidRequestError(f"{first['field']}: {first['message']}.", code="validation", details={"problems": problems})
    )


def json_body(*, force: bool = False) -> Any:
    """The present request's JSON, of whatever kind; with `force` under any Content-Type.

    Raises:
        InvalidRequestError: it is none; the message says where it stops being JSON.
    """
    try:
        return request.get_json(force=force)
    except BadRequest as error:
        problem = {"field": WHOLE, "message": _no_json(request.get_data())}
        raise InvalidRequestError(
            f"{WHOLE}: {problem['message']}.", code="validation", details={"problems": [problem]}
        ) from error


def _message(found: Mapping[str, object]) -> str:
    """One thing that pydantic found, without the names of our classes."""
    if found["type"] not in ("model_type", "json_invalid"):
        return str(found["msg"])
    return "It must be a JSON object" if found["loc"] else _no_object()


def _no_object() -> str:
    """Why the present request's body is no JSON object."""
    if not request.is_json:
        sent = f"not {request.mimetype[:100]}" if request.mimetype else "and it is missing"
        return f"Content-Type must be application/json, {sent}"
    return _no_json(request.get_data())


def _no_json(body: bytes) -> str:
    """Why a body is no JSON object."""
    if not body.strip():
        return "It is empty; it must be a JSON object"
    try:
        given = json.loads(body)
    except json.JSONDecodeError as error:
        return f"It is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError as error:
        return f"It is not JSON: byte {error.start} is not UTF-8"
    except (ValueError, RecursionError):
        return "It holds a number of too many digits, or is nested too deeply"
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return f"It must be a JSON object, not {kinds.get(type(given), 'null')}"


def full(app: Flask) -> Application:
    """What answers requests that find no place: 503, without a look at the request's body."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with app.request_context(environ):
            response = respond(busy())
            response.headers["Connection"] = "close"
        return response(environ, start_response)

    return answer


def register(app: Flask, *, max_upload_mb: int) -> None:
    """Install the handlers. `max_upload_mb` is the limit that 413 states."""

    @app.errorhandler(DocentError)
    def on_docent_error(error: DocentError) -> Response:
        if status_of(error) >= 500:
            log.warning("request %s: %s (%s)", request_id(), error.code, type(error).__name__)
        return respond(error)

    @app.errorhandler(RequestEntityTooLarge)
    def on_too_large(_: RequestEntityTooLarge) -> Response:
        limit = max_upload_mb
        return respond(
            TooLargeError(f"The request is too large: at most {limit} MiB are accepted.", details={"limit_mb": limit})
        )

    @app.errorhandler(RecursionError)
    def on_nested(_: RecursionError) -> Response:
        return respond(InvalidRequestError("The JSON is nested too deeply.", code="validation"))

    @app.errorhandler(HTTPException)
    def on_http_error(error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed", 400: "invalid_request", 415: "unsupported_type"}
        status = error.code or 500
        found = DocentError(
            error.description or error.name, code=code.get(status, error.name.lower().replace(" ", "_"))
        )
        response = respond(found, status)
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after", "location"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def on_unexpected(error: Exception) -> Response:
        log.exception("request %s failed", request_id(), exc_info=error)
        return respond(DocentError("Unexpected error. The server's log has the details under this request id."), 500)
