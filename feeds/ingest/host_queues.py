"""Where requests wait before they are handed to the fetcher: who is held by a `Retry-After`, whether it is this
machine's own network that fails, and which article pages are asked for, robots.txt first. Holds state; no I/O.

The fetcher keeps the pace of a host; what it has it will ask. So only a few of a host are handed over at once: what an
origin has asked to wait then still can.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import xxhash

from feeds.configuration import RateScope, Source
from feeds.errors import FetchBlocked, FetchError, FetchTooLarge
from feeds.fetch.robots import Rules, rules_of
from feeds.parsed import Answer, Request
from feeds.urls import host_of, registrable

MOST_HELD = 10_000
"""Hosts, or addresses, of which it is remembered that they asked to wait; the store knows it of every source."""
LOOKS_BACK = timedelta(minutes=1)
HOSTS_AT_LEAST = 3
"""So many hosts that can't be reached, and none that can, are no coincidence."""


class HostQueues:
    """`put` requests; `ended` for each that came back; `hold` what is not to be asked for a while."""

    def __init__(self, submit: Callable[[Request], None]) -> None:
        self._submit = submit
        self._waiting: dict[str, deque[Request]] = {}
        self._running: dict[str, int] = {}
        self._held: dict[str, datetime] = {}
        self.scope: RateScope = "host"
        self.per_host = 2

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(line) for line in self._waiting.values())

    def put(self, request: Request) -> None:
        """Hand *request* over, now or when its host's turn comes."""
        host = host_of(request.url)
        if self._running.get(host, 0) < self._most:
            self._running[host] = self._running.get(host, 0) + 1
            self._submit(request)
        else:
            self._waiting.setdefault(host, deque()).append(request)

    def ended(self, url: str) -> None:
        """One of the requests handed over has come back."""
        host = host_of(url)
        line = self._waiting.get(host)
        if line:
            self._submit(line.popleft())
            if not line:
                del self._waiting[host]
            return
        left = self._running.get(host, 0) - 1
        if left > 0:
            self._running[host] = left
        else:
            self._running.pop(host, None)

    def hold(self, url: str, until: datetime) -> list[Request]:
        """Hold the host or domain of *url* until then; gives back the requests of it that were still waiting."""
        scope = scope_of(url, self.scope)
        if len(self._held) >= MOST_HELD:
            del self._held[next(iter(self._held))]
        self._held[scope] = max(until, self._held.get(scope, until))
        dropped: list[Request] = []
        for host in [host for host in self._waiting if self.scope != "url"]:
            line = self._waiting[host]
            dropped += [request for request in line if scope_of(request.url, self.scope) == scope]
            kept = deque(request for request in line if scope_of(request.url, self.scope) != scope)
            if kept:
                self._waiting[host] = kept
            else:
                del self._waiting[host]
        return dropped

    def held_until(self, url: str, now: datetime) -> datetime | None:
        """Until when *url* is not to be asked; None where it may be."""
        if not self._held:
            return None
        scope = scope_of(url, self.scope)
        until = self._held.get(scope)
        if until is not None and until <= now:
            del self._held[scope]
            return None
        return until

    def clock_was_set(self, by: timedelta) -> None:
        """Hold on for as long as was asked, whatever the clock shows now."""
        self._held = {scope: until + by for scope, until in self._held.items()}

    @property
    def _most(self) -> int:
        return max(2 * self.per_host, 4)


def scope_of(url: str, scope: RateScope) -> str:
    """What shares a limit with *url*: itself, its host, or the domain that was registered (Public Suffix List)."""
    if scope == "url":
        return url
    host = host_of(url)
    return registrable(host) if scope == "domain" else host


