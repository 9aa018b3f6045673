"""A disk without room: questions are answered, documents can be deleted, nothing new is taken, and it is told."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from rag.errors import UnavailableError
from tests.web.conftest import API, ORCHARD, PUMP, Docent, assert_error, eventually

QUESTION = "At how many bar does the pump in hall four run?"


def test_a_full_disk_can_be_left(docent: Docent, monkeypatch: pytest.MonkeyPatch) -> None:
    (document,) = docent.upload(("pump.txt", PUMP))
    usage = shutil.disk_usage(docent.services.settings.data_dir)

    def full(*_: object) -> Any:
        return usage._replace(free=1 << 20)

    def refuse(*_: object) -> None:
        raise UnavailableError("The catalog cannot be written now: database or disk is full.", code="storage")

    monkeypatch.setattr(shutil, "disk_usage", full)
    monkeypatch.setattr(docent.services.conversations, "save", refuse)

    assert_error(docent.send(("orchard.txt", ORCHARD)), 503, "storage")
    assert_error(docent.client.post(f"{API}/documents", json={"text": ORCHARD}), 503, "storage")
    assert docent.ask(QUESTION)["retrieved"]
    assert docent.stream(QUESTION)[-1][0] == "done"
    ready = docent.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json()["parts"]["disk"]["state"] == "failed"
    assert docent.client.delete(f"{API}/documents/{document['id']}").status_code == 204
    assert docent.stored_files() == []

    monkeypatch.undo()
    assert "disk" not in docent.client.get("/readyz").get_json()["parts"]
    assert docent.upload(("orchard.txt", ORCHARD))[0]["status"] == "indexed"


def test_what_waits_is_indexed_when_there_is_room_again(docent: Docent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pipeline.pipeline.RETRY_SECONDS", 0.1)
    library = docent.services.library
    tight = True

    def require(more: int = 0) -> None:
        if tight and not more:
            raise UnavailableError("The disk is nearly full.", code="storage")

    monkeypatch.setattr(library, "require_disk", require)
    response = docent.send(("pump.txt", PUMP))
    assert response.status_code == 202
    eventually(lambda: "nearly full" in docent.services.pipeline.health()[1], patience=10)
    tight = False
    assert docent.finished(response)["documents"][0]["status"] == "indexed"
