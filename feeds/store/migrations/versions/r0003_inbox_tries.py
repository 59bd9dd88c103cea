"""Bodies that could not be read are tried again later. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("inbox", sa.Column("next_try_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_inbox_next_try_at",
        "inbox",
        ["next_try_at"],
        unique=False,
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