class Outage:
    """Give it every outcome by `saw`; `now` asks. Sources fail alone, a network fails them all."""

    def __init__(self) -> None:
        self._answered_at: datetime | None = None
        self._failed: deque[tuple[datetime, str]] = deque()

    def saw(self, outcome: Answer | FetchError, at: datetime) -> None:
        """Take in how a request ended."""
        if isinstance(outcome, Answer) or outcome.status is not None or isinstance(outcome, FetchTooLarge):
            self._answered_at = at
            self._failed.clear()
        elif not isinstance(outcome, FetchBlocked):
            self._failed.append((at, urlsplit(outcome.request.url).netloc if outcome.request else outcome.url))
            if len(self._failed) > 1000:
                self._failed.popleft()

    def now(self, at: datetime) -> bool:
        """Whether everything that was asked lately failed before any answer."""
        if self._answered_at is not None and at - self._answered_at < LOOKS_BACK:
            return False
        while self._failed and at - self._failed[0][0] > LOOKS_BACK:
            self._failed.popleft()
        return len({host for _, host in self._failed}) >= HOSTS_AT_LEAST


# ------------------------------------------------ article pages on their way

log = logging.getLogger(__name__)

FOLLOW_AT_ONCE = 20
"""Article pages followed after one poll of a listing or sitemap; the rest comes after the next."""
TRIES = 3
KEPT_FOR = timedelta(hours=24)
RETRIED_AFTER = timedelta(minutes=30)
"""How long a robots.txt holds (RFC 9309 §2.4), and one that could not be had."""
MOST_SITES = 5000
MOST_LATELY = 10_000
"""Pages done with of which it is remembered, for a listing that was claimed before they were does not know it."""


