"""What commands share: where the desk lives, how commands print. I/O: environment, standard output.

Places: the config folder, the data folder, the database. Printing: tables that fit the terminal, colour on a terminal
alone (and never with NO_COLOR).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.errors import DeskError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from feeds.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """*database* is a URL; without WIREDESK_DATABASE it is `desk.sqlite3` in the *data* folder."""

    config: Path
    data: Path
    database: str

    def environ(self) -> dict[str, str]:
        """The environment in which a child process finds the same desk."""
        return os.environ | {
            "WIREDESK_CONFIG": str(self.config),
            "WIREDESK_DATA": str(self.data),
            "WIREDESK_DATABASE": self.database,
        }

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
    config_folder = Path(config or environ.get("WIREDESK_CONFIG") or home / "config").absolute()
    data_folder = Path(data or environ.get("WIREDESK_DATA") or home / "var").absolute()
    # --data names a desk of its own, whatever the environment says of another.
    database = "" if data else environ.get("WIREDESK_DATABASE", "")
    return Places(
        config=config_folder, data=data_folder, database=database or f"sqlite:///{data_folder / 'desk.sqlite3'}"
    )


def with_places(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--config` and `--data` to a command."""
    for option in (
        click.option("--data", metavar="DIR", help="Folder of the database [default: var/]."),
        click.option("--config", metavar="DIR", help="Folder of the config files [default: config/]."),
    ):
        command = option(command)
    return command


def need_config(found: Places) -> None:
    """Raise DeskError where the config folder is not there at all."""
    if not os.path.isdir(found.config):
        raise DeskError(
            f"no config folder at {found.config}",
            remedy="name yours with --config DIR; the project ships one to start from in config/",
        )


def need_database(found: Places) -> None:
    """Raise DeskError where no desk has ever run here, for commands that only look."""
    if found.file is not None and not os.path.exists(found.file):
        raise DeskError(
            f"no desk has run on {found.data} yet",
            remedy="start one with `bin/run`, or poll once with `wiredesk poll`, or name its folder with --data",
        )


def make_data(found: Places) -> None:
    """Make the data folder; DeskError where that fails, or where this user can't write in it."""
    try:
        found.data.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(found.data, os.W_OK | os.X_OK) else "permission denied"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    if reason:
        raise DeskError(
            f"can't write in the data folder {found.data}: {reason}",
            remedy="make it writable for this user, or name another one with --data",
        )


def upgrade(store: Store, found: Places, now: datetime) -> None:
    """Bring the database to this release. A SQLite file is copied first, and the copy's place is told."""
    before = store.revision()
    if before is None or not store.pending():
        store.migrate()
        return
    copy = found.backup_file(f"before-upgrade-of-{before}", now) if found.embedded else None
    store.migrate(copy)
    kept = f"; the database as it was is kept at {copy}" if copy else ""
    click.echo(f"The database was upgraded from {before} to {store.revision()}{kept}.", err=True)


PIPED_WIDTH = 120
NARROW = 70
"""Below this width a table tells less rather than in shreds."""


def on_terminal() -> bool:
    """Whether what is printed has to fit a width: that of a terminal, or one that is named."""
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def console() -> Console:
    """Standard output as rich knows it; a pipe is wide, for nobody looks at it through a window."""
    from rich.console import Console

    if on_terminal():
        return Console(highlight=False)
    return Console(highlight=False, width=PIPED_WIDTH)


def show(renderable: RenderableType, on: Console) -> None:
    """Print *renderable* without the blanks with which tables fill their lines."""
    with on.capture() as captured:
        on.print(renderable)
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")), color=True)


def show_plainly(rows: Sequence[Sequence[str]], *, numbers: Collection[int] = ()) -> None:
    """Print *rows*, the first a heading, in columns; those of *numbers* end together. No cell is folded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def counted(count: int, one: str, many: str = "") -> str:
    """*count* with its noun.

    >>> counted(1, "copy", "copies"), counted(1200, "article")
    ('1 copy', '1,200 articles')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
