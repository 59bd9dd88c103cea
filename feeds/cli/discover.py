"""`wiredesk discover` and `preview`: look at a site before it is a source. Stores nothing. I/O: asks the site.

`discover` prints the feeds that a site offers as lines for sources.yaml, `preview` what a source would bring. Both ask
through the desk's own limits and guard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC

import click
import yaml

from feeds.cli.common import PIPED_WIDTH, counted, has_run, show_table, terminal_width, usable_model
from feeds.cli.places import Places, places, with_places
from feeds.dates import parse_date
from feeds.engine.startup import now_utc, user_agent
from feeds.errors import DeskError, FetchError, ParseError
from feeds.fetch.client import Fetcher
from feeds.filing import FilingRules
from feeds.ingest.reading import Job, Reader, Reading, read
from feeds.model import DROPPED, UNFILED, Answer, Entry, ParsedFeed, Placement, Request, Settings, Source
from feeds.parse import Offer, is_about_comments, parse, parse_listing, parse_offers, parse_sitemap
from feeds.settings import Config, ConfigErrors, load_config
from feeds.store import Store
from feeds.urls import absolute, host_of, masked

KINDS = {
    "rss20": "RSS 2.0",
    "rss10": "RSS 1.0",
    "atom10": "Atom 1.0",
    "atom03": "Atom 0.3",
    "json11": "JSON Feed 1.1",
    "json10": "JSON Feed 1.0",
}
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
MOST_WARNINGS = 12
EXAMPLES = 5
"""Links and feeds of a page that `preview` names."""


# --------------------------------------------------------------------------- asking a site


def config_of(config: str | None, data: str | None) -> Config | None:
    """The desk's own config, None where there is none or it has errors: looking needs no desk."""
    found = places(config, data)
    try:
        return load_config(found.config, found.environ()) if found.config.is_dir() else None
    except ConfigErrors:
        return None


def asking(settings: Settings) -> closing[Fetcher]:
    """A fetcher by the desk's limits and its guard, closed at the end."""
    return closing(Fetcher(settings.fetch, settings.poll, user_agent(settings)))


def ask(fetcher: Fetcher, url: str) -> Answer:
    """Fetch *url* once; raises FetchError."""
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
    try:
        return parse(answer.body, url=answer.final_url, content_type=answer.header("content-type"))
    except ParseError:
        return None


def _offers(answer: Answer) -> list[Offer]:
    return list(parse_offers(answer.body, url=answer.final_url, content_type=answer.header("content-type")))


# --------------------------------------------------------------------------- discover


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
    desk = config_of(config, data)
    lines = SourceLines(desk.sources if desk else ())
    with asking(desk.settings if desk else Settings()) as fetcher:
        answer = visit(fetcher, url)
        if (feed := read_feed(answer)) is not None:
            click.echo(f"# {masked(lasting(answer))} is a feed itself.\n")
            lines.print([Found(url=lasting(answer), feed=feed)])
            return
        found = _feeds_of(fetcher, answer)
        lines.print(found)
        if _has_articles(found):
            return
        sitemap = _sitemap(fetcher, answer.final_url)
    click.echo("# No feed of articles was found. This follows the article links of the page instead:\n")
    lines.print_source("page", lasting(answer), _site_name(answer.final_url))
    if sitemap:
        click.echo("\n# or the sitemap, which names articles as they come:\n")
        lines.print_source("sitemap", sitemap, _site_name(sitemap) + " sitemap")


def _feeds_of(fetcher: Fetcher, page: Answer) -> list[Found]:
    """What *page* names, else what it links, else what is where feeds usually are."""
    offers = _offers(page)
    found = _readable(fetcher, [offer for offer in offers if offer.named])
    if not _has_articles(found):
        click.echo("# The page names no feed that can be read; looking at its links.", err=True)
        found += _readable(fetcher, [offer for offer in offers if not offer.named])
    if not _has_articles(found):
        click.echo("# They lead to none; looking where feeds usually are.", err=True)
        found += _readable(fetcher, _guesses(page.final_url), enough=ENOUGH_GUESSED)
    return found


def _has_articles(found: Iterable[Found]) -> bool:
    return not all(one.comments for one in found)


def _guesses(page: str) -> list[Offer]:
    root = absolute(page, "/") or page
    folder = page if page.endswith("/") else page + "/"
    guesses = (absolute(base, place) for base in (folder, root) for place in COMMON)
    return [Offer(url=url, named=False) for url in dict.fromkeys(guesses) if url is not None]


