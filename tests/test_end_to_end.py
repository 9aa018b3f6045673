"""The whole path with the real weights: start, upload real documents, ask, check the proof, stop, start, ask again."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import PROJECT, ServerProcess, running_server

pytestmark = [pytest.mark.model, pytest.mark.slow]
SAMPLES = PROJECT / "data" / "samples"
QUESTION = "How do I see the quoted words of a citation?"


def upload(server: ServerProcess, *names: str) -> dict[str, Any]:
    files = [("file", (name, (SAMPLES / name).read_bytes())) for name in names]
    response = server.client.post("/api/v1/documents", files=files)
    assert response.status_code == 202, response.text
    return response.json()


def ask(server: ServerProcess, question: str) -> dict[str, Any]:
    response = server.client.post("/api/v1/ask", json={"question": question})
    assert response.status_code == 200, response.text
    return response.json()


def check_proof(server: ServerProcess, answer: dict[str, Any]) -> None:
    """Every mark has one entry and every entry a mark; every quote is the document's text at its offsets."""
    marks = {int(number) for number in re.findall(r"\[(\d+)\]", answer["answer"])}
    assert marks == {citation["n"] for citation in answer["citations"]} != set()
    for citation in answer["citations"]:
        path = f"/api/v1/documents/{citation['document_id']}"
        text = server.client.get(f"{path}/text").text
        assert text[citation["char_start"] : citation["char_end"]] == citation["quote"]
        assert server.client.get(path).json()["sha256"] == citation["content_sha256"]


def test_from_a_real_pdf_to_a_cited_answer_and_again_after_a_restart(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        server.wait_until(lambda body: body["parts"]["chat"]["state"] == "ready" and body["ready"], 120)
        taken = upload(server, "welcome.pdf", "使用说明.md")
        job = server.finish(taken["job_id"])
        assert [item["status"] for item in job["documents"]] == ["indexed", "indexed"]
        assert job["documents"][1]["filename"] == "使用说明.md"

        answer = ask(server, QUESTION)
        assert answer["answered"], answer
        assert answer["reason"] is None, "the local model wrote it"
        assert answer["model"] != "extractive"
        check_proof(server, answer)
        assert any(citation["page"] for citation in answer["citations"])

        chinese = ask(server, "单个文件的大小上限默认是多少？")
        assert "64" in chinese["answer"], chinese
        check_proof(server, chinese)

        nothing = ask(server, "Who painted the Mona Lisa?")
        assert (nothing["answered"], nothing["citations"]) == (False, [])
        assert nothing["nearest"]
        assert nothing["usage"]["completion_tokens"] == 0, "the model was not even asked"
        check_stream(server)

    started = time.monotonic()
    with running_server(tmp_path) as server:
        assert server.client.get("/healthz").status_code == 200
        assert time.monotonic() - started < 10, "2 s on an idle machine; ten times that would be a mistake"
        again = upload(server, "welcome.pdf")
        assert again["documents"][0]["status"] == "unchanged"
        server.wait_until(lambda body: body["parts"]["chat"]["state"] == "ready" and body["ready"], 120)
        answer = ask(server, QUESTION)
        assert answer["answered"]
        check_proof(server, answer)


def check_stream(server: ServerProcess) -> None:
    """Sources come first, the tokens are the answer, and `done` repeats it all."""
    events: list[tuple[str, dict[str, Any]]] = []
    body = {"question": QUESTION, "stream": True}
    with server.client.stream("POST", "/api/v1/ask", json=body) as response:
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
    names = [name for name, _ in events]
    assert names[0] == "retrieval"
    assert names[-1] == "done"
    assert {"token", "citation", "verification"} <= set(names)
    done = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "token") == done["answer"]
    check_proof(server, done)


def test_quoted_sentences_while_there_is_no_model(tmp_path: Path) -> None:
    with running_server(tmp_path, DOCENT_LLM="extractive") as server:
        server.wait_until(lambda body: body["ready"], 60)
        server.finish(upload(server, "privacy.txt", "how-it-works.html", "guide.docx")["job_id"])
        answer = ask(server, "Which setting names the data folder?")
        assert answer["answered"]
        assert answer["model"] == "extractive"
        check_proof(server, answer)


def test_the_model_dies_and_comes_back(tmp_path: Path) -> None:
    import psutil

    with running_server(tmp_path) as server:
        server.wait_until(lambda body: body["parts"]["chat"]["state"] == "ready" and body["ready"], 120)
        server.finish(upload(server, "welcome.pdf")["job_id"])
        model = next(
            child
            for child in psutil.Process(server.process.pid).children(recursive=True)
            if "rag.adapters.chat.local_llm_process" in child.cmdline()
        )
        model.kill()
        answer = ask(server, QUESTION)
        assert answer["answered"]
        assert answer["reason"] == "llm_unavailable"
        check_proof(server, answer)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and ask(server, QUESTION)["reason"] == "llm_unavailable":
            time.sleep(1)
        assert ask(server, QUESTION)["reason"] is None
