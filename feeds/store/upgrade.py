"""The database brought to this release: Alembic, with the migrations that ship in this package. I/O: database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from feeds.errors import StoreError
from feeds.store import dialect

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "wiredesk_version"
MIGRATIONS = Path(__file__).with_name("migrations")
_NAMED = re.compile(r"^(down_)?revision\b[^=\n]*= *[\"']([^\"']+)[\"']", re.MULTILINE)


def revision(connection: Connection) -> str | None:
    """The revision that the database is at, None before the first."""
    with connection.begin():
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()
        return None if found is None else str(found)


def pending(connection: Connection) -> bool:
    """Whether there are migrations to do. StoreError if the database knows one that this release does not."""
    present = revision(connection)
    shipped, head = _shipped()
    if present is not None and present not in shipped:
        raise StoreError(
            f"the database belongs to a newer release (its revision is {present})",
            remedy="install that release again, or restore the backup that was made before the upgrade",
        )
    return present != head


def to_head(connection: Connection) -> None:
    """Run all migrations that are due in one transaction: an interrupted upgrade has not happened."""
    from alembic import command

    with connection.begin():
        dialect.lock(connection, dialect.MIGRATE_LOCK)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _shipped() -> tuple[frozenset[str], str | None]:
    """Every revision that ships, and the last. Read without Alembic, whose import costs more than most starts need."""
    revisions: set[str] = set()
    before: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("r*.py"):
        for down, name in _NAMED.findall(path.read_text(encoding="utf-8")):
            (before if down else revisions).add(name)
    last = revisions - before
    return frozenset(revisions), next(iter(last)) if len(last) == 1 else None


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
