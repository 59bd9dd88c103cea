"""The configured sources as credits name them: whom "Source: hindustantimes" means, and where it links. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace

from feeds.dedupe.credits import (
    NAME_BEGINS,
    Credit,
    find_credits,
    means,
    name_key,
    site_label,
)
from feeds.model import Entry, Origin, Source
from feeds.urls import host_of, public_address, registrable, site_of

PLAIN_WEIGHT = 0.8
"""So sure a credit must be for the article to name it as its origin."""


class Directory:
    """Finds the source that a credit means, in a time that does not grow with their number."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._by_name: dict[str, Source] = {}
        self._by_site: dict[str, Source] = {}
        self._by_label: dict[str, Source] = {}
        for source in sources:
            for name in (source.name, source.key):
                self._by_name.setdefault(name_key(name), source)
            if host := host_of(source.target):
                self._by_site.setdefault(registrable(host), source)
                if label := site_label(host):
                    self._by_label.setdefault(label, source)
        self._by_name.pop("", None)
        self._names = sorted(self._by_name)

    def meant(self, credit: Credit) -> Source | None:
        """The source that *credit* names: by its name, the beginning of it, or its site; see `credits.means`."""
        key = name_key(credit.name)
        if key in self._by_name:
            return self._by_name[key]
        if len(key) >= NAME_BEGINS:
            at = bisect_left(self._names, key)
            if at < len(self._names) and self._names[at].startswith(key):
                return self._by_name[self._names[at]]
        if credit.url and (found := self._by_site.get(registrable(host_of(credit.url)))) is not None:
            return found
        return self._by_label.get(key) or self._by_label.get(site_label(credit.name.lower()) or key)


def credited(entry: Entry, source: Source) -> Credit | None:
    """Whom *entry* names as first publisher beyond doubt, other than its own source; None where it names nobody."""
    for credit in find_credits(entry):
        if not credit.partial and credit.weight >= PLAIN_WEIGHT and not means(credit, source):
            return credit
    return None


def with_origin(entry: Entry, credit: Credit, meant: Source | None, site_url: str | None = None) -> Entry:
    """*entry* with the origin that *credit* names; it links to the configured source that is *meant*, if any.

    What the entry says of its origin itself is never changed, but for addresses that it does not give.
    """
    origin = entry.origin or Origin(name=credit.name if not credit.url or meant is None else meant.name)
    if entry.origin is None and credit.url and meant is None:
        origin = replace(origin, url=f"https://{host_of(credit.url)}/")
    if meant is not None:
        feed = public_address(meant.target) if meant.kind == "feed" else None
        site = site_url or (site_of(meant.target) if meant.kind == "feed" and feed is None else None)
        origin = replace(origin, url=origin.url or site, feed_url=origin.feed_url or feed)
    return entry if origin == entry.origin else replace(entry, origin=origin)
