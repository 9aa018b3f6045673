"""The command line and the server on one data folder, each in a process of its own, as operators use them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server_process import PROJECT, environment, running_server

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    (made / "sub").mkdir(parents=True)
    (made / "readme.md").write_text("# Tea\n\nThe tea is stored in the copper tin.", encoding="utf-8")
    (made / "sub" / "readme.md").write_text("# Coffee\n\nThe coffee costs 14 euros a bag.", encoding="utf-8")
    (made / "报告.txt").write_text("预算是三百万元。", encoding="utf-8")
    (made / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    (made / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    return made


def run(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ingest", *arguments],
        cwd=PROJECT,
        env=environment(data_dir, DOCENT_LLM="extractive", **settings),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_alone_then_through_the_server(tmp_path: Path, folder: Path) -> None:
    data_dir = tmp_path / "data"
    first = run(data_dir, str(folder), "--json")
    assert first.returncode == 1, first.stderr
    summary = json.loads(first.stdout)
    assert {key: summary[key] for key in ("files", "indexed", "unchanged", "failed", "skipped")} == {
        "files": 4,
        "indexed": 3,
        "unchanged": 0,
        "failed": 1,
        "skipped": 1,
    }
    assert [failure["file"] for failure in summary["failures"]] == ["broken.pdf"]

    (folder / "new.md").write_text("# Cocoa\n\nCocoa is served on Fridays.", encoding="utf-8")
    with running_server(data_dir, DOCENT_LLM="extractive") as server:
        server.wait_until(lambda body: body["ready"], 60)
        second = run(data_dir, str(folder), "--exclude", "*.pdf")
        assert second.returncode == 0, second.stderr
        assert "1 indexed, 3 unchanged" in second.stdout
        names = {item["filename"] for item in server.client.get("/api/v1/documents?status=indexed").json()["data"]}
        assert names == {"readme.md", "sub/readme.md", "报告.txt", "new.md"}
        answer = server.client.post("/api/v1/ask", json={"question": "When is cocoa served?"}).json()
        assert "Fridays" in answer["answer"]
        explicit = run(tmp_path / "elsewhere", str(folder / "new.md"), "--server", server.url, "--collection", "two")
        assert explicit.returncode == 0, explicit.stderr

        other = subprocess.run(
            [sys.executable, "app.py"],
            cwd=PROJECT,
            env=environment(data_dir, DOCENT_LLM="extractive"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert other.returncode == 2
        assert len(other.stderr.strip().splitlines()) == 1
        assert f"in use by process {server.process.pid}" in other.stderr or server.url in other.stderr


def test_usage_and_configuration_end_with_two(tmp_path: Path, folder: Path) -> None:
    assert run(tmp_path / "data").returncode == 2
    missing = run(tmp_path / "data", str(tmp_path / "nowhere"))
    assert missing.returncode == 2
    assert "no such file or folder" in missing.stderr
    wrong = run(tmp_path / "data", str(folder), DOCENT_CHUNK_TOKENS="many")
    assert wrong.returncode == 2
    assert "DOCENT_CHUNK_TOKENS" in wrong.stderr
    nobody = run(tmp_path / "data", str(folder), "--server", "http://127.0.0.1:9")
    assert nobody.returncode == 2
    assert len(nobody.stderr.strip().splitlines()) == 1
    plan = run(tmp_path / "data", str(folder), "--dry-run", "--include", "*.md")
    assert plan.returncode == 0
    assert plan.stdout.splitlines()[:2] == ["readme.md", "sub/readme.md"]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("program", [["app.py"], ["-m", "cli", "serve"]], ids=["app.py", "docent serve"])
def test_a_taken_port_and_a_useless_data_folder_take_one_line_each(tmp_path: Path, program: list[str]) -> None:
    def start(**settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *program],
            cwd=PROJECT,
            env=environment(tmp_path / "data", DOCENT_LLM="extractive") | settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = start(DOCENT_PORT=str(taken.getsockname()[1]))
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "DOCENT_PORT" in result.stderr

    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    result = start(DOCENT_DATA_DIR=str(tmp_path / "file"))
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "DOCENT_DATA_DIR" in result.stderr

    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "catalog.sqlite3").write_bytes(b"this is no database, and long enough to be read" * 40)
    result = start(DOCENT_DATA_DIR=str(tmp_path / "damaged"))
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "damaged" in result.stderr
