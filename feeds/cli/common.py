"""What commands share: a store made ready, how commands print. I/O: the store, standard output.

Printing: tables that fit the terminal, colour on a terminal
alone (and never with NO_COLOR).
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import click

from feeds.cli.places import Places
from feeds.engine.logs import CONTROLS
from feeds.errors import DeskError
from feeds.files import make_private
from feeds.settings import Config, config_from_json
from feeds.store import Store

if TYPE_CHECKING:
    from feeds.filing.learned.text_model import Model
    from feeds.store import ReadTx
    from feeds.store.values import Refilable


AT_ONCE = 500
"""Stored articles that are read in one transaction."""
PIPED_WIDTH = 120
"""Columns of a table that nobody looks at through a window."""
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


# --------------------------------------------------------------------------- what the database holds


def running_config(store: Store) -> Config | None:
    """The config in force, None before any was accepted."""
    with store.read() as tx:
        stored = tx.configs.current()
    return config_from_json(stored.text) if stored is not None else None


def has_run(found: Places) -> bool:
    """Whether there are tables in the database; none is made."""
    if found.file is not None and not found.file.exists():
        return False
    with Store(found.database) as store:
        return store.revision() is not None


def stored_model(store: Store) -> Model | None:
    """The learned model; None where there is none. Raises DeskError where it can't be used."""
    with store.read() as tx:
        body = tx.models.body()
    if body is None:
        return None
    from feeds.filing.learned.text_model import model_from_bytes

    return model_from_bytes(body)


def usable_model(store: Store) -> Model | None:
    """The learned model; None where there is none, or where it can't be used, which is told."""
    try:
        return stored_model(store)
    except DeskError as error:
        click.echo(f"note: {error}", err=True)
        return None


def need_running_config(store: Store) -> Config:
    """The config in force; DeskError before any was accepted."""
    config = running_config(store)
    if config is None:
        raise DeskError("no config is in force yet", remedy="start with `wiredesk poll` or `wiredesk run`")
    return config


def filed_articles(store: Store, before: int | None = None) -> Iterator[Refilable]:
    """Articles that were ever filed, the newest first, those below the row *before*."""
    while True:
        with store.read() as tx:
            articles = tx.articles.filed(before, AT_ONCE)
        if not articles:
            return
        yield from articles
        before = articles[-1].id


def find_article(tx: ReadTx, article: str) -> str:
    """The id of the *article* that an address or an id names. Raises DeskError where none is stored."""
    uid = tx.articles.find(article)
    if uid is None or tx.articles.state(uid) is None:
        raise DeskError(
            f"no stored article has the address or id {article!r}",
            remedy="give its address at the source, or the one on this desk; tracking parameters don't matter",
        )
    return uid


# --------------------------------------------------------------------------- printing


def terminal_width() -> int | None:
    """Columns of what is printed to: a terminal, or as many as COLUMNS names; None for a pipe."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return None


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


def counted(count: int, one: str, many: str = "") -> str:
    """*count* with its noun.

    >>> counted(1, "copy", "copies"), counted(1200, "article")
    ('1 copy', '1,200 articles')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
