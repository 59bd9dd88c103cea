"""What commands share of a desk that has run: its store made ready, what it holds. I/O: the store.

Apart from `common.py`: a command that asks no database would spend half its time on loading one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from feeds.cli.common import Places, need_database
from feeds.errors import DeskError
from feeds.settings import Config, config_from_json
from feeds.store import ReadTx, Store, open_store

if TYPE_CHECKING:
    from feeds.filing.text_model import Model
    from feeds.store.values import Refilable

AT_ONCE = 500
"""Stored articles that are read in one transaction."""


def opened(found: Places, *, create: bool = False) -> Store:
    """The store of a desk that has run; with *create* one of an older release will do, too. Raises DeskError."""
    need_database(found)
    return open_store(found.database, create=create)


def has_run(found: Places) -> bool:
    """Whether there are tables in the database; none is made."""
    if found.missing:
        return False
    with Store(found.database) as store:
        return store.revision() is not None


def upgrade(store: Store, found: Places, now: datetime) -> None:
    """Bring the database to this release. A SQLite file is copied first, and the copy's place is told."""
    if not store.pending():
        return
    before = store.revision()
    copy = found.backup_file(f"before-upgrade-of-{before}", now) if found.embedded else None
    store.migrate(copy)
    kept = f"; the database as it was is kept at {copy}" if copy else ""
    click.echo(f"The database was upgraded from {before} to {store.revision()}{kept}.", err=True)


def running_config(store: Store) -> Config | None:
    """The config in force, None before any was accepted."""
    with store.read() as tx:
        stored = tx.configs.current()
    return config_from_json(stored.text) if stored is not None else None


def need_running_config(store: Store) -> Config:
    """The config in force; DeskError before any was accepted."""
    config = running_config(store)
    if config is None:
        raise DeskError("no config is in force yet", remedy="start with `wiredesk poll` or `wiredesk run`")
    return config


def stored_model(store: Store) -> Model | None:
    """The learned model; None where there is none. Raises DeskError where it can't be used."""
    with store.read() as tx:
        body = tx.models.body()
    if body is None:
        return None
    from feeds.filing.text_model import model_from_bytes  # numpy, which a desk without a model does not load

    return model_from_bytes(body)


def usable_model(store: Store) -> Model | None:
    """The learned model; None where there is none, or where it can't be used, which is told."""
    try:
        return stored_model(store)
    except DeskError as error:
        click.echo(f"note: {error}", err=True)
        return None


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
