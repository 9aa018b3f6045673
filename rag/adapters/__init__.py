"""What stands behind the ports: the models, each behind the one file that knows its library.

The files here are the reranker and entailment; the folders are embedding, chat and weights. Adapters may import the
core of rag and each other as tests/test_layers.py orders them, never a room that asks, answers or verifies, nor
catalog, ingest or web; only wiring and programs choose among them.
"""
