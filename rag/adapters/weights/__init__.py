"""Weights on disk: which files make a set, who brings them, and whether they are whole.

Owns the manifest with its digests, the downloads from the model hub or the package index, and what people see of
their progress. Knows no model's library; may import errors and settings of rag and nothing else of ours.
"""
