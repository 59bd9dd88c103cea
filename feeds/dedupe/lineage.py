"""Who had it first: of the entries of one article, which is the original and which are copies, and why. Pure.

No single sign is sure: feeds carry wrong dates, partners name themselves as canonical, agencies are credited in a
dozen ways. So each sign is evidence with a weight, and the entry with most of it is the original. The weights are
ordered by how hard a sign is to have by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.dedupe.credits import Credit, find_credits, has_dateline, means
from feeds.errors import UrlError
from feeds.model import Entry, Evidence, Source
from feeds.urls import comparable_url

NAMED_AS_CANONICAL = 5.0
"""Another entry names this one's address as the original."""
CREDITED = 4.0
"""Another entry credits this one's source."""
CREDITS_OTHER = -4.0
"""It names somebody else as first publisher."""
PRIORITY = 2.0
"""For each step that its source stands above the lowest, as the admin says."""
PUBLISHED_FIRST = 1.5
SEEN_FIRST = 0.5
HAS_DATELINE = 0.25
NOINDEX = -1.0
"""It asks search engines not to list it, as partners do with what is not theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry of an article, with its source and when it was first seen."""

    entry: Entry
    source: Source
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """*original* counts in the entries given; None where a source is credited that has brought nothing (yet).

    *credited* is whom the article comes from by its own words; *source_id* of the configured source that it is.
    """

    original: int | None
    copies: tuple[int, ...]
    credited: Credit | None = None
    credited_source_id: int | None = None
    evidence: tuple[Evidence, ...] = ()


def trace(told: Sequence[Told], sources: Iterable[Source] = ()) -> Lineage:
    """Weigh the entries of one article; *sources* are the configured ones, whom a credit may mean."""
    configured = list(sources)
    credits = [find_credits(one.entry) for one in told]
    scores = [0.0] * len(told)
    reasons: list[list[str]] = [[] for _ in told]

    def say(at: int, weight: float, why: str) -> None:
        scores[at] += weight
        reasons[at].append(f"{why} ({weight:+g})")

    lowest = min((one.source.priority for one in told), default=0)
    for at, one in enumerate(told):
        if one.source.priority > lowest:
            say(at, PRIORITY * (one.source.priority - lowest), "priority of its source")
        if one.entry.noindex:
            say(at, NOINDEX, "asks not to be indexed")
        if has_dateline(one.entry):
            say(at, HAS_DATELINE, "dateline")
        for other_at, other in enumerate(told):
            if other_at != at and _names_as_canonical(other.entry, one.entry):
                say(at, NAMED_AS_CANONICAL, f"canonical address of {other.source.name}")
        for credit in credits[at]:
            if not credit.partial and not means(credit, one.source):
                say(at, CREDITS_OTHER * credit.weight, f"credits {credit.name}: {credit.how}")
            for other_at, other in enumerate(told):
                if other_at != at and not credit.partial and means(credit, other.source):
                    say(other_at, CREDITED * credit.weight, f"credited by {one.source.name}: {credit.how}")
    dated = [(one.entry.published, at) for at, one in enumerate(told) if one.entry.published is not None]
    if len(dated) > 1 and min(dated)[0] != max(dated)[0]:
        say(min(dated)[1], PUBLISHED_FIRST, "published first")
    if told:
        say(min(range(len(told)), key=lambda at: told[at].first_seen), SEEN_FIRST, "seen first")
    order = sorted(range(len(told)), key=lambda at: (-scores[at], told[at].first_seen, at))
    strongest = max((c for found in credits for c in found if not c.partial), key=lambda c: c.weight, default=None)
    evidence = tuple(
        Evidence(
            kind="lineage", detail=f"{told[at].source.name}: {', '.join(reasons[at]) or 'nothing'}", score=scores[at]
        )
        for at in order
    )
    elsewhere = bool(order) and all(
        any(not credit.partial and not means(credit, told[at].source) for credit in credits[at]) for at in order
    )
    meant = next((one.id for one in configured if strongest is not None and means(strongest, one)), None)
    return Lineage(
        original=None if elsewhere or not order else order[0],
        copies=tuple(order if elsewhere else order[1:]),
        credited=strongest,
        credited_source_id=meant,
        evidence=evidence,
    )


def _names_as_canonical(one: Entry, other: Entry) -> bool:
    if not one.canonical_url or not other.link or one.link == other.link:
        return False
    try:
        return (
            comparable_url(one.canonical_url)
            == comparable_url(other.link)
            != comparable_url(one.link or "http://x.invalid")
        )
    except UrlError:
        return False
