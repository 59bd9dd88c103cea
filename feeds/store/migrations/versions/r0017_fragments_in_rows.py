"""Fragments lie in the order in which they came. I/O: database.

A table in the order of its key holds a long row in two pages, of which most is empty. Rows are taken over as they are;
PostgreSQL has no such tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.rename_table("fragments", "old_fragments")
    op.create_table(
        "fragments",
        sa.Column("article_id", ID, autoincrement=False, nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_fragments_article_id"),
        sa.PrimaryKeyConstraint("article_id", "format", name="pk_fragments"),
    )
    op.rename_table("story_fragments", "old_story_fragments")
    op.create_table(
        "story_fragments",
        sa.Column("story_uid", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_of", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("story_uid", "format", name="pk_story_fragments"),
    )
    for name in ("fragments", "story_fragments"):
        op.execute(f"INSERT INTO {name} SELECT * FROM old_{name}")
        op.drop_table(f"old_{name}")
