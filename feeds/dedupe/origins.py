"""Who had it first: of the entries of one article, which is the original and which are copies, and why. Pure.

No single sign is sure: feeds carry wrong dates, partners name themselves as canonical, agencies are credited in a
dozen ways. So each sign is evidence with a weight, and the entry with most of it is the original. The weights are
ordered by how hard a sign is to have by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.comparable import comparable_url
from feeds.dedupe.credits import Credit, Directory, find_credits, has_dateline, means
from feeds.errors import UrlError
from feeds.model import Entry, Evidence, FullText, Source

NAMED_AS_CANONICAL = 5.0
"""Another entry names this one's address as the original."""
CREDITED = 4.0
"""Another entry credits this one's source."""
CREDITS_OTHER = -4.0
"""It names somebody else as first publisher."""
PRIORITY = 2.5
"""Its source stands above all others in the config, in proportion for those between: more than any date, less than
what an entry says itself."""
PUBLISHED_FIRST = 1.5
SEEN_FIRST = 0.5
HAS_DATELINE = 0.25
NOINDEX = -1.0
"""It asks search engines not to list it, as partners do with what is not theirs."""

PLAIN_LEAD = 3.0
"""So far ahead an original has been named, and not only dated earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an entry says of where it comes from: all of it that is weighed, a small part of what was read."""

    credits: tuple[Credit, ...]
    dateline: bool
    noindex: bool
    link: str | None
    canonical_url: str | None
    published: datetime | None


def said(entry: Entry) -> Said:
    """Read out of *entry* what it says of where it comes from; `feeds.model.LINEAGE_FIELDS` are enough."""
    return Said(
        credits=find_credits(entry),
        dateline=has_dateline(entry),
        noindex=entry.noindex,
        link=entry.link,
        canonical_url=entry.canonical_url,
        published=entry.published,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one entry of an article says, with its source and when it was first seen."""

    said: Said
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

    def why(self, at: int) -> Evidence:
        """What was weighed for the entry *at*."""
        order = self.copies if self.original is None else (self.original, *self.copies)
        return self.evidence[order.index(at)]


def trace(told: Sequence[Told], sources: Iterable[Source] | Directory = ()) -> Lineage:
    """Weigh the entries of one article; *sources* are the configured ones, whom a credit may mean."""
    directory = sources if isinstance(sources, Directory) else Directory(sources)
    credits = [one.said.credits for one in told]
    scores = [0.0] * len(told)
    reasons: list[list[str]] = [[] for _ in told]

    def say(at: int, weight: float, why: str) -> None:
        scores[at] += weight
        reasons[at].append(f"{why} ({weight:+g})")

    lowest, highest = (end((one.source.priority for one in told), default=0) for end in (min, max))
    for at, one in enumerate(told):
        if one.source.priority > lowest:
            step = (one.source.priority - lowest) / (highest - lowest)
            say(at, round(PRIORITY * step, 2), "priority of its source")
        if one.said.noindex:
            say(at, NOINDEX, "asks not to be indexed")
        if one.said.dateline:
            say(at, HAS_DATELINE, "dateline")
        for other_at, other in enumerate(told):
            if other_at != at and _names_as_canonical(other.said, one.said):
                say(at, NAMED_AS_CANONICAL, f"canonical address of {other.source.name}")
        for credit in credits[at]:
            if not credit.partial and not means(credit, one.source):
                say(at, CREDITS_OTHER * credit.weight, f"credits {credit.name}: {credit.how}")
            for other_at, other in enumerate(told):
                if other_at != at and not credit.partial and means(credit, other.source):
                    say(other_at, CREDITED * credit.weight, f"credited by {one.source.name}: {credit.how}")
    dated = [(one.said.published, at) for at, one in enumerate(told) if one.said.published is not None]
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
    meant = directory.meant(strongest) if strongest is not None else None
    return Lineage(
        original=None if elsewhere or not order else order[0],
        copies=tuple(order if elsewhere else order[1:]),
        credited=strongest,
        credited_source_id=meant.id if meant is not None else None,
        evidence=evidence,
    )


def choose_shown(told: Sequence[Told], lineage: Lineage, shown: int, desk_rights: FullText) -> int:
    """Which entry the article is told by: the original, once one that is *shown* now names it; seldom another.

    A source of higher priority comes first. What dates alone say marks the original and moves nothing, for subscribers
    would see title and address change without need. Nor is text lost that a source's own ``full_text: full`` gives.
    """
    highest = max(one.source.priority for one in told)
    allowed = [at for at, one in enumerate(told) if one.source.priority == highest]
    if shown not in allowed:
        return lineage.original if lineage.original in allowed else allowed[0]
    original = lineage.original
    if original is None or original == shown or original not in allowed:
        return shown
    if told[shown].source.full_text == "full" and (told[original].source.full_text or desk_rights) != "full":
        return shown
    lead = (lineage.why(original).score or 0.0) - (lineage.why(shown).score or 0.0)
    return original if lead >= PLAIN_LEAD else shown


def _names_as_canonical(one: Said, other: Said) -> bool:
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
