"""`wiredesk retract` and `unretract`: out of everything, and back."""

from __future__ import annotations

import click

from feeds.cli.places import need_database, places, with_places
from feeds.engine.entrance import now_utc
from feeds.errors import DeskError
from feeds.publish import publish
from feeds.store import Store, open_store


@click.command()
@with_places
@click.argument("article", metavar="ARTICLE")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the article, shown by `explain`.")
def retract(config: str | None, data: str | None, article: str, reason: str) -> None:
    """Take an article out of every document and page, for good: its sources can't bring it back.

    ARTICLE is its address at any of its sources, its address on this desk, or its id. Works beside a running desk.
    """
    found = places(config, data)
    need_database(found)
    store = open_store(found.database)
    try:
        uid = _find(store, article)
        with store.write() as tx:
            changed = tx.articles.retract(uid, reason, now_utc())
        if not changed:
            click.echo(f"{uid} was retracted before; nothing changed.")
            return
        _publish(store)
        click.echo(f"Retracted {uid} from {len(changed)} sections. `wiredesk unretract {uid}` takes it back.")
    finally:
        store.close()


@click.command()
@with_places
@click.argument("article", metavar="ARTICLE")
def unretract(config: str | None, data: str | None, article: str) -> None:
    """Put a retracted article back where it was, in its old place in the order."""
    found = places(config, data)
    need_database(found)
    store = open_store(found.database)
    try:
        uid = _find(store, article)
        with store.write() as tx:
            changed = tx.articles.unretract(uid, now_utc())
        if not changed:
            click.echo(f"{uid} is not retracted; nothing changed.")
            return
        _publish(store)
        click.echo(f"{uid} is back in {len(changed)} sections.")
    finally:
        store.close()


def _find(store: Store, article: str) -> str:
    with store.read() as tx:
        uid = tx.articles.find(article)
    if uid is None:
        raise DeskError(
            f"no stored article has the address or id {article!r}",
            remedy="give its address at the source, or the one on this desk; tracking parameters don't matter",
        )
    return uid


def _publish(store: Store) -> None:
    """Render at once what changed: whoever takes an article out does not want to wait for the clock."""
    from feeds.settings import config_from_json

    with store.read() as tx:
        stored = tx.configs.current()
    if stored is not None:
        config = config_from_json(stored.text)
        publish(store, config.settings, config.sections, now=now_utc())
