"""A catalog in a folder of its own, and the shortcuts that its tests share."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from catalog.collections import CollectionCatalog
from catalog.conversations import ConversationCatalog
from catalog.documents import DocumentCatalog
from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.ingestion import IngestionCatalog
from catalog.jobs import JobCatalog
from catalog.publication import Indexed
from catalog.registration import NewFile, Registered
from rag.errors import DocentError
from rag.types import Chunk, DocumentStatus, ParsedDocument


@dataclass
class Catalog:
    """Every part of a catalog on one database."""

    database: Database
    lexical: Fts5Index
    collections: CollectionCatalog
    documents: DocumentCatalog
    ingestion: IngestionCatalog
    jobs: JobCatalog
    conversations: ConversationCatalog
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def register(self, *files: tuple[str, str], collection: str = "default", **more: Any) -> list[Registered]:
        """Register files, each a name and a content, as one job."""
        new = [self.file(name, content, **more) for name, content in files]
        return self.ingestion.register(self.job(), self.collections.ensure(collection).id, new)

    def job(self) -> str:
        """The id of a job to come; `job-0` is the first."""
        return f"job-{next(self._numbers)}"

    def file(self, name: str, content: str, *, rejected: DocentError | None = None, **more: Any) -> NewFile:
        """A file with an id of its own, as the library would hand it over."""
        digest = hashlib.sha256(content.encode()).hexdigest()
        own = f"{next(self._numbers):032x}"
        return NewFile(own, name, "text/plain", len(content), digest, rejected=rejected, **more)

    def index(self, *ids: str, texts: Sequence[str] | None = None, collection: str = "default") -> list[str]:
        """Take documents through claim, chunking and embedding, and make them live; what ended by it."""
        self.ingestion.claim(limit=1000, max_bytes=1 << 30)
        self.ingestion.advance(ids, DocumentStatus.CHUNKING)
        self.ingestion.expect(dict.fromkeys(ids, 2))
        batch = [parsed(document_id, part) for document_id, part in zip(ids, texts or ids, strict=True)]
        return self.ingestion.go_live(self.collections.get(collection).id, batch)

    def add(self, name: str, content: str, collection: str = "default") -> str:
        """A file, registered and indexed; its id."""
        (outcome,) = self.register((name, content), collection=collection)
        self.index(outcome.document_id, texts=[content], collection=collection)
        return outcome.document_id

    def status(self, document_id: str) -> str:
        """Its status."""
        return str(self.documents.document(document_id).status)

    def count(self, table: str) -> int:
        """Rows of a table."""
        with self.database.read() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def parsed(document_id: str, content: str) -> Indexed:
    """A document of two chunks: its first half and the rest."""
    middle = len(content) // 2
    chunks = [Chunk(0, 0, middle, content[:middle]), Chunk(1, middle, len(content), content[middle:])]
    return Indexed(document_id, ParsedDocument(content), chunks)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    database = Database(tmp_path / "catalog.sqlite3")
    lexical = Fts5Index(database.read)
    collections = CollectionCatalog(database, embedding_model="model-a")
    yield Catalog(
        database,
        lexical,
        collections,
        DocumentCatalog(database, lexical, collections),
        IngestionCatalog(database, lexical),
        JobCatalog(database),
        ConversationCatalog(database),
    )
    database.close()
