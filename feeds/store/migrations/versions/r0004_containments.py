"""Which articles contain which. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "containments",
        sa.Column("whole_id", ID, autoincrement=False, nullable=False),
        sa.Column("part_id", ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("whole_id", "part_id", name="pk_containments"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_containments_part_id", "containments", ["part_id"], unique=False)
