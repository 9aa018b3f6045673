"""The baseline: LangChain's default ingestion and search, as its tutorials write it, with the same weights.

RecursiveCharacterTextSplitter of 1000 characters with 200 of overlap, all-MiniLM-L6-v2 through sentence-transformers in
batches of 32, an embedded Chroma folder with its default settings. langchain-huggingface and langchain-chroma are thin
layers over the two libraries called here (`encode` and `upsert` in batches of Chroma's own maximum), so they are
written out; langchain-text-splitters is the one package needed beyond Docent's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

CHUNK_CHARACTERS, OVERLAP_CHARACTERS = 1000, 200


class LangChainDefault:
    """An index of one's own for each name. Models are loaded by the constructor, so that they are not timed."""

    def __init__(self, folder: Path, model_dir: Path) -> None:
        import chromadb
        from chromadb.config import Settings as ChromaSettings
        from langchain_text_splitters import RecursiveCharacterTextSplitter
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        self._splitter = RecursiveCharacterTextSplitter(
            chunk_size=CHUNK_CHARACTERS, chunk_overlap=OVERLAP_CHARACTERS, add_start_index=True
        )
        self._model = SentenceTransformer(str(model_dir), device="cpu")
        self._client = chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))

    def ingest(self, name: str, texts: Sequence[str]) -> None:
        """Split, embed and store all texts under `name`."""
        pieces = self._splitter.create_documents(list(texts), [{"source": str(n)} for n in range(len(texts))])
        space = self._client.get_or_create_collection(name, embedding_function=None)
        step = self._client.get_max_batch_size()
        for start in range(0, len(pieces), step):
            part = pieces[start : start + step]
            contents = [piece.page_content for piece in part]
            space.upsert(
                ids=[f"{name}-{start + n}" for n in range(len(part))],
                embeddings=self._embed(contents),  # type: ignore[arg-type]  # a list of vectors, as LangChain sends it
                documents=contents,
                metadatas=[dict(piece.metadata) for piece in part],
            )

    def count(self, name: str) -> int:
        """The number of chunks under `name`."""
        return self._client.get_collection(name, embedding_function=None).count()

    def search(self, name: str, query: str, *, limit: int) -> list[str]:
        """The ids of the `limit` nearest chunks."""
        space = self._client.get_collection(name, embedding_function=None)
        found = space.query(
            query_embeddings=self._embed([query]),  # type: ignore[arg-type]
            n_results=limit,
            include=["documents", "metadatas", "distances"],
        )
        return list(found["ids"][0])

    def forget(self, name: str) -> None:
        """Drop what is stored under `name`."""
        self._client.delete_collection(name)

    def close(self) -> None:
        """Close the folder."""
        self._client.close()  # type: ignore[attr-defined]  # it is a Client

    def _embed(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._model.encode(texts, show_progress_bar=False).tolist()
        return vectors
