"""Where files come from when nobody uploads them: folders, URLs, Git repositories.

Owns what a collection that follows a source compares, and every limit of a request to the network: only addresses
that were judged are connected to. May import storage, catalog and the table of types; never pipeline, rag's rooms or
web.
"""
