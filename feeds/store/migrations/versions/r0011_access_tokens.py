"""Private sections, and the tokens of their subscribers. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("sections", sa.Column("private", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "access_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("section_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["section_id"], ["sections.id"], name="fk_access_tokens_section_id"),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("section_id", "name", name="uq_access_tokens_section_id"),
        sqlite_autoincrement=True,
    )
