"""`wiredesk discover`: the feeds that a site offers, as lines for sources.yaml."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

import click

from feeds.cli.places import places, with_places
from feeds.errors import DeskError
from feeds.urls import absolute, masked

if TYPE_CHECKING:
    from feeds.fetch import Fetcher
    from feeds.model import Answer, ParsedFeed, Settings

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

_LINK = re.compile(rb"<link\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""")
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A feed that was asked and can be read."""

    url: str
    feed: ParsedFeed
    named: str = ""


@click.command()
@with_places
@click.argument("url")
def discover(config: str | None, data: str | None, url: str) -> None:
    """Find the feeds that a site offers, and print them as lines for sources.yaml.

    Looks at what the page names (autodiscovery), then at the places where feeds usually are. Stores nothing.
    """
    settings = settings_of(config, data)
    with asking(settings) as fetcher:
        address = with_scheme(url)
        answer = ask(fetcher, address)
        if (feed := read_feed(answer)) is not None:
            click.echo(f"# {masked(answer.final_url)} is a feed itself.\n")
            _print([Found(url=answer.final_url, feed=feed)])
            return
        named = named_feeds(answer.body, answer.final_url)
        found = _readable(fetcher, named)
        if not found:
            click.echo("# The page names no feed that can be read; looking where feeds usually are.", err=True)
            root = absolute(answer.final_url, "/") or answer.final_url
            folder = answer.final_url if answer.final_url.endswith("/") else answer.final_url + "/"
            guesses = dict.fromkeys(
                one for base in (folder, root) for place in COMMON if (one := absolute(base, place)) is not None
            )
            found = _readable(fetcher, [(guess, "") for guess in guesses], enough=3)
        if found:
            _print(found)
            return
        sitemap = _sitemap(fetcher, answer.final_url)
    click.echo("# No feed was found. This follows the article links of the page instead:\n")
    _line("page", answer.final_url, _site_name(answer.final_url))
    if sitemap:
        click.echo("\n# or the sitemap, which names articles as they come:\n")
        _line("sitemap", sitemap, _site_name(sitemap) + " sitemap")


def named_feeds(body: bytes, base: str) -> list[tuple[str, str]]:
    """Return the feeds that a page names in its `link` elements, with their titles, in its order.

    >>> named_feeds(b'<link rel="alternate" type="application/rss+xml" href="/x.xml" title="News &amp; more">',
    ...             "https://example.org/a/")
    [('https://example.org/x.xml', 'News & more')]
    """
    found: dict[str, str] = {}
    for tag in _LINK.findall(body[:1_000_000]):
        said = {
            name.lower(): unescape(value.strip("\"'"))
            for name, value in _ATTRIBUTE.findall(tag.decode("utf-8", "replace"))
        }
        if "alternate" not in said.get("rel", "").lower().split():
            continue
        if said.get("type", "").partition(";")[0].strip().lower() not in _FEED_TYPES:
            continue
        address = absolute(base, said.get("href", "").strip())
        if address is not None:
            found.setdefault(address, " ".join(said.get("title", "").split()))
    return list(found.items())


def _readable(fetcher: Fetcher, offers: Iterable[tuple[str, str]], enough: int = MOST_ASKED) -> list[Found]:
    """Ask each of *offers* until *enough* can be read; the same feed twice counts once."""
    found: dict[tuple[str, ...], Found] = {}
    for url, named in list(offers)[:MOST_ASKED]:
        try:
            answer = ask(fetcher, url)
        except DeskError:
            continue
        feed = read_feed(answer)
        if feed is None:
            continue
        same = tuple(entry.link or entry.entry_id or "" for entry in feed.entries[:5]) or (answer.final_url,)
        found.setdefault(same, Found(url=answer.final_url, feed=feed, named=named))
        if len(found) >= enough:
            break
    return list(found.values())


def _sitemap(fetcher: Fetcher, url: str) -> str | None:
    from feeds.parse import parse_sitemap

    for place in SITEMAPS:
        address = absolute(url, "/" + place)
        if address is None:
            continue
        try:
            answer = ask(fetcher, address)
            if parse_sitemap(answer.body, url=answer.final_url).links:
                return answer.final_url
        except DeskError:
            continue
    return None


def _print(found: Iterable[Found]) -> None:
    for one in found:
        count = len(one.feed.entries)
        dates = [entry.published_utc for entry in one.feed.entries if entry.published_utc]
        newest = f", the newest of {max(dates):%d %b %Y}" if dates else ""
        click.echo(f"# {one.feed.kind}: {count} entries{newest}")
        _line("url", one.url, one.feed.title or one.named or _site_name(one.url))


def _line(key: str, url: str, name: str) -> None:
    import yaml

    text = yaml.safe_dump([{"name": name.strip(), key: masked(url)}], sort_keys=False, allow_unicode=True, width=1000)
    click.echo(text.rstrip())


def _site_name(url: str) -> str:
    from feeds.urls import host_of

    return host_of(url).removeprefix("www.") or "New source"


# --------------------------------------------------------------------------- shared with `preview`


def settings_of(config: str | None, data: str | None) -> Settings:
    """The settings of the desk's own config, defaults where there is none or it has errors: looking needs no desk."""
    from feeds.model import Settings
    from feeds.settings import ConfigErrors, load_config

    found = places(config, data)
    try:
        return load_config(found.config, os.environ).settings if found.config.is_dir() else Settings()
    except ConfigErrors:
        return Settings()


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


def with_scheme(url: str) -> str:
    """Return *url* with https where it names no scheme, as people type addresses."""
    return url if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", url) else f"https://{url}"


def ask(fetcher: Fetcher, url: str) -> Answer:
    """Fetch *url* once; raises FetchError."""
    from feeds.model import Request

    return fetcher.fetch(Request(source_id=0, url=url, accept="any"))


def read_feed(answer: Answer) -> ParsedFeed | None:
    """Return *answer* as a feed, None where it is none."""
    from feeds.errors import ParseError
    from feeds.parse import parse

    try:
        return parse(answer.body, url=answer.final_url, content_type=answer.header("content-type"))
    except ParseError:
        return None