def _readable(fetcher: Fetcher, offers: Iterable[Offer], enough: int = MOST_ASKED) -> list[Found]:
    """Ask each of *offers* until *enough* can be read; the same articles in another format count once."""
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


class SourceLines:
    """Prints lines for sources.yaml that can be pasted as they are, beside the *sources* that stand there already."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._present = {source.target: source for source in sources}
        self._names = {source.name.casefold() for source in sources}

    def print(self, found: Iterable[Found]) -> None:
        """Print *found*, each below a remark that says what it is."""
        for one in found:
            click.echo(f"# {_described(one.feed)}")
            if one.comments:
                click.echo("# What readers comment, which few want to publish; take the # away to have it:")
            self.print_source("url", one.url, one.feed.title or one.named or _site_name(one.url), rest=one.comments)

    def print_source(self, key: str, url: str, name: str, *, rest: bool = False) -> None:
        """Print one source, commented out where it is to *rest* or stands in sources.yaml already."""
        present = self._present.get(url)
        if present is not None:
            where = f", line {present.line}" if present.line else ""
            click.echo(f"# Already in sources.yaml as {present.name}{where}.")
        elif masked(url) != url:
            click.echo("# Fill in what is starred; ${NAME} takes it from the environment.")
        source = {"name": present.name if present else self._unused(name), key: masked(url)}
        text = yaml.safe_dump([source], sort_keys=False, allow_unicode=True, width=1000).rstrip()
        click.echo("\n".join(f"# {line}" for line in text.splitlines()) if rest or present else text)

    def _unused(self, name: str) -> str:
        """*name*, numbered where a source has it: two of one name need an `id:` each."""
        name = " ".join(name.split())
        unused, number = name, 1
        while unused.casefold() in self._names:
            number += 1
            unused = f"{name} {number}"
        self._names.add(unused.casefold())
        return unused


def _described(feed: ParsedFeed) -> str:
    """A feed's format, its entries and the day of the newest."""
    dates = [date for entry in feed.entries if (date := parse_date(entry.published or "", UTC))]
    newest = f", the newest of {max(dates):%d %b %Y}" if dates else ""
    return f"{KINDS.get(feed.kind, feed.kind)}: {counted(len(feed.entries), 'entry', 'entries')}{newest}"


def _site_name(url: str) -> str:
    return host_of(url).removeprefix("www.") or "New source"


# --------------------------------------------------------------------------- preview


@click.command()
@with_places
@click.argument("url")
@click.option("--section", metavar="PATH", help="File everything there, as `section:` in sources.yaml would.")
@click.option("--limit", type=click.IntRange(1, 200), default=12, show_default=True, help="Most articles to show.")
def preview(config: str | None, data: str | None, url: str, section: str | None, limit: int) -> None:
    """Show what a source would bring: titles, dates, the sections they would be filed in and why, and what is odd.

    URL is a feed, or an article page. The sections are those of your config.
    """
    found = places(config, data)
    desk = config_of(config, data)
    if desk is None and found.config.is_dir():
        click.echo(f"note: {found.config} has errors (`wiredesk check` tells them), so no sections are shown", err=True)
    desk = desk or Config()
    if section is not None and section not in {one.path for one in desk.sections}:
        raise DeskError(f"no section {section!r}", remedy="`wiredesk sections` lists them")
    with asking(desk.settings) as fetcher:
        answer = visit(fetcher, url)
    source = Source(key="preview", name="", kind="feed", target=answer.final_url, section=section)
    show(answer, source, desk, found, limit)


def show(answer: Answer, source: Source, desk: Config, found: Places, limit: int) -> None:
    """Print what *answer* brings as one of *source*, with the sections of *desk*. Raises ParseError."""
    is_page = read_feed(answer) is None
    reading = _read(answer, source, desk.settings, "page" if is_page else "feed")
    if reading.error is None:
        filing_rules = FilingRules(desk.sections, drops=desk.drops)
        if filing_rules.learning and has_run(found):
            with Store(found.database) as store:
                filing_rules = filing_rules.with_model(usable_model(store))
        source = replace(source, name=source.name or reading.title or host_of(answer.final_url))
        _show_reading(reading, source, answer, is_page=is_page)
        _show_articles(reading.entries, source, filing_rules, limit)
        _show_warnings(reading)
    if is_page:
        _show_page(answer)
    if reading.error is not None:
        raise reading.error