class Follows:
    """Article pages: `want` them; `ended` for the outcome of every request whose tag is one of `TAGS`.

    A page counts as followed when its body has arrived, is refused, or has failed `TRIES` times; what only failed stays
    in the queue, and is asked for again when its source has been polled again.

    *held* says until when an address is not to be asked: pages that would have to wait come after the next poll.
    *followed* are the pages that are done with, by source, as hashes, *refused* one by source that robots.txt does not
    allow. Whoever has saved them calls `saved`.
    """

    TAGS = ("follow", "next", "robots")

    def __init__(
        self,
        submit: Callable[[Request], None],
        held: Callable[[str, datetime], datetime | None] = lambda url, now: None,
    ) -> None:
        self._submit = submit
        self._held = held
        self._rules: dict[str, tuple[datetime, Rules]] = {}
        self._waiting: dict[str, list[Request]] = {}
        self._tries: dict[tuple[int, str], int] = {}
        self._out = 0
        self._under_way: set[tuple[int, str]] = set()
        self._lately: dict[tuple[int, str], None] = {}
        self._turned: dict[int, int] = {}
        self.followed: dict[int, set[int]] = {}
        self.refused: dict[int, str] = {}

    def __len__(self) -> int:
        """Pages and robots.txt asked for or waiting."""
        return self._out + sum(len(pages) for pages in self._waiting.values())

    @property
    def sources(self) -> set[int]:
        """Those of which pages are asked for or wait."""
        return {source_id for source_id, _ in self._under_way}

    def turn(self, source: Source, url: str, now: datetime, *, polled: bool) -> None:
        """Have *url*, the next page of the list of *source*, fetched, unless it has been as many as config allows since
        the first, which was *polled*. Headers of config go to its own site alone.
        """
        turned = 1 if polled else self._turned.get(source.id, 1)
        if source.select is None or turned >= source.select.pages:
            return
        self._turned[source.id] = turned + 1
        self._lately.pop((source.id, url), None)
        headers = source.headers if _site(url) == _site(source.target) else ()
        self._want(Request(source_id=source.id, url=url, headers=headers, accept="page", tag="next"), now)

    def want(self, source_id: int, urls: Iterable[str], now: datetime) -> None:
        """Have pages fetched; those that robots.txt is already known to refuse are done with."""
        for url in urls:
            self._want(Request(source_id=source_id, url=url, accept="page", tag="follow"), now)

    def _want(self, page: Request, now: datetime) -> None:
        key = (page.source_id, page.url)
        if key in self._lately:
            self.followed.setdefault(page.source_id, set()).add(link_hash(page.url))
            return
        if key in self._under_way or self._held(page.url, now):
            return
        self._under_way.add(key)
        site = _site(page.url)
        known = self._rules.get(site)
        if known is not None and known[0] > now:
            self._start(page, known[1], now)
        elif site in self._waiting:
            self._waiting[site].append(page)
        else:
            self._waiting[site] = [page]
            self._out += 1
            self._submit(Request(source_id=page.source_id, url=f"{site}/robots.txt", accept="any", tag="robots"))

    def ended(self, outcome: Answer | FetchError, now: datetime) -> Answer | None:
        """Take in how a request of ours ended; gives the answer where it is an article page to be read."""
        if outcome.request.tag == "robots":
            self._robots(outcome, now)
            return None
        if self._page(outcome):
            self._done(outcome.request)
        return outcome if isinstance(outcome, Answer) and outcome.body else None

    def put_off(self, request: Request) -> None:
        """A request of ours was taken back before it was asked; what hangs on it comes after the next poll."""
        self._out -= 1
        pages = [request] if request.tag != "robots" else self._waiting.pop(_site(request.url), [])
        for page in pages:
            self._under_way.discard((page.source_id, page.url))

    def saved(self) -> None:
        """What `followed` said is in the store."""
        self.followed, self.refused = {}, {}

    def _robots(self, outcome: Answer | FetchError, now: datetime) -> None:
        """Take in a robots.txt and start the pages that waited for it."""
        self._out -= 1
        site = _site(outcome.request.url)
        if isinstance(outcome, Answer):
            rules = rules_of(outcome.status, outcome.body)
            until = now + KEPT_FOR
        else:
            # One that is too large may forbid anything, as one that can't be had does.
            rules = rules_of(0 if isinstance(outcome, FetchTooLarge) else outcome.status or 0)
            until = now + (KEPT_FOR if outcome.status and outcome.status < 500 else RETRIED_AFTER)
        if len(self._rules) >= MOST_SITES:
            self._rules = {name: kept for name, kept in self._rules.items() if kept[0] > now}
            while len(self._rules) >= MOST_SITES:
                del self._rules[next(iter(self._rules))]
        self._rules[site] = (until, rules)
        for page in self._waiting.pop(site, ()):
            self._start(page, rules, now)

    def _page(self, outcome: Answer | FetchError) -> bool:
        """Take in how a page ended; whether it is done with: it has arrived, is gone, or was tried often enough."""
        self._out -= 1
        key = (outcome.request.source_id, outcome.request.url)
        self._under_way.discard(key)
        if isinstance(outcome, FetchError) and outcome.kind != "hard":
            tries = self._tries.get(key, 0) + 1
            if tries < TRIES:
                if len(self._tries) >= 10 * MOST_SITES:
                    self._tries.clear()
                self._tries[key] = tries
                log.info("article page %s: %s; tried again after the next poll", outcome.url, outcome)
                return False
        self._tries.pop(key, None)
        if isinstance(outcome, FetchError):
            log.warning("article page %s: %s; given up", outcome.url, outcome)
        return True

    def _start(self, page: Request, rules: Rules, now: datetime) -> None:
        if not rules.allows(page.url):
            log.info("article page %s: skipped, for robots.txt does not allow it", page.url)
            self._under_way.discard((page.source_id, page.url))
            self.refused[page.source_id] = page.url
            self._done(page)
            return
        if self._held(page.url, now):
            self._under_way.discard((page.source_id, page.url))
            return
        self._out += 1
        self._submit(page)

    def _done(self, page: Request) -> None:
        if len(self._lately) >= MOST_LATELY:
            del self._lately[next(iter(self._lately))]
        self._lately[page.source_id, page.url] = None
        self.followed.setdefault(page.source_id, set()).add(link_hash(page.url))


def link_hash(url: str) -> int:
    """By which an article page that was followed is known."""
    return xxhash.xxh3_64_intdigest(url.encode())


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
