"""Which data folder a catalog belongs to, and which of the folder's files it can account for.

The identity is a random id and a generation that grows with every start. The folder holds the same
(ingest.storage.folder_identity).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from catalog.engine import Database
from catalog.tables import data_folder, documents, file_deletions


@dataclass(frozen=True, slots=True)
class Identity:
    """A folder's id and how often it was opened."""

    id: str
    generation: int


class FileCatalog:
    """What the catalog says about its folder and the files in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Identity | None:
        """The identity; None in a catalog that has not been opened with a folder yet."""
        with self._database.read() as connection:
            row = connection.execute(select(data_folder)).first()
        return Identity(row.id, row.generation) if row else None

    def write(self, identity: Identity) -> None:
        """Note the identity."""
        with self._database.write() as connection:
            connection.execute(delete(data_folder))
            connection.execute(insert(data_folder).values(id=identity.id, generation=identity.generation))

    def known_files(self) -> set[str]:
        """The ids of all documents, and of deleted ones whose files are still to go."""
        with self._database.read() as connection:
            return {*connection.execute(select(documents.c.id)).scalars(), *_deletions(connection)}

    def pending_file_deletions(self) -> list[str]:
        """Documents that were deleted and whose files may still be there."""
        with self._database.read() as connection:
            return _deletions(connection)

    def files_deleted(self, ids: Sequence[str]) -> None:
        """Note that these files are gone."""
        with self._database.write() as connection:
            for document_id in ids:
                connection.execute(delete(file_deletions).where(file_deletions.c.document_id == document_id))


def _deletions(connection: Connection) -> list[str]:
    return list(connection.execute(select(file_deletions.c.document_id)).scalars())