def _read(answer: Answer, source: Source, settings: Settings, reader: Reader) -> Reading:
    return read(
        Job(
            reader=reader,
            body=answer.body,
            url=answer.final_url,
            source=source,
            received_at=now_utc(),
            desk_language=settings.language,
            desk_timezone=settings.timezone,
            content_type=answer.header("content-type"),
        )
    )


def _show_reading(reading: Reading, source: Source, answer: Answer, *, is_page: bool) -> None:
    click.secho(source.name, bold=True)
    kind = KINDS.get(reading.kind, reading.kind)
    click.echo(f"{masked(lasting(answer))}: {kind}, {counted(len(reading.entries), 'article')}")
    for note in _notes(answer, is_page):
        click.echo(f"  note: {note}")


def _show_articles(entries: Sequence[Entry], source: Source, filing_rules: FilingRules, limit: int) -> None:
    """Print a table of the first *limit* articles with their sections, and how many have none."""
    placed = [
        [one for one in filing_rules.place(entry, source) if one.section and one.by != "child"] for entry in entries
    ]
    rows = [("Published", "Title", "Filed in, and why")]
    for entry, several in zip(entries[:limit], placed, strict=False):
        when = f"{entry.published:%d %b %H:%M}" if entry.published else "no date"
        rows.append((when, entry.title or "(no title)", _reasons(several)))
    if entries:
        show_table(rows, width=terminal_width() or PIPED_WIDTH)
    if len(entries) > limit:
        click.echo(f"and {len(entries) - limit} more (--limit shows them)")
    _show_unfiled(placed)


def _show_unfiled(placed: Sequence[Sequence[Placement]]) -> None:
    dropped = sum(map(_is_dropped, placed))
    unfiled = sum(any(one.section == UNFILED for one in several) for several in placed if not _is_dropped(several))
    if unfiled:
        click.echo(
            f"{counted(unfiled, 'article')} would be unfiled; `section:` in sources.yaml files them all somewhere."
        )
    if dropped:
        click.echo(f"{counted(dropped, 'article')} would never be published: `drop:` in sections.yaml.")


def _places(placements: Sequence[Placement]) -> list[Placement]:
    """Where an article is filed by itself: not the whole desk, nor what shows the sections below it."""
    return [one for one in placements if one.section and one.by != "child"]


def _is_dropped(several: Sequence[Placement]) -> bool:
    return any(one.by == DROPPED for one in several)


def _reasons(several: Sequence[Placement]) -> str:
    """Where an article would be filed, and why; of one that is dropped the reason alone."""
    dropped = _is_dropped(several)
    return "\n".join(one.reason if dropped else f"{one.section}: {one.reason}" for one in several)


def _show_warnings(reading: Reading) -> None:
    warnings = dict.fromkeys(warning for entry in reading.entries for warning in entry.warnings)
    for warning in [*reading.notes, *warnings][:MOST_WARNINGS]:
        click.echo(f"  warning: {warning}")


def _show_page(answer: Answer) -> None:
    """Say what else a page is: `page:` of a source follows its article links, and its head may name feeds."""
    try:
        links = parse_listing(answer.body, url=answer.final_url, content_type=answer.header("content-type")).links
    except ParseError:
        links = ()
    if links:
        click.echo(f"  as a source, `page:` would follow its links to {counted(len(links), 'article')}:")
        for link in links[:EXAMPLES]:
            click.echo(f"    {masked(link)}")
    for offer in [offer for offer in _offers(answer) if offer.named and not offer.comments][:EXAMPLES]:
        click.echo(f"  its page names a feed: {masked(offer.url)} {offer.title}".rstrip())


def _notes(answer: Answer, page: bool) -> Iterator[str]:
    if lasting(answer) != answer.request.url:
        yield f"it has moved for good; write {masked(lasting(answer))}"
    if lasting(answer) != answer.final_url:
        yield f"it leads to {masked(answer.final_url)} for now; that is followed at each poll"
    if not page and not answer.validators:
        yield "its server gives no ETag and no Last-Modified, so every poll brings the whole feed"
    if page:
        yield "this is a page and no feed; `wiredesk discover` looks for its feeds"
    if answer.final_url.startswith("http://"):
        yield "it is not encrypted (http)"
