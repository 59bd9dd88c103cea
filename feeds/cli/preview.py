"""`wiredesk preview`: what a source would bring, before it is added. Stores nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from feeds.cli.discover import ask, asking, named_feeds, read_feed, settings_of, with_scheme
from feeds.cli.places import places, with_places
from feeds.cli.tables import console, counted, show
from feeds.errors import DeskError
from feeds.urls import host_of, masked

if TYPE_CHECKING:
    from feeds.model import Answer, Section


@click.command()
@with_places
@click.argument("url")
@click.option("--section", metavar="PATH", help="File everything there, as `section:` in sources.yaml would.")
@click.option("--limit", type=click.IntRange(1, 200), default=12, show_default=True, help="Most articles to show.")
def preview(config: str | None, data: str | None, url: str, section: str | None, limit: int) -> None:
    """Show what a source would bring: titles, dates, the sections they would be filed in and why, and what is odd.

    URL is a feed, or an article page. The sections are those of your config.
    """
    from feeds.engine.entrance import now_utc
    from feeds.filing import Cabinet
    from feeds.ingest.reading import Job, read
    from feeds.model import Source

    settings = settings_of(config, data)
    sections = _sections(config, data)
    if section is not None and section not in {one.path for one in sections}:
        raise DeskError(f"no section {section!r}", remedy="`wiredesk sections` lists them")
    with asking(settings) as fetcher:
        answer = ask(fetcher, with_scheme(url))
    feed = read_feed(answer)
    source = Source(
        key="preview", name=host_of(answer.final_url), kind="feed", target=answer.final_url, section=section
    )
    reading = read(
        Job(
            reader="feed" if feed is not None else "page",
            body=answer.body,
            url=answer.final_url,
            source=source,
            received_at=now_utc(),
            desk_language=settings.language,
            desk_timezone=settings.timezone,
            content_type=answer.header("content-type"),
        )
    )
    if reading.error is not None:
        raise reading.error
    source = replace(source, name=reading.title or source.name)
    out = console()
    click.secho(source.name, bold=True)
    click.echo(f"{masked(answer.final_url)}: {reading.kind}, {counted(len(reading.entries), 'article')}")
    for note in _notes(answer, url, feed is None):
        click.echo(f"  note: {note}")
    cabinet = Cabinet(sections)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Published", no_wrap=True)
    table.add_column("Title", ratio=3)
    table.add_column("Filed in, and why", ratio=3)
    unfiled = 0
    for number, entry in enumerate(reading.entries):
        placed = [place for place in cabinet.place(entry, source) if place.section and place.by != "child"]
        unfiled += any(place.section == "unfiled" for place in placed)
        if number < limit:
            when = f"{entry.published:%d %b %H:%M}" if entry.published else "no date"
            where = "\n".join(f"{place.section}: {place.reason}" for place in placed)
            table.add_row(when, escape(entry.title or "(no title)"), escape(where))
    if reading.entries:
        show(table, out)
    if len(reading.entries) > limit:
        click.echo(f"and {len(reading.entries) - limit} more (--limit shows them)")
    if unfiled:
        click.echo(
            f"{counted(unfiled, 'article')} would be unfiled; `section:` in sources.yaml files them all somewhere."
        )
    warnings = dict.fromkeys(warning for entry in reading.entries for warning in entry.warnings)
    for warning in [*reading.notes, *warnings][:12]:
        click.echo(f"  warning: {warning}")
    if feed is None:
        offers = named_feeds(answer.body, answer.final_url)
        for address, name in offers[:5]:
            click.echo(f"  its page names a feed: {masked(address)} {name}".rstrip())


def _sections(config: str | None, data: str | None) -> tuple[Section, ...]:
    from feeds.settings import ConfigErrors, load_config

    found = places(config, data)
    if not found.config.is_dir():
        return ()
    try:
        return load_config(found.config, os.environ).sections
    except ConfigErrors as errors:
        click.echo(f"note: {found.config} has errors (`wiredesk check` tells them), so no sections are shown", err=True)
        del errors
        return ()


def _notes(answer: Answer, asked: str, page: bool) -> list[str]:
    notes = []
    if answer.redirects:
        notes.append(f"it was redirected {counted(len(answer.redirects), 'time')}; write the address above")
    if not page and not answer.validators:
        notes.append("its server gives no ETag and no Last-Modified, so every poll brings the whole feed")
    if page:
        notes.append("this is a page and no feed; `wiredesk discover` looks for its feeds")
    if answer.final_url.startswith("http://"):
        notes.append("it is not encrypted (http)")
    return notes
