"""Eight threads that ask, search, upload, delete, trash and restore at once: no 5xx, nothing lost, catalog and indexes agree."""

from __future__ import annotations

import io
import random
import threading
import time
from typing import Any

from sqlalchemy import text

from tests.fakes import ScriptedChat
from tests.web.conftest import API, PUMP, Docent, Start, eventually

SECONDS = 2.0
COLLECTIONS = ("default", "other")


class Visitor(threading.Thread):
    """One client with its own mind; `kept` are the versions of each document that it uploaded and did not delete."""

    def __init__(self, docent: Docent, number: int) -> None:
        super().__init__(name=f"visitor-{number}")
        self.number = number
        self.client = docent.app.test_client()
        self.random = random.Random(number)
        self.kept: dict[str, list[str]] = {}
        self.gone: set[str] = set()
        self.problems: list[str] = []
        self.done = 0

    def run(self) -> None:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and not self.problems:
            steps = (self.upload, self.upload, self.search, self.ask, self.delete, self.trash, self.browse)
            self.random.choice(steps)()
            self.done += 1

    def check(self, response: Any, *good: int) -> Any:
        if response.status_code not in good:
            self.problems.append(f"{response.request.method} {response.request.path}: {response.text}")
            return {}
        return response.get_json(silent=True)

    def upload(self) -> None:
        name, where = f"{self.number}-{self.random.randrange(6)}.txt", self.random.choice(COLLECTIONS)
        content = f"{PUMP} Visitor {self.number} wrote {self.random.random()}.".encode()
        body = self.check(
            self.client.post(f"{API}/documents", data={"file": (io.BytesIO(content), name), "collection": where}), 202
        )
        if body:
            self.kept.setdefault(f"{where}/{name}", []).append(body["documents"][0]["id"])

    def delete(self) -> None:
        if self.kept:
            name = self.random.choice(list(self.kept))
            *older, last = self.kept.pop(name)
            for document_id in older:  # replaced by now, or still live until the last one is
                self.check(self.client.delete(f"{API}/documents/{document_id}"), 204, 404)
            self.check(self.client.delete(f"{API}/documents/{last}"), 204)
            self.gone.update(older, [last])
            self.check(self.client.get(f"{API}/documents/{last}"), 404)

    def trash(self) -> None:
        """The newest version of a name into the trash; if it is not then emptied, it comes back."""
        if not self.kept:
            return
        name = self.random.choice(list(self.kept))
        *older, last = self.kept.pop(name)
        for document_id in older:
            self.check(self.client.delete(f"{API}/documents/{document_id}"), 204, 404)
        self.gone.update(older)
        self.check(self.client.post(f"{API}/documents/{last}/trash"), 200)
        body = self.check(self.client.post(f"{API}/search", json={"query": "pump bar Nordwind", "top_k": 20}), 200)
        if last in {passage["document_id"] for passage in body.get("passages", ())}:
            self.problems.append("found in the trash")
        if self.random.random() < 0.7:
            self.check(self.client.post(f"{API}/documents/{last}/restore"), 200)
            self.kept[name] = [last]
        else:
            self.check(self.client.delete(f"{API}/documents/{last}"), 204)
            self.gone.add(last)

    def search(self) -> None:
        mode = self.random.choice(("hybrid", "dense", "lexical"))
        body = self.check(
            self.client.post(f"{API}/search", json={"query": "pump bar Nordwind", "mode": mode, "top_k": 20}), 200
        )
        found = {passage["document_id"] for passage in body.get("passages", ())}
        if found & self.gone:
            self.problems.append(f"found after its deletion: {found & self.gone}")

    def ask(self) -> None:
        body = self.check(self.client.post(f"{API}/ask", json={"question": "At how many bar runs the pump?"}), 200)
        if {citation["document_id"] for citation in body.get("citations", ())} & self.gone:
            self.problems.append("cited after its deletion")

    def browse(self) -> None:
        self.check(self.client.get(f"{API}/documents", query_string={"limit": 5}), 200)
        self.check(self.client.get(f"{API}/collections"), 200)
        self.check(self.client.get("/metrics"), 200)


def test_eight_at_once(start: Start) -> None:
    docent = start(ScriptedChat("The pump in hall four runs at 40 bar [1]."))
    for name in COLLECTIONS:
        docent.services.collections.ensure(name)
    visitors = [Visitor(docent, number) for number in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()

    assert [problem for visitor in visitors for problem in visitor.problems] == []
    assert sum(visitor.done for visitor in visitors) > 50
    eventually(lambda: docent.services.pipeline._ingestion.pending() == 0, patience=30)
    eventually(lambda: not docent.services.pipeline._ingestion.pending_vector_deletions(), patience=10)
    wanted = {(*name.split("/"), versions[-1]) for visitor in visitors for name, versions in visitor.kept.items()}
    listed = docent.get("/documents", limit=500)
    assert {(item["collection"], item["filename"], item["id"]) for item in listed["data"]} == wanted
    assert {item["status"] for item in listed["data"]} == {"indexed"}
    assert {path.name for path in docent.stored_files()} == {document_id for _, _, document_id in wanted}
    for collection in docent.services.collections.all():
        assert collection.chunks == docent.vectors(collection.name) == keywords(docent, collection.id)


def keywords(docent: Docent, collection: int) -> int:
    with docent.services.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM lexical_{collection}")).scalar_one())
