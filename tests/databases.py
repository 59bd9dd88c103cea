"""Databases of SQLite with their tables and nothing in them: made once by all migrations, then copied for each test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from feeds.store import open_store


@cache
def _whole() -> Path:
    folder = tempfile.mkdtemp(prefix="wiredesk-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "empty.sqlite3"
    open_store(f"sqlite:///{file}").close()
    return file


def database(file: Path) -> str:
    """Put a database at *file*; its URL."""
    shutil.copyfile(_whole(), file)
    file.chmod(0o600)
    return f"sqlite:///{file}"
