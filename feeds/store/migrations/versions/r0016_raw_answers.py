"""Answers as they came, to be read again by later code. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "raw_answers",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("asked_url", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("polled", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pushed", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_raw_answers_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_raw_answers"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_raw_answers_source_id", "raw_answers", ["source_id", "id"])
