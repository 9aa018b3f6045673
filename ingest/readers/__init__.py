"""Bytes to text with positions: one reader for each kind of file, behind one table (`registry.py`).

Owns which types are accepted, what each reader may spend, and the wording of warnings; a reader gets bytes and
returns a `ParsedDocument` or raises `UnreadableError`. Readers run in a child process: they may import values and
errors of rag and each other from simple to composite (text, pdf, markup, office), never storage, pipeline, catalog,
settings or the network.
"""
