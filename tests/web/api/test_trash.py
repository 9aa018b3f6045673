"""The trash through the REST API: in, out, listed, emptied; searches, answers, uploads and conversations meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.test_passwords import SECRET, locked_pdf
from tests.web.conftest import API, CHINESE, ORCHARD, PUMP, Docent, Start, assert_error, eventually

QUESTION = "At how many bar does the pump in hall four run?"


def trash(docent: Docent, document_id: str) -> dict[str, Any]:
    response = docent.client.post(f"{API}/documents/{document_id}/trash")
    assert response.status_code == 200, response.text
    return response.get_json()  # type: ignore[no-any-return]


def restored(docent: Docent, document_id: str) -> dict[str, Any]:
    """The document, restored and settled."""
    response = docent.client.post(f"{API}/documents/{document_id}/restore")
    assert response.status_code == 200, response.text
    assert response.get_json()["status"] in ("queued", "failed")
    eventually(lambda: docent.get(f"/documents/{document_id}")["status"] in ("indexed", "failed"))
    return docent.get(f"/documents/{document_id}")  # type: ignore[no-any-return]


def test_trashed_is_not_found_and_restored_it_is_as_before(docent: Docent) -> None:
    (pump,), (orchard,) = docent.upload(("pump.txt", PUMP)), docent.upload(("orchard.txt", ORCHARD))
    before = docent.search("pump hall 40 bar")
    url = f"{API}/documents/{pump['id']}"

    found = trash(docent, pump["id"])

    assert (found["id"], found["status"], found["chunks"]) == (pump["id"], "trashed", 0)
    for mode in ("hybrid", "dense", "lexical"):
        assert {p["document_id"] for p in docent.search("pump hall 40 bar", mode=mode)} <= {orchard["id"]}
    assert docent.vectors() == orchard["chunks"]
    assert docent.ask(QUESTION)["answered"] is False
    assert [item["id"] for item in docent.get("/documents")["data"]] == [orchard["id"]]
    assert [item["id"] for item in docent.get("/documents", status="trashed")["data"]] == [pump["id"]]
    assert docent.get("/documents", status="trashed", collection="default", q="pump")["total"] == 1
    (collection,) = docent.get("/collections")["data"]
    assert (collection["documents"], collection["chunks"]) == (1, orchard["chunks"])
    assert (docent.get("/status")["documents"]["trashed"], docent.get("/status")["documents"]["indexed"]) == (1, 1)
    assert docent.client.get(f"{url}/content", buffered=True).text == PUMP  # what it was can still be looked at
    for path in ("/text", "/outline", "/view"):
        assert_error(docent.client.get(url + path), 409, "document_not_indexed")
    assert docent.get(f"/documents/{pump['id']}/chunks")["total"] == 0
    for change in ({"metadata": {"a": 1}}, {"collection": "other"}):
        assert_error(docent.client.patch(url, json=change), 409, "document_trashed")
    for body in ({}, {"password": "x"}):
        assert_error(docent.client.post(f"{url}/retry", json=body), 409, "document_trashed")

    assert restored(docent, pump["id"])["status"] == "indexed"
    assert [(p["chunk_id"], p["score"]) for p in docent.search("pump hall 40 bar")] == [
        (p["chunk_id"], p["score"]) for p in before
    ]
    assert docent.get("/documents", status="trashed")["total"] == 0


def test_an_answer_forgets_its_quote_and_has_it_again(docent: Docent) -> None:
    (pump,) = docent.upload(("pump.txt", PUMP))
    answer = docent.ask(QUESTION)

    def citations() -> list[dict[str, Any]]:
        return docent.get(f"/conversations/{answer['conversation_id']}/messages")["data"][1]["citations"]  # type: ignore[no-any-return]

    before = citations()
    assert before[0]["quote"]
    trash(docent, pump["id"])
    assert {(item["filename"], item["quote"], item["content_sha256"]) for item in citations()} == {(None, None, None)}
    restored(docent, pump["id"])
    assert citations() == before
    trash(docent, pump["id"])
    assert docent.client.delete(f"{API}/trash").get_json() == {"deleted": 1}
    assert citations() == []


def test_the_same_bytes_again_are_a_new_document(docent: Docent) -> None:
    (old,) = docent.upload(("pump.txt", PUMP))
    trash(docent, old["id"])

    (new,) = docent.send(("pump.txt", PUMP)).get_json()["documents"]

    assert (new["status"], new["duplicate_of"], new["id"] != old["id"]) == ("queued", None, True)
    eventually(lambda: docent.get(f"/documents/{new['id']}")["status"] == "indexed")
    error = assert_error(docent.client.post(f"{API}/documents/{old['id']}/restore"), 409, "conflict")
    assert error["details"] == {"document_id": new["id"]}
    assert docent.get(f"/documents/{old['id']}")["status"] == "trashed"
    assert docent.client.delete(f"{API}/documents/{new['id']}").status_code == 204
    assert restored(docent, old["id"])["status"] == "indexed"


def test_a_job_goes_on_without_it_and_does_not_retry_it(docent: Docent) -> None:
    response = docent.send(("pump.txt", PUMP), ("broken.pdf", b"%PDF-1.4 nothing"))
    _, broken = docent.finished(response)["documents"]
    trash(docent, broken["id"])

    job = docent.job(response.headers["Location"])

    assert (job["status"], job["progress"], len(job["documents"])) == ("done", {"done": 2, "total": 2}, 1)
    docent.client.post(f"{response.headers['Location']}/retry")
    assert docent.get(f"/documents/{broken['id']}")["status"] == "trashed"
    again = restored(docent, broken["id"])
    assert (again["status"], again["error"]) == ("failed", broken["error"])


def test_emptied_or_deleted_nothing_is_left(docent: Docent) -> None:
    kept, *gone = docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD), ("报告.md", CHINESE))
    (elsewhere,) = docent.upload(("pump.txt", PUMP), collection="other")
    for document in (*gone, elsewhere):
        trash(docent, document["id"])
    assert len(docent.stored_files()) == 4

    assert docent.client.delete(f"{API}/documents/{gone[0]['id']}").status_code == 204
    assert docent.client.delete(f"{API}/trash", query_string={"collection": "other"}).get_json() == {"deleted": 1}
    assert docent.get("/documents", status="trashed")["total"] == 1
    assert docent.client.delete(f"{API}/trash").get_json() == {"deleted": 1}
    assert docent.client.delete(f"{API}/trash").get_json() == {"deleted": 0}

    assert [path.name for path in docent.stored_files()] == [kept["id"]]
    for document in (*gone, elsewhere):
        assert_error(docent.client.get(f"{API}/documents/{document['id']}"), 404, "document_not_found")
        assert_error(docent.client.post(f"{API}/documents/{document['id']}/restore"), 404, "document_not_found")
    assert_error(docent.client.post(f"{API}/documents/{'0' * 32}/trash"), 404, "document_not_found")
    assert_error(docent.client.delete(f"{API}/trash", query_string={"collection": "none"}), 404, "collection_not_found")


def test_a_collection_takes_its_trash_along(docent: Docent) -> None:
    (pump,) = docent.upload(("pump.txt", PUMP), collection="work")
    trash(docent, pump["id"])

    assert docent.client.delete(f"{API}/collections/work").status_code == 204

    assert docent.get("/documents", status="trashed")["total"] == 0
    assert docent.stored_files() == []


def test_a_password_outlives_the_trash_but_not_a_deletion(docent: Docent) -> None:
    (found,) = docent.upload(("a.pdf", locked_pdf()), password=SECRET)
    passwords = docent.services.library._passwords
    trash(docent, found["id"])
    assert restored(docent, found["id"])["status"] == "indexed"
    trash(docent, found["id"])
    docent.client.delete(f"{API}/trash")
    assert passwords.of(found["id"]) is None


@pytest.mark.parametrize("step", ["trash", "restore", "empty"])
def test_killed_after_the_transaction_nothing_is_half(start: Start, step: str) -> None:
    docent = start()
    (pump,), (orchard,) = docent.upload(("pump.txt", PUMP)), docent.upload(("orchard.txt", ORCHARD))
    catalog = docent.services.trash._catalog
    if step != "trash":
        trash(docent, pump["id"])
    {"trash": catalog.trash, "restore": catalog.restore, "empty": lambda _: catalog.empty(None)}[step](pump["id"])
    docent.services.close()

    again = start(data_dir=docent.services.settings.data_dir)

    states = {"trash": {pump["id"]: "trashed"}, "restore": {pump["id"]: "indexed"}, "empty": {}}[step]
    eventually(lambda: again.services.pipeline.pending() == 0)
    listed = [*again.get("/documents")["data"], *again.get("/documents", status="trashed")["data"]]
    assert {item["id"]: item["status"] for item in listed} == {orchard["id"]: "indexed", **states}
    assert again.vectors() == sum(item["chunks"] for item in listed)
    assert {path.name for path in again.stored_files()} == {item["id"] for item in listed}
