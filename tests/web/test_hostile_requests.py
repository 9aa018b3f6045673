"""Requests that ask too much: each is refused with its reason, none is a failure of the server's own."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from rag.adapters.chat.local_llm import _harmless
from tests.web.conftest import API, ORCHARD, PUMP, Docent, Start, assert_error

HUGE = "9" * 5000
ROUTES = [
    ("POST", f"{API}/search", '{"query": "x", "top_k": HUGE}'),
    ("POST", f"{API}/ask", '{"question": "x", "top_k": HUGE}'),
    ("POST", f"{API}/ask", '{"question": "x", "filters": {"year": HUGE}}'),
    ("POST", f"{API}/documents", '{"text": "x", "metadata": {"year": HUGE}}'),
    ("POST", f"{API}/documents", '{"url": HUGE}'),
    ("POST", f"{API}/collections", '{"name": HUGE}'),
    ("POST", f"{API}/collections/default/reindex", '{"change_model": HUGE}'),
    ("POST", f"{API}/collections/default/sync", '{"files": HUGE}'),
    ("POST", f"{API}/answers/a/feedback", '{"rating": HUGE}'),
    ("PATCH", f"{API}/conversations/a", '{"title": HUGE}'),
    ("PATCH", f"{API}/documents/a", '{"metadata": {"year": HUGE}}'),
    ("POST", f"{API}/documents/a/retry", '{"password": HUGE}'),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_an_endless_number_is_no_failure(shared: Docent, method: str, path: str, body: str) -> None:
    sent: dict[str, Any] = {"data": body.replace("HUGE", HUGE), "content_type": "application/json"}
    answer = shared.client.open(path, method=method, **sent)
    assert answer.status_code in (400, 404, 422)
    assert "error" in answer.get_json()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
def test_nor_for_openai_clients(shared: Docent, path: str) -> None:
    body = '{"model": HUGE, "messages": [{"role": "user", "content": HUGE}], "input": HUGE}'
    answer = shared.client.post(path, data=body.replace("HUGE", HUGE), content_type="application/json")
    assert answer.status_code == 400


def test_an_endless_number_in_a_form(shared: Docent) -> None:
    answer = shared.send(("a.txt", PUMP), metadata=f'{{"year": {HUGE}}}')
    assert_error(answer, 400, "validation")


@pytest.mark.parametrize("route", ["search", "ask"])
def test_filters_are_bounded(shared: Docent, route: str) -> None:
    body = {"query" if route == "search" else "question": "pump", "filters": {"filename": ["x"] * 300_000}}
    error = assert_error(shared.client.post(f"{API}/{route}", json=body), 400, "validation")
    assert "1000" in error["message"]
    body["filters"] = {"filename": ["x"] * 1000}
    assert shared.client.post(f"{API}/{route}", json=body).status_code == 200


def test_metadata_is_bounded(docent: Docent) -> None:
    much = {"note": "x" * (40 << 10)}
    for answer in (
        docent.send(("a.txt", PUMP), metadata=json.dumps(much)),
        docent.client.post(f"{API}/documents", json={"text": PUMP, "metadata": much}),
    ):
        assert "32 KiB" in assert_error(answer, 400, "validation")["message"]
    (kept,) = docent.upload(("b.txt", ORCHARD), metadata=json.dumps({"note": "x" * 30_000}))
    answer = docent.client.patch(f"{API}/documents/{kept['id']}", json={"metadata": much})
    assert_error(answer, 400, "validation")


def test_answers_are_nobody_elses(start: Start) -> None:
    token = "t" * 20
    docent = start(api_token=token)
    key = {"Authorization": f"Bearer {token}"}
    for path in (f"{API}/documents", "/login", "/readyz", f"{API}/nothing"):
        answer = docent.client.get(path, headers=key)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" not in docent.client.get("/assets/docent.css").headers.get("Cache-Control", "")


def test_failed_sign_ins_are_logged_without_what_was_tried(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    docent = start(api_token="t" * 20)
    with caplog.at_level(logging.WARNING):
        assert docent.client.post("/login", data={"token": "guess-of-somebody"}).status_code == 401
        assert docent.client.get(f"{API}/documents", headers={"Authorization": "Bearer other-guess"}).status_code == 401
        assert docent.client.get(f"{API}/documents").status_code == 401
    assert caplog.text.count("127.0.0.1") == 2
    assert "guess" not in caplog.text
    assert docent.client.post("/login", data={"token": "x" * 10_000}).status_code == 413


def test_a_failed_statement_is_told_without_its_values(docent: Docent) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    with pytest.raises(SQLAlchemyError) as caught, docent.services.database.read() as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE x = :x"), {"x": "what somebody wrote"})
    assert "somebody" not in str(caught.value)


def test_the_local_model_is_told_no_secrets() -> None:
    told = _harmless(
        {"PATH": "/bin", "DOCENT_API_TOKEN": "a", "OPENAI_API_KEY": "b", "AWS_SECRET_ACCESS_KEY": "c", "HOME": "/root"}
    )
    assert told == {"PATH": "/bin", "HOME": "/root"}
