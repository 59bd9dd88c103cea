"""`wiredesk discover`: the feeds that a site offers, as lines for sources.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import click

from feeds.cli.looking import KINDS, ask, asking, config_of, lasting, read_feed, visit
from feeds.cli.places import with_places
from feeds.dates import parse_date
from feeds.errors import DeskError
from feeds.urls import absolute, host_of, masked

if TYPE_CHECKING:
    from feeds.fetch import Fetcher
    from feeds.model import ParsedFeed, Source
    from feeds.parse import Offer

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
