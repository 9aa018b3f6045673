"""The REST API, version 1: one file of routes for each thing, and the schemas of their bodies.

Owns paths, statuses and bodies under `/api/v1`; a handler checks, calls one use-case and shapes the answer. May
import web's shared files, rendering, wiring and values; never `web.openai`, ingest or a store.
"""
