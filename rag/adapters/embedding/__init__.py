"""Embedding models: the presets on ONNX Runtime, and any sentence-transformers model by name.

Owns loading and exporting them, the vectors of texts and of their tokens, and what a model's vectors owe to the
language alone. May import the core, `rag.text`, the token vectors of `rag.retrieval` and `rag.adapters.weights`; not
the chat adapters.
"""
