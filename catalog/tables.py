"""The catalog's tables: the truth about documents, text, chunks, jobs and conversations.

Both indexes are derived from these rows. Owns the table definitions only; the migrations create them, and a test
compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("embedding_model", String(255), nullable=False),
    # how its documents are cut into chunks; NULL: made before this was kept, taken from the settings at the next start
    Column("recipe", String(64)),
    Column("created_at", DateTime, nullable=False),
    # ids name both indexes of a collection and must not be used twice
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("collection_id", ForeignKey("collections.id"), nullable=False),
    Column("filename", String(1024), nullable=False),
    Column("media_type", String(127), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    # a live document is searchable; an older version stays live until its successor is
    Column("live", Boolean, nullable=False, default=False),
    Column("replaces", String(32)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("progress_done", Integer, nullable=False, default=0),
    Column("progress_total", Integer, nullable=False, default=0),
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("warnings", JSON, nullable=False, default=list),
    Column("pages", Integer),
    Column("chunks", Integer, nullable=False, default=0),
    Column("metadata", JSON, nullable=False, default=dict),
    Column("created_at", DateTime, nullable=False),
    Column("updated_at", DateTime, nullable=False),
    Index("ix_documents_collection_filename", "collection_id", "filename"),
    Index("ix_documents_collection_sha256", "collection_id", "sha256"),
    Index("ix_documents_status_created", "status", "created_at"),
)

texts = Table(
    "texts",
    metadata,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("text", Text, nullable=False),
    # [[number, start, end], ...] and [[level, title, start], ...]
    Column("pages", JSON, nullable=False, default=list),
    Column("headings", JSON, nullable=False, default=list),
)

chunks = Table(
    "chunks",
    metadata,
    # the row number is also the row of the lexical index
    Column("row", Integer, primary_key=True, autoincrement=True),
    Column("id", String(48), nullable=False, unique=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("char_start", Integer, nullable=False),
    Column("char_end", Integer, nullable=False),
    Column("page", Integer),
    Column("page_end", Integer),
    Column("heading", Text),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)

# Vectors of the chunks' tokens (rag.retrieval.late_interaction), written slice by slice while a document is embedded,
# so before its chunks are. That is why nothing refers to `chunks`: what has no chunk and is not in work is dropped at
# the next start.
token_vectors = Table(
    "token_vectors",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("chunk_id", String(48), nullable=False),
    # the embedder's token space; while a collection changes its model a chunk has vectors of both
    Column("space", String(255), nullable=False),
    Column("document_id", String(32), nullable=False),
    Column("collection_id", Integer, nullable=False),
    Column("offsets", LargeBinary, nullable=False),
    Column("vectors", LargeBinary, nullable=False),
    UniqueConstraint("chunk_id", "space", name="uq_token_vectors_chunk_id"),
    Index("ix_token_vectors_document_collection", "document_id", "collection_id"),
)

# Vectors that are to be forgotten: written in the transaction that deletes a document, cleared once Chroma has obeyed.
vector_deletions = Table(
    "vector_deletions",
    metadata,
    Column("document_id", String(32), primary_key=True),
    Column("collection_id", Integer, primary_key=True),
)

# Documents whose vectors are being written, until they are live or ended: what a stop leaves of these is forgotten at
# the next start, also where the document itself was deleted meanwhile.
vector_writes = Table(
    "vector_writes",
    metadata,
    Column("document_id", String(32), primary_key=True),
    Column("collection_id", Integer, primary_key=True),
)

# One row: the data folder that this catalog belongs to, and how often it was opened (catalog.files).
data_folder = Table(
    "data_folder",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("generation", Integer, nullable=False),
)

# Files that are to be unlinked: written in the transaction that deletes a document, cleared once the file is gone. A
# file that neither a document nor a row here accounts for is never deleted.
file_deletions = Table(
    "file_deletions",
    metadata,
    Column("document_id", String(32), primary_key=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("idempotency_key", String(255), unique=True),
    # digest of what came with the key: the same key with another upload is a conflict
    Column("idempotency_digest", String(64)),
    # when the first of its documents was claimed, since the last retry
    Column("started_at", DateTime),
)

job_documents = Table(
    "job_documents",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    # no foreign key: a job outlives the documents that were deleted since
    Column("document_id", String(32), nullable=False, index=True),
    Column("unchanged", Boolean, nullable=False, default=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("title", String(255), nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("updated_at", DateTime, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("reason", String(32)),
    Column("groundedness", Float),
    # the citations' spans; quotes are not kept, so that a deleted document is gone from here too
    Column("citations", JSON, nullable=False, default=list),
    # "high", "low"; NULL where nothing was answered, or the answer is from before this was kept
    Column("certainty", String(8)),
    # spans of the passages that came nearest, as of the citations, unless the answer is certain
    Column("nearest", JSON, nullable=False, default=list, server_default="[]"),
    # [[start, end, verdict, checked_by], ...], offsets into the answer; the last is missing in answers from before
    Column("sentences", JSON, nullable=False, default=list, server_default="[]"),
    Column("model", String(255), nullable=False, default="", server_default=""),
    Column("created_at", DateTime, nullable=False),
)

# The citations again, one row each: which answers cite a document is asked on every deletion, and a list inside a
# column has no index. Written in the transaction that stores the answer, emptied in the one that empties it.
answer_citations = Table(
    "answer_citations",
    metadata,
    Column("answer_id", ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    # the place in the answer's list; `n` is the number that readers see
    Column("position", Integer, primary_key=True),
    Column("n", Integer, nullable=False),
    # no foreign key: an answer goes on citing what is in the trash, and is emptied by the deletion itself
    Column("document_id", String(32), nullable=False, index=True),
    Column("char_start", Integer, nullable=False),
    Column("char_end", Integer, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("answer_id", ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("rating", String(8), nullable=False),
    Column("comment", Text),
    Column("created_at", DateTime, nullable=False),
)
