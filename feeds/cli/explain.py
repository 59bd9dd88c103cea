"""`wiredesk explain`: why an article is where it is, in words a newsroom understands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from feeds.cli.places import Places, need_database, places, with_places
from feeds.errors import DeskError

if TYPE_CHECKING:
    from feeds.model import Evidence
    from feeds.store.values import StoredEntry

EVIDENCE = {
    "entry-id": "the same entry id",
    "url": "the same address",
    "text": "the same text, word for word",
    "near": "nearly the same text",
    "title": "the same headline",
    "lineage": "who had it first",
    "edit": "what changed",
}


@click.command()
@with_places
@click.argument("article", metavar="URL")
@click.argument("other", metavar="[URL]", required=False)
def explain(config: str | None, data: str | None, article: str, other: str | None) -> None:
    """Say why an article is where it is: which copies brought it, which rule filed it.

    URL is the article's address at any of its sources, its address on this desk, or its id. Of two, say why they are
    or are not one article and one story.
    """
    from feeds.store import open_store

    found = places(config, data)
    need_database(found)
    store = open_store(found.database)
    try:
        if other is not None:
            from feeds.cli.comparing import tell_apart

            tell_apart(store, article, other)
            return
        with store.read() as tx:
            uid = tx.articles.find(article)
            state = tx.articles.state(uid) if uid else None
            if uid is None or state is None:
                raise DeskError(
                    f"no stored article has the address or id {article!r}",
                    remedy="give its address at the source, or the one on this desk; tracking parameters don't matter",
                )
            entries = tx.articles.entries_of(uid)
            filings = tx.articles.filings_of(uid)
            config_now = tx.configs.current()
            aside = tx.documents.why_aside(uid)
        shown = next((stored for stored in entries if stored.shown), entries[0] if entries else None)
        click.secho(shown.entry.title if shown else uid, bold=True)
        click.echo(f"  id {uid}")
        if state.kind == "retracted":
            click.secho(f"  RETRACTED {_when(state.at)}: {state.reason or 'no reason given'}", fg="red")
        if aside:
            click.secho(f"  SET ASIDE, published nowhere until it changes: {aside}", fg="red")
        if shown:
            published = shown.entry.published
            click.echo(
                f"  {'published ' + _when(published) if published else 'no date of its own'},"
                f" first seen {_when(min(stored.first_seen for stored in entries))}"
            )
            if shown.entry.origin:
                click.echo(f"  credits {shown.entry.origin.name} as its origin")
        click.echo("\nBrought by")
        for stored in entries:
            _tell_entry(stored)
        click.echo("\nFiled in")
        if not filings and state.kind == "retracted":
            click.echo("  no section: it is retracted; `wiredesk unretract` puts it back where it was")
        elif not filings:
            click.echo("  no section: it came with a first import and was older than what that may bring")
        for filing in filings:
            place = filing.section or "(the whole desk)"
            sure = f", {filing.probability:.0%} sure" if filing.probability is not None else ""
            click.echo(f"  {place:<24} {filing.reason}{sure}")
            click.echo(f"  {'':<24} place in the order {_when(filing.rank_at)}, number {filing.sequence} there")
        weighed = _weighed(entries, config_now.text, found) if config_now else []
        if weighed:
            click.echo("\nWeighed")
            for line in weighed:
                click.echo(f"  {line}")
    finally:
        store.close()


def _weighed(entries: list[StoredEntry], config: str, found: Places) -> list[str]:
    """What filing weighs of every entry today: rules that hold or nearly do, publishers' words, the classifier."""
    from feeds.filing import Cabinet
    from feeds.filing.learned.files import MODEL_FILE, load_model
    from feeds.settings import config_from_json

    cabinet = Cabinet(config_from_json(config).sections, load_model(found.data / MODEL_FILE))
    return list(
        dict.fromkeys(line for stored in entries for line in cabinet.explain(stored.entry, stored.source).lines())
    )


def _tell_entry(stored: StoredEntry) -> None:
    role = "copy of it" if stored.copy else "brought it first" if not stored.shown else "the one shown"
    click.echo(f"  {stored.source.name} ({role}), seen {_when(stored.first_seen)}")
    if stored.entry.link:
        click.echo(f"    {stored.entry.link}")
    for evidence in stored.evidence:
        click.echo(f"    {_in_words(evidence)}")
    for warning in stored.entry.warnings:
        click.echo(f"    note: {warning}")


def _in_words(evidence: Evidence) -> str:
    told = EVIDENCE.get(evidence.kind, evidence.kind)
    detail = f": {evidence.detail}" if evidence.detail else ""
    score = "" if evidence.score is None else f" ({evidence.score:.2f}"
    if score:
        score += f", needed {evidence.threshold:.2f})" if evidence.threshold is not None else ")"
    return f"{told}{detail}{score}"


def _when(at: datetime | None) -> str:
    return f"{at:%d %b %Y %H:%M} UTC" if at else "at an unknown time"
