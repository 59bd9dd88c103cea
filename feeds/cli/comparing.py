"""`wiredesk explain URL URL`: why two entries are or are not one article, and one story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from feeds.errors import DeskError, UrlError
from feeds.urls import comparable_url

if TYPE_CHECKING:
    from feeds.dedupe import Stories, Window
    from feeds.model import Evidence
    from feeds.store import ReadTx, Store
    from feeds.store.values import StoredEntry

DAYS = timedelta(days=14)
MOST_REMEMBERED = 20_000
"""So many of the newest entries tell what is common on this desk: enough to weigh words, and read in two seconds."""

_ASKED = {
    "entry-id": "entry id",
    "url": "address",
    "text": "text, word for word",
    "near": "text, by its telling word triples",
    "contains": "which contains which",
    "title": "headline, by its letters",
    "story": "story, by its telling words",
}


def tell_apart(store: Store, one: str, other: str) -> None:
    """Print every sign that dedupe looks at, and what stands in the store."""
    from feeds.dedupe import Stories, Window, compare

    window, stories = Window(), Stories()
    with store.read() as tx:
        uids = [_found(tx, url) for url in (one, other)]
        first, second = (_meant(tx, uid, url) for uid, url in zip(uids, (one, other), strict=True))
        told = tx.articles.several(uids)
        _remember(tx, window, stories)
    signs = compare(
        first.entry,
        second.entry,
        same_source=first.source.id == second.source.id,
        window=window,
        stories=stories,
    )
    for stored in (first, second):
        click.secho(stored.entry.title or "Untitled", bold=True)
        click.echo(f"  {stored.source.name}, seen {stored.first_seen:%d %b %Y %H:%M} UTC")
        if stored.entry.link:
            click.echo(f"  {stored.entry.link}")
    click.echo("\nCompared")
    for sign in signs:
        if sign.kind in _ASKED:
            _tell(sign)
    article, story = signs[-2].detail, signs[-1].detail
    click.echo(f"\nBy these signs {article}, {story}.")
    here = "one article" if uids[0] == uids[1] else "two articles"
    held = [told[uid].story_uid if uid in told else None for uid in uids]
    joined = "one story" if uids[0] == uids[1] or (held[0] and held[0] == held[1]) else "two stories"
    click.secho(f"On this desk they are {here}, {joined}.", bold=True)
    if here != article:
        click.echo(
            "What one more sign tells is missing above: the likeness that decided was to another copy, or texts, titles"
            " and what is common have changed since."
        )


def _found(tx: ReadTx, url: str) -> str:
    uid = tx.articles.find(url)
    if uid is None or tx.articles.state(uid) is None:
        raise DeskError(
            f"no stored article has the address or id {url!r}",
            remedy="give its address at the source, or the one on this desk; tracking parameters don't matter",
        )
    return uid


def _meant(tx: ReadTx, uid: str, url: str) -> StoredEntry:
    """The entry with this very address, else the one that is shown."""
    entries = tx.articles.entries_of(uid)
    try:
        address = comparable_url(url)
    except UrlError:
        address = ""
    by_address = (stored for stored in entries if address and stored.entry.comparable == address)
    shown = (stored for stored in entries if stored.shown)
    return next(by_address, None) or next(shown, None) or entries[0]


def _remember(tx: ReadTx, window: Window, stories: Stories) -> None:
    from feeds.dedupe import remember

    since = datetime.now(UTC) - DAYS
    stored = tx.articles.signatures(max(0, tx.articles.newest_entry() - MOST_REMEMBERED), since, MOST_REMEMBERED)
    remember(stored, window, stories)


def _tell(sign: Evidence) -> None:
    if sign.kind == "contains":
        verdict = "yes"
    elif sign.threshold is None or sign.score is None:
        verdict = f"{sign.score:.2f}, decides nothing alone" if sign.score is not None else ""
    elif sign.threshold > 1.0:
        verdict = f"{sign.score:.2f}, could never suffice here"
    else:
        verdict = f"{sign.score:.2f}, needed {sign.threshold:.2f}: {'yes' if sign.score >= sign.threshold else 'no'}"
    click.echo(f"  {_ASKED[sign.kind]:<34} {verdict}")
    click.echo(f"  {'':<34} {sign.detail}")
