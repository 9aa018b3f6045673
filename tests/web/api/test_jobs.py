"""Jobs through the REST API: a full queue, the same request twice at once, rate and time left, one file again, health."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.local_backend import LocalBackend
from cli.remote_backend import RemoteBackend
from ingest.sources.folder import FoundFile
from tests.web.conftest import API, ORCHARD, PUMP, Docent, Start, assert_error, listening


@pytest.fixture
def held(docent: Docent) -> Callable[[], None]:
    """Holds the embedder of documents until it is called."""
    gate = threading.Event()
    embed = docent.embedder.embed_documents

    def embed_late(texts: list[str]) -> object:
        gate.wait(20)
        return embed(texts)

    docent.embedder.embed_documents = embed_late  # type: ignore[method-assign,assignment]
    return gate.set


def narrow(docent: Docent, limit: int) -> None:
    """Let so many bytes wait."""
    docent.services.library._ingestion._max_queued_bytes = limit


def test_a_full_queue_answers_429_and_nothing_is_lost(docent: Docent, held: Callable[[], None]) -> None:
    narrow(docent, 4000)
    first = docent.send(("pump.txt", PUMP * 20))
    assert first.status_code == 202

    refused = docent.send(("orchard.txt", ORCHARD * 30), headers={"Idempotency-Key": "k"})
    error = assert_error(refused, 429, "queue_full")
    assert int(refused.headers["Retry-After"]) > 0
    assert error["details"]["limit_mb"] == 0
    assert_error(docent.client.post(f"{API}/documents", json={"text": ORCHARD * 30}), 429, "queue_full")
    assert docent.get("/documents")["total"] == 1
    assert len(docent.stored_files()) == 1

    held()
    docent.finished(first)
    again = docent.send(("orchard.txt", ORCHARD * 30), headers={"Idempotency-Key": "k"})
    assert again.status_code == 202
    assert docent.finished(again)["documents"][0]["status"] == "indexed"


@pytest.mark.parametrize("kind", ["local", "rest"])
def test_the_command_line_waits_for_room(
    docent: Docent, held: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("cli.remote_backend.LONGEST_WAIT", 0.05)
    narrow(docent, 4000)
    first = docent.send(("pump.txt", PUMP * 20))
    path = tmp_path / "orchard.txt"
    path.write_text(ORCHARD * 30)
    with listening(docent.app) as port:
        target = (
            LocalBackend(docent.services, "default")
            if kind == "local"
            else RemoteBackend(f"http://127.0.0.1:{port}", "default")
        )
        if kind == "local":
            target._begun = True  # type: ignore[union-attr]  # the server has begun
        sent: list[Any] = []
        sender = threading.Thread(target=lambda: sent.append(target.send([FoundFile(path, "orchard.txt")])))
        sender.start()
        time.sleep(0.3)
        assert sent == []
        held()
        sender.join(20)

    docent.finished(first)
    ((job, refused),) = sent
    assert refused == []
    assert docent.job(f"{API}/jobs/{job}")["documents"][0]["status"] == "indexed"


def test_files_that_are_too_large_are_refused_without_a_server_too(docent: Docent, tmp_path: Path) -> None:
    object.__setattr__(docent.services.settings, "max_upload_mb", 1)
    path = tmp_path / "large.txt"
    path.write_bytes(b"word " * 300_000)
    target = LocalBackend(docent.services, "default")
    target._begun = True

    job, refused = target.send([FoundFile(path, "large.txt")])

    assert job is None
    assert (refused[0].status, "1 MiB" in refused[0].reason) == ("failed", True)
    assert docent.stored_files() == []


def test_the_same_request_twice_at_once_is_one_job(docent: Docent) -> None:
    known = docent.services.library.job_of_key
    both = threading.Barrier(2)
    waited = threading.local()

    def look_together(key: str) -> Any:
        found = known(key)
        if not getattr(waited, "once", False):
            waited.once = True
            both.wait(10)  # neither has registered when the other looks
        return found

    docent.services.library.job_of_key = look_together  # type: ignore[method-assign]
    answers: list[Any] = []

    def send() -> None:
        client = docent.app.test_client()
        data = {"text": PUMP, "title": "pump"}
        answers.append(client.post(f"{API}/documents", json=data, headers={"Idempotency-Key": "same"}))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [answer.status_code for answer in answers] == [202, 202]
    one, two = (answer.get_json() for answer in answers)
    assert one["job_id"] == two["job_id"]
    assert [item["id"] for item in one["documents"]] == [item["id"] for item in two["documents"]]
    assert docent.get("/documents")["total"] == 1
    docent.services.library.job_of_key = known  # type: ignore[method-assign]
    other = docent.client.post(f"{API}/documents", json={"text": ORCHARD}, headers={"Idempotency-Key": "same"})
    assert_error(other, 409, "idempotency_conflict")


def test_a_job_tells_rate_and_time_left_while_it_runs(docent: Docent, held: Callable[[], None]) -> None:
    response = docent.send(("empty.txt", ""), ("torn.pdf", b"%PDF-1.7 torn"), ("pump.txt", PUMP))
    url = response.headers["Location"]
    until = time.monotonic() + 20
    while (job := docent.client.get(url).get_json())["progress"]["done"] < 2 and time.monotonic() < until:
        time.sleep(0.02)

    assert job["status"] == "running"
    assert job["rate"] > 0
    assert job["eta_seconds"] >= 0
    held()
    job = docent.finished(response)
    assert (job["rate"], job["eta_seconds"]) == (None, None)


def test_one_document_is_tried_again(docent: Docent) -> None:
    response = docent.send(("torn.pdf", b"%PDF-1.7 torn"), ("pump.txt", PUMP))
    torn, pump = docent.finished(response)["documents"]
    assert torn["status"] == "failed"

    again = docent.client.post(f"{API}/documents/{torn['id']}/retry")
    assert again.status_code == 200
    assert again.get_json()["status"] != "indexed"
    assert docent.finished(response)["documents"][0]["status"] == "failed"
    assert_error(docent.client.post(f"{API}/documents/{pump['id']}/retry"), 409, "document_not_failed")
    assert_error(docent.client.post(f"{API}/documents/{'0' * 32}/retry"), 404, "document_not_found")


def test_cancelled_in_the_middle_and_retried(docent: Docent, held: Callable[[], None]) -> None:
    response = docent.send(("pump.txt", PUMP))
    url = response.headers["Location"]
    until = time.monotonic() + 20
    while docent.client.get(url).get_json()["documents"][0]["status"] != "embedding" and time.monotonic() < until:
        time.sleep(0.02)

    assert docent.client.post(f"{url}/cancel").get_json()["status"] == "cancelled"
    held()
    assert docent.client.post(f"{url}/retry").status_code == 200

    (found,) = docent.finished(response)["documents"]
    assert (found["status"], docent.vectors()) == ("indexed", found["chunks"])


def test_readiness_watches_the_threads_of_ingestion(docent: Docent) -> None:
    parts = docent.client.get("/readyz").get_json()["parts"]
    assert parts["ingestion"] == {"state": "ready", "detail": ""}
    docent.services.pipeline._problem = "waits: the disk is full"
    found = docent.client.get("/readyz")
    assert (found.status_code, found.get_json()["parts"]["ingestion"]["detail"]) == (200, "waits: the disk is full")

    dead = threading.Thread(target=lambda: None, name="pipeline-publish_forever")
    dead.start()
    dead.join()
    docent.services.pipeline._threads.append(dead)

    found = docent.client.get("/readyz")
    assert found.status_code == 503
    assert found.get_json()["ready"] is False
    assert found.get_json()["parts"]["ingestion"]["state"] == "failed"
    assert "publish" in json.dumps(found.get_json()["parts"]["ingestion"])


def test_the_events_of_a_job_are_not_one_a_moment(start: Start) -> None:
    """Rate and time left change all the while; that alone is no event."""
    docent = start()
    gate = threading.Event()
    embed = docent.embedder.embed_documents

    def embed_late(texts: list[str]) -> object:
        gate.wait(20)
        return embed(texts)

    docent.embedder.embed_documents = embed_late  # type: ignore[method-assign,assignment]
    response = docent.send(("torn.pdf", b"%PDF-1.7 torn"), ("pump.txt", PUMP))
    threading.Timer(2.0, gate.set).start()

    events = docent.client.get(response.headers["Location"] + "/events").text

    assert events.count("event: job") < 6
    assert events.count("event: done") == 1
