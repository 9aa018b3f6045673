"""Citations of answers as rows, so that the answers that cite a document are found by an index.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_citations",
        sa.Column("answer_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("char_start", sa.Integer(), nullable=False),
        sa.Column("char_end", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name=op.f("fk_answer_citations_answer_id_answers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("answer_id", "position", name=op.f("pk_answer_citations")),
    )
    op.create_index(op.f("ix_answer_citations_document_id"), "answer_citations", ["document_id"])
    op.execute(
        """
        INSERT INTO answer_citations (answer_id, position, n, document_id, char_start, char_end)
        SELECT answers.id, span.key, json_extract(span.value, '$.n'), json_extract(span.value, '$.document_id'),
               json_extract(span.value, '$.char_start'), json_extract(span.value, '$.char_end')
        FROM answers, json_each(answers.citations) AS span
        """
    )
