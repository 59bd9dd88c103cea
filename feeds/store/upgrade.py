"""The database brought to this release: Alembic, with the migrations that ship in this package. I/O: database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from feeds.errors import StoreError
from feeds.store import dialect

VERSION_TABLE = "wiredesk_version"
MIGRATIONS = Path(__file__).with_name("migrations")


def revision(connection: Connection) -> str | None:
    """The revision that the database is at, None before the first."""
    with connection.begin():
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


def pending(connection: Connection) -> bool:
    """Whether there are migrations to do. StoreError if the database knows one that this release does not."""
    present = revision(connection)
    scripts = ScriptDirectory.from_config(_config())
    if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"the database belongs to a newer release (its revision is {present})",
            remedy="install that release again, or restore the backup that was made before the upgrade",
        )
    return present != scripts.get_current_head()


def to_head(connection: Connection) -> None:
    """Run all migrations that are due in one transaction: an interrupted upgrade has not happened."""
    with connection.begin():
        dialect.lock(connection, dialect.MIGRATE_LOCK)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
