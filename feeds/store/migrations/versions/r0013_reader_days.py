"""What programs and services read, by day. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

COUNTS = ("answers", "same", "parts", "sent", "wasted", "hasty", "declared")


def upgrade() -> None:
    op.create_table(
        "reader_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("day", "name", "document", name="pk_reader_days"),
        sqlite_with_rowid=False,
    )
