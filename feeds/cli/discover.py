"""`wiredesk discover` and `preview`: look at a site before it is a source. Stores nothing. I/O: asks the site.

`discover` prints the feeds that a site offers as lines for sources.yaml, `preview` what a source would bring. Both ask
through the desk's own limits and guard.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from feeds.cli.common import console, counted, places, show, with_places
from feeds.dates import parse_date
from feeds.errors import DeskError, FetchError, ParseError
from feeds.urls import absolute, host_of, masked

if TYPE_CHECKING:
    from feeds.fetch import Fetcher
    from feeds.model import Answer, ParsedFeed, Section, Settings, Source
    from feeds.parse import Offer
    from feeds.settings import Config


COMMON = (
    "feed",
    "feed.xml",
    "rss.xml",
    "atom.xml",
    "index.xml",
    "feed.json",
    "rss",
    "feeds/posts/default",
    "?feed=rss2",
)
"""Where feeds are when no page says so."""
SITEMAPS = ("news-sitemap.xml", "sitemap-news.xml", "sitemap.xml")
MOST_ASKED = 16
ENOUGH_GUESSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A feed that was asked and can be read. *comments*: of what readers comment, which few want to publish."""

    url: str
    feed: ParsedFeed
    named: str = ""
    comments: bool = False


@click.command()
@with_places
@click.argument("url")
def discover(config: str | None, data: str | None, url: str) -> None:
    """Find the feeds that a site offers, and print them as lines for sources.yaml.

    Looks at what the page names (autodiscovery), at what it links, then at the places where feeds usually are.
    Stores nothing.
    """
    from feeds.model import Settings
    from feeds.parse import parse_offers

    desk = config_of(config, data)
    paper = Paper(desk.sources if desk else ())
    with asking(desk.settings if desk else Settings()) as fetcher:
        answer = visit(fetcher, url)
        if (feed := read_feed(answer)) is not None:
            click.echo(f"# {masked(lasting(answer))} is a feed itself.\n")
            paper.print([Found(url=lasting(answer), feed=feed)])
            return
        offers = parse_offers(answer.body, url=answer.final_url, content_type=answer.header("content-type"))
        found = _readable(fetcher, [offer for offer in offers if offer.named])
        if not any(not one.comments for one in found):
            click.echo("# The page names no feed that can be read; looking at its links.", err=True)
            found += _readable(fetcher, [offer for offer in offers if not offer.named])
        if not any(not one.comments for one in found):
            click.echo("# They lead to none; looking where feeds usually are.", err=True)
            found += _readable(fetcher, _guesses(answer.final_url), enough=ENOUGH_GUESSED)
        if found:
            paper.print(found)
        if any(not one.comments for one in found):
            return
        sitemap = _sitemap(fetcher, answer.final_url)
    click.echo("# No feed of articles was found. This follows the article links of the page instead:\n")
    paper.line("page", lasting(answer), _site_name(answer.final_url))
    if sitemap:
        click.echo("\n# or the sitemap, which names articles as they come:\n")
        paper.line("sitemap", sitemap, _site_name(sitemap) + " sitemap")


def _guesses(page: str) -> list[Offer]:
    from feeds.parse import Offer

    root = absolute(page, "/") or page
    folder = page if page.endswith("/") else page + "/"
    places = (absolute(base, place) for base in (folder, root) for place in COMMON)
    return [Offer(url=url, named=False) for url in dict.fromkeys(places) if url is not None]


def _readable(fetcher: Fetcher, offers: Iterable[Offer], enough: int = MOST_ASKED) -> list[Found]:
    """Ask each of *offers* until *enough* can be read; the same articles in another format count once."""
    from feeds.parse import is_about_comments

    found: dict[tuple[str, ...], Found] = {}
    for offer in list(offers)[:MOST_ASKED]:
        try:
            answer = ask(fetcher, offer.url)
        except DeskError:
            continue
        feed = read_feed(answer)
        if feed is None:
            continue
        same = tuple(entry.link or entry.entry_id or "" for entry in feed.entries[:5]) or (answer.final_url,)
        comments = offer.comments or is_about_comments(feed.title or "")
        found.setdefault(same, Found(url=lasting(answer), feed=feed, named=offer.title, comments=comments))
        if len(found) >= enough:
            break
    return sorted(found.values(), key=lambda one: one.comments)


def _sitemap(fetcher: Fetcher, url: str) -> str | None:
    from feeds.parse import parse_sitemap

    for place in SITEMAPS:
        address = absolute(url, "/" + place)
        if address is None:
            continue
        try:
            answer = ask(fetcher, address)
            if parse_sitemap(answer.body, url=answer.final_url).links:
                return lasting(answer)
        except DeskError:
            continue
    return None


