"""Queued documents to live ones: text, chunks, vectors, in stages that overlap; jobs and reindexing.

Owns the threads of ingestion, which documents are in their hands, and the cutting of chunks. Takes embedder, reader
and indexes as ports; may import storage, catalog, vectorstore's swap, `rag.text` and the core of rag, never readers,
sources, adapters or web.
"""
