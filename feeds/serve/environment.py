"""What the web processes take from the environment: where the database is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def store_url_from(environ: Mapping[str, str]) -> str:
    """Return the store's URL: WIREDESK_DATABASE, else SQLite in the folder WIREDESK_DATA (`var/` by default).

    >>> store_url_from({"WIREDESK_DATA": "/srv/desk"})
    'sqlite:////srv/desk/desk.sqlite3'
    """
    if url := environ.get("WIREDESK_DATABASE", "").strip():
        return url
    folder = Path(environ.get("WIREDESK_DATA", "").strip() or "var")
    return f"sqlite:///{folder.absolute() / 'desk.sqlite3'}"
