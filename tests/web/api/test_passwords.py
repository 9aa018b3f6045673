"""PDFs that need a password: with the upload, by a retry, when it is wrong, and for the pictures of their pages."""

from __future__ import annotations

import io
import json
import logging

import pytest
from pypdf import PdfReader, PdfWriter

from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.ingest.conftest import make_pdf
from tests.web.conftest import API, PATIENCE, Docent, assert_error
from wiring import build_services

SECRET = "correct horse Ünïcode 密码"


def locked_pdf(algorithm: str = "AES-256", password: str = SECRET) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf([[("The pump runs at 40 bar.", 12, False, 700)]]))))
    writer.encrypt(password, "the owner", algorithm=algorithm)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(("algorithm", "password"), [("AES-256", SECRET), ("RC4-128", "plain"), ("AES-128", "Müller")])
def test_the_password_comes_with_the_upload(docent: Docent, algorithm: str, password: str) -> None:
    (found,) = docent.upload(("a.pdf", locked_pdf(algorithm, password)), password=password)

    assert (found["status"], found["error"]) == ("indexed", None)
    assert docent.search("pump")[0]["page"] == 1
    picture = docent.client.get(f"{API}/documents/{found['id']}/pages/1.png?highlight=4-8")
    assert (picture.status_code, picture.headers["X-Marked"]) == (200, "4/4")


def test_without_or_with_a_wrong_one_it_fails_and_is_retried(docent: Docent) -> None:
    response = docent.send(("a.pdf", locked_pdf()), ("pump.txt", "The pump is green."))
    job = docent.finished(response)
    asked, plain = job["documents"]
    assert (asked["status"], asked["error"]["code"], plain["status"]) == ("failed", "encrypted", "indexed")
    assert "`password`" in asked["error"]["message"]

    url = response.headers["Location"]
    assert docent.client.post(f"{url}/retry", json={"password": "a guess"}).status_code == 200
    wrong = docent.job(url)["documents"][0]
    assert (wrong["status"], wrong["error"]["code"]) == ("failed", "wrong_password")
    assert "`password`" in wrong["error"]["message"]

    again = docent.client.post(f"{API}/documents/{wrong['id']}/retry", json={"password": SECRET})
    assert again.status_code == 200
    assert again.get_json()["status"] != "failed"
    assert docent.job(url)["documents"][0]["status"] == "indexed"
    assert docent.get("/documents")["total"] == 2


def test_uploading_again_with_the_password_is_the_same_document(docent: Docent) -> None:
    content = locked_pdf()
    (failed,) = docent.upload(("a.pdf", content))

    (found,) = docent.upload(("a.pdf", content), password=SECRET)
    # the bytes of another encryption of the same page: a new version
    (newer,) = docent.upload(("a.pdf", locked_pdf("AES-128")), password=SECRET)

    assert failed["status"] == "failed"
    assert found["status"] == newer["status"] == "indexed"
    assert found["id"] == failed["id"]
    assert newer["replaces"] == found["id"]


def test_a_password_that_is_not_needed_is_no_obstacle(docent: Docent) -> None:
    owner_only = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf([[("Open to read.", 12, False, 700)]]))))
    owner_only.encrypt("", "the owner", algorithm="AES-128")
    buffer = io.BytesIO()
    owner_only.write(buffer)

    found = docent.upload(("a.pdf", buffer.getvalue()), ("b.txt", "Plain text."), password="whatever")

    assert [item["status"] for item in found] == ["indexed", "indexed"]


def test_the_password_is_kept_nowhere_but_in_memory(docent: Docent, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (found,) = docent.upload(("a.pdf", locked_pdf()), password=SECRET)
    docent.upload(("b.pdf", locked_pdf("AES-128")), password="wrong " + SECRET)
    folder = docent.services.settings.data_dir
    docent.services.close()

    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert json.dumps(SECRET).encode() not in kept
    assert SECRET not in caplog.text

    services = build_services(Settings(data_dir=folder, samples=False, llm="extractive"), embedder=HashEmbedder())
    try:
        services.startup.begin()
        services.startup.require(patience=PATIENCE)
        from app import create_app

        reopened = Docent(services, create_app(services=services), docent.client, HashEmbedder())
        reopened.client = reopened.app.test_client()
        url = f"{API}/documents/{found['id']}"
        assert reopened.search("pump")
        error = assert_error(reopened.client.get(f"{url}/pages/1.png"), 422, "encrypted")
        assert "in memory only" in error["message"]
        assert_error(reopened.client.post(f"{url}/retry"), 409, "document_not_failed")
        assert reopened.client.post(f"{url}/retry", json={"password": "wrong"}).status_code == 200
        assert_error(reopened.client.get(f"{url}/pages/1.png"), 422, "wrong_password")
        assert reopened.client.post(f"{url}/retry", json={"password": SECRET}).status_code == 200
        assert reopened.client.get(f"{url}/pages/1.png").status_code == 200
    finally:
        services.close()


@pytest.mark.parametrize("body", [{"password": 5}, {"password": "x" * 1025}, {"pass": SECRET}, [SECRET], "text"])
def test_a_bad_body_is_refused_without_repeating_it(docent: Docent, body: object) -> None:
    response = docent.send(("a.pdf", locked_pdf()))
    docent.finished(response)

    refused = docent.client.post(f"{response.headers['Location']}/retry", json=body)

    assert_error(refused, 400, "validation")
    assert SECRET not in refused.text
