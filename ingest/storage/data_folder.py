"""The layout of a data folder: where the catalog, the originals and what is derived of them lie. Nothing else spells it.

Owns names and paths only; what may be done to a folder is decided elsewhere (`folder_identity`, `library`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rag.errors import NotFoundError

CATALOG = "catalog.sqlite3"
UPLOADS = "uploads"
VECTORS = "chroma"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The parts of a data folder. Making one touches nothing."""

    path: Path

    @property
    def catalog(self) -> Path:
        """The catalog, which is the truth about the others."""
        return self.path / CATALOG

    @property
    def write_ahead_log(self) -> Path:
        """What was written to the catalog last; it is there while somebody has the catalog open, and after a crash."""
        return self.path / f"{CATALOG}-wal"

    @property
    def uploads(self) -> Path:
        """The originals, at `uploads/ID[:2]/ID`."""
        return self.path / UPLOADS

    @property
    def incoming(self) -> Path:
        """What is being uploaded and has been acknowledged to nobody."""
        return self.uploads / "incoming"

    @property
    def vectors(self) -> Path:
        """The vector index; its own notes lie beside it and begin with its name."""
        return self.path / VECTORS

    @property
    def pictures(self) -> Path:
        """Drawn pages, which can be drawn again."""
        return self.path / "pictures"

    @property
    def mark(self) -> Path:
        """Which folder this is: the same identity as in its catalog."""
        return self.path / "folder.json"

    @property
    def unfinished_restore(self) -> Path:
        """There while a restored backup is put into place."""
        return self.path / "restore.unfinished"

    def original(self, document_id: str) -> Path:
        """Where a document's bytes lie. Raises NotFoundError for what cannot be an id."""
        if not is_id(document_id):
            raise NotFoundError(f"There is no document {document_id[:64]!r}.", code="document_not_found")
        return self.uploads / document_id[:2] / document_id

    def originals(self) -> list[Path]:
        """All files that lie where originals lie."""
        return [path for path in sorted(self.uploads.glob("??/*")) if path.is_file()]

    def has_catalog(self) -> bool:
        """Whether there is a catalog that is not empty."""
        return self.catalog.exists() and (not self.catalog.is_file() or self.catalog.stat().st_size > 0)

    def catalog_bytes(self) -> int:
        """What the catalog takes on disk, its log included."""
        return sum(path.stat().st_size for path in self.path.glob(f"{CATALOG}*"))


def is_id(name: str) -> bool:
    """Whether a file name can be a document's id."""
    return _ID.fullmatch(name) is not None
