"""Answers remember how certain they were and which passages came nearest; their sentences what a verdict rests on.

Sentences of answers from before have no fourth item, which is read as unknown.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("answers") as batch_op:
        batch_op.add_column(sa.Column("certainty", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("nearest", sa.JSON(), nullable=False, server_default="[]"))
