"""The months of the sitemaps; what was filed before is noted with the first publication. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "sitemap_months",
        sa.Column("month", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_sitemap_months"),
        sqlite_with_rowid=False,
    )
