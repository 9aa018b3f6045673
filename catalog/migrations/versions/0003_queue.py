"""When jobs began, which vectors are being written, how collections are cut into chunks.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("started_at", sa.DateTime(), nullable=True))
    op.add_column("collections", sa.Column("recipe", sa.String(length=64), nullable=True))
    op.create_table(
        "vector_writes",
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "collection_id", name=op.f("pk_vector_writes")),
    )
