"""The catalog: SQL, the truth about documents, text, chunks, keywords, jobs, conversations.

Owns the tables, their migrations, every transaction and the keyword index, which is SQL too. The only room that
imports SQLAlchemy and alembic; may import the core of rag, `rag.text` and the form of token vectors
(`rag.retrieval`), never vectorstore, ingest, web or a model.
"""