class Paper:
    """Prints lines for sources.yaml that can be pasted as they are, beside the *sources* that stand there already."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._present = {source.target: source for source in sources}
        self._names = {source.name.casefold() for source in sources}

    def print(self, found: Iterable[Found]) -> None:
        """Print *found*, each below a remark that says what it is."""
        for one in found:
            entries = one.feed.entries
            told = (parse_date(entry.published or "", UTC) for entry in entries)
            dates = [date for date in told if date]
            newest = f", the newest of {max(dates):%d %b %Y}" if dates else ""
            kind = KINDS.get(one.feed.kind, one.feed.kind)
            count = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
            click.echo(f"# {kind}: {count}{newest}")
            if one.comments:
                click.echo("# What readers comment, which few want to publish; take the # away to have it:")
            self.line("url", one.url, one.feed.title or one.named or _site_name(one.url), rest=one.comments)

    def line(self, key: str, url: str, name: str, *, rest: bool = False) -> None:
        """Print one source, commented out where it is to *rest* or stands in sources.yaml already."""
        import yaml

        present = self._present.get(url)
        if present is not None:
            where = f", line {present.line}" if present.line else ""
            click.echo(f"# Already in sources.yaml as {present.name}{where}.")
        elif masked(url) != url:
            click.echo("# Fill in what is starred; ${NAME} takes it from the environment.")
        told = [{"name": present.name if present else self._unused(name), key: masked(url)}]
        text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=1000).rstrip()
        click.echo("\n".join(f"# {line}" for line in text.splitlines()) if rest or present else text)

    def _unused(self, name: str) -> str:
        """*name*, numbered where a source has it: two of one name need an `id:` each."""
        name = " ".join(name.split())
        chosen, number = name, 1
        while chosen.casefold() in self._names:
            number += 1
            chosen = f"{name} {number}"
        self._names.add(chosen.casefold())
        return chosen


def _site_name(url: str) -> str:
    return host_of(url).removeprefix("www.") or "New source"


KINDS = {
    "rss20": "RSS 2.0",
    "rss10": "RSS 1.0",
    "atom10": "Atom 1.0",
    "atom03": "Atom 0.3",
    "json11": "JSON Feed 1.1",
    "json10": "JSON Feed 1.0",
}


def config_of(config: str | None, data: str | None) -> Config | None:
    """The desk's own config, None where there is none or it has errors: looking needs no desk."""
    from feeds.settings import ConfigErrors, load_config

    found = places(config, data)
    try:
        return load_config(found.config, os.environ) if found.config.is_dir() else None
    except ConfigErrors:
        return None


class asking:
    """A fetcher by the desk's limits and its guard, closed at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Fetcher:
        from feeds.engine.entrance import user_agent
        from feeds.fetch import Fetcher

        self._fetcher = Fetcher(self._settings.fetch, self._settings.poll, user_agent(self._settings))
        return self._fetcher

    def __exit__(self, *raised: object) -> None:
        self._fetcher.close()


def ask(fetcher: Fetcher, url: str) -> Answer:
    """Fetch *url* once; raises FetchError."""
    from feeds.model import Request

    return fetcher.fetch(Request(source_id=0, url=url, accept="any"))


def visit(fetcher: Fetcher, typed: str) -> Answer:
    """Fetch what somebody *typed*, as browsers do: https where no scheme is named, then http. Raises DeskError."""
    typed = typed.strip()
    if not typed or re.search(r"\s", typed):
        raise DeskError(f"{typed!r} is no address", remedy="type it as for a browser: example.org/news")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", typed):
        return _visited(fetcher, typed)
    try:
        return _visited(fetcher, f"https://{typed}")
    except FetchError as error:
        if error.status is not None:
            raise
        try:
            return _visited(fetcher, f"http://{typed}")
        except FetchError:
            raise error from None


def _visited(fetcher: Fetcher, url: str) -> Answer:
    try:
        return ask(fetcher, url)
    except FetchError as error:
        front = absolute(url, "/")
        if error.status in (404, 410) and front != url:
            raise DeskError(error.cause, remedy=f"look from its front page: `wiredesk discover {front}`") from error
        raise


def lasting(answer: Answer) -> str:
    """The address to write down: behind permanent redirects, before the first that is for now only."""
    url = answer.request.url
    for hop in answer.redirects:
        if hop.status not in (301, 308):
            break
        url = hop.target
    return url


def read_feed(answer: Answer) -> ParsedFeed | None:
    """Return *answer* as a feed, None where it is none."""
    from feeds.errors import ParseError
    from feeds.parse import parse

    try:
        return parse(answer.body, url=answer.final_url, content_type=answer.header("content-type"))
    except ParseError:
        return None


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
    from feeds.filing import FilingRules
    from feeds.filing.learned import MODEL_FILE, load_model
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
    filing_rules = FilingRules(sections, drops=desk.drops if desk else ())
    if filing_rules.learning:
        filing_rules = filing_rules.with_model(load_model(places(config, data).data / MODEL_FILE))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Published", no_wrap=True)
    table.add_column("Title", ratio=3)
    table.add_column("Filed in, and why", ratio=3)
    unfiled = dropped = 0
    for number, entry in enumerate(reading.entries):
        placed = [place for place in filing_rules.place(entry, source) if place.section and place.by != "child"]
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
