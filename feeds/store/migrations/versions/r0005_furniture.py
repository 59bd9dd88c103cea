"""What recurs at the ends of a source's entries and on the pages of a site. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "furniture",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_furniture_changed_at", "furniture", ["changed_at"], unique=False)
