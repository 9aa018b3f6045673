"""`docent reindex`: the same vectors again, another model, while questions are answered, and cut off anywhere."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.pipeline import reindexing
from rag.errors import NotFoundError
from rag.settings import Settings
from rag.vectors import Vectors
from tests.fakes import HashEmbedder
from tests.web.conftest import API, ORCHARD, PUMP, Docent, assert_error, servers
from vectorstore import index_swap as replacement
from wiring import Services, build_services


class OtherEmbedder(HashEmbedder):
    """Another model, of another dimension."""

    def __init__(self) -> None:
        super().__init__(dimension=96, seed=5)

    @property
    def model_id(self) -> str:
        return "the other model"


def opened(data_dir: Path, embedder: HashEmbedder) -> Services:
    services = build_services(Settings(data_dir=data_dir, llm="extractive", samples=False), embedder=embedder)
    services.startup.begin()
    services.startup.require(patience=120)
    return services


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with servers(tmp_path) as start:
        docent = start()
        docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
        return docent.services.settings.data_dir


def found(services: Services, query: str = "pump oil") -> list[tuple[str, float | None]]:
    passages = services.retriever.search(query, collections=["default"], top_k=5).passages
    return [(item.chunk_id, item.dense) for item in passages]


def test_questions_are_answered_while_vectors_are_made(tmp_path: Path) -> None:
    with servers(tmp_path) as start:
        docent: Docent = start()
        docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
        (orchard,) = docent.get("/documents", q="orchard")["data"]
        before = docent.search("pump oil")
        gate, entered = threading.Event(), threading.Event()
        embed = docent.embedder.embed_documents

        def slow(texts: Sequence[str]) -> Vectors:
            if threading.current_thread().name == "reindexing":
                entered.set()
                assert gate.wait(20)
            return embed(texts)

        docent.embedder.embed_documents = slow  # type: ignore[method-assign]
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(docent.app.test_client().post(f"{API}/collections/default/reindex", json={})),
            name="reindexing",
        )
        thread.start()
        assert entered.wait(20)
        assert docent.search("pump oil")[0]["chunk_id"] == before[0]["chunk_id"]
        assert docent.client.delete(f"{API}/documents/{orchard['id']}").status_code == 204
        waiting = docent.send(("late.txt", "A walrus sleeps on the beach."))
        gate.set()
        thread.join(20)

        assert answers[0].get_json()["chunks"] == 1
        assert docent.finished(waiting)["status"] == "done"
        assert docent.search("walrus")[0]["filename"] == "late.txt"
        assert docent.vectors() == 2
        assert docent.services.dense.spaces() == [docent.services.collections.get("default").id]
        assert_error(docent.client.post(f"{API}/collections/none/reindex", json={}), 404, "collection_not_found")


def test_another_model(data_dir: Path) -> None:
    services = opened(data_dir, OtherEmbedder())
    try:
        done = services.reindexer.reindex("default", change_model=True)
        assert (done.embedding_model, done.chunks, done.cut_short) == ("the other model", 2, 0)
        assert services.collections.ensure("default").embedding_model == "the other model"
        assert found(services)[0][1] is not None
        with pytest.raises(NotFoundError):
            services.reindexer.reindex("nowhere")
    finally:
        services.close()


@pytest.mark.parametrize("change_model", [False, True])
@pytest.mark.parametrize("cut", ["embed_again", "first rename", "second rename", "catalog", "drop_replaced"])
def test_cut_off_anywhere(cut: str, change_model: bool, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is made to fail before or after it; the next start has the old vectors or the new ones, whole."""
    embedder = OtherEmbedder() if change_model else HashEmbedder()

    class Cut(Exception):
        pass

    def fail(*_: object, **_more: object) -> None:
        raise Cut

    services = opened(data_dir, embedder)
    with monkeypatch.context() as patch:
        if cut == "embed_again":
            patch.setattr(services.reindexer._vectors, cut, fail)
        elif cut == "drop_replaced":
            patch.setattr(reindexing, cut, fail)
        elif cut == "catalog":
            patch.setattr(services.reindexer._catalog, "set_embedding_model", fail)
        else:
            rename, calls = services.dense.rename, []

            def failing(*arguments: object) -> None:
                calls.append(arguments)
                if len(calls) == (1 if cut == "first rename" else 2):
                    raise Cut
                rename(*arguments)  # type: ignore[arg-type]

            patch.setattr(services.dense, "rename", failing)
        with pytest.raises(Cut):
            services.reindexer.reindex("default", change_model=change_model)
    services.close()

    finished = cut == "drop_replaced"
    services = opened(data_dir, embedder if finished or not change_model else HashEmbedder())
    try:
        expected = embedder.model_id if finished else HashEmbedder().model_id
        assert services.collections.get("default").embedding_model == expected
        assert services.dense.count(1) == 2
        assert [name for name in services.dense.names() if name != "docent_1"] == []
        assert all(score is not None for _, score in found(services))
    finally:
        services.close()


def test_shadows_are_named_apart() -> None:
    assert replacement.shadow_of(12) == -12
