"""ZIP uploads: each member a document, each one left out told with its reason, nothing left behind."""

from __future__ import annotations

import io
import stat
import time
import zipfile
from pathlib import Path

import pytest

from cli.local_backend import LocalBackend
from ingest.sources.folder import FoundFile
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.ingest.conftest import make_bomb, make_zip
from tests.web.conftest import CHINESE, ORCHARD, PUMP, Docent, assert_error, servers
from wiring import build_services


@pytest.fixture
def docent(tmp_path: Path):  # type: ignore[no-untyped-def]
    with servers(tmp_path) as begin:
        yield begin()


def told(documents: list[dict[str, object]]) -> dict[object, object]:
    """Status, or the code of the error, by name."""
    return {item["filename"]: (item["error"] or {"code": item["status"]})["code"] for item in documents}  # type: ignore[index]


def test_each_member_is_a_document(docent: Docent) -> None:
    inner = make_zip({"deep/orchard.txt": ORCHARD.encode()})
    archive = make_zip({"docs/pump.txt": PUMP.encode(), "报告.md": CHINESE.encode(), "more.zip": inner})

    documents = docent.upload(("bundle.zip", archive), metadata='{"year": 1998}')

    assert told(documents) == {"docs/pump.txt": "indexed", "报告.md": "indexed", "more.zip/deep/orchard.txt": "indexed"}
    assert all(item["metadata"] == {"archive": "bundle.zip", "year": 1998} for item in documents)
    assert docent.search("pump oil")[0]["filename"] == "docs/pump.txt"
    assert len(docent.stored_files()) == 3
    again = docent.send(("bundle.zip", archive)).get_json()["documents"]
    assert {item["status"] for item in again} == {"unchanged"}


def test_what_is_left_out_is_told(docent: Docent) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good.txt", PUMP)
        archive.writestr("photo.png", b"\x89PNG\r\n")
        archive.writestr("../outside.txt", "escaped")
        archive.writestr("__MACOSX/good.txt", "litter")
        archive.writestr("empty.txt", "")
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    documents = docent.upload(("mixed.zip", buffer.getvalue()))

    assert told(documents) == {
        "good.txt": "indexed",
        "photo.png": "unsupported_type",
        "outside.txt": "archive_member",
        "link.txt": "archive_member",
        "empty.txt": "empty",
    }
    messages = {item["filename"]: (item["error"] or {}).get("message", "") for item in documents}
    assert "unsafe path" in messages["outside.txt"]
    assert "a link" in messages["link.txt"]
    assert not list(docent.services.library.incoming.iterdir())


def test_a_bomb_and_damage_are_one_clear_error(docent: Docent, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    make_bomb(bomb, megabytes=100)
    assert_error(docent.send(("bomb.zip", bomb.read_bytes())), 422, "archive_bomb")
    assert_error(docent.send(("cut.zip", make_zip({"a.txt": PUMP.encode()})[:60])), 422, "unreadable")
    assert_error(docent.send(("empty.zip", make_zip({}))), 422, "empty")
    assert_error(docent.send(("named.zip", b"no archive at all")), 415, "unsupported_type")
    assert docent.stored_files() == []

    documents = docent.upload(("bomb.zip", bomb.read_bytes()), ("pump.txt", PUMP))
    assert told(documents) == {"bomb.zip": "archive_bomb", "pump.txt": "indexed"}


def test_members_of_one_name_stay_two_documents(docent: Docent) -> None:
    first, second = make_zip({"readme.txt": PUMP.encode()}), make_zip({"readme.txt": ORCHARD.encode()})

    documents = docent.upload(("readme.txt", CHINESE), ("one.zip", first), ("two.zip", second))

    assert told(documents) == dict.fromkeys(["readme.txt", "one.zip/readme.txt", "two.zip/readme.txt"], "indexed")


def test_a_full_disk_leaves_nothing_behind(docent: Docent, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def full(*arguments: object, **_: object) -> object:
        calls.append(arguments)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingest.storage.archives.ArchiveReader.copy", full)
    assert_error(docent.send(("a.zip", make_zip({"a.txt": b"a"}))), 503, "storage")
    assert calls
    assert docent.stored_files() == []
    assert docent.get("/documents")["total"] == 0


def test_the_command_line_unpacks_too(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(make_zip({"a.txt": PUMP.encode(), "b.png": b"\x89PNG"}))
    services = build_services(
        Settings(data_dir=tmp_path / "data", llm="extractive", samples=False, ocr="off"), embedder=HashEmbedder()
    )
    try:
        assert services.pipeline._reader._ocr == "off"  # type: ignore[attr-defined]
        target = LocalBackend(services, "default")
        job_id, refused = target.send([FoundFile(path, "bundle.zip")])
        assert job_id
        assert refused == []
        found = {item.name: item.status for item in target.report(job_id).outcomes}
        assert found.pop("b.png") == "failed"
        assert list(found) == ["a.txt"]
        assert found["a.txt"] != "failed"  # queued, or on its way already
    finally:
        services.close()


def test_an_archive_is_opened_once_a_level(docent: Docent, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = make_zip({f"{n}.txt": f"{PUMP} {n}".encode() for n in range(30)})
    outer = {f"{n}.txt": f"{ORCHARD} {n}".encode() for n in range(30)} | {"a.zip": inner, "b.zip": inner}
    opened = 0
    make = zipfile.ZipFile.__init__

    def count(self: zipfile.ZipFile, *arguments: object, **more: object) -> None:
        nonlocal opened
        opened += 1
        make(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(zipfile.ZipFile, "__init__", count)
    staged = docent.services.library.stage(io.BytesIO(make_zip(outer)), "many.zip")
    opened = 0
    files = docent.services.library.unpacked([staged])

    assert len(files) == 90
    assert {file.path.read_bytes() for file in files} == set(outer.values()) - {inner} | {
        f"{PUMP} {n}".encode() for n in range(30)
    }
    assert opened == 6  # three to measure, three to unpack


def test_thousands_of_tiny_members_are_quick(docent: Docent) -> None:
    staged = docent.services.library.stage(
        io.BytesIO(make_zip({f"{n}.txt": b"x%d" % n for n in range(5000)})), "many.zip"
    )
    started = time.monotonic()
    files = docent.services.library.unpacked([staged])
    assert len(files) == 5000
    assert time.monotonic() - started < 10  # it was minutes


def test_unpacking_has_an_end(docent: Docent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.storage.unpacking.UNPACKING_SECONDS", -1.0)
    answer = docent.send(("many.zip", make_zip({f"{n}.txt": PUMP.encode() for n in range(9)})))
    assert_error(answer, 422, "archive_bomb")
    assert docent.stored_files() == []
