"""Article pages that listings named and that are yet to be had. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "page_queue",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("link_hash", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_page_queue_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_page_queue"),
        sa.UniqueConstraint("source_id", "link_hash", name="uq_page_queue_source_id"),
        sqlite_autoincrement=True,
    )
