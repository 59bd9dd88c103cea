"""What commands share: where the desk lives, how commands print. I/O: environment, files, output.

Tables fit the terminal; colour appears on a terminal alone, and never with NO_COLOR.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import sys
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import wraps
from itertools import zip_longest
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width
from urllib.parse import urlsplit

import click
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from feeds.errors import DeskError
from feeds.files import make_private
from feeds.redaction import CONTROLS
from feeds.settings import Config, load_config
from feeds.urls import LISTENING

PORT_FILE = "port"
HOST = "127.0.0.1"
PORT = 8080
log = logging.getLogger(__name__)


class Places(Struct, frozen=True, kw_only=True):
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
    def missing(self) -> bool:
        """Whether there is no such file yet."""
        return self.file is not None and not os.path.exists(self.file)

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
    database = environ.get("WIREDESK_DATABASE", "").strip() or sqlite_in(data_folder)
    try:
        port = (data_folder / PORT_FILE).read_text()[:6].strip()
    except (OSError, ValueError):
        port = ""
    return Places(config=config_folder, data=data_folder, database=database, port=port if port.isdecimal() else "")


def sqlite_in(data: Path) -> str:
    """The database that a desk has in its folder *data* where no other is named."""
    return f"sqlite:///{data / 'desk.sqlite3'}"


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
    """Add `--config` and `--data` to a command; as its first argument it gets the Places that they name."""

    @wraps(command)
    def placed(config: str | None, data: str | None, **arguments: Any) -> Any:
        return command(places(config, data), **arguments)

    for option in (
        click.option("--data", metavar="DIR", help="Folder of the database and other files [default: var/]."),
        click.option("--config", metavar="DIR", help="Folder of the config files [default: config/]."),
    ):
        placed = option(placed)
    return placed


with_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
with_verbose = click.option("-v", "--verbose", is_flag=True, help="Log the reasons, too.")


def with_address(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--host` and `--port` to a command."""
    for option in (
        click.option(
            "--port", type=click.IntRange(1, 65535), default=PORT, envvar="PORT", show_default=True, help="TCP port."
        ),
        click.option("--host", default=HOST, show_default=True, help="Address to listen on; 0.0.0.0 for all."),
    ):
        command = option(command)
    return command


def need_port(host: str, port: int) -> None:
    """Raise DeskError, with the remedy, where nobody can listen on *port* of *host*."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise DeskError(f"{host!r} is no address of this machine", remedy="use --host 127.0.0.1 or 0.0.0.0") from error
    except PermissionError as error:
        raise DeskError(
            f"this user may not listen on port {port}",
            remedy="use a port from 1024 with --port, and a web server before it",
        ) from error
    except OSError as error:
        raise DeskError(
            f"can't listen on {host}:{port}: {(error.strerror or str(error)).lower()}",
            remedy=f"stop what uses it (`ss -ltnp 'sport = :{port}'` names it), or choose another with --port",
        ) from error


def need_config(found: Places) -> None:
    """Raise DeskError where the config folder is not there at all."""
    if not os.path.isdir(found.config):
        from feeds.settings.reports import did_you_mean  # brings all of `settings`, and a slip alone needs it

        near = found.config.parent
        folders = [path.name for path in near.iterdir() if path.is_dir()] if near.is_dir() else []
        hint = did_you_mean(found.config.name, folders)
        remedy = "name yours with --config DIR; the project ships one to start from in config/"
        raise DeskError(f"no config folder at {found.config}", remedy=f"{hint} {remedy}".strip())


def need_database(found: Places) -> None:
    """Raise DeskError where no desk has ever run here, for commands that only look."""
    if found.missing:
        raise DeskError(
            f"no desk has run on {found.data} yet",
            remedy="start one with `bin/run`, or poll once with `wiredesk poll`, or name its folder with --data",
        )


PIPED_WIDTH = 120
"""Columns of a table of sentences that nobody looks at through a window."""
NARROW = 70
"""Below this width a table tells less rather than in shreds."""
_LEAST_WIDTH = 8
"""A column is not folded below this."""
_SECOND_CELL = "\ufffe"
"""Stands behind a character that takes two cells of a terminal, while a table is laid out: a noncharacter."""


def make_data(found: Places) -> None:
    """Make the data folder; DeskError where that fails, or where this user can't write in it."""
    try:
        make_private(found.data)
        reason = "" if os.access(found.data, os.W_OK | os.X_OK) else "permission denied"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    if reason:
        raise DeskError(
            f"can't write in the data folder {found.data}: {reason}",
            remedy="make it writable for this user, or name another one with --data",
        )


def judged_files(found: Places) -> Config:
    """What the config files say now. Raises ConfigErrors."""
    return load_config(found.config, found.environ())


# --------------------------------------------------------------------------- printing


def terminal_width() -> int | None:
    """Columns of what is printed to: a terminal, or as many as COLUMNS names; None for a pipe."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return None


def table_width() -> int:
    """Columns of a table that holds sentences."""
    return terminal_width() or PIPED_WIDTH


def show_table(
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    numbers: Collection[int] = (),
    head: bool = True,
    colours: Sequence[str] = (),
) -> None:
    """Print *rows* in columns, the first as a heading where there is a *head*; the columns *numbers* end together.

    The widest columns are folded until all fit *width*; None folds nothing. *colours* are of the rows, "" for none.
    Cells may hold what sources say: control characters never reach the terminal.
    """
    cells = [[_spread(cell.translate(CONTROLS)).split("\n") for cell in row] for row in rows]
    widths = _widths(cells, width)
    for number, row in enumerate(cells):
        for parts in zip_longest(*map(_folded, row, widths), fillvalue=""):
            line = _line(parts, widths, numbers)
            if head and number == 0:
                line = click.style(line, bold=True)
            elif colours and colours[number]:
                line = click.style(line, fg=colours[number])
            click.echo(line)


def _widths(cells: Sequence[Sequence[Sequence[str]]], width: int | None) -> list[int]:
    """The width of each column: that of its longest line, or less where all have to fit *width*."""
    widths = [max(len(line) for cell in column for line in cell) for column in zip(*cells, strict=True)]
    while width is not None and sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > _LEAST_WIDTH:
        widths[widths.index(max(widths))] -= 1
    return widths


def _line(parts: Sequence[str], widths: Sequence[int], numbers: Collection[int]) -> str:
    padded = [
        part.rjust(width) if column in numbers else part.ljust(width)
        for column, (part, width) in enumerate(zip(parts, widths, strict=True))
    ]
    return "  ".join(padded).rstrip().replace(_SECOND_CELL, "")


def _spread(text: str) -> str:
    """*text* with one character for each cell of a terminal."""
    if text.isascii():
        return text
    return "".join(char + _SECOND_CELL if east_asian_width(char) in "WF" else char for char in text)


def _folded(lines: Sequence[str], width: int) -> list[str]:
    folded: list[str] = []
    for line in lines:
        folded += [line] if len(line) <= width else textwrap.wrap(line, width, break_on_hyphens=False)
    return folded


def print_json(value: object) -> None:
    """Print *value*, of Structs and of numbers of numpy too, for programs."""
    click.echo(json.dumps(to_builtins(value, enc_hook=lambda number: number.item()), ensure_ascii=False, indent=2))


def counted(count: int, one: str, many: str = "") -> str:
    """*count* with its noun.

    >>> counted(1, "copy", "copies"), counted(1200, "article")
    ('1 copy', '1,200 articles')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
