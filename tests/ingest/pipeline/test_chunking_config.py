"""How a collection is cut belongs to it: kept when the setting changes, refused when unknown, changed by `reindex`."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import wiring
from catalog.tables import collections
from cli.main import ingest_main as main
from ingest.pipeline import reindexing
from ingest.storage.data_folder import DataFolder
from ingest.storage.integrity_check import check_integrity
from rag.chunking_config import METHOD, ChunkingConfig, parse
from rag.errors import ConflictError
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.web.conftest import API, PUMP, Docent, Start, assert_error, servers
from wiring import Services, build_services

BOOK = "\n\n".join(
    f"# Part {n}\n\n" + " ".join(f"Sentence {k} of part {n} says nothing." for k in range(40)) for n in range(6)
)


def opened(data_dir: Path, *, tokens: int, embedder: HashEmbedder | None = None) -> Services:
    settings = Settings(data_dir=data_dir, llm="extractive", samples=False, chunk_tokens=tokens)
    services = build_services(settings, embedder=embedder or HashEmbedder())
    services.startup.begin()
    services.startup.require(patience=120)
    return services


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with servers(tmp_path / "servers") as begin:
        yield begin


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with servers(tmp_path) as start:
        docent: Docent = start()
        docent.upload(("book.md", BOOK), ("pump.txt", PUMP))
        return docent.services.settings.data_dir


def chunks(services: Services, name: str = "book") -> list[Any]:
    (found,) = services.documents.find(q=name).items
    return services.documents.chunks(found.id, limit=500).items


def store_recipe(services: Services, recipe: str | None) -> None:
    with services.database.write() as connection:
        connection.execute(update(collections).values(recipe=recipe))


def test_a_recipe_is_text_and_back() -> None:
    assert parse(str(ChunkingConfig(123)), "c") == ChunkingConfig(123)
    for stored in ("", "200", "sections-0/200", f"{METHOD}/", f"{METHOD}/x", f"{METHOD}/200 "):
        with pytest.raises(ConflictError) as refused:
            parse(stored, "my notes")
        assert refused.value.code == "recipe_mismatch"
        assert "--change-chunking" in refused.value.message


def test_a_collection_keeps_its_size_when_the_setting_changes(data_dir: Path) -> None:
    services = opened(data_dir, tokens=50)
    try:
        before = [len(chunk.text) for chunk in chunks(services)]
        for collection in ("default", "new"):
            staged = services.library.stage(io.BytesIO(BOOK.replace("says", "tells").encode()), "second.md")
            services.library.add(services.collections.ensure(collection), [staged])
        while services.pipeline.pending():
            time.sleep(0.02)
        of = {item.collection: item.chunks for item in services.documents.find(q="second").items}
        assert of["default"] == len(before)
        assert of["new"] > 2 * of["default"]
        assert [item.recipe for item in services.collections.all()] == [f"{METHOD}/400", f"{METHOD}/50"]
    finally:
        services.close()


def test_reindexing_with_other_chunks(data_dir: Path, tmp_path: Path) -> None:
    services = opened(data_dir, tokens=50)
    try:
        (book,) = services.documents.find(q="book").items
        text = services.documents.text(book.id)
        before = chunks(services)

        done = services.reindexer.reindex("default", change_chunking=True)

        after = chunks(services)
        assert done.recipe == services.collections.get("default").recipe == f"{METHOD}/50"
        assert len(after) > 2 * len(before)
        assert not {chunk.chunk_id for chunk in before} & {chunk.chunk_id for chunk in after}
        assert services.documents.text(book.id) == text
        assert all(text[chunk.char_start : chunk.char_end] == chunk.text for chunk in after)
        assert services.documents.document(book.id).chunks == len(after)
        assert done.chunks == services.dense.count(1) == len(after) + 1
        for mode in ("dense", "lexical"):
            found = services.retriever.search(
                "Sentence 7 of part 3", collections=["default"], top_k=3, mode=mode
            ).passages
            assert found[0].chunk_id in {chunk.chunk_id for chunk in after}
        # and once more, to the same size: other ids again
        services.reindexer.reindex("default", change_chunking=True)
        assert [chunk.text for chunk in chunks(services)] == [chunk.text for chunk in after]
        services.library.delete(book.id)
        assert services.dense.count(1) == 1
    finally:
        services.close()
    assert check_integrity(DataFolder(data_dir))[0].healthy


def test_both_can_be_changed_at_once(data_dir: Path) -> None:
    other = HashEmbedder(dimension=96, seed=5)
    services = opened(data_dir, tokens=50, embedder=other)
    try:
        services.reindexer.reindex("default", change_chunking=True, change_model=True)
        assert len(services.retriever.search("pump", collections=["default"], top_k=3).passages) == 3
    finally:
        services.close()
    assert check_integrity(DataFolder(data_dir))[0].healthy


@pytest.mark.parametrize("cut", ["embedding", "first rename", "second rename", "commit", "drop_replaced"])
def test_cut_off_anywhere(cut: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class CutError(Exception):
        pass

    def fail(*_: object, **__: object) -> None:
        raise CutError

    services = opened(data_dir, tokens=50)
    before = [chunk.chunk_id for chunk in chunks(services)]
    with monkeypatch.context() as patch:
        if cut == "drop_replaced":
            patch.setattr(reindexing, cut, fail)
        elif cut == "embedding":
            patch.setattr(services.embedder, "embed_documents", fail)
        elif cut == "commit":
            replace = reindexing.replace

            def replace_and_fail(*arguments: Any) -> None:
                replace(*arguments)
                raise CutError

            patch.setattr(reindexing, "replace", replace_and_fail)
        else:
            rename, calls = services.dense.rename, []

            def failing(*arguments: object) -> None:
                calls.append(arguments)
                if len(calls) == (1 if cut == "first rename" else 2):
                    raise CutError
                rename(*arguments)  # type: ignore[arg-type]

            patch.setattr(services.dense, "rename", failing)
        with pytest.raises(CutError):
            services.reindexer.reindex("default", change_chunking=True)
    services.close()

    services = opened(data_dir, tokens=50)
    try:
        finished = cut == "drop_replaced"
        assert services.collections.get("default").recipe == f"{METHOD}/{50 if finished else 400}"
        assert ([chunk.chunk_id for chunk in chunks(services)] == before) is not finished
        assert [name for name in services.dense.names() if name != "docent_1"] == []
        hits = services.retriever.search("part 3", collections=["default"], top_k=3, mode="dense").passages
        assert len(hits) == 3
    finally:
        services.close()
    assert check_integrity(DataFolder(data_dir))[0].healthy


def test_an_unknown_recipe_refuses_uploads_clearly_and_still_answers(start: Start) -> None:
    docent = start()
    docent.upload(("pump.txt", PUMP))
    store_recipe(docent.services, "paragraphs-7/300")

    error = assert_error(docent.send(("second.txt", "More.")), 409, "recipe_mismatch")
    assert "paragraphs-7/300" in error["message"]
    assert '"default" --change-chunking' in error["message"]
    assert docent.search("pump")
    assert docent.get("/collections")["data"][0]["recipe"] == "paragraphs-7/300"

    done = docent.client.post(f"{API}/collections/default/reindex", json={"change_chunking": True})
    assert (done.status_code, done.get_json()["recipe"]) == (200, f"{METHOD}/400")
    assert docent.upload(("second.txt", "More."))[0]["status"] == "indexed"


def test_what_was_queued_before_fails_clearly(data_dir: Path) -> None:
    services = opened(data_dir, tokens=200)
    try:
        staged = services.library.stage(io.BytesIO(b"Some more words."), "late.txt")
        target = services.collections.ensure("default")
        store_recipe(services, "paragraphs-7/300")
        job, _ = services.library.add(target, [staged])
        while services.pipeline.pending():
            time.sleep(0.02)
        (late,) = services.jobs.get(job).documents
        assert (late.status, late.error_code) == ("failed", "recipe_mismatch")
    finally:
        services.close()


def test_a_collection_from_before_takes_the_present_setting(data_dir: Path) -> None:
    services = opened(data_dir, tokens=200)
    store_recipe(services, None)
    services.close()

    services = opened(data_dir, tokens=120)
    try:
        assert services.collections.get("default").recipe == f"{METHOD}/120"
    finally:
        services.close()


def test_on_the_command_line(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    build = wiring.build_services
    monkeypatch.setattr(
        wiring, "build_services", lambda settings, **more: build(settings, embedder=HashEmbedder(), **more)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_DATA_DIR", str(data_dir))
    monkeypatch.setenv("DOCENT_CHUNK_TOKENS", "64")

    assert main(["reindex", "--change-chunking", "--json"]) == 0

    (done,) = json.loads(capsys.readouterr().out)["collections"]
    assert done["recipe"] == f"{METHOD}/64"
