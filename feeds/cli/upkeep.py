"""`wiredesk backup`, `restore`, `move`, `retract` and `unretract`: the desk in one file and back, or to a database
server; an article out and back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from feeds.cli.common import Places, counted, need_database, sqlite_in, with_places
from feeds.cli.stored import AT_ONCE, find_article, opened, running_config
from feeds.engine.startup import now_utc
from feeds.engine.supervisor import DeskLock
from feeds.errors import DeskError, StoreError
from feeds.publish import publish
from feeds.store import Store, open_store
from feeds.store.database import fault
from feeds.store.database import restore as put_back
from feeds.store.move import move as move_to
from feeds.store.move import rows

NAMED = 10
"""Articles that `retract --source --dry-run` names."""


@click.command()
@with_places
@click.argument("file", required=False, type=click.Path(path_type=Path))
def backup(found: Places, file: Path | None) -> None:
    """Copy the database to FILE, while the desk goes on working.

    The copy is of one moment and complete: articles, ids, what sources said last, the accepted config. Without FILE
    it goes to backups/ in the data folder. Config files are yours to keep: this does not copy them.

    \b
      wiredesk backup
      wiredesk backup /mnt/backups/wire.sqlite3
    """
    database = _file(found, "pg_dump")
    target = file or found.backup_file("desk", now_utc())
    if target.is_dir():
        target = target / found.backup_file("desk", now_utc()).name
    if target.exists() and os.path.samefile(target, database):
        raise DeskError(f"{target} is the desk's own database", remedy="name another file")
    with opened(found) as store:
        store.backup(target)
    click.echo(f"Copied {database} to {target} ({_size(target)}). `wiredesk restore {target}` brings it back.")


@click.command()
@with_places
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore(found: Places, file: Path) -> None:
    """Put FILE, which `wiredesk backup` made, in the place of the database.

    Refuses while a desk runs on it. What was there is kept beside it. A copy of an older release is upgraded by the
    next start; one of a newer release is refused.

    \b
      wiredesk restore var/backups/desk-20261123-060000.sqlite3
    """
    database = _file(found, "pg_restore")
    with DeskLock(found.data):
        _judge(file)
        now = now_utc()
        aside = database.with_name(f"{database.stem}-before-restore-{now:%Y%m%d-%H%M%S}.sqlite3")
        put_back(file, database, aside if database.exists() else None)
    click.echo(f"Restored {database} from {file}.")
    if aside.exists():
        click.echo(f"What was there is at {aside}; delete it when all is well.")
    click.echo("Start the desk again with `wiredesk run`.")


@click.command()
@with_places
@click.argument("target", required=False, metavar="[postgresql://…]")
def move(found: Places, target: str | None) -> None:
    """Take the desk from its SQLite file to a PostgreSQL database, for more than one machine.

    Everything goes with it: articles under their ids, documents to the byte, ETags, what sources said last, and
    subscriptions. The database is the one that WIREDESK_DATABASE names, where nobody sees its password, or the
    argument. It must be empty, and the desk stopped. A move that is interrupted has not happened: start it again.
    The SQLite file stays as it is.

    \b
      createdb wire
      WIREDESK_DATABASE=postgresql://wire@db.example.org/wire wiredesk move
    """
    named = target or os.environ.get("WIREDESK_DATABASE", "")
    found = replace(found, database=sqlite_in(found.data))
    if not named.startswith("postgres"):
        raise DeskError(
            "no PostgreSQL database is named",
            remedy="put its address into WIREDESK_DATABASE: postgresql://user:password@host/name",
        )
    need_database(found)
    with DeskLock(found.data), open_store(found.database, create=False) as old, open_store(named) as new:
        if new.pending():
            raise StoreError("the PostgreSQL database is of an older release", remedy="name an empty one")
        with click.progressbar(length=rows(old), label=f"Moving {found.file}", file=sys.stderr) as bar:
            copied = move_to(old, new, bar.update)
    counts = ", ".join(counted(copied[name], one) for name, one in _TOLD_OF_A_MOVE.items())
    click.echo(f"Moved {counts}; all documents are the same there, to the byte.")
    click.echo(
        "From now on start the desk with WIREDESK_DATABASE naming that database: `wiredesk worker` and `wiredesk web`,"
        " on as many machines as you like.\n"
        f"{found.file} was left as it is. Keep it as a copy, and start no desk on it again."
    )


_TOLD_OF_A_MOVE = {
    "sources": "source",
    "articles": "article",
    "documents": "document",
    "hub_subscriptions": "subscription",
}


@click.command()
@with_places
@click.argument("article", metavar="[ARTICLE]", required=False)
@click.option("--source", metavar="NAME", help="All articles that this source alone brought, gone from config or not.")
@click.option("--dry-run", is_flag=True, help="With --source: say what would go, and change nothing.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the article, shown by `explain`.")
def retract(found: Places, article: str | None, source: str | None, dry_run: bool, reason: str) -> None:
    """Take an article out of every document and page, for good: its sources can't bring it back.

    ARTICLE is its address at any of its sources, its address on this desk, or its id. Works beside a running desk.
    """
    if (article is None) == (source is None) or (dry_run and source is None):
        raise click.UsageError("name one ARTICLE, or a source with --source NAME (and --dry-run)")
    with opened(found, create=True) as store:
        if source is not None:
            _retract_source(store, source, reason, dry_run=dry_run)
        elif article is not None:
            _retract_article(store, article, reason)


def _retract_article(store: Store, article: str, reason: str) -> None:
    with store.read() as tx:
        uid = find_article(tx, article)
    with store.write() as tx:
        changed = tx.articles.retract(uid, reason, now_utc())
    if not changed:
        click.echo(f"{uid} was retracted before; nothing changed.")
        return
    _publish(store)
    click.echo(f"Retracted {uid} from {len(changed)} sections. `wiredesk unretract {uid}` takes it back.")


def _retract_source(store: Store, name: str, reason: str, *, dry_run: bool) -> None:
    """Take out what the source *name* alone brought, a few hundred articles at a time."""
    with store.read() as tx:
        source = tx.sources.called(name)
        if source is None:
            remedy = "`wiredesk sources` lists those of the config"
            raise DeskError(f"no source was ever called {name!r}", remedy=remedy)
        uids, shared = tx.articles.brought_by(source.id)
        present = tx.sources.by_key(source.key) is not None
        titles = tx.articles.several(uids[-NAMED:])
    if dry_run:
        for uid in reversed(uids[-NAMED:]):
            click.echo(f"  {titles[uid].title}  {uid}")
        if len(uids) > NAMED:
            click.echo(f"  and {len(uids) - NAMED} older ones")
    else:
        _retract_all(store, uids, reason)
    click.echo(f"{counted(len(uids), 'article')} of {source.name} {'would go' if dry_run else 'retracted'}.")
    if shared:
        click.echo(f"{counted(shared, 'article')} that other sources brought too {'stays' if shared == 1 else 'stay'}.")
    if present:
        click.echo("It is a source still and will bring more: take it out of sources.yaml, or set `enabled: false`.")


def _retract_all(store: Store, uids: Sequence[str], reason: str) -> None:
    for start in range(0, len(uids), AT_ONCE):
        with store.write() as tx:
            for uid in uids[start : start + AT_ONCE]:
                tx.articles.retract(uid, reason, now_utc())
    if uids:
        _publish(store)


@click.command()
@with_places
@click.argument("article", metavar="ARTICLE")
def unretract(found: Places, article: str) -> None:
    """Put a retracted article back where it was, in its old place in the order."""
    with opened(found, create=True) as store:
        with store.read() as tx:
            uid = find_article(tx, article)
        with store.write() as tx:
            changed = tx.articles.unretract(uid, now_utc())
        if not changed:
            click.echo(f"{uid} is not retracted; nothing changed.")
            return
        _publish(store)
        click.echo(f"{uid} is back in {len(changed)} sections.")


def _publish(store: Store) -> None:
    """Render at once what changed: whoever takes an article out does not want to wait for the clock."""
    config = running_config(store)
    if config is not None:
        publish(store, config.settings, config.sections, now=now_utc())


def _file(found: Places, instead: str) -> Path:
    if found.file is None:
        raise StoreError("this desk's database is PostgreSQL", remedy=f"use {instead} of PostgreSQL itself")
    return found.file


def _judge(file: Path) -> None:
    """Raise StoreError for a file that is no database of a desk, is broken, or of a newer release."""
    wrong = fault(file)
    if wrong:
        raise StoreError(f"{file} can't be restored: {wrong}", remedy="name a file that `wiredesk backup` made")
    with Store(f"sqlite:///{file.absolute()}") as store:
        if store.empty():
            raise StoreError(f"{file} holds no desk", remedy="name a file that `wiredesk backup` made")
        store.pending()  # refuses one of a newer release


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"
