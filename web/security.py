"""Who may call: token, host and origin checks before every request, safe headers after it.

A server on loopback without a token is open to its machine, so the Host header is checked (a page of another site could
otherwise reach it by DNS rebinding) and state-changing requests from other sites are refused.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, request

from rag.settings import Settings
from web.errors import ForbiddenError, UnauthorizedError, request_id

COOKIE = "docent_token"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What a person without a token may see: the way in, its looks, and the signs of life.
OPEN_PATHS = ("/", "/login", "/logout", "/healthz", "/readyz")  # "/" leads to the way in
OPEN_FOLDER = "/assets/"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def register(app: Flask, settings: Settings) -> None:
    """Install the checks and the headers."""

    @app.before_request
    def check() -> None:
        _check_host(settings)
        _check_origin(settings)
        if settings.api_token and not _is_open(request.path) and request.method != "OPTIONS":
            _check_token(settings.api_token)

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["X-Request-Id"] = request_id()
        return response


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


def _check_host(settings: Settings) -> None:
    if not settings.is_loopback and not settings.allowed_hosts:
        return  # a token guards it, and only its operator knows its names
    name = urlsplit(f"//{request.host}").hostname or ""
    if name not in (*LOOPBACK, settings.host, *settings.allowed_hosts):
        raise ForbiddenError(
            f"This server is not known as {name[:200]!r}. Add the name to DOCENT_ALLOWED_HOSTS.", code="unknown_host"
        )


def _check_origin(settings: Settings) -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin")
    own = origin is None or _netloc(origin) == request.host or origin in settings.cors_origins
    if not own or (origin is None and request.headers.get("Sec-Fetch-Site") == "cross-site"):
        raise ForbiddenError("Requests from other sites are not accepted.", code="cross_site")


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _check_token(expected: str) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = request.cookies.get(COOKIE, "")
    if not hmac.compare_digest(given.strip().encode(), expected.encode()):
        raise UnauthorizedError("Send the token of this server: 'Authorization: Bearer …'.")
