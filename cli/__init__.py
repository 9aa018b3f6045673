"""The commands of a shell: ingest, sync, git, jobs, reindex, doctor, backup, restore, purge.

Owns arguments, what is printed and exit codes, and whether a command works on its own services or on the server that
owns the data folder. Stands on top: it may import wiring, ingest, catalog and the core of rag, never web, and nothing
imports it but the door `python -m ingest`.
"""
