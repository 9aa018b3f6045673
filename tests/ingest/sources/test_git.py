"""A Git repository as a source: a second run is a difference, and a hostile repository gets nothing run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import ingest.sources.git as repository_module
import wiring
from cli.git import run as synchronise
from cli.main import ingest_main as main
from cli.sync import Wanted
from ingest.sources.git import Git
from rag.errors import ConfigurationError
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.web.conftest import Start, listening, servers

WANTED = Wanted(collection="default", server=None, prune=False, yes=False, dry_run=False, as_json=True)
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("DOCENT_", "GIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "data"))
    build = wiring.build_services
    monkeypatch.setattr(
        wiring, "build_services", lambda settings, **more: build(settings, embedder=HashEmbedder(), **more)
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with servers(tmp_path / "servers") as begin:
        yield begin


class Repository:
    """A working copy that a test commits to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, **files: str | None) -> str:
        """Write files (None: remove) and commit; the commit's id. `__` in a name stands for `/`, `_` for `.`."""
        for name, content in files.items():
            path = self.folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if content is None else path.write_text(content, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "repository")
    found.commit(readme_md="# Tea\n\nThe tea is in the tin.", docs__coffee_md="# Coffee\n\nCoffee costs 14 euros.")
    return found


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    status = main(["git", *arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else None, err


def documents(tmp_path: Path, collection: str = "default") -> dict[str, Any]:
    services = wiring.build_services(Settings(data_dir=tmp_path / "data", llm="extractive", samples=False))
    try:
        return {item.filename: item for item in services.documents.find(collection=collection, limit=500).items}
    finally:
        services.close()


def test_a_second_run_is_a_difference(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = repository.git("rev-parse", "HEAD")
    status, summary, _ = run(capsys, str(repository.folder), "--collection", "code")
    assert (status, summary["added"], summary["commit"]) == (0, 2, first)
    before = documents(tmp_path, "code")
    assert set(before) == {"readme.md", "docs/coffee.md"}
    assert before["readme.md"].metadata["git_commit"] == first
    assert before["readme.md"].metadata["git_repository"] == str(repository.folder)

    assert run(capsys, str(repository.folder), "--collection", "code")[1]["unchanged"] == 2
    second = repository.commit(readme_md="# Tea\n\nThe tea is gone.", new_txt="New words.", docs__coffee_md=None)
    (repository.folder / "uncommitted.md").write_text("not in a commit")
    status, plan, _ = run(capsys, str(repository.folder), "--collection", "code", "--dry-run")
    assert (plan["add"], plan["replace"], plan["delete"]) == (["new.txt"], ["readme.md"], ["docs/coffee.md"])
    status, summary, _ = run(capsys, str(repository.folder), "--collection", "code")

    assert (status, summary["added"], summary["replaced"], summary["deleted"]) == (0, 1, 1, 1)
    after = documents(tmp_path, "code")
    assert set(after) == {"readme.md", "new.txt"}
    assert {item.metadata["git_commit"] for item in after.values()} == {second}
    status, summary, _ = run(capsys, str(repository.folder), "--collection", "code", "--ref", first)
    assert set(documents(tmp_path, "code")) == {"readme.md", "docs/coffee.md"}


def test_branches_tags_and_bare_repositories(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.git("tag", "v1.0")
    repository.git("checkout", "--quiet", "-b", "feature/x")
    repository.commit(other_md="# Other\n\nOnly here.")
    repository.git("checkout", "--quiet", "main")
    bare = tmp_path / "bare.git"
    repository.git("clone", "--quiet", "--bare", ".", str(bare))

    for ref, files in (("HEAD", 2), ("main", 2), ("v1.0", 2), ("feature/x", 3)):
        for place in (repository.folder, bare, repository.folder / "docs"):
            assert run(capsys, str(place), "--ref", ref, "--dry-run")[1]["add"].__len__() == files


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "no such folder"),
        (["."], "no Git repository"),
        (["repository", "--ref", "absent"], "no branch, tag or commit"),
        (["repository", "--ref=--upload-pack=touch x"], "cannot name"),
        (["repository", "--ref", "HEAD^{/x}"], "cannot name"),
        (["repository", "--ref", "a..b"], "cannot name"),
        (["https://example.org/x.git"], "DOCENT_ALLOW_URLS"),
        (["file:///etc"], "only http"),
        (["ext::sh -c touch% x://"], "only http"),
        (["ssh://git@example.org/x"], "only http"),
        (["https://user:secret@example.org/x"], "user name or password"),
    ],
)
def test_misuse_is_told_in_one_line(
    repository: Repository, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    status, _, err = run(capsys, *arguments)

    assert status == 2
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert "secret" not in err


def test_without_git_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    status, _, err = run(capsys, ".")
    assert status == 2
    assert "git is not installed" in err
    assert len(err.strip().splitlines()) == 1


def test_a_hostile_repository_gets_nothing_run_and_nothing_else_read(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trap = tmp_path / "trap"
    touch = f"touch {trap}"
    secret = tmp_path / "secret.md"
    secret.write_text("# Secret\n\nNobody may read this.")
    (repository.folder / "link.md").symlink_to(secret)
    (repository.folder / "folder").symlink_to(tmp_path)
    (repository.folder / ".gitattributes").write_text("*.md filter=evil diff=evil\n")
    (repository.folder / ".hidden.md").write_text("hidden")
    repository.commit(lfs_txt="version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    submodule = repository.git("rev-parse", "HEAD")
    blob = repository.git("rev-parse", "HEAD:readme.md")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{submodule},module.md")
    repository.git("commit", "--quiet", "--message", "a submodule")
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc", "post-index-change"):
        path = repository.folder / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\n{touch}\n")
        path.chmod(0o755)
    for name, value in {
        "filter.evil.smudge": touch, "filter.evil.clean": touch, "diff.evil.textconv": touch, "core.fsmonitor": touch,
        "core.pager": touch, "core.sshCommand": touch, "core.editor": touch, "alias.ls-tree": f"!{touch}",
        "alias.cat-file": f"!{touch}", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::sh -c {touch.replace(' ', '% ')}", "protocol.ext.allow": "always",
        "remote.origin.uploadpack": touch, "core.gitProxy": touch, "uploadpack.packObjectsHook": touch,
    }.items():  # fmt: skip
        repository.git("config", name, value)
    trap.unlink(missing_ok=True)

    status, summary, _ = run(capsys, str(repository.folder))

    assert not trap.exists()
    assert set(documents(tmp_path)) == {"readme.md", "docs/coffee.md"}
    assert status == 1
    assert [failure["file"] for failure in summary["failures"]] == ["lfs.txt"]
    assert "LFS" in summary["failures"][0]["reason"]

    # an object that is missing is not asked for anywhere
    trap.unlink(missing_ok=True)
    (repository.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    status, _, err = run(capsys, str(repository.folder))
    assert (status, "is the repository complete?" in err) == (2, True)
    assert not trap.exists()
    assert set(documents(tmp_path)) == {"readme.md", "docs/coffee.md"}


def tree_of(repository: Repository, *entries: tuple[str, str, str]) -> str:
    """A commit whose tree holds these entries (mode, id, name), written as they are."""
    content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(own) for mode, own, name in entries)
    made = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
        cwd=repository.folder, input=content, capture_output=True, check=True,
    )  # fmt: skip
    return made.stdout.decode().strip()


def test_paths_that_climb_are_names_and_no_more(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blob = repository.git("rev-parse", "HEAD:readme.md")
    other = repository.git("rev-parse", "HEAD:docs/coffee.md")
    inner = tree_of(repository, ("100644", blob, "evil.md"))
    tree = tree_of(repository, ("40000", inner, ".."), ("100644", other, "..\\..\\up.md"))
    commit = repository.git("commit-tree", tree, "-m", "climbing")
    repository.git("update-ref", "refs/heads/climbing", commit)

    run(capsys, str(repository.folder), "--ref", "climbing")

    assert set(documents(tmp_path)) <= {"evil.md", "up.md"}
    assert not list(tmp_path.parent.glob("*.md"))


def test_trees_that_unfold_without_end_are_given_up(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(repository_module, "MAX_ENTRIES", 1000)
    tree = tree_of(
        repository, *[("100644", repository.git("rev-parse", "HEAD:readme.md"), f"{n}.md") for n in range(10)]
    )
    for _ in range(9):
        tree = tree_of(repository, *[("40000", tree, f"{n}") for n in range(10)])
    commit = repository.git("commit-tree", tree, "-m", "a bomb of ten thousand million files")
    repository.git("update-ref", "refs/heads/bomb", commit)

    status, _, err = run(capsys, str(repository.folder), "--ref", "bomb")

    assert (status, "more than 1,000 files" in err) == (2, True)


def test_large_files_are_left_and_named(
    repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCENT_MAX_UPLOAD_MB", "1")
    repository.commit(large_txt="word " * 300_000)
    status, summary, _ = run(capsys, str(repository.folder))
    assert (status, summary["added"]) == (1, 2)
    assert summary["failures"] == [{"file": "large.txt", "reason": "is larger than 1 MiB, the most that is accepted"}]


def test_a_server_takes_a_commit(repository: Repository, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    docent = start()
    with listening(docent.app) as port:
        status, summary, _ = run(capsys, str(repository.folder), "--server", f"http://127.0.0.1:{port}")
        assert (status, summary["added"]) == (0, 2)
        assert run(capsys, str(repository.folder), "--server", f"http://127.0.0.1:{port}")[1]["unchanged"] == 2
    assert docent.get("/documents")["data"][0]["metadata"]["git_commit"] == summary["commit"]


@contextmanager
def hosted(folder: Path, requests: list[str]) -> Iterator[int]:
    """Git's own server for the repositories of a folder; the port."""
    backend = Path(
        subprocess.run(["git", "--exec-path"], capture_output=True, text=True).stdout.strip(), "git-http-backend"
    )
    if not backend.exists():
        pytest.skip("git-http-backend is not installed")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            path, _, query = self.path.partition("?")
            if path.startswith("/away"):
                self.send_response(302)
                self.send_header("Location", f"http://127.0.0.1:{port}/bare.git{path[5:]}?{query}")
                self.end_headers()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            facts = {
                "GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command, "PATH_INFO": path,
                "QUERY_STRING": query, "CONTENT_TYPE": self.headers.get("Content-Type") or "", "PATH": os.defpath,
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol") or "", "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "", "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            }  # fmt: skip
            done = subprocess.run([backend], input=body, env=facts, capture_output=True)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
            self.send_response(int(next((v for k, v in fields if k == "Status"), "200").split()[0]))
            for name, value in fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()


def test_a_url_is_fetched_from_the_address_that_was_judged(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.git("tag", "v1")
    commit = repository.commit(readme_md="# Tea\n\nMore tea.")
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "hosted" / "bare.git"))
    requests: list[str] = []
    with hosted(tmp_path / "hosted", requests) as port:
        # `code.test` is no name that any resolver knows: the pinned address is what is used
        git = Git(
            hosts=(f"code.test:{port}",),
            resolve=lambda host, port: ["127.0.0.1"],
            permits=lambda address: address == "127.0.0.1",
        )
        url = f"http://code.test:{port}/bare.git"
        assert synchronise(settings(tmp_path), url, WANTED, git=git) == 0
        summary = json.loads(capsys.readouterr().out)
        assert (summary["added"], summary["commit"]) == (2, commit)
        found = documents(tmp_path)
        assert found["readme.md"].metadata["git_repository"] == url
        assert synchronise(settings(tmp_path), url, WANTED, ref="v1", git=git) == 0
        assert json.loads(capsys.readouterr().out)["replaced"] == 1

        with pytest.raises(ConfigurationError, match="cannot fetch 'absent'"):
            synchronise(settings(tmp_path), url, WANTED, ref="absent", git=git)
        asked = len(requests)
        with pytest.raises(ConfigurationError, match="cannot fetch"):
            synchronise(settings(tmp_path), f"http://code.test:{port}/away", WANTED, git=git)
        assert all(path.startswith("/away") for path in requests[asked:])

        del requests[:]
        for refused in (
            Git(hosts=(f"code.test:{port}",), resolve=lambda host, port: ["127.0.0.1"]),
            Git(hosts=(f"127.0.0.1:{port}",)),
        ):
            host = refused._hosts[0]
            with pytest.raises(ConfigurationError, match="public address"):
                synchronise(settings(tmp_path), f"http://{host}/bare.git", WANTED, git=refused)
        assert requests == []


def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", llm="extractive", samples=False)
