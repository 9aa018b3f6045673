"""Every way to be refused, in the one shape of errors: bad files, bad bodies, bad names, too much of anything."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from tests.ingest.conftest import make_pdf, make_zip
from tests.web.conftest import API, ORCHARD, PUMP, Docent, Start, assert_error

PDF = make_pdf([[("The pump runs at 40 bar.", 12, False, 700)]])


def encrypted_pdf() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(PDF)))
    writer.encrypt("secret", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("empty.txt", b"", 422, "empty"),
        ("empty.pdf", b"", 422, "empty"),
        ("page.pdf", b"I am but text.", 422, "unreadable"),
        ("archive.docx", b"I am but text.", 422, "unreadable"),
        ("program.exe", b"MZ\x90\x00\x03\x00", 415, "unsupported_type"),
        ("no extension", b"text", 415, "unsupported_type"),
        ("archive.7z", make_zip({"a.txt": b"text"}), 415, "unsupported_type"),
        ("binary.txt", bytes(range(256)) * 4, 415, "unsupported_type"),
    ],
)
def test_files_that_are_refused_at_once(shared: Docent, name: str, data: bytes, status: int, code: str) -> None:
    error = assert_error(shared.send((name, data)), status, code)

    if status == 415:
        assert {".pdf", ".docx", ".html", ".md", ".txt"} <= set(error["details"]["accepted"])
        assert ".pdf" in error["message"]
    assert shared.stored_files() == []
    assert shared.get("/documents")["total"] == 0


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("none.pdf", make_pdf([]), None),
        ("secret.pdf", encrypted_pdf(), "encrypted"),
        ("cut.pdf", PDF[: len(PDF) // 3], None),
        ("archive.docx", make_zip({"a.txt": b"text"}), None),
        ("blank.txt", b" \n\t\n", "no_text"),
    ],
)
def test_files_that_fail_in_the_reader(docent: Docent, name: str, data: bytes, code: str | None) -> None:
    job = docent.finished(docent.send((name, data)))

    assert job["status"] == "failed"
    (document,) = job["documents"]
    assert document["status"] == "failed"
    assert document["error"]["code"]
    assert document["error"]["message"]
    assert code is None or document["error"]["code"] == code
    assert_error(docent.client.get(f"{API}/documents/{document['id']}/text"), 409, "document_not_indexed")
    assert docent.vectors() == 0


def test_a_pdf_under_another_name_is_read_with_a_warning(docent: Docent) -> None:
    (document,) = docent.upload(("pump.txt", PDF))

    assert (document["status"], document["media_type"]) == ("indexed", "application/pdf")
    assert document["warnings"]


def test_one_bad_file_fails_alone(docent: Docent) -> None:
    documents = docent.upload(("a.txt", PUMP), ("b.pdf", b"text"), ("c.exe", b"MZ\x00"), ("d.txt", ORCHARD))

    assert [document["status"] for document in documents] == ["indexed", "failed", "failed", "indexed"]
    assert all(document["error"] for document in documents[1:3])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "etc/passwd.txt"),
        ("/etc/passwd.txt", "etc/passwd.txt"),
        ("....//a.txt", "....//a.txt"),
        ("a\tb\x07.txt", "ab.txt"),
        ("x" * 251 + ".txt", "x" * 251 + ".txt"),
    ],
)
def test_a_path_in_a_name_is_only_a_name(docent: Docent, name: str, kept: str) -> None:
    (document,) = docent.upload((name, PUMP))

    assert document["filename"] == kept
    (stored,) = docent.stored_files()
    assert stored.name == document["id"]


@pytest.mark.parametrize("name", ["x" * 296 + ".txt", "/".join(["x" * 200] * 6) + ".txt", "..", "../..", "/", "\x01"])
def test_impossible_names_are_refused_and_nothing_stays(shared: Docent, name: str) -> None:
    assert_error(shared.send(("good.txt", PUMP), (name, ORCHARD)), 400, "invalid_filename")

    assert shared.stored_files() == []
    assert shared.get("/documents")["total"] == 0


def test_too_large_states_the_limit(start: Start) -> None:
    docent = start(max_upload_mb=1)

    # written out, because the test client leaves the temporary file open that it makes of a large form
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="big.txt"\r\n\r\n'
    body = head + b"x " * (1 << 20) + b"\r\n--b--\r\n"
    response = docent.client.post(f"{API}/documents", data=body, content_type="multipart/form-data; boundary=b")
    error = assert_error(response, 413, "too_large")

    assert "1 MiB" in error["message"]
    assert error["details"] == {"limit_mb": 1}
    assert docent.stored_files() == []


@pytest.mark.parametrize(
    "form",
    [
        {"metadata": "{"},
        {"metadata": "[1]"},
        {"metadata": '{"a": NaN}'},
        {"metadata": '{"a": "\\ud800"}'},
        {"metadata": "[" * 100_000},
        {"collection": "../x"},
    ],
)
def test_bad_forms_are_refused_and_nothing_stays(shared: Docent, form: dict[str, Any]) -> None:
    assert_error(shared.send(("pump.txt", PUMP), **form), 400)

    assert shared.stored_files() == []
    assert shared.get("/documents")["total"] == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"text": "a"', "(body): It is not JSON: Expecting ',' delimiter at line 1, column 13"),
        (b'{"text": "\xff"}', "byte 10 is not UTF-8"),
        (b"", "(body): It is empty; it must be a JSON object"),
        (b"[]", "must be a JSON object, not a list"),
    ],
)
def test_an_upload_that_is_no_object_is_told_why(shared: Docent, body: bytes, said: str) -> None:
    response = shared.client.post(f"{API}/documents", data=body, content_type="application/json")
    error = assert_error(response, 400, "validation")

    assert said in error["message"]
    assert error["details"]["problems"][0]["field"] == "(body)"


def test_a_retry_that_is_no_json_is_told_why(shared: Docent) -> None:
    response = shared.client.post(f"{API}/jobs/none/retry", data=b'{"password": x}')

    assert "Expecting value at line 1, column 14" in assert_error(response, 400, "validation")["message"]


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"text": ""}', "application/json", 400),
        (b'{"text": " "}', "application/json", 400),
        (b'{"text": 7}', "application/json", 400),
        (b'{"text": "a", "surprise": 1}', "application/json", 400),
        (b'{"text": "a", "metadata": {"a": NaN}}', "application/json", 400),
        (b'{"text": "a \\ud800"}', "application/json", 400),
        (b'{"url": "http://localhost/"}', "application/json", 400),
        (b"pump", "text/plain", 400),
        (b"", "multipart/form-data; boundary=x", 400),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 400),
        (b"nothing", "multipart/form-data", 400),
    ],
)
def test_bad_uploads_are_refused(shared: Docent, data: bytes, kind: str, status: int) -> None:
    assert_error(shared.client.post(f"{API}/documents", data=data, content_type=kind), status)

    assert shared.stored_files() == []


ASK = f"{API}/ask"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"question": ""}', 400, "empty_question"),
        (b'{"question": " \\u0000 "}', 400, "empty_question"),
        (json.dumps({"question": "why " * 25_000}).encode(), 400, "question_too_long"),
        (b'{"question": 1}', 400, "validation"),
        (b'{"question": "a", "top_k": 0}', 400, "validation"),
        (b'{"question": "a", "top_k": true}', 400, "validation"),
        (b'{"question": "a", "stream": "yes"}', 400, "validation"),
        (b'{"question": "a", "extra": 1}', 400, "validation"),
        (b'{"question": "a", "collections": ["nowhere"]}', 404, "collection_not_found"),
        (b'{"question": "a", "collections": ["nowhere"], "stream": true}', 404, "collection_not_found"),
        (b'{"question": "a", "conversation_id": "nowhere"}', 404, "conversation_not_found"),
        (b'{"question": "a"', 400, None),
        (b"", 400, None),
        (b"[" * 100_000, 400, None),
    ],
)
def test_bad_questions_are_refused(shared: Docent, body: bytes, status: int, code: str | None) -> None:
    assert_error(shared.client.post(ASK, data=body, content_type="application/json"), status, code)


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (
            b'{"question": "a"',
            "application/json",
            "(body): It is not JSON: Expecting ',' delimiter at line 1, column 17",
        ),
        (b'\n{question: "a"}', "application/json", "at line 2, column 2"),
        (b'{"question": "\xff"}', "application/json", "byte 14 is not UTF-8"),
        (b"", "application/json", "(body): It is empty"),
        (b'["a"]', "application/json", "must be a JSON object, not a list"),
        (b'"a"', "application/json", "must be a JSON object, not a text"),
        (b"null", "application/json", "must be a JSON object, not null"),
        (b'{"question": "a"}', "", "Content-Type must be application/json, and it is missing."),
        (b'{"question": "a"}', "text/plain", "Content-Type must be application/json, not text/plain"),
        (b'{"question": "a", "messages": ["b"]}', "application/json", "messages.0: It must be a JSON object."),
    ],
)
def test_a_body_that_is_no_object_is_told_why(shared: Docent, body: bytes, kind: str, said: str) -> None:
    error = assert_error(shared.client.post(ASK, data=body, content_type=kind), 400, "validation")

    assert said in error["message"]
    assert "AskBody" not in json.dumps(error)
    assert "Turn" not in json.dumps(error)


def test_a_question_that_is_no_json_is_refused(shared: Docent) -> None:
    response = shared.client.post(ASK, data="question=why", content_type="application/x-www-form-urlencoded")
    assert response.status_code in (400, 415)
    assert_error(response, response.status_code)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "/documents", 405, "method_not_allowed"),
        ("GET", "/ask", 405, "method_not_allowed"),
        ("DELETE", "/search", 405, "method_not_allowed"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/documents/nothing", 404, "document_not_found"),
        ("GET", "/documents/nothing/content", 404, "document_not_found"),
        ("DELETE", "/documents/nothing", 404, "document_not_found"),
        ("GET", "/documents/%00", 404, "document_not_found"),
        ("GET", "/documents/nothing/text?start=-1", 400, "validation"),
        ("GET", "/documents/nothing/text?start=99999999999999999999", 400, "validation"),
        ("GET", "/documents/nothing/text?start=5&end=2", 400, "validation"),
        ("GET", "/jobs/nothing", 404, "job_not_found"),
        ("GET", "/jobs/nothing/events", 404, "job_not_found"),
        ("POST", "/jobs/nothing/cancel", 404, "job_not_found"),
        ("GET", "/conversations/nothing/messages", 404, "conversation_not_found"),
        ("DELETE", "/conversations/nothing", 404, "conversation_not_found"),
    ],
)
def test_wrong_ways_are_refused(shared: Docent, method: str, path: str, status: int, code: str) -> None:
    response = shared.client.open(API + path, method=method)

    assert_error(response, status, code)
    if status == 405:
        assert response.headers["Allow"]


@pytest.mark.parametrize("body", [{"rating": "sideways"}, {}, {"rating": "up", "comment": "x" * 4001}])
def test_bad_feedback_is_refused(shared: Docent, body: dict[str, Any]) -> None:
    assert_error(shared.client.post(f"{API}/answers/nothing/feedback", json=body), 400, "validation")


def test_feedback_on_nothing_is_refused(shared: Docent) -> None:
    response = shared.client.post(f"{API}/answers/nothing/feedback", json={"rating": "up"})
    assert_error(response, 404, "answer_not_found")


def test_what_nobody_expected_is_still_the_one_shape(docent: Docent) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("pump 40 bar")

    docent.services.documents.find = explode  # type: ignore[method-assign,assignment]

    error = assert_error(docent.client.get(f"{API}/documents"), 500, "internal")

    assert "pump" not in error["message"]
