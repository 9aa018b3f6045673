"""The files of one commit of a Git repository, without a working tree: nothing of a repository is ever run or checked out.

Owns every call of git. A repository may be hostile: its hooks, filters, submodules, links, configured commands and missing
objects that some remote would supply are all left alone. Blobs are read by their ids into files that are named by numbers; a
path in a tree is data.
"""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from ingest.naming import clean_filename
from ingest.readers.registry import accepted_extensions
from ingest.sources.addresses import Permits, Resolve, is_public, resolve
from ingest.sources.folder import FoundFile, is_chosen
from ingest.sources.folder_manifest import Manifest
from ingest.sources.url import is_allowed
from rag.errors import ConfigurationError, InvalidRequestError

GIT_SECONDS = 1800
MAX_ENTRIES = 500_000
"""Of one commit; trees that hold themselves many times over unfold to billions."""

MAX_PACK_BYTES = 4 << 30
_PINS_SINCE = (2, 37)  # http.curloptResolve
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@+-]{0,250}")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_LFS = b"version https://git-lfs.github.com/spec/"
_FILE_MODES = ("100644", "100755", "100664")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that can be read: where git finds it, and its id."""

    git_dir: Path
    id: str


class Git:
    """The git of this machine. `hosts` are those that may be fetched from; `resolve` and `permits` are for tests."""

    def __init__(self, *, hosts: Sequence[str] = (), resolve: Resolve = resolve, permits: Permits = is_public) -> None:
        """Find it. Raises ConfigurationError."""
        found = shutil.which("git")
        if found is None:
            raise ConfigurationError("git is not installed, or not in PATH: install it (Debian: apt-get install git).")
        self._program = found
        self._hosts = hosts
        self._resolve = resolve
        self._permits = permits

    def open(self, repository: str, ref: str, scratch: Path) -> Commit:
        """The commit that `ref` names in a repository: a folder, or an http or https URL, which is fetched into `scratch`.

        Raises:
            ConfigurationError: no such repository or ref, or a URL that is not allowed.
        """
        if not _REF.fullmatch(ref) or ".." in ref or "@{" in ref:
            raise ConfigurationError(f"{ref!r} cannot name a branch, a tag or a commit.")
        if not repository.strip():
            raise ConfigurationError("REPOSITORY is empty: name a folder, or an http or https URL.")
        if "://" in repository:
            git_dir = self._fetched(repository, ref, scratch)
            ref = "refs/docent/head"
        else:
            git_dir = self._local(Path(repository))
        found = self._said(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"], git_dir)
        if not _COMMIT.fullmatch(found):
            raise ConfigurationError(f"{repository} has no branch, tag or commit {ref!r}.")
        return Commit(git_dir, found)

    def read(
        self,
        commit: Commit,
        folder: Path,
        *,
        max_bytes: int,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> Manifest:
        """Write the accepted files of a commit into `folder`, and say which they are.

        Links, submodules and hidden files count as skipped; files over `max_bytes` or kept in LFS as unread.

        Raises:
            ConfigurationError: git fails, or the commit holds too many files.
        """
        manifest = Manifest()
        wanted: list[tuple[str, str]] = []
        for mode, kind, blob, size, path in self._entries(commit):
            if not is_chosen(path, include, exclude):
                continue
            hidden = any(part.startswith(".") for part in path.split("/"))
            extension = PurePosixPath(path).suffix.lower()
            if kind != "blob" or mode not in _FILE_MODES or hidden or extension not in accepted_extensions():
                manifest.skipped += 1
            elif size > max_bytes:
                manifest.unread[path] = f"is larger than {max_bytes >> 20} MiB, the most that is accepted"
            else:
                wanted.append((blob, path))
        with self._reader(commit) as reader:
            for number, (blob, path) in enumerate(wanted):
                _take(manifest, reader, blob, path, folder / f"{number:08}")
        return manifest

    def _entries(self, commit: Commit) -> Iterator[tuple[str, str, str, int, str]]:
        """Mode, kind, id, size and path of everything in a commit."""
        command = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit.id]
        count = 0
        with self._process(command, commit.git_dir) as process:
            assert process.stdout is not None
            for entry in _records(process.stdout):
                count += 1
                if count > MAX_ENTRIES:
                    raise ConfigurationError(f"The commit holds more than {MAX_ENTRIES:,} files.")
                facts, _, path = entry.partition(b"\t")
                mode, kind, blob, size = facts.decode("ascii", "replace").split()
                yield mode, kind, blob, int(size) if size.isdigit() else 0, path.decode(errors="replace")
            if process.wait() != 0:
                raise ConfigurationError("git cannot read the commit: is the repository complete?")

    @contextmanager
    def _reader(self, commit: Commit) -> Iterator[subprocess.Popen[bytes]]:
        with self._process(["cat-file", "--batch"], commit.git_dir, ask=True) as process:
            yield process

    def _local(self, folder: Path) -> Path:
        if not folder.is_dir():
            raise ConfigurationError(f"{folder}: there is no such folder.")
        found = self._said(["-C", str(folder.absolute()), "rev-parse", "--absolute-git-dir"], None)
        if not found:
            raise ConfigurationError(f"{folder} is no Git repository.")
        return Path(found)

    def _fetched(self, url: str, ref: str, scratch: Path) -> Path:
        pins = self._judged(url)
        git_dir = scratch / "repository.git"
        self._said(["init", "--quiet", "--bare", "--template=", str(git_dir)], None)
        options = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"]
        command = [*pins, "fetch", *options, "--end-of-options", url, f"+{ref}:refs/docent/head"]
        with self._process(command, git_dir, protocols="http:https") as process:
            assert process.stderr is not None
            told = process.stderr.read(4096).decode(errors="replace").strip().splitlines()
            if process.wait() != 0:
                why = told[-1] if told else "no reason is given"
                raise ConfigurationError(f"git cannot fetch {ref!r} from {url}: {_printable(why)}")
        return git_dir

    def _judged(self, url: str) -> list[str]:
        """What makes git connect to an address that was judged, and no other. Raises ConfigurationError."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise ConfigurationError(f"{_printable(url)} is no URL.") from error
        if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
            raise ConfigurationError(f"{_printable(url)}: only http:// and https:// URLs can be fetched.")
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError("A URL with a user name or password is not fetched.")
        if not is_allowed(host, port, self._hosts):
            raise ConfigurationError(f"{host} is not among the hosts of DOCENT_ALLOW_URLS.")
        if self._version() < _PINS_SINCE:
            raise ConfigurationError("Fetching by URL needs git 2.37 or newer.")
        port = port or {"http": 80, "https": 443}[parts.scheme]
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise ConfigurationError(f"The host {host} is not found.") from error
        if not addresses or not all(self._permits(address) for address in addresses):
            raise ConfigurationError(f"The host {host} is not at a public address.")
        listed = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        settings = {
            "http.curloptResolve": f"{host}:{port}:{listed}",
            "http.followRedirects": "false",
            "http.proxy": "",
            "credential.helper": "",
            "fetch.fsckObjects": "true",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _version(self) -> tuple[int, ...]:
        numbers = re.search(r"(\d+)\.(\d+)", self._said(["--version"], None))
        return tuple(map(int, numbers.groups())) if numbers else (0, 0)

    def _said(self, command: Sequence[str], git_dir: Path | None) -> str:
        """The first line that git says; empty when it fails."""
        with self._process(command, git_dir) as process:
            assert process.stdout is not None
            line = process.stdout.read(4096).decode(errors="replace").partition("\n")[0]
            return line.strip() if process.wait() == 0 else ""

    @contextmanager
    def _process(
        self, command: Sequence[str], git_dir: Path | None, *, ask: bool = False, protocols: str = "none"
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Git at work, ended at the end of the block and after `GIT_SECONDS` at the latest."""
        where = [] if git_dir is None else [f"--git-dir={git_dir}"]
        safe = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "safe.directory=*"]
        process = subprocess.Popen(  # noqa: S603  # git itself, no shell
            [self._program, "--no-pager", *safe, *where, *command],
            env=_environment(protocols),
            stdin=subprocess.PIPE if ask else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if protocols != "none" else subprocess.DEVNULL,
        )
        _limit(process.pid)
        watch = threading.Timer(GIT_SECONDS, process.kill)
        watch.daemon = True
        watch.start()
        try:
            with process:
                try:
                    yield process
                finally:
                    if process.stdin is not None:
                        with suppress(BrokenPipeError):
                            process.stdin.close()
                    process.kill()  # no matter where it stands; one that has ended does not mind
        finally:
            watch.cancel()


def _environment(protocols: str) -> dict[str, str]:
    """Nothing of ours, and every way shut by which a repository or a remote could have something run or asked for."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def _limit(pid: int) -> None:
    if hasattr(resource, "prlimit"):  # Linux
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (MAX_PACK_BYTES, MAX_PACK_BYTES))


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(1 << 16):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole


def _take(manifest: Manifest, reader: subprocess.Popen[bytes], blob: str, path: str, target: Path) -> None:
    """Write one blob to a file and enter it into the manifest."""
    content = _blob(reader, blob)
    try:
        name = clean_filename(path)
    except InvalidRequestError as error:
        manifest.unread[path] = error.message
        return
    if name in manifest.digests:
        manifest.unread[path] = "another file has this name, but for characters that are not shown"
    elif content.startswith(_LFS):
        manifest.unread[name] = "is kept in Git LFS, which is not read"
    else:
        target.write_bytes(content)
        manifest.digests[name] = sha256(content).hexdigest()
        manifest.files[name] = FoundFile(target, name)


def _blob(reader: subprocess.Popen[bytes], blob: str) -> bytes:
    assert reader.stdin is not None
    assert reader.stdout is not None
    try:
        reader.stdin.write(f"{blob}\n".encode())
        reader.stdin.flush()
        facts = reader.stdout.readline(200).split()
        size = int(facts[2]) if len(facts) == 3 else -1
        content = reader.stdout.read(size + 1) if size >= 0 else b""
    except (OSError, ValueError):
        size, content = -1, b""
    if size < 0 or len(content) != size + 1:
        raise ConfigurationError("git cannot read a file of the commit: is the repository complete?")
    return content[:-1]


def _printable(told: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in told)[:300]
