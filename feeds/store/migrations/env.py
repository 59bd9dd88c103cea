"""Alembic's entrance: runs migrations on the connection, and in the transaction, that `feeds.store.database` opened."""

from alembic import context

from feeds.store.migrations import VERSION_TABLE
from feeds.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
