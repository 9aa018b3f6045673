"""Lists, filters, pages; collections; idempotency keys; jobs."""

from __future__ import annotations

import json
import threading
import time

import pytest

from tests.web.conftest import API, CHINESE, ORCHARD, PUMP, Docent, assert_error, eventually, parse_events


def test_lists_are_paged_newest_first(docent: Docent) -> None:
    docent.upload(*[(f"part {n}.txt", f"{PUMP} Part {n}.") for n in range(5)])

    pages = [docent.get("/documents", page=page, limit=2) for page in (1, 2, 3, 4)]

    assert [(page["total"], page["page"], page["limit"], page["has_more"]) for page in pages] == [
        (5, 1, 2, True),
        (5, 2, 2, True),
        (5, 3, 2, False),
        (5, 4, 2, False),
    ]
    names = [item["filename"] for page in pages for item in page["data"]]
    assert names == [f"part {n}.txt" for n in (4, 3, 2, 1, 0)]


def test_lists_are_filtered(docent: Docent) -> None:
    docent.upload(("Pump.txt", PUMP), ("100%.txt", ORCHARD))
    docent.upload(("报告.txt", CHINESE), collection="中文")

    def names(**query: str) -> set[str]:
        return {item["filename"] for item in docent.get("/documents", **query)["data"]}

    assert names(collection="default") == {"Pump.txt", "100%.txt"}
    assert names(collection="中文") == {"报告.txt"}
    assert names(q="PUMP") == {"Pump.txt"}
    assert names(q="告") == {"报告.txt"}
    assert names(q="%") == {"100%.txt"}
    assert names(status="indexed", q=".txt") == {"Pump.txt", "100%.txt", "报告.txt"}
    assert names(status="failed") == names(collection="nowhere") == set()


@pytest.mark.parametrize("query", [{"page": 0}, {"limit": 0}, {"limit": 501}, {"page": "x"}, {"status": "lost"}])
def test_impossible_pages_are_refused(shared: Docent, query: dict[str, str]) -> None:
    assert_error(shared.client.get(f"{API}/documents", query_string=query), 400, "validation")


def test_collections_are_made_listed_and_deleted(docent: Docent) -> None:
    made = docent.client.post(f"{API}/collections", json={"name": "研究 2024"})
    assert made.status_code == 201
    again = docent.client.post(f"{API}/collections", json={"name": "研究 2024"})
    assert again.status_code == 200
    docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD), collection="研究 2024")
    docent.upload(("pump.txt", PUMP))

    (default, research) = docent.get("/collections")["data"]
    assert (default["name"], default["documents"]) == ("default", 1)
    assert (research["name"], research["documents"]) == ("研究 2024", 2)
    assert research["chunks"] >= 2
    assert research["embedding_model"] == docent.embedder.model_id
    assert docent.get("/collections/研究 2024") == research

    gone = docent.client.delete(f"{API}/collections/研究 2024")
    assert gone.status_code == 204
    assert_error(docent.client.get(f"{API}/collections/研究 2024"), 404, "collection_not_found")
    assert_error(docent.client.delete(f"{API}/collections/研究 2024"), 404, "collection_not_found")
    assert docent.get("/documents")["total"] == 1
    assert len(docent.stored_files()) == 1
    search = docent.client.post(f"{API}/search", json={"query": "pump", "collections": ["研究 2024"]})
    assert_error(search, 404, "collection_not_found")
    docent.upload(("new.txt", ORCHARD), collection="研究 2024")
    assert {p["filename"] for p in docent.search("pump oil", collections=["研究 2024"])} <= {"new.txt"}


@pytest.mark.parametrize("name", ["", " a", "../x", "a/b", "x" * 129, "\x00", "-"])
def test_impossible_collection_names_are_refused(shared: Docent, name: str) -> None:
    assert_error(shared.client.post(f"{API}/collections", json={"name": name}), 400, "invalid_collection")


def test_an_idempotency_key_repeats_its_job_and_no_other(docent: Docent) -> None:
    key = {"Idempotency-Key": "upload-1"}
    first = docent.send(("pump.txt", PUMP), headers=key)
    job = docent.finished(first)

    again = docent.send(("pump.txt", PUMP), headers=key)
    assert again.status_code == 202
    assert again.get_json()["job_id"] == job["id"]
    assert again.headers["Location"] == first.headers["Location"]
    other = docent.send(("orchard.txt", ORCHARD), headers=key)
    assert assert_error(other, 409, "idempotency_conflict")["details"]["job_id"] == job["id"]
    assert docent.get("/documents")["total"] == 1
    assert len(docent.stored_files()) == 1


def test_a_job_is_followed_as_events(docent: Docent) -> None:
    response = docent.send(("pump.txt", PUMP))

    events = parse_events(docent.client.get(response.headers["Location"] + "/events").text)

    assert {name for name, _ in events[:-1]} <= {"job"}
    name, last = events[-1]
    assert (name, last["status"]) == ("done", "done")
    assert last == docent.client.get(response.headers["Location"]).get_json()


def test_a_job_is_cancelled_and_retried(docent: Docent) -> None:
    gate = threading.Event()
    embed = docent.embedder.embed_documents

    def embed_late(texts: list[str]) -> object:
        gate.wait(10)
        return embed(texts)

    docent.embedder.embed_documents = embed_late  # type: ignore[method-assign,assignment]
    response = docent.send(("pump.txt", PUMP))
    url = response.headers["Location"]
    eventually(lambda: docent.client.get(url).get_json()["documents"][0]["status"] == "embedding")

    cancelled = docent.client.post(url + "/cancel").get_json()
    assert cancelled["status"] == "cancelled"
    retried = docent.client.post(url + "/retry").get_json()
    assert retried["status"] in ("queued", "running")
    # the next run waits for the cancelled one, which is still embedding, to be through
    time.sleep(0.3)
    assert docent.client.get(url).get_json()["documents"][0]["status"] == "queued"
    gate.set()
    (document,) = docent.job(url)["documents"]

    assert document["status"] == "indexed"
    eventually(lambda: docent.embedder.calls == 2)
    time.sleep(0.3)  # the second run has been embedded; nothing tells when it has been dropped
    assert docent.search("pump bar", mode="dense")[0]["document_id"] == document["id"]
    assert docent.vectors() == document["chunks"]


def test_metadata_comes_with_the_files(docent: Docent) -> None:
    metadata = {"year": 1998, "authors": ["Ä", "北"], "open": True}

    documents = docent.upload(("a.txt", PUMP), ("b.txt", ORCHARD), metadata=json.dumps(metadata))

    assert [document["metadata"] for document in documents] == [metadata, metadata]


def test_a_title_in_the_file_joins_the_metadata(docent: Docent) -> None:
    page = "<html><head><title>Pumps of hall four</title></head><body><p>The pump runs at 40 bar.</p></body></html>"

    (document,) = docent.upload(("pump.html", page), metadata='{"year": 1998, "none": null}')

    assert document["metadata"]["title"] == "Pumps of hall four"
    assert document["metadata"]["year"] == 1998


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        ("documents", "0" * 32, "document_not_found"),
        ("documents", "..%2f..%2fetc", "not_found"),
        ("jobs", "0" * 32, "job_not_found"),
        ("collections", "nowhere", "collection_not_found"),
    ],
)
def test_what_is_not_there_is_not_found(shared: Docent, kind: str, name: str, code: str) -> None:
    error = assert_error(shared.client.get(f"{API}/{kind}/{name}"), 404)
    assert error["code"] in (code, "document_not_found")
