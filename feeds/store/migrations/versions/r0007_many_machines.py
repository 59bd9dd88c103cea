"""Leases; shards of sources; readings that wait in the inbox for who decides. I/O: database."""

import sqlalchemy as sa
from alembic import op

from feeds.urls import shard_of

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    connection = op.get_bind()
    if not sa.inspect(connection).has_table("leases"):  # `feeds.store.lease` needs it before it may migrate
        op.create_table(
            "leases",
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("owner", sa.Text(), nullable=False),
            sa.Column("epoch", sa.BigInteger(), nullable=False),
            sa.Column("until", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("name", name="pk_leases"),
        )
    op.add_column("sources", sa.Column("shard", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("inbox", sa.Column("reading", sa.LargeBinary(), nullable=True))
    sources = sa.table("sources", sa.column("id"), sa.column("target"), sa.column("adopted_url"), sa.column("shard"))
    rows = connection.execute(sa.select(sources.c.id, sources.c.target, sources.c.adopted_url)).all()
    shards = [{"of_id": id_, "of_shard": shard_of(adopted or target)} for id_, target, adopted in rows]
    if shards:
        its = sources.c.id == sa.bindparam("of_id")
        connection.execute(sa.update(sources).where(its).values(shard=sa.bindparam("of_shard")), shards)
