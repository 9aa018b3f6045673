"""`python -m ingest` in this process: what it finds, what it prints, how it ends, and where it sends files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import wiring
from cli.ingest import BATCH_FILES, batches
from cli.main import ingest_main as main
from ingest.sources.folder import FoundFile, scan
from rag.errors import ConfigurationError
from tests.fakes import HashEmbedder
from tests.web.api.test_passwords import SECRET, locked_pdf
from tests.web.conftest import Docent, Start, listening, servers

ACCEPTED = (".md", ".txt", ".pdf")


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean environment, a data folder of its own, and the hash embedder for the real one."""
    for name in [name for name in os.environ if name.startswith("DOCENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "data"))
    build = wiring.build_services
    monkeypatch.setattr(
        wiring, "build_services", lambda settings, **more: build(settings, embedder=HashEmbedder(), **more)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    for name, content in {
        "readme.md": "# Tea\n\nThe tea is in the copper tin.",
        "sub/readme.md": "# Coffee\n\nCoffee costs 14 euros.",
        "sub/报告.txt": "预算是三百万元。",
        "photo.jpg": "no text",
        ".hidden/secret.txt": "hidden",
        "sub/.secret.txt": "hidden",
    }.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(content, encoding="utf-8")
    return made


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with servers(tmp_path / "servers") as begin:
        yield begin


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    """Exit status, the JSON on stdout, and stderr."""
    status = main([*arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else None, err


def names(found: Sequence[FoundFile]) -> list[str]:
    return [file.name for file in found]


def test_a_folder_is_walked_without_what_is_hidden(folder: Path) -> None:
    found = scan([folder], accepted=ACCEPTED)

    assert names(found.files) == ["readme.md", "sub/readme.md", "sub/报告.txt"]
    assert found.skipped == ("photo.jpg",)


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["*.txt"], [], ["sub/报告.txt"]),
        ([], ["readme.md"], ["sub/报告.txt"]),
        (["sub/*"], ["*.txt"], ["sub/readme.md"]),
        (["*.md", "*.txt"], ["sub/*"], ["readme.md"]),
    ],
)
def test_patterns_include_and_exclude(
    folder: Path, include: list[str], exclude: list[str], expected: list[str]
) -> None:
    assert names(scan([folder], accepted=ACCEPTED, include=include, exclude=exclude).files) == expected


def test_a_file_that_is_named_is_taken_whatever_its_type(folder: Path) -> None:
    found = scan([folder / "photo.jpg", folder / "sub"], accepted=ACCEPTED)

    assert names(found.files) == ["photo.jpg", "readme.md", "报告.txt"]
    with pytest.raises(ConfigurationError, match="no such file"):
        scan([folder / "nowhere"], accepted=ACCEPTED)


def test_batches_are_bounded_by_number_and_size(tmp_path: Path) -> None:
    small = [FoundFile(tmp_path / f"{n}", f"{n}") for n in range(2 * BATCH_FILES + 1)]
    assert [len(batch) for batch in batches(small)] == [BATCH_FILES, BATCH_FILES, 1]
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(9 << 20)
    files = [FoundFile(large, "large"), *small[:2], FoundFile(large, "large again")]
    assert [len(batch) for batch in batches(files)] == [1, 2, 1]
    assert list(batches([])) == []


def test_alone_it_indexes_and_the_second_time_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, first, err = run(capsys, str(folder))
    assert (status, err) == (0, "")
    assert (first["files"], first["indexed"], first["skipped"], first["failures"]) == (3, 3, 1, [])

    status, second, _ = run(capsys, str(folder))
    assert (status, second["indexed"], second["unchanged"]) == (0, 0, 3)

    assert main([str(folder)]) == 0
    out, _ = capsys.readouterr()
    assert "3 unchanged; 1 of other types left out." in out


def test_failures_are_named_and_end_with_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty.txt").write_bytes(b"")
    (folder / "torn.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    long = "x" * 250
    (folder / f"{long}.txt").write_text("a name that is just short enough")

    status, summary, _ = run(capsys, str(folder), str(folder / "photo.jpg"))

    assert status == 1
    assert (summary["indexed"], summary["failed"]) == (4, 3)
    assert {failure["file"] for failure in summary["failures"]} == {"empty.txt", "torn.pdf", "photo.jpg"}
    assert all(failure["reason"] for failure in summary["failures"])
    main([str(folder / "empty.txt")])
    assert "failed: empty.txt: The file is empty." in capsys.readouterr().err


def test_a_file_that_vanishes_or_cannot_be_read_fails_alone(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def open_most(self: Path, *arguments: Any, **more: Any) -> Any:
        if self.name == "readme.md":
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **more)

    monkeypatch.setattr(Path, "open", open_most)

    status, summary, _ = run(capsys, str(folder))

    assert (status, summary["indexed"], summary["failed"]) == (1, 1, 2)
    assert "Permission denied" in summary["failures"][0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "no such file or folder"),
        (["files", "--include", "*.xyz"], "Nothing to ingest"),
        (["files", "--collection", "../x"], "cannot name a collection"),
        (["files", "--server", "http://127.0.0.1:9"], "No server answers"),
    ],
)
def test_misuse_ends_with_two_and_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(arguments) == 2

    _, err = capsys.readouterr()
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_no_arguments_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Missing argument 'PATH...'" in capsys.readouterr().err


def test_a_plan_touches_nothing(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, plan, _ = run(capsys, str(folder), "--dry-run")

    assert (status, plan) == (
        0,
        {"files": ["readme.md", "sub/readme.md", "sub/报告.txt"], "skipped": ["photo.jpg"]},
    )
    assert main([str(folder), "--dry-run"]) == 0
    assert "3 files would be ingested, 1 of other types left out." in capsys.readouterr().out
    assert not (tmp_path / "data").exists()


def test_names_that_are_not_utf8_on_disk_are_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(os.fsencode(folder) + b"/caf\xe9.txt", "wb") as file:  # noqa: PTH123  # a name in bytes
        file.write("Das Café öffnet um neun.".encode())

    status, summary, _ = run(capsys, str(folder))

    assert (status, summary["indexed"]) == (0, 4)
    assert main([str(folder), "--dry-run"]) == 0


def send_to(docent: Docent, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    with listening(docent.app) as port:
        return run(capsys, *arguments, "--server", f"http://127.0.0.1:{port}/")


def test_a_server_takes_the_files(folder: Path, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    docent = start()
    (folder / "empty.txt").write_bytes(b"")

    status, summary, _ = send_to(docent, capsys, str(folder), "--collection", "研究")

    assert (status, summary["indexed"], summary["failed"]) == (1, 3, 1)
    listed = docent.get("/documents", collection="研究", status="indexed")["data"]
    assert {item["filename"] for item in listed} == {"readme.md", "sub/readme.md", "sub/报告.txt"}
    status, summary, _ = send_to(docent, capsys, str(folder / "readme.md"), str(folder / "empty.txt"))
    assert (status, summary["indexed"], summary["failed"]) == (1, 1, 1)


def test_a_refused_file_does_not_take_its_batch_along(
    folder: Path, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    docent = start(max_upload_mb=1)
    (folder / "large.txt").write_bytes(b"word " * (500_000))

    status, summary, _ = send_to(docent, capsys, str(folder))

    assert (status, summary["indexed"], summary["failed"]) == (1, 3, 1)
    assert "1 MiB" in summary["failures"][0]["reason"]


def test_a_server_that_wants_a_token_gets_it(
    folder: Path, start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    docent = start(api_token="0123456789abcdef")
    status, _, err = send_to(docent, capsys, str(folder))
    assert (status, "refuses" in err) == (2, True)

    monkeypatch.setenv("DOCENT_API_TOKEN", "0123456789abcdef")
    status, summary, _ = send_to(docent, capsys, str(folder))
    assert (status, summary["indexed"]) == (0, 3)


def test_the_owner_of_the_folder_is_found_and_used(
    folder: Path, tmp_path: Path, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    docent = start(data_dir=tmp_path / "data")
    status, _, err = run(capsys, str(folder))
    assert status == 2
    assert "in use by process" in err

    with listening(docent.app) as port:
        docent.services.ownership.announce(f"http://127.0.0.1:{port}")
        status, summary, _ = run(capsys, str(folder))

    assert (status, summary["indexed"]) == (0, 3)
    assert docent.get("/documents")["total"] == 3


def locked(folder: Path) -> Path:
    path = folder / "locked.pdf"
    path.write_bytes(locked_pdf())
    return path


def test_a_password_is_read_from_a_variable_and_tried_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = locked(folder)
    status, summary, _ = run(capsys, str(path))
    assert (status, summary["failed"]) == (1, 1)
    assert "password" in summary["failures"][0]["reason"]

    monkeypatch.setenv("SECRET_OF_MINE", "wrong")
    retry = ["retry", "locked.pdf", "--password-env", "SECRET_OF_MINE"]
    status, tried, _ = run(capsys, *retry)
    assert (status, tried["tried"], tried["failures"][0]["file"]) == (1, 1, "locked.pdf")

    monkeypatch.setenv("SECRET_OF_MINE", SECRET)
    assert run(capsys, *retry)[:2] == (0, {"tried": 1, "failures": []})
    assert run(capsys, "retry", "--all")[:2] == (0, {"tried": 0, "failures": []})


def test_a_server_gets_the_password(
    folder: Path, start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    docent = start()
    monkeypatch.setenv("SECRET_OF_MINE", SECRET)
    path = locked(folder)
    assert send_to(docent, capsys, str(path))[0] == 1
    with listening(docent.app) as port:
        server = ["--server", f"http://127.0.0.1:{port}", "--password-env", "SECRET_OF_MINE"]
        assert run(capsys, "retry", "--all", *server)[:2] == (0, {"tried": 1, "failures": []})
        status, summary, _ = run(capsys, str(path), "--collection", "other", *server)
    assert (status, summary["indexed"]) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["retry"], "--all"),
        (["retry", "a.pdf", "--all"], "--all"),
        (["retry", "nothing.pdf", "--collection", "nowhere"], "no collection"),
        (["retry", "--all", "--password-env", "NOT_SET"], "NOT_SET"),
        (["retry", "--all", "--password"], "terminal"),
    ],
)
def test_a_retry_that_cannot_be(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
