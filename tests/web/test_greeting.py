"""What the terminal says after the start: a first question only once the documents can answer it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from app import create_app, greet, tell_failures
from rag.adapters.embedding.embedders import _Entry
from rag.errors import ConfigurationError
from rag.retrieval.embedding_spaces import EmbeddingSpace
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.web.conftest import PUMP, Docent, Start, eventually
from wiring import build_services

URL = "http://127.0.0.1:8000"


def greeting(docent: Docent, capsys: pytest.CaptureFixture[str], *, indexed: bool) -> tuple[str, str]:
    """What a first run says before the samples are indexed, or have not been within the patience, and then."""
    ended = threading.Event()

    def wait(timeout: float) -> bool:
        assert ended.wait(timeout)
        return indexed

    docent.services.pipeline.wait = wait  # type: ignore[method-assign]
    docent.services.samples_added = True
    greet(docent.services, URL)
    before = capsys.readouterr().out
    ended.set()
    deadline, after = time.monotonic() + 10, ""
    while "curl" not in after and time.monotonic() < deadline:
        time.sleep(0.01)
        after += capsys.readouterr().out
    return before, after


def test_a_first_run_suggests_a_question_when_the_samples_are_in(
    docent: Docent, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = greeting(docent, capsys, indexed=True)

    assert f"Docent is at {URL}/" in before
    assert "curl" not in before
    assert after.startswith("Ask it something:\n  curl -s http://127.0.0.1:8000/api/v1/ask ")


def test_samples_that_take_long_are_not_waited_for(docent: Docent, capsys: pytest.CaptureFixture[str]) -> None:
    _, after = greeting(docent, capsys, indexed=False)

    assert after.startswith("Once the samples are in, ask it something:\n  curl -s ")


def test_a_later_run_suggests_it_at_once(docent: Docent, capsys: pytest.CaptureFixture[str]) -> None:
    greet(docent.services, URL)

    said = capsys.readouterr().out
    assert f"Docent is at {URL}/" in said
    assert "Ask it something:\n  curl -s " in said


class Broken(HashEmbedder):
    """An embedding model that does not load."""

    def load(self) -> None:
        raise ConfigurationError("The weights of model-a are damaged.")


@pytest.mark.parametrize("known", [False, True])
def test_a_collection_whose_model_does_not_load_is_told_at_the_start(
    known: bool, start: Start, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    docent = start()
    docent.upload(("pump.txt", PUMP))
    with docent.services.database.write() as connection:
        connection.exec_driver_sql("INSERT INTO collections(name, embedding_model, created_at) "
                                   "VALUES ('papers', 'model-x', '2026-01-01 00:00:00')")  # fmt: skip
    settings = docent.services.settings
    docent.services.close()

    def fail(_report: object, _progress: object) -> None:
        raise ConfigurationError("The weights are damaged.")

    services = build_services(settings, embedder=docent.embedder)
    try:
        if known:
            models: Any = services.spaces._embedders
            models._entries["model-x"] = _Entry(EmbeddingSpace(docent.embedder), fail)
        services.startup.begin()
        assert services.startup.wait(20)
        client = create_app(services=services).test_client()
        ready = client.get("/readyz")
        assert ready.status_code == 200
        for parts in (ready.get_json()["parts"], client.get("/api/v1/status").get_json()["parts"]):
            assert parts["collections"]["state"] == "failed"
            for word in ("'papers'", "reindex --change-model", "damaged" if known else "model-x"):
                assert word in parts["collections"]["detail"]
        assert "'papers'" in caplog.text
        tell_failures(services)
        assert "docent: collections: Some collections cannot be searched: " in capsys.readouterr().err
        assert client.post("/api/v1/search", json={"query": "pump bar"}).get_json()["passages"]
    finally:
        services.close()


def test_a_default_model_that_does_not_load_is_told_with_what_mends_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, samples=False, llm="extractive")
    services = build_services(settings, embedder=HashEmbedder())
    try:
        services.spaces._embedders._entries[services.embedder.model_id] = _Entry(  # type: ignore[attr-defined]
            EmbeddingSpace(HashEmbedder()), lambda _report, _progress: Broken().load()
        )
        services.startup.begin()
        eventually(lambda: services.startup.report()["embedder"]["state"] == "failed", patience=20)
        ready = create_app(services=services).test_client().get("/readyz")
        assert ready.status_code == 503
        detail = ready.get_json()["parts"]["embedder"]["detail"]
        assert "damaged" in detail
        assert "reindex --change-model" in detail
        assert services.startup.wait(1)
        assert services.startup.report()["ingestion"]["state"] == "failed"
    finally:
        services.close()
