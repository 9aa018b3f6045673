"""`docent sync DIR`: alone and through a server, with its dry run, its safeguards and its watch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wiring
from cli import sync as sync_module
from cli.main import ingest_main as main
from ingest.sources.folder_manifest import FolderReader
from rag.errors import ConflictError
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.web.conftest import API, Docent, Start, assert_error, listening, servers
from wiring import Services, build_services

CHANGES = ("added", "replaced", "moved", "deleted", "unchanged", "kept")


@pytest.fixture(autouse=True)
def embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HashEmbedder:
    """A clean environment, a data folder of its own, and the hash embedder, which counts its texts, for the real one."""
    for name in [name for name in os.environ if name.startswith("DOCENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "data"))
    made = HashEmbedder()
    build = wiring.build_services
    monkeypatch.setattr(wiring, "build_services", lambda settings, **more: build(settings, embedder=made, **more))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    for name, content in {
        "tea.md": "# Tea\n\nThe tea is in the copper tin.",
        "sub/coffee.md": "# Coffee\n\nCoffee costs 14 euros.",
        "sub/报告.txt": "预算是三百万元。",
        "photo.jpg": "no text",
    }.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(content, encoding="utf-8")
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    assert main(["sync", *arguments, "--json"]) == status
    out, err = capsys.readouterr()
    return json.loads(out) if out else {"error": err}


def counts(summary: dict[str, Any]) -> tuple[int, ...]:
    return tuple(summary[change] for change in CHANGES)


def opened(tmp_path: Path) -> Services:
    return build_services(
        Settings(data_dir=tmp_path / "data", llm="extractive", samples=False), embedder=HashEmbedder()
    )


def held(tmp_path: Path) -> dict[str, str]:
    services = opened(tmp_path)
    try:
        return {item.filename: item.status for item in services.documents.find().items}
    finally:
        services.close()


def change(folder: Path) -> None:
    (folder / "tea.md").rename(folder / "sub" / "tea of the house.md")
    (folder / "sub" / "coffee.md").write_text("# Coffee\n\nCoffee costs 15 euros now.", encoding="utf-8")
    (folder / "sub" / "报告.txt").unlink()
    (folder / "new.md").write_text("# Cocoa\n\nCocoa is served on Fridays.", encoding="utf-8")


def test_a_collection_follows_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], embedder: HashEmbedder
) -> None:
    assert counts(run(capsys, str(folder))) == (3, 0, 0, 0, 0, 0)
    embedded = len(embedder.embedded)
    assert counts(run(capsys, str(folder))) == (0, 0, 0, 0, 3, 0)

    change(folder)
    plan = run(capsys, str(folder), "--dry-run")
    assert (plan["add"], plan["replace"], plan["delete"]) == (["new.md"], ["sub/coffee.md"], ["sub/报告.txt"])
    assert plan["move"] == [{"from": "tea.md", "to": "sub/tea of the house.md"}]
    assert len(embedder.embedded) == embedded
    assert set(held(tmp_path)) == {"tea.md", "sub/coffee.md", "sub/报告.txt"}

    assert counts(run(capsys, str(folder))) == (1, 1, 1, 1, 0, 0)
    assert held(tmp_path) == dict.fromkeys(["sub/tea of the house.md", "sub/coffee.md", "new.md"], "indexed")
    assert len(embedder.embedded) == embedded + 2  # nothing for the file that only moved
    assert main(["sync", str(folder)]) == 0
    assert "3 unchanged; 1 of other types left out." in capsys.readouterr().out


def test_other_documents_are_kept_unless_pruned(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "own.md"
    other.write_text("Mine.", encoding="utf-8")
    assert main([str(other), str(folder / "tea.md"), "--json"]) == 0
    capsys.readouterr()

    assert counts(run(capsys, str(folder))) == (2, 0, 0, 0, 1, 1)
    (folder / "tea.md").unlink()  # it was ingested by hand, but the folder had it: it follows
    assert counts(run(capsys, str(folder))) == (0, 0, 0, 1, 2, 1)
    assert counts(run(capsys, str(folder), "--prune")) == (0, 0, 0, 1, 2, 0)
    assert set(held(tmp_path)) == {"sub/coffee.md", "sub/报告.txt"}


def test_an_empty_or_missing_folder_deletes_nothing_by_accident(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, str(folder))
    shutil.rmtree(folder)
    assert "no such folder" in run(capsys, str(folder), status=2)["error"]
    folder.mkdir()
    refused = run(capsys, str(folder), status=2)["error"]
    assert "--yes" in refused
    assert len(refused.splitlines()) == 1
    assert len(held(tmp_path)) == 3
    assert counts(run(capsys, str(folder), "--yes")) == (0, 0, 0, 3, 0, 0)
    assert held(tmp_path) == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_keeps_its_document(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, str(folder))
    (folder / "tea.md").chmod(0)
    summary = run(capsys, str(folder), status=1)
    assert [failure["file"] for failure in summary["failures"]] == ["tea.md"]
    assert len(held(tmp_path)) == 3


def test_cut_off_after_the_upload_it_is_finished_by_the_next_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services = opened(tmp_path)
    with (folder / "tea.md").open("rb") as source:
        staged = services.library.stage(source, "tea.md")
    services.library.add(services.collections.ensure("default"), [staged])
    services.close()
    assert held(tmp_path) == {"tea.md": "queued"}

    run(capsys, str(folder), "--include", "tea.md")
    assert held(tmp_path) == {"tea.md": "indexed"}


def test_a_bad_file_fails_alone_and_is_not_tried_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    summary = run(capsys, str(folder), status=1)
    assert [failure["file"] for failure in summary["failures"]] == ["bad.pdf"]
    summary = run(capsys, str(folder))
    assert (summary["failed_before"], summary["unchanged"]) == (["bad.pdf"], 4)


def test_through_a_server(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with servers(tmp_path / "servers") as start:
        docent = start()
        with listening(docent.app) as port:
            server = ("--server", f"http://127.0.0.1:{port}")
            assert counts(run(capsys, str(folder), *server)) == (3, 0, 0, 0, 0, 0)
            change(folder)
            assert counts(run(capsys, str(folder), *server)) == (1, 1, 1, 1, 0, 0)
            assert counts(run(capsys, str(folder), *server, "--collection", "第二")) == (3, 0, 0, 0, 0, 0)
        names = {item["filename"] for item in docent.get("/documents", collection="default")["data"]}
        assert names == {"sub/tea of the house.md", "sub/coffee.md", "new.md"}
        assert docent.search("cocoa")[0]["filename"] == "new.md"
        assert "sub/tea of the house.md" in {found["filename"] for found in docent.search("house")}
        assert len(docent.stored_files()) == 6


def test_what_lies_in_the_trash_is_not_there(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, str(folder))
    services = opened(tmp_path)
    (tea,) = services.documents.find(q="tea").items
    services.trash.put(tea.id)
    services.close()

    assert counts(run(capsys, str(folder))) == (1, 0, 0, 0, 2, 0)  # the file is there, so it is uploaded again

    services = opened(tmp_path)
    try:
        assert services.documents.document(tea.id).status == "trashed"
        with pytest.raises(ConflictError):
            services.trash.restore(tea.id)
    finally:
        services.close()
    assert len(held(tmp_path)) == 3


def test_watching(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: Iterator[Any] = iter(
        [lambda: None, lambda: change(folder), lambda: shutil.rmtree(folder), KeyboardInterrupt]
    )

    def sleep(_seconds: float) -> None:
        step = next(rounds)
        if step is KeyboardInterrupt:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(sync_module.time, "sleep", lambda seconds: sleep(seconds) if seconds > 1 else None)
    assert main(["sync", str(folder), "--watch", "--json"]) == 130
    out, err = capsys.readouterr()
    assert [counts(json.loads(line)) for line in out.splitlines()] == [(3, 0, 0, 0, 0, 0), (1, 1, 1, 1, 0, 0)]
    assert "no such folder" in err
    assert len(held(tmp_path)) == 3


def test_digests_are_remembered_while_nothing_moves(folder: Path) -> None:
    reader = FolderReader(folder)
    first = reader.read()
    os.utime(folder / "tea.md", (1, 1))
    reader.read()
    (folder / "tea.md").write_text("changed", encoding="utf-8")
    assert reader.read().digests["tea.md"] != first.digests["tea.md"]


class TestApi:
    """The comparison for remote folders."""

    @pytest.fixture
    def docent(self, tmp_path: Path) -> Iterator[Docent]:
        with servers(tmp_path / "servers") as start:
            yield self.started(start)

    def started(self, start: Start) -> Docent:
        docent = start()
        docent.upload(("a.txt", "alpha text"), ("b.txt", "beta text"))
        return docent

    def test_diff(self, docent: Docent) -> None:
        digest = docent.get("/documents", q="a.txt")["data"][0]["sha256"]
        files = [
            {"name": "a.txt", "sha256": digest},
            {"name": "b.txt", "sha256": "0" * 64},
            {"name": "c.txt", "sha256": "1" * 64},
        ]
        url = f"{API}/collections/default/sync"
        body = docent.client.post(f"{url}/diff", json={"files": files}).get_json()
        assert {name: body[name] for name in ("add", "replace", "unchanged", "delete")} == {
            "add": ["c.txt"],
            "replace": ["b.txt"],
            "unchanged": ["a.txt"],
            "delete": [],
        }
        empty = docent.client.post(f"{url}/diff", json={"files": []}).get_json()
        assert sorted(empty["delete"]) == ["a.txt", "b.txt"]
        assert docent.get("/documents")["total"] == 2
        new = docent.client.post(f"{API}/collections/nowhere/sync/diff", json={"files": files}).get_json()
        assert len(new["add"]) == 3
        assert_error(docent.client.post(url, json={"files": []}), 400, "validation")
        assert_error(docent.client.post(f"{url}/diff", json={"files": [{"name": "a", "sha256": "x"}]}), 400)
        assert docent.client.post(url, json={"files": [], "source": "elsewhere"}).get_json()["kept"] == [
            "a.txt",
            "b.txt",
        ]
        docent.client.post(url, json={"files": [], "prune": True})
        assert docent.get("/documents")["total"] == 0
        assert docent.stored_files() == []
