"""`wiredesk preview`: what a source would bring, before it is added. Stores nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from feeds.cli.looking import KINDS, asking, config_of, lasting, read_feed, visit
from feeds.cli.places import places, with_places
from feeds.cli.tables import console, counted, show
from feeds.errors import DeskError, ParseError
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
    from feeds.filing.learned.files import MODEL_FILE, load_model
    from feeds.ingest.reading import Job, read
    from feeds.model import DROPPED, UNFILED, Settings, Source

    desk = config_of(config, data)
    settings = desk.settings if desk else Settings()
    sections = desk.sections if desk else _no_sections(config, data)
    if section is not None and section not in {one.path for one in sections}:
        raise DeskError(f"no section {section!r}", remedy="`wiredesk sections` lists them")
    with asking(settings) as fetcher:
        answer = visit(fetcher, url)
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
        if feed is None:
            _tell_page(answer)
        raise reading.error
    source = replace(source, name=reading.title or source.name)
    out = console()
    click.secho(source.name, bold=True)
    click.echo(
        f"{masked(lasting(answer))}: {KINDS.get(reading.kind, reading.kind)}, "
        f"{counted(len(reading.entries), 'article')}"
    )
    for note in _notes(answer, feed is None):
        click.echo(f"  note: {note}")
    cabinet = Cabinet(sections, drops=desk.drops if desk else ())
    if cabinet.learning:
        cabinet = cabinet.taught(load_model(places(config, data).data / MODEL_FILE))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Published", no_wrap=True)
    table.add_column("Title", ratio=3)
    table.add_column("Filed in, and why", ratio=3)
    unfiled = dropped = 0
    for number, entry in enumerate(reading.entries):
        placed = [place for place in cabinet.place(entry, source) if place.section and place.by != "child"]
        never = any(place.by == DROPPED for place in placed)
        dropped += never
        unfiled += not never and any(place.section == UNFILED for place in placed)
        if number < limit:
            when = f"{entry.published:%d %b %H:%M}" if entry.published else "no date"
            where = "\n".join(place.reason if never else f"{place.section}: {place.reason}" for place in placed)
            table.add_row(when, escape(entry.title or "(no title)"), escape(where))
    if reading.entries:
        show(table, out)
    if len(reading.entries) > limit:
        click.echo(f"and {len(reading.entries) - limit} more (--limit shows them)")
    if unfiled:
        click.echo(
            f"{counted(unfiled, 'article')} would be unfiled; `section:` in sources.yaml files them all somewhere."
        )
    if dropped:
        click.echo(f"{counted(dropped, 'article')} would never be published: `drop:` in sections.yaml.")
    warnings = dict.fromkeys(warning for entry in reading.entries for warning in entry.warnings)
    for warning in [*reading.notes, *warnings][:12]:
        click.echo(f"  warning: {warning}")
    if feed is None:
        _tell_page(answer)


def _tell_page(answer: Answer) -> None:
    """Say what else a page is: `page:` of a source follows its article links, and its head may name feeds."""
    from feeds.parse import parse_listing, parse_offers

    content_type = answer.header("content-type")
    try:
        links = parse_listing(answer.body, url=answer.final_url, content_type=content_type).links
    except ParseError:
        links = ()
    if links:
        click.echo(f"  as a source, `page:` would follow its links to {counted(len(links), 'article')}:")
        for link in links[:5]:
            click.echo(f"    {masked(link)}")
    offers = parse_offers(answer.body, url=answer.final_url, content_type=content_type)
    for offer in [offer for offer in offers if offer.named and not offer.comments][:5]:
        click.echo(f"  its page names a feed: {masked(offer.url)} {offer.title}".rstrip())


def _no_sections(config: str | None, data: str | None) -> tuple[Section, ...]:
    """Say why no sections are known; there are none."""
    folder = places(config, data).config
    if folder.is_dir():
        click.echo(f"note: {folder} has errors (`wiredesk check` tells them), so no sections are shown", err=True)
    return ()


def _notes(answer: Answer, page: bool) -> list[str]:
    notes = []
    if lasting(answer) != answer.request.url:
        notes.append(f"it has moved for good; write {masked(lasting(answer))}")
    if lasting(answer) != answer.final_url:
        notes.append(f"it leads to {masked(answer.final_url)} for now; that is followed at each poll")
    if not page and not answer.validators:
        notes.append("its server gives no ETag and no Last-Modified, so every poll brings the whole feed")
    if page:
        notes.append("this is a page and no feed; `wiredesk discover` looks for its feeds")
    if answer.final_url.startswith("http://"):
        notes.append("it is not encrypted (http)")
    return notes
