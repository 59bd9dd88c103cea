"""Which entries the files of a folder brought, where what is removed is to be retracted. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "folder_files",
        sa.Column("source_id", ID, nullable=False),
        sa.Column("name_hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_folder_files_source_id"),
        sa.PrimaryKeyConstraint("source_id", "name_hash", "key", name="pk_folder_files"),
        sqlite_with_rowid=False,
    )
