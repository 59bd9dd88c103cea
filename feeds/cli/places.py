"""Where the desk lives: the config folder, the data folder, the database. I/O: environment.

Apart from `common`, so that a parent which only supervises loads little.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from feeds.errors import DeskError
from feeds.urls import LISTENING

PORT_FILE = "port"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """*database* is a URL: what WIREDESK_DATABASE names, with or without --data; else `desk.sqlite3` in *data*.

    *port* is the one that a desk on *data* listens on, or did when it last ran: empty where none is known, or where
    several machines share the desk.
    """

    config: Path
    data: Path
    database: str
    port: str = ""

    def environ(self) -> dict[str, str]:
        """The environment in which a child process finds the same desk."""
        return os.environ | {
            "WIREDESK_CONFIG": str(self.config),
            "WIREDESK_DATA": str(self.data),
            "WIREDESK_DATABASE": self.database,
            LISTENING: self.port if self.embedded else "",
        }

    def listening_on(self, port: int) -> Places:
        """These places with *port*, which is kept for commands that work beside the desk or after it."""
        with suppress(OSError):  # a full disk; the desk says so itself
            (self.data / PORT_FILE).write_text(f"{port}\n")
        return replace(self, port=str(port))

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this machine's."""
        return self.file is not None

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database, None for PostgreSQL."""
        if "://" not in self.database:
            return Path(self.database)
        return Path(self.database.removeprefix("sqlite:///")) if self.database.startswith("sqlite") else None

    @property
    def tables(self) -> Path:
        """The folder of what `feeds.files` keeps; all that is in it can be made anew."""
        return self.data / "cache"

    def backup_file(self, what: str, at: datetime) -> Path:
        """Where a copy of the database is kept that this desk makes: its folder `backups`, named by *what* and time."""
        return self.data / "backups" / f"{what}-{at:%Y%m%d-%H%M%S}.sqlite3"


def places(config: str | None, data: str | None, environ: Mapping[str, str] = os.environ) -> Places:
    """The places for the arguments given: argument, else environment, else `config/` and `var/` of the project."""
    home = Path(environ.get("WIREDESK_HOME") or ".")
    # A shell expands `~` in arguments of its own; in `--data=~/desk` and in files of variables nobody does.
    config_folder = Path(config or environ.get("WIREDESK_CONFIG") or home / "config").expanduser().absolute()
    data_folder = Path(data or environ.get("WIREDESK_DATA") or home / "var").expanduser().absolute()
    database = environ.get("WIREDESK_DATABASE", "").strip() or f"sqlite:///{data_folder / 'desk.sqlite3'}"
    try:
        port = (data_folder / PORT_FILE).read_text()[:6].strip()
    except (OSError, ValueError):
        port = ""
    return Places(config=config_folder, data=data_folder, database=database, port=port if port.isdecimal() else "")


def tell_database(found: Places) -> None:
    """Say which database a start uses, where that is not the one in the data folder: never its user or password."""
    if found.file == found.data / "desk.sqlite3":
        return
    words = f"database {database_name(found)}, as WIREDESK_DATABASE says; {found.data} holds files only"
    if os.environ.get("WIREDESK_LOG") == "json":
        log.info("%s", words)
    else:
        click.echo(words, err=True)  # a log would star the name of a database that is the user's, too


def database_name(found: Places) -> str:
    """The database as people may see it: without user, password and options."""
    if found.file is not None:
        return str(found.file)
    try:
        url = urlsplit(found.database)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        return "of an address that can't be read"
    return f"{url.scheme}://{url.hostname or ''}{port}{url.path}"


def with_places(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--config` and `--data` to a command."""
    for option in (
        click.option("--data", metavar="DIR", help="Folder of the database and other files [default: var/]."),
        click.option("--config", metavar="DIR", help="Folder of the config files [default: config/]."),
    ):
        command = option(command)
    return command


def need_config(found: Places) -> None:
    """Raise DeskError where the config folder is not there at all."""
    if not os.path.isdir(found.config):
        from feeds.settings.reports import did_you_mean  # brings all of `settings`, and a slip alone needs it

        near = found.config.parent
        hint = did_you_mean(found.config.name, [path.name for path in near.iterdir()] if near.is_dir() else [])
        remedy = "name yours with --config DIR; the project ships one to start from in config/"
        raise DeskError(f"no config folder at {found.config}", remedy=f"{hint} {remedy}".strip())


def need_database(found: Places) -> None:
    """Raise DeskError where no desk has ever run here, for commands that only look."""
    if found.file is not None and not os.path.exists(found.file):
        raise DeskError(
            f"no desk has run on {found.data} yet",
            remedy="start one with `bin/run`, or poll once with `wiredesk poll`, or name its folder with --data",
        )
