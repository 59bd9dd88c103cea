"""What brings a database from one release to the next: run by Alembic, and known without it. I/O: database, files."""

from pathlib import Path

FOLDER = Path(__file__).parent
VERSION_TABLE = "wiredesk_version"
"""The table in which Alembic keeps the revision that a database is at."""


def revisions() -> list[str]:
    """The revisions that ship, the last one last: the numbers in the names of the modules in `versions/`.

    Alembic would read them out of the modules; its import costs more than most starts need.
    """
    return sorted(module.name[1:5] for module in (FOLDER / "versions").glob("r*.py"))
