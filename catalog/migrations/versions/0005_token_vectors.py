"""Vectors of the chunks' tokens.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "token_vectors",
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("chunk_id", sa.String(length=48), nullable=False),
        sa.Column("space", sa.String(length=255), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("offsets", sa.LargeBinary(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_token_vectors")),
        sa.UniqueConstraint("chunk_id", "space", name=op.f("uq_token_vectors_chunk_id")),
    )
    op.create_index("ix_token_vectors_document_collection", "token_vectors", ["document_id", "collection_id"])
