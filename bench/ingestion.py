"""Docent's side of the ingestion rounds, in-process, and the bare embedding loop over exactly the chunks it made.

Times nothing itself: each method is one round's work. Uses the services as the web and the command line do.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from bench.corpus import Paragraph
from rag.errors import ConfigurationError
from rag.settings import Settings
from rag.types import Chunk, DocumentStatus
from wiring import Services, build_services

CHUNKS_PAGE = 500
UPLOAD_FILES = 100  # as many as the command line sends at once


class DocentRounds:
    """Services on a folder of their own, with the models loaded and no chat model."""

    def __init__(self, data_dir: Path, models_dir: Path) -> None:
        """Start.

        Raises:
            ConfigurationError: a setting or the machine is wrong.
        """
        self.services: Services = build_services(
            Settings(data_dir=data_dir, models_dir=models_dir, samples=False, llm="extractive", log_level="WARNING"),
            with_chat=False,
        )
        self.services.startup.begin()
        self.services.startup.require(patience=600)

    def ingest(self, name: str, paragraphs: Sequence[Paragraph]) -> None:
        """Each paragraph as a text file of its own into collection `name`; returns when all are indexed.

        Raises:
            ConfigurationError: some were not indexed.
        """
        self.ingest_files(name, [(f"{item.id}.txt", item.text.encode()) for item in paragraphs])

    def ingest_files(self, name: str, named: Iterable[tuple[str, bytes]]) -> None:
        """Files by name and content into collection `name`, in uploads as large as the command line's; returns when all
        are indexed.

        Raises:
            ConfigurationError: some were not indexed.
        """
        library, collection = self.services.library, self.services.collections.ensure(name)
        waiting, jobs = iter(named), list[str]()
        while files := [library.stage(io.BytesIO(data), filename) for filename, data in islice(waiting, UPLOAD_FILES)]:
            jobs.append(library.add(collection, files)[0])
        while not self.services.pipeline.wait(60):
            pass
        if self.services.documents.statistics()[DocumentStatus.FAILED]:
            found = [item for job_id in jobs for item in self.services.jobs.get(job_id).documents]
            bad = [item for item in found if item.status == DocumentStatus.FAILED]
            raise ConfigurationError(f"{len(bad)} files were not indexed, the first: {bad[0].error_message}")

    def embedding_texts(self, name: str) -> list[str]:
        """What was embedded for the chunks of collection `name`: heading path and text."""
        documents = self.services.documents
        found = []
        for item in documents.find(collection=name, limit=1_000_000).items:
            for passage in documents.chunks(item.id, page=1, limit=CHUNKS_PAGE).items:
                chunk = Chunk(0, passage.char_start, passage.char_end, passage.text, heading=passage.heading)
                found.append(chunk.embedding_text)
        return found

    def embed(self, texts: Sequence[str]) -> None:
        """The bare loop: nothing but the embedder, all texts in one call."""
        self.services.embedder.embed_documents(texts)

    def search(self, name: str, query: str, *, limit: int) -> list[str]:
        """The ids of the `limit` best chunks."""
        found = self.services.retriever.search(query, collections=[name], top_k=limit)
        return [passage.chunk_id for passage in found.passages]

    def forget(self, name: str) -> None:
        """Drop collection `name`."""
        self.services.library.delete_collection(name)

    def close(self) -> None:
        """Stop everything and give the folder up."""
        self.services.close()
