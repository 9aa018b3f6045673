"""The life of documents through the REST API: upload, unchanged, replace, read, edit, delete."""

from __future__ import annotations

import hashlib
import json
import re
import threading

import pytest

from tests.ingest.conftest import make_pdf
from tests.web.conftest import API, CHINESE, ORCHARD, PUMP, Docent, Start, assert_error

DOCUMENT_FIELDS = "id filename collection media_type bytes sha256 status progress error warnings pages chunks metadata created_at updated_at"


def test_an_upload_becomes_a_job_and_then_documents(docent: Docent) -> None:
    response = docent.send(("pump.txt", PUMP), ("报告.md", CHINESE))

    assert response.status_code == 202
    body = response.get_json()
    assert response.headers["Location"] == f"{API}/jobs/{body['job_id']}"
    assert [(item["filename"], item["status"], item["duplicate_of"]) for item in body["documents"]] == [
        ("pump.txt", "queued", None),
        ("报告.md", "queued", None),
    ]
    job = docent.finished(response)
    assert job["status"] == "done"
    assert job["progress"] == {"done": 2, "total": 2}
    assert [item["id"] for item in job["documents"]] == [item["id"] for item in body["documents"]]
    pump = job["documents"][0]
    assert set(DOCUMENT_FIELDS.split()) <= set(pump)
    assert pump["status"] == "indexed"
    assert pump["sha256"] == hashlib.sha256(PUMP.encode()).hexdigest()
    assert pump["bytes"] == len(PUMP)
    assert pump["error"] is None
    assert pump["progress"] == {"done": pump["chunks"], "total": pump["chunks"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", pump["created_at"])


@pytest.mark.parametrize("name", ["报告.pdf", "Ärger über Öl.pdf", "emoji 🚰 .pdf", "a\u3000b\u00a0c.pdf"])
def test_a_name_in_any_script_is_kept_in_full(docent: Docent, name: str) -> None:
    pdf = make_pdf([[("The pump runs at 40 bar.", 12, False, 700)], [("Its oil is old.", 12, False, 700)]])

    (document,) = docent.upload((name, pdf))

    assert (document["filename"], document["status"], document["pages"]) == (name, "indexed", 2)
    assert docent.get(f"/documents/{document['id']}")["filename"] == name
    assert docent.search("oil")[0]["filename"] == name
    assert docent.search("Its oil is old")[0]["page"] in (1, 2)


def test_a_text_as_json(docent: Docent) -> None:
    response = docent.client.post(
        f"{API}/documents", json={"text": PUMP, "title": "水泵", "collection": "notes", "metadata": {"year": 1998}}
    )

    assert response.status_code == 202
    (document,) = docent.finished(response)["documents"]
    assert (document["filename"], document["collection"], document["status"]) == ("水泵.md", "notes", "indexed")
    assert document["metadata"] == {"year": 1998}
    assert docent.search("pump", collections=["notes"])


def test_the_same_bytes_cost_nothing(docent: Docent) -> None:
    (first,) = docent.upload(("pump.txt", PUMP))
    calls = docent.embedder.calls

    response = docent.send(("other name.txt", PUMP))

    (again,) = response.get_json()["documents"]
    assert (again["id"], again["status"], again["duplicate_of"]) == (first["id"], "unchanged", first["id"])
    (reported,) = docent.finished(response)["documents"]
    assert reported["status"] == "unchanged"
    assert docent.embedder.calls == calls
    assert docent.get("/documents")["total"] == 1
    assert docent.get(f"/documents/{first['id']}")["status"] == "indexed"
    assert len(docent.stored_files()) == 1


def test_new_bytes_replace_and_the_old_version_answers_until_then(docent: Docent) -> None:
    (old,) = docent.upload(("pump.txt", PUMP))
    gate = threading.Event()
    embed = docent.embedder.embed_documents

    def embed_late(texts: list[str]) -> object:
        if any("walrus" in text for text in texts) and len(texts[0]) > 20:
            gate.wait(10)
        return embed(texts)

    docent.embedder.embed_documents = embed_late  # type: ignore[method-assign,assignment]
    response = docent.send(("pump.txt", "A walrus sleeps on the beach below the old lighthouse."))
    assert [passage["document_id"] for passage in docent.search("pump bar")] == [old["id"]]
    gate.set()
    (new,) = docent.finished(response)["documents"]

    assert new["status"] == "indexed"
    assert new["replaces"] == old["id"]
    listed = docent.get("/documents")
    assert (listed["total"], listed["data"][0]["id"]) == (1, new["id"])
    for mode in ("hybrid", "dense", "lexical"):
        found = docent.search("pump hall bar Nordwind", mode=mode)
        assert {passage["document_id"] for passage in found} <= {new["id"]}
    assert docent.search("walrus")[0]["document_id"] == new["id"]
    assert_error(docent.client.get(f"{API}/documents/{old['id']}"), 404, "document_not_found")
    assert docent.vectors() == new["chunks"]
    assert len(docent.stored_files()) == 1


def test_deleted_is_gone_everywhere(docent: Docent) -> None:
    (pump,), (orchard,) = docent.upload(("pump.txt", PUMP)), docent.upload(("orchard.txt", ORCHARD))
    url = f"{API}/documents/{pump['id']}"
    assert any("40 bar" in citation["quote"] for citation in docent.ask("At how many bar runs the pump?")["citations"])

    response = docent.client.delete(url)

    assert (response.status_code, response.data) == (204, b"")
    for path in ("", "/text", "/chunks", "/content"):
        assert_error(docent.client.get(url + path), 404, "document_not_found")
    assert_error(docent.client.delete(url), 404, "document_not_found")
    assert_error(docent.client.patch(url, json={"metadata": {}}), 404, "document_not_found")
    for mode in ("hybrid", "dense", "lexical"):
        assert {p["document_id"] for p in docent.search("pump hall 40 bar", mode=mode)} <= {orchard["id"]}
    assert docent.vectors() == orchard["chunks"]
    assert [path.name for path in docent.stored_files()] == [orchard["id"]]
    assert docent.get("/documents")["total"] == 1
    (collection,) = docent.get("/collections")["data"]
    assert (collection["documents"], collection["chunks"]) == (1, orchard["chunks"])
    assert docent.ask("At how many bar runs the pump in hall four?")["answered"] is False
    for conversation in docent.get("/conversations")["data"]:
        assert "40 bar" not in json.dumps(docent.get(f"/conversations/{conversation['id']}/messages"))


def test_deleting_the_last_document_leaves_no_vector(docent: Docent) -> None:
    (pump,) = docent.upload(("pump.txt", PUMP))

    docent.client.delete(f"{API}/documents/{pump['id']}")

    assert docent.vectors() == 0
    assert docent.stored_files() == []
    assert docent.search("pump") == []


def test_text_chunks_and_offsets_agree(docent: Docent) -> None:
    content = "\n\n".join(f"# Part {n}\n\n{PUMP} {CHINESE} 🚰 {ORCHARD}" for n in range(12))
    (document,) = docent.upload(("long.md", content))
    url = f"/documents/{document['id']}"
    text = docent.client.get(API + url + "/text").text

    first = docent.get(url + "/chunks", limit=2)
    assert (first["total"], first["has_more"], len(first["data"])) == (document["chunks"], True, 2)
    chunks = docent.get(url + "/chunks", limit=500)["data"]
    assert len(chunks) == document["chunks"] > 3
    for chunk in chunks:
        span = {"start": chunk["char_start"], "end": chunk["char_end"]}
        assert docent.client.get(API + url + "/text", query_string=span).text == chunk["text"]
        assert text[chunk["char_start"] : chunk["char_end"]] == chunk["text"]
    tail = docent.client.get(API + url + "/text", query_string={"start": len(text) - 5}).text
    assert tail == text[-5:]
    assert docent.client.get(API + url + "/text", query_string={"start": len(text) + 5}).text == ""


def test_the_original_comes_back_as_a_harmless_download(docent: Docent) -> None:
    page = "<html><body><p>The pump runs at 40 bar.</p><script>alert(1)</script></body></html>"
    (document,) = docent.upload(("ordner/报告 1.html", page))

    response = docent.client.get(f"{API}/documents/{document['id']}/content")

    assert response.data.decode() == page
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A%201.html"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "sandbox" in response.headers["Content-Security-Policy"]
    response.close()


def test_metadata_and_collection_can_be_changed(docent: Docent) -> None:
    (document,) = docent.upload(("pump.txt", PUMP), metadata='{"year": 1998}')
    url = f"{API}/documents/{document['id']}"

    assert docent.client.patch(url, json={"metadata": {"year": 2024}}).get_json()["metadata"] == {"year": 2024}
    assert docent.search("pump", filters={"year": 2024})
    assert docent.search("pump", filters={"year": 1998}) == []

    assert docent.client.patch(url, json={"collection": "archive"}).get_json()["collection"] == "archive"
    moved = {"collections": ["archive"]}
    for _ in range(500):
        if docent.search("pump", **moved):
            break
    assert docent.search("pump", **moved)[0]["document_id"] == document["id"]
    assert docent.search("pump") == []
    assert (docent.vectors(), docent.vectors("archive")) == (0, document["chunks"])


def test_a_document_is_not_moved_over_another_one(docent: Docent) -> None:
    (older,) = docent.upload(("pump.txt", PUMP))
    (newer,) = docent.upload(("pump.txt", ORCHARD), collection="archive")

    response = docent.client.patch(f"{API}/documents/{older['id']}", json={"collection": "archive"})

    error = assert_error(response, 409)
    assert error["details"]["document_id"] == newer["id"]
    assert docent.get("/documents")["total"] == 2


def test_the_old_bytes_again_while_the_new_ones_wait_win(start: Start) -> None:
    docent = start()
    docent.upload(("pump.txt", PUMP))
    gate = threading.Event()
    embed = docent.embedder.embed_documents

    def embed_late(texts: list[str]) -> object:
        gate.wait(10)
        return embed(texts)

    docent.embedder.embed_documents = embed_late  # type: ignore[method-assign,assignment]
    second = docent.send(("pump.txt", ORCHARD))
    third = docent.send(("pump.txt", PUMP))
    gate.set()
    docent.finished(second)
    docent.finished(third)

    (left,) = docent.get("/documents")["data"]
    assert left["sha256"] == hashlib.sha256(PUMP.encode()).hexdigest()
    assert left["status"] == "indexed"
