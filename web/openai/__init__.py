"""The OpenAI-compatible API under `/v1`: each collection is a model, citations travel as annotations and footnotes.

Owns that contract's shapes and its streams, in which only checked sentences leave. May import web's shared files,
wiring and values; never `web.api`, ingest or a store.
"""
