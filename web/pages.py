"""The pages for people: the one-page application, the API reference and the sign-in form.

Owns routes, templates and static files, and which language and colours a page has. Knows nothing of documents or
answers: the page's scripts reach them through the REST API alone. Response headers and the API's authentication are set
elsewhere.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from web import i18n
from web.api_docs import reference_groups
from web.security import csrf_token

TOKEN_COOKIE = "docent_token"  # noqa: S105 - the cookie's name, not a secret
THEME_COOKIE = "docent_theme"
THEMES = ("light", "dark")
SIGN_IN_BYTES = 4096
log = logging.getLogger(__name__)


def pages_blueprint(
    *, spec: Callable[[], dict[str, Any]], api_token: str = "", max_upload_mb: int = 64, answers: str = "balanced"
) -> Blueprint:
    """Routes `/`, `/docs`, `/login`, `/logout` and the files below `/assets`.

    Args:
        spec: returns the OpenAPI 3 document that `/docs` shows; called for each request.
        api_token: where set, `/` asks for it once and keeps it in an HttpOnly cookie named `docent_token`; where
            empty, the sign-in routes lead back to `/`.
        max_upload_mb: largest file in MiB, so that the page can refuse a larger one before it is sent.
        answers: how much must speak for an answer, until a person chooses.
    """
    pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static", static_url_path="/assets")

    @pages.app_context_processor
    def common() -> dict[str, Any]:
        language = g.language = i18n.language_of(request)
        theme = request.cookies.get(THEME_COOKIE, "")
        return {
            "lang": language,
            "languages": i18n.LANGUAGES,
            "t": lambda key, **values: i18n.translate(language, key, **values),
            "theme": theme if theme in THEMES else "",
        }

    @pages.after_app_request
    def remember_language(response: Response) -> Response:
        if "language" in g:  # a page was rendered
            response.headers["Content-Language"] = g.language
            response.headers.add("Vary", "Accept-Language, Cookie")
            if request.args.get("lang") == g.language:
                response.set_cookie(i18n.COOKIE, g.language, max_age=i18n.SECONDS_KEPT, samesite="Lax")
        return response

    @pages.get("/")
    def index() -> ResponseReturnValue:
        signed_in = bool(api_token) and _same(request.cookies.get(TOKEN_COOKIE, ""), api_token)
        if api_token and not signed_in:
            return redirect(url_for("pages.login"), 303)
        return render_template(
            "index.html",
            login_url=url_for("pages.login") if api_token else "",
            csrf=csrf_token(api_token) if signed_in else "",
            max_upload_mb=max_upload_mb,
            answers=answers,
            catalogue=i18n.for_scripts(i18n.language_of(request)),
        )

    @pages.get("/docs")
    def docs() -> ResponseReturnValue:
        document = spec()
        info = document.get("info", {})
        return render_template(
            "docs.html",
            title=info.get("title", "API"),
            version=info.get("version", ""),
            description=info.get("description", ""),
            groups=reference_groups(document, base_url=request.host_url.rstrip("/"), with_token=bool(api_token)),
        )

    @pages.get("/login")
    def login() -> ResponseReturnValue:
        if not api_token:
            return redirect(url_for("pages.index"), 303)
        return render_template("login.html")

    @pages.post("/login")
    def sign_in() -> ResponseReturnValue:
        if not api_token:
            return redirect(url_for("pages.index"), 303)
        request.max_content_length = SIGN_IN_BYTES  # whoever sends it is not known yet
        if not _same(request.form.get("token", "").strip(), api_token):
            log.warning("a sign-in from %s failed", request.remote_addr)
            return render_template("login.html", wrong=True), 401
        response = redirect(url_for("pages.index"), 303)
        response.set_cookie(TOKEN_COOKIE, api_token, httponly=True, samesite="Strict", secure=request.is_secure)
        return response

    @pages.post("/logout")
    def logout() -> ResponseReturnValue:
        response = redirect(url_for("pages.login"), 303)
        response.delete_cookie(TOKEN_COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
        return response

    return pages


def _same(given: str, expected: str) -> bool:
    # bytes, because compare_digest refuses text that is not ASCII
    return hmac.compare_digest(given.encode(), expected.encode())
