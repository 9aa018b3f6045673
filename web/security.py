"""Who may call: token, host and origin checks before every request, safe headers after it.

A server on loopback without a token is open to its machine, so the Host header is checked (a page of another site could
otherwise reach it by DNS rebinding) and state-changing requests from other sites are refused.

Where a browser's cookie stands for the token, it is sent with whatever the browser was talked into. A request that
changes something must then also carry a second token, which the page has in its markup and other sites cannot read.
Clients that send `Authorization` need none, because no browser adds that header by itself.
"""

from __future__ import annotations

import hmac
import logging
from urllib.parse import urlsplit

from flask import Flask, Response, request

from rag.settings import Settings
from web.errors import ForbiddenError, UnauthorizedError, request_id

log = logging.getLogger(__name__)
COOKIE = "docent_token"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
# Trusted types: no script of the page may parse markup, not even by mistake.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
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
        if request.path == "/logout" and COOKIE in request.cookies and request.method not in SAFE_METHODS:
            _check_csrf(settings.api_token)
        if settings.api_token and not _is_open(request.path) and request.method != "OPTIONS":
            _check_token(settings.api_token)

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not request.path.startswith(OPEN_FOLDER):
            # what a person reads here is nobody else's who uses the browser later
            response.headers.setdefault("Cache-Control", "no-store")
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
    if request.method in SAFE_METHODS:
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
    by_cookie = scheme.lower() != "bearer"
    if by_cookie:
        given = request.cookies.get(COOKIE, "")
    if not hmac.compare_digest(given.strip().encode(), expected.encode()):
        if given:
            log.warning("a wrong token was sent from %s", request.remote_addr)
        raise UnauthorizedError("Send the token of this server: 'Authorization: Bearer …'.")
    if by_cookie and request.method not in SAFE_METHODS:
        _check_csrf(expected)


def csrf_token(api_token: str) -> str:
    """What the page sends beside its cookie: derived from the server's token, so that a restart does not end
    sessions.
    """
    return hmac.new(api_token.encode(), b"docent csrf 1", "sha256").hexdigest()


def _check_csrf(api_token: str) -> None:
    given = request.headers.get(CSRF_HEADER) or ""
    if not given and request.mimetype == "application/x-www-form-urlencoded":
        given = request.form.get(CSRF_FIELD, "")
    if not hmac.compare_digest(given.encode(), csrf_token(api_token).encode()):
        raise ForbiddenError(
            "A request that is signed in by cookie must carry the page's token; reload the page.", code="csrf"
        )
