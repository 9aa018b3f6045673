"""The question side and the core that all share: values, errors, settings, ports and what a chunk is made by.

The files here are the core; they import the standard library and each other (and numpy, for vectors). Each folder
below is a room with a docstring of its own, and no room of rag may import catalog, vectorstore, ingest, web,
evaluation or cli.
"""
