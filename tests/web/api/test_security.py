"""Who may call: hosts, origins, tokens; and the signs of life that everybody may see."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import API, PUMP, Docent, Start, assert_error
from web.security import csrf_token

TOKEN = "0123456789abcdef-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def without_jar(docent: Docent) -> FlaskClient:
    """A client that sends the Cookie header it is given."""
    return docent.app.test_client(use_cookies=False)


@pytest.fixture(scope="module")
def locked(start_once: Start) -> Docent:
    """A server that wants its token."""
    return start_once(api_token=TOKEN)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_an_unknown_host_is_refused(shared: Docent, host: str) -> None:
    response = shared.client.get(f"{API}/documents", headers={"Host": host})

    assert_error(response, 403, "unknown_host")


@pytest.mark.parametrize("host", ["[", "a b", "[::1", "x" * 5000, "a/../b", "@"])
def test_a_host_that_is_none_is_refused(shared: Docent, host: str) -> None:
    response = shared.client.get(f"{API}/documents", headers={"Host": host})

    assert response.status_code in (400, 403)
    assert_error(response, response.status_code)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:9", "[::1]:8000", "LOCALHOST"])
def test_its_own_names_are_known(shared: Docent, host: str) -> None:
    assert shared.client.get(f"{API}/documents", headers={"Host": host}).status_code == 200


def test_further_names_are_a_setting(start: Start) -> None:
    docent = start(allowed_hosts=("docs.example",))

    assert docent.client.get(f"{API}/documents", headers={"Host": "docs.example"}).status_code == 200
    assert_error(docent.client.get(f"{API}/documents", headers={"Host": "other.example"}), 403, "unknown_host")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_may_not_change_anything(docent: Docent, headers: dict[str, str]) -> None:
    (document,) = docent.upload(("pump.txt", PUMP))

    for method, path in (("POST", "/ask"), ("POST", "/documents"), ("DELETE", f"/documents/{document['id']}")):
        assert_error(docent.client.open(API + path, method=method, headers=headers), 403, "cross_site")
    assert docent.get("/documents")["total"] == 1


def test_its_own_page_may(shared: Docent) -> None:
    for headers in ({"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}):
        response = shared.client.post(f"{API}/search", json={"query": "pump"}, headers=headers)
        assert response.status_code == 200


def test_no_origin_is_allowed_by_default(shared: Docent) -> None:
    for method in ("GET", "OPTIONS"):
        response = shared.client.open(
            f"{API}/documents", method=method, headers={"Origin": "https://app.example", "Host": "localhost"}
        )
        assert not [name for name, _ in response.headers if name.lower().startswith("access-control")]


def test_origins_can_be_allowed(start: Start) -> None:
    docent = start(cors_origins=("https://app.example",), api_token=TOKEN)
    origin = {"Origin": "https://app.example"}

    preflight = docent.client.options(
        f"{API}/search",
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    answer = docent.client.post(f"{API}/search", json={"query": "pump"}, headers={**origin, **BEARER})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    refused = docent.client.post(f"{API}/search", json={"query": "pump"}, headers=origin)
    assert_error(refused, 401, "unauthorized")
    assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example"
    other = docent.client.get(f"{API}/documents", headers={"Origin": "https://evil.example", **BEARER})
    assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer ünïcode"},
        {"Cookie": "docent_token=wrong"},
        {"Authorization": "Bearer wrong", "Cookie": f"docent_token={TOKEN}"},
    ],
)
def test_without_the_token_nothing_is_told(locked: Docent, headers: dict[str, str]) -> None:
    for method, path in (
        ("GET", f"{API}/documents"),
        ("POST", f"{API}/ask"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/nothing"),
    ):
        response = without_jar(locked).open(path, method=method, headers=headers)
        assert_error(response, 401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("headers", [BEARER, {"Authorization": f"bearer {TOKEN}"}, {"Cookie": f"docent_token={TOKEN}"}])
def test_the_token_opens(locked: Docent, headers: dict[str, str]) -> None:
    for path in (f"{API}/documents", "/metrics", "/v1/models"):
        assert without_jar(locked).get(path, headers=headers).status_code == 200


def test_signing_in_gives_a_cookie_that_opens(start: Start) -> None:
    docent = start(api_token=TOKEN)

    assert docent.client.post("/login", data={"token": "wrong"}).status_code == 401
    response = docent.client.post("/login", data={"token": TOKEN})
    assert response.status_code == 303
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert docent.client.get(f"{API}/documents").status_code == 200
    assert_error(docent.client.post("/logout"), 403, "csrf")
    docent.client.post("/logout", data={"csrf": csrf_token(TOKEN)})
    assert_error(docent.client.get(f"{API}/documents"), 401, "unauthorized")


def test_a_cookie_alone_changes_nothing(start: Start) -> None:
    docent = start(api_token=TOKEN)
    cookie = {"Cookie": f"docent_token={TOKEN}"}
    client = without_jar(docent)
    for headers in (cookie, {**cookie, "X-CSRF-Token": "wrong"}, {**cookie, "X-CSRF-Token": csrf_token("other")}):
        for method, path in (
            ("POST", "/documents"),
            ("POST", "/ask"),
            ("DELETE", "/documents/x"),
            ("PATCH", "/documents/x"),
        ):
            assert_error(client.open(API + path, method=method, headers=headers, json={}), 403, "csrf")
        assert client.get(f"{API}/documents", headers=headers).status_code == 200

    good = {**cookie, "X-CSRF-Token": csrf_token(TOKEN)}
    assert client.post(f"{API}/documents", headers=good, json={"text": PUMP}).status_code == 202
    assert client.post(f"{API}/search", headers=BEARER, json={"query": "pump"}).status_code == 200
    page = client.get("/", headers=cookie).text
    assert csrf_token(TOKEN) in page
    assert TOKEN not in page


def test_signs_of_life_need_no_token(start: Start) -> None:
    docent = start(api_token=TOKEN)

    assert docent.client.get("/healthz").get_json() == {"status": "ok"}
    ready = docent.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json()["ready"] is True
    assert {part["state"] for part in ready.get_json()["parts"].values()} == {"ready"}


def test_readiness_is_told_while_things_load(start: Start) -> None:
    docent = start()
    docent.services.startup._states["embedder"] = docent.services.startup._states["index"].__class__("loading")

    response = docent.client.get("/readyz")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.get_json()["parts"]["embedder"]["state"] == "loading"
    assert docent.client.get("/healthz").status_code == 200


def test_metrics_count_requests_and_documents(docent: Docent) -> None:
    docent.upload(("pump.txt", PUMP))
    docent.client.get(f"{API}/documents/nothing")

    text = docent.client.get("/metrics").text

    assert 'docent_documents{status="indexed"} 1.0' in text
    assert 'docent_ready{part="embedder"} 1.0' in text
    route = re.escape(f"{API}/documents/<string:document_id>")
    assert re.search(rf'docent_requests_total{{method="GET",route="{route}",status="404"}} 1.0', text)
    assert "pump" not in text


def test_the_api_describes_itself(shared: Docent) -> None:
    document = shared.client.get("/openapi.json").get_json()

    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/documents", "/api/v1/ask", "/api/v1/search"} <= set(document["paths"])
    body = document["paths"]["/api/v1/documents"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "application/json"}
    page = shared.client.get("/docs")
    assert page.status_code == 200
    assert "/api/v1/ask" in page.text


@pytest.mark.parametrize("path", ["/", "/docs", f"{API}/documents", "/nothing", "/healthz"])
def test_every_response_has_safe_headers(shared: Docent, path: str) -> None:
    headers = shared.client.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-Id"])
