"""Answers remember where their sentences end and what became of them, so that they can be shown again.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("answers") as batch_op:
        batch_op.add_column(sa.Column("sentences", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("model", sa.String(length=255), nullable=False, server_default=""))
