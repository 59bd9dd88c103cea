"""`wiredesk discover`: the feeds that a site offers, as lines for sources.yaml. Stores nothing. I/O: asks the site.

It asks through the desk's own limits and guard, as `preview` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing, suppress
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

import click
import yaml
from msgspec import Struct

from feeds.cli.common import Places, counted, judged_files, with_places
from feeds.codec import plain
from feeds.configuration import Select, Settings, Source
from feeds.conventions import Convention, convention_of
from feeds.dates import parse_date
from feeds.engine.startup import now_utc, user_agent
from feeds.errors import DeskError, FetchError, ParseError
from feeds.fetch.client import Fetcher
from feeds.parse import (
    Offer,
    is_about_comments,
    parse,
    parse_listing,
    parse_offers,
    parse_sitemap,
    pick,
    propose,
    propose_json,
)
from feeds.parsed import Answer, ParsedFeed, Request
from feeds.settings import Config, ConfigErrors
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


def config_of(found: Places) -> Config | None:
    """The desk's own config, None where there is none or it has errors: looking needs no desk."""
    try:
        return judged_files(found) if found.config.is_dir() else None
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
    if re.match(r"[/~]|\.{1,2}/", typed):
        raise DeskError(f"{typed!r} is a path, and no address", remedy="type one as for a browser: example.org/news")
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


def by_convention(fetcher: Fetcher, typed: str) -> tuple[str, Convention | None]:
    """The address to ask in place of what somebody *typed*, and what is known of it: that of a feed, where a convention
    or a catalogue tells it. Raises DeskError.
    """
    typed = typed.strip()
    known = convention_of(typed if "://" in typed else f"https://{typed}")
    if known is None or (not known.url and known.ask in (typed, f"https://{typed}")):
        return typed, None  # its page names its feed
    return known.url or _told_by_catalogue(ask(fetcher, known.ask), known), known


def _told_by_catalogue(answer: Answer, known: Convention) -> str:
    try:
        (show,) = json.loads(answer.body)["results"]
        return str(show["feedUrl"])
    except (ValueError, KeyError, TypeError) as error:
        remedy = "look on the show's own site: `wiredesk discover` with its address"
        raise DeskError(f"{known.what} of which its catalogue tells no feed", remedy=remedy) from error


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
        return parse(answer.body, url=answer.final_url, content_type=answer.content_type)
    except ParseError:
        return None


def offers_of(answer: Answer) -> list[Offer]:
    """The feeds that a page names or links."""
    return list(parse_offers(answer.body, url=answer.final_url, content_type=answer.content_type))


# --------------------------------------------------------------------------- discover


class Found(Struct, frozen=True, kw_only=True):
    """A feed that was asked and can be read. *comments*: of what readers comment, which few want to publish."""

    url: str
    feed: ParsedFeed
    named: str = ""
    comments: bool = False


@click.command()
@with_places
@click.argument("url")
def discover(found: Places, url: str) -> None:
    """Find the feeds that a site offers, and print them as lines for sources.yaml.

    Looks at what the page names (autodiscovery), at what it links, then at the places where feeds usually are.
    Stores nothing.
    """
    desk = config_of(found)
    lines = SourceLines(desk.sources if desk else ())
    with asking(desk.settings if desk else Settings()) as fetcher:
        url, known = by_convention(fetcher, url)
        if known is not None and known.select is not None:
            click.echo(f"# This is {known.what}: its web page is read by selectors of the desk's own.\n")
            lines.print_source("page", url, urlsplit(url).path.rpartition("/")[2])
            return
        if known is not None:
            click.echo(f"# This is {known.what}, whose feed has a known place.")
        answer = visit(fetcher, url)
        if (feed := read_feed(answer)) is not None:
            click.echo(f"# {masked(lasting(answer))} is a feed itself.\n")
            lines.print([Found(url=lasting(answer), feed=feed)])
            return
        if (select := propose_json(answer.body)) is not None:
            click.echo("# This is JSON of a form of its own; these selectors take the longest list in it:\n")
            lines.print_source("json", lasting(answer), _site_name(answer.final_url), select=select)
            return
        feeds = _feeds_of(fetcher, answer)
        lines.print(feeds)
        if _has_articles(feeds):
            return
        sitemap = _sitemap(fetcher, answer.final_url)
    lines.print_page(answer)
    if sitemap:
        click.echo("\n# or the sitemap, which names articles as they come:\n")
        lines.print_source("sitemap", sitemap, _site_name(sitemap) + " sitemap")


def _feeds_of(fetcher: Fetcher, page: Answer) -> list[Found]:
    """What *page* names, else what it links, else what is where feeds usually are."""
    offers = offers_of(page)
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


