"""Alembic's entrance: runs migrations on the connection, and in the transaction, that `feeds.store.upgrade` opened."""

from alembic import context

from feeds.store.schema import metadata
from feeds.store.upgrade import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
