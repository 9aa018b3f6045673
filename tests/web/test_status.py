"""What the page shows beside answers: stored conversations, outlines, where a document was cited, the server's state."""

from __future__ import annotations

import pytest

from tests.web.conftest import API, ORCHARD, PUMP, Docent, assert_error

GUIDE = "# Pumps\n\nThe pump in hall four runs at 40 bar.\n\n## Oil\n\nIts oil is changed every March.\n"
QUESTION = "At how many bar does the pump in hall four run?"


def test_a_stored_answer_is_shown_as_it_was(docent: Docent) -> None:
    docent.upload(("pump.txt", PUMP))
    answer = docent.ask(QUESTION, rendered=True)
    docent.client.post(f"{API}/answers/{answer['id']}/feedback", json={"rating": "down", "comment": "Too short."})

    _, message = docent.get(f"/conversations/{answer['conversation_id']}/messages", rendered=1)["data"]

    assert message["rendered"] == answer["rendered"]
    assert {"cite": 1} in message["rendered"][0]["children"]
    for stored, said in zip(message["citations"], answer["citations"], strict=True):
        assert stored.items() <= said.items()
        assert stored["quote"]
    assert [(s["text"], s["verdict"]) for s in message["sentences"]] == [
        (s["text"], s["verdict"]) for s in answer["sentences"]
    ]
    assert message["feedback"] == {"rating": "down", "comment": "Too short."}
    assert message["model"] == answer["model"]
    assert "rendered" not in docent.get(f"/conversations/{answer['conversation_id']}/messages")["data"][1]


def test_the_tree_comes_with_the_stream_too(docent: Docent) -> None:
    docent.upload(("pump.txt", PUMP))
    assert docent.stream(QUESTION, rendered=True)[-1][1]["rendered"]
    assert "rendered" not in docent.stream(QUESTION)[-1][1]


def test_a_stored_answer_outlives_its_document_without_its_words(docent: Docent) -> None:
    (document,) = docent.upload(("pump.txt", PUMP))
    answer = docent.ask(QUESTION)
    docent.client.delete(f"{API}/documents/{document['id']}")

    _, message = docent.get(f"/conversations/{answer['conversation_id']}/messages", rendered=1)["data"]

    assert (message["citations"], message["sentences"]) == ([], [])
    assert "40 bar" not in str(message)


def test_conversations_are_searched_and_renamed(docent: Docent) -> None:
    docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
    first = docent.ask(QUESTION)["conversation_id"]
    docent.ask("Since when?", conversation_id=first)
    second = docent.ask("When do apple trees blossom?")["conversation_id"]

    renamed = docent.client.patch(f"{API}/conversations/{second}", json={"title": "  Orchard  "}).get_json()

    assert renamed["title"] == "Orchard"
    found = {
        q: [item["id"] for item in docent.get("/conversations", q=q)["data"]] for q in ("ORCH", "since", "apple", "%")
    }
    assert found == {"ORCH": [second], "since": [first], "apple": [second], "%": []}
    assert docent.get("/conversations")["total"] == 2
    assert_error(docent.client.patch(f"{API}/conversations/nobody", json={"title": "x"}), 404, "conversation_not_found")
    assert_error(docent.client.patch(f"{API}/conversations/{second}", json={"title": ""}), 400, "validation")


def test_where_a_document_was_cited(docent: Docent) -> None:
    pump, orchard = docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
    answer = docent.ask(QUESTION)

    (found,) = docent.get(f"/documents/{pump['id']}/answers")["data"]

    assert (found["answer_id"], found["question"]) == (answer["id"], QUESTION)
    text = docent.client.get(f"{API}/documents/{pump['id']}/text").text
    assert "40 bar" in text[found["spans"][0]["char_start"] : found["spans"][0]["char_end"]]
    assert docent.get(f"/documents/{orchard['id']}/answers")["total"] == 0
    assert_error(docent.client.get(f"{API}/documents/nothing/answers"), 404, "document_not_found")


def test_the_outline_of_a_document(docent: Docent) -> None:
    (document,) = docent.upload(("guide.md", GUIDE))
    outline = docent.get(f"/documents/{document['id']}/outline")
    text = docent.client.get(f"{API}/documents/{document['id']}/text").text

    assert outline["characters"] == len(text)
    assert [(heading["level"], heading["title"]) for heading in outline["headings"]] == [(1, "Pumps"), (2, "Oil")]
    assert all(heading["title"] in text[heading["start"] :][:20] for heading in outline["headings"])


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["a.txt", "B.txt", "c.txt"]),
        ("-bytes", ["B.txt", "c.txt", "a.txt"]),
        ("-created", ["c.txt", "B.txt", "a.txt"]),
    ],
)
def test_the_library_is_sorted(docent: Docent, sort: str, names: list[str]) -> None:
    for name, words in (("a.txt", 3), ("B.txt", 30), ("c.txt", 9)):
        docent.upload((name, f"{name} " * words))
    assert [item["filename"] for item in docent.get("/documents", sort=sort)["data"]] == names
    pages = [docent.get("/documents", sort=sort, page=page, limit=1)["data"][0]["filename"] for page in (1, 2, 3)]
    assert pages == names
    assert docent.get("/documents", status="active")["total"] == 0
    assert_error(docent.client.get(f"{API}/documents?sort=secret"), 400, "validation")


def test_the_state_of_the_server(docent: Docent) -> None:
    docent.upload(("pump.txt", PUMP))
    status = docent.get("/status")

    assert status["models"]["answers"] == "extractive"
    assert status["ready"]
    assert status["disk"]["originals_bytes"] == len(PUMP.encode())
    assert 0 < status["disk"]["free_bytes"] <= status["disk"]["total_bytes"]
    assert status["limits"]["upload_mb"] == docent.services.settings.max_upload_mb
    assert status["documents"]["indexed"] == 1


def test_the_samples_can_be_added(docent: Docent) -> None:
    job = docent.finished(docent.client.post(f"{API}/samples"))
    assert {item["status"] for item in job["documents"]} == {"indexed"}
    again = docent.finished(docent.client.post(f"{API}/samples"))
    assert {item["status"] for item in again["documents"]} <= {"indexed", "unchanged"}
    assert docent.get("/documents")["total"] == len(job["documents"])