def _readable(fetcher: Fetcher, offers: Sequence[Offer], enough: int = MOST_ASKED) -> list[Found]:
    """Ask each of *offers* until *enough* can be read; the same articles in another format count once."""
    found: dict[tuple[str, ...], Found] = {}
    for offer in offers[:MOST_ASKED]:
        if (read := _feed_at(fetcher, offer.url)) is None:
            continue
        answer, feed = read
        same = tuple(entry.link or entry.entry_id or "" for entry in feed.entries[:5]) or (answer.final_url,)
        comments = offer.comments or is_about_comments(feed.title or "")
        found.setdefault(same, Found(url=lasting(answer), feed=feed, named=offer.title, comments=comments))
        if len(found) >= enough:
            break
    return sorted(found.values(), key=lambda one: one.comments)


def _feed_at(fetcher: Fetcher, url: str) -> tuple[Answer, ParsedFeed] | None:
    """What is at *url*, as an answer and as a feed; None where there is none."""
    with suppress(DeskError):
        answer = ask(fetcher, url)
        return answer, parse(answer.body, url=answer.final_url, content_type=answer.content_type)
    return None


def _sitemap(fetcher: Fetcher, url: str) -> str | None:
    for place in SITEMAPS:
        with suppress(DeskError):
            answer = ask(fetcher, absolute(url, "/" + place) or url)
            if parse_sitemap(answer.body, url=answer.final_url).links:
                return lasting(answer)
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

    def print_page(self, page: Answer) -> None:
        """Print *page*, which has no feed, as a source: with selectors for what it lists, where its links say less."""
        url, name = lasting(page), _site_name(page.final_url)
        links, marked = _learnt(page)
        select = None if marked else propose(page.body, content_type=page.content_type, now=now_utc())
        if marked:
            click.echo(
                "# No feed of articles was found. The page marks its posts, which are read as they stand there:\n"
            )
        elif select is not None and not _covers(links, page, select):
            click.echo("# No feed of articles was found. These selectors take what repeats on the page;")
            click.echo("# `wiredesk preview` with the name shows what each finds, and --watch while you write:\n")
            self.print_source("page", url, name, select=select)
            return
        else:
            click.echo("# No feed of articles was found. This follows the article links of the page instead:\n")
        self.print_source("page", url, name)
        if select is not None:
            click.echo("\n# or, without asking for each article, what the page itself says of them:\n")
            self.print_source("page", url, name, select=select, rest=True)

    def print_source(self, key: str, url: str, name: str, *, select: Select | None = None, rest: bool = False) -> None:
        """Print one source, commented out where it is to *rest* or stands in sources.yaml already."""
        present = self._present.get(url)
        if present is not None:
            where = f", line {present.line}" if present.line else ""
            click.echo(f"# Already in sources.yaml as {present.name}{where}.")
        elif masked(url) != url:
            click.echo("# Fill in what is starred; ${NAME} takes it from the environment.")
        source: dict[str, Any] = {"name": present.name if present else self._unused(name), key: masked(url)}
        if select is not None:
            source["select"] = as_config(select, is_json=key == "json")
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


def _learnt(page: Answer) -> tuple[tuple[str, ...], bool]:
    """The links to articles that are learnt of *page*, and whether it marks its posts itself."""
    try:
        listing = parse_listing(page.body, url=page.final_url, content_type=page.content_type)
    except ParseError:
        return (), False
    return listing.links, bool(listing.entries)


def _covers(links: Collection[str], page: Answer, select: Select) -> bool:
    """Whether most of what *select* finds on *page* are *links*, which are followed without it."""
    picked = pick(page.body, select=select, is_json=False, url=page.final_url, content_type=page.content_type)
    found = [absolute(picked.base, one["link"][0].value) for one in picked.articles if one.get("link")]
    return 2 * sum(address in links for address in found) > len(picked.articles)


def as_config(select: Select, *, is_json: bool) -> dict[str, Any]:
    """*select* as it stands in sources.yaml."""
    parts: dict[str, Any] = plain(select)
    return {"items": parts.pop("item"), **parts} if is_json else parts


def _described(feed: ParsedFeed) -> str:
    """A feed's format, its entries and the day of the newest."""
    dates = [date for entry in feed.entries if (date := parse_date(entry.published or "", UTC))]
    newest = f", the newest of {max(dates):%d %b %Y}" if dates else ""
    return f"{KINDS.get(feed.kind, feed.kind)}: {counted(len(feed.entries), 'entry', 'entries')}{newest}"


def _site_name(url: str) -> str:
    return host_of(url).removeprefix("www.") or "New source"
