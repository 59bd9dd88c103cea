"""Fragments lie in the order in which they came, and an article's in one row. I/O: database.

A table in the order of its key holds a long row in two pages, of which most is empty. PostgreSQL has no such tables;
there a release that writes a row for each format may run beside this one: what it has stays as it is.
"""

import zlib
from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

FORMATS = ("rss", "atom", "json")
AT_ONCE = 3000
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
    _join()
    op.execute("INSERT INTO story_fragments SELECT * FROM old_story_fragments")
    for name in ("old_fragments", "old_story_fragments"):
        op.drop_table(name)


def _join() -> None:
    """One row of what an article has in every format; what it has not in every one waits for being rendered again."""
    rows_after = sa.text(
        "SELECT article_id, format, version, revision, updated_at, body FROM old_fragments"
        " WHERE article_id > :last ORDER BY article_id LIMIT :most"
    )
    insert = sa.text("INSERT INTO fragments VALUES (:article_id, '', :version, :revision, :updated_at, :body)")
    connection, last = op.get_bind(), -1
    while rows := connection.execute(rows_after, {"last": last, "most": AT_ONCE}).mappings().all():
        joined = []
        if len(rows) == AT_ONCE:  # the last article may go on
            rows = [row for row in rows if row["article_id"] != rows[-1]["article_id"]]
        for article_id, group in groupby(rows, key=lambda row: row["article_id"]):
            its = {row["format"]: row for row in group}
            if its.keys() == set(FORMATS) and len({(row["version"], row["revision"]) for row in its.values()}) == 1:
                body = zlib.compress(b"\0".join(zlib.decompress(its[name]["body"]) for name in FORMATS), 1)
                joined.append({**its["rss"], "article_id": article_id, "body": body})
        last = rows[-1]["article_id"]
        if joined:
            connection.execute(insert, joined)
