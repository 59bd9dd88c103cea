"""What `discover` and `preview` share: the desk's own limits and guard for one look at a site. I/O: asks it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from feeds.cli.places import places
from feeds.errors import DeskError, FetchError
from feeds.urls import absolute

if TYPE_CHECKING:
    from feeds.fetch import Fetcher
    from feeds.model import Answer, ParsedFeed, Settings
    from feeds.settings import Config

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
