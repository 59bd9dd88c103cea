"""Which entry of an article is the original, and by which the article is told. Pure.

No single sign of an original is sure: feeds carry wrong dates, partners name themselves as canonical, agencies are
credited in a dozen ways. So each sign is evidence with a weight, and the entry with most of it is the original
(`trace`). The weights are ordered by how hard a sign is to have by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from feeds.comparable import comparable_url
from feeds.configuration import FullText, Source
from feeds.dedupe.origins import Credit, Directory, find_credits, has_dateline, means
from feeds.errors import UrlError
from feeds.model import Entry, Evidence

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
class OriginSigns:
    """What an entry says of where it comes from: all of it that is weighed, a small part of what was read."""

    credits: tuple[Credit, ...]
    dateline: bool
    noindex: bool
    link: str | None
    canonical_url: str | None
    published: datetime | None


def origin_signs(entry: Entry) -> OriginSigns:
    """Read out of *entry* what it says of where it comes from; `feeds.model.LINEAGE_FIELDS` are enough."""
    return OriginSigns(
        credits=find_credits(entry),
        dateline=has_dateline(entry),
        noindex=entry.noindex,
        link=entry.link,
        canonical_url=entry.canonical_url,
        published=entry.published,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What one entry of an article says, with its source and when it was first seen."""

    signs: OriginSigns
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


def trace(candidates: Sequence[Candidate], sources: Iterable[Source] | Directory = ()) -> Lineage:
    """Weigh the entries of one article; *sources* are the configured ones, whom a credit may mean."""
    directory = sources if isinstance(sources, Directory) else Directory(sources)
    weighing = _Weighing(candidates)
    for at in range(len(candidates)):
        weighing.look_at(at)
        weighing.look_for_canonical(at)
        weighing.look_at_credits(at)
    weighing.look_at_times()
    order = sorted(range(len(candidates)), key=lambda at: (-weighing.scores[at], candidates[at].first_seen, at))
    strongest = max(chain.from_iterable(weighing.credits), key=lambda one: one.weight, default=None)
    meant = directory.meant(strongest) if strongest is not None else None
    elsewhere = bool(order) and all(map(weighing.credits_another, order))
    return Lineage(
        original=None if elsewhere or not order else order[0],
        copies=tuple(order if elsewhere else order[1:]),
        credited=strongest,
        credited_source_id=meant.id if meant is not None else None,
        evidence=tuple(map(weighing.evidence, order)),
    )


class _Weighing:
    """What speaks for each of the *candidates* to be the original. *credits* are those that mean all of an entry."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self.credits = [[credit for credit in one.signs.credits if not credit.partial] for one in candidates]
        self.scores = [0.0] * len(candidates)
        self._reasons: list[list[str]] = [[] for _ in candidates]
        priorities = [one.source.priority for one in candidates]
        self._lowest, self._highest = min(priorities, default=0), max(priorities, default=0)

    def evidence(self, at: int) -> Evidence:
        detail = f"{self._candidates[at].source.name}: {', '.join(self._reasons[at]) or 'nothing'}"
        return Evidence(kind="lineage", detail=detail, score=self.scores[at])

    def credits_another(self, at: int) -> bool:
        """Whether the entry names somebody else as first publisher."""
        return any(not means(credit, self._candidates[at].source) for credit in self.credits[at])

    def look_at(self, at: int) -> None:
        one = self._candidates[at]
        if one.source.priority > self._lowest:
            step = (one.source.priority - self._lowest) / (self._highest - self._lowest)
            self._say(at, round(PRIORITY * step, 2), "priority of its source")
        if one.signs.noindex:
            self._say(at, NOINDEX, "asks not to be indexed")
        if one.signs.dateline:
            self._say(at, HAS_DATELINE, "dateline")

    def look_for_canonical(self, at: int) -> None:
        """Who of the others names this one's address as the original."""
        for _, other in self._others(at):
            if _names_as_canonical(other.signs, self._candidates[at].signs):
                self._say(at, NAMED_AS_CANONICAL, f"canonical address of {other.source.name}")

    def look_at_credits(self, at: int) -> None:
        source = self._candidates[at].source
        for credit in self.credits[at]:
            if not means(credit, source):
                self._say(at, CREDITS_OTHER * credit.weight, f"credits {credit.name}: {credit.how}")
            for other_at, other in self._others(at):
                if means(credit, other.source):
                    self._say(other_at, CREDITED * credit.weight, f"credited by {source.name}: {credit.how}")

    def look_at_times(self) -> None:
        dated = [
            (one.signs.published, at) for at, one in enumerate(self._candidates) if one.signs.published is not None
        ]
        if len(dated) > 1 and min(dated)[0] != max(dated)[0]:
            self._say(min(dated)[1], PUBLISHED_FIRST, "published first")
        if self._candidates:
            self._say(
                min(range(len(self._candidates)), key=lambda at: self._candidates[at].first_seen),
                SEEN_FIRST,
                "seen first",
            )

    def _others(self, at: int) -> list[tuple[int, Candidate]]:
        return [(other_at, other) for other_at, other in enumerate(self._candidates) if other_at != at]

    def _say(self, at: int, weight: float, why: str) -> None:
        self.scores[at] += weight
        self._reasons[at].append(f"{why} ({weight:+g})")


def choose_shown(candidates: Sequence[Candidate], lineage: Lineage, shown: int, desk_rights: FullText) -> int:
    """Which entry the article is told by: the original, once one that is *shown* now names it; seldom another.

    A source of higher priority comes first. What dates alone say marks the original and moves nothing, for subscribers
    would see title and address change without need. Nor is text lost that a source's own ``full_text: full`` gives.
    """
    highest = max(one.source.priority for one in candidates)
    allowed = [at for at, one in enumerate(candidates) if one.source.priority == highest]
    original = lineage.original if lineage.original in allowed else None
    if shown not in allowed:
        return original if original is not None else allowed[0]
    if original is None or original == shown:
        return shown
    return _nearer(candidates, lineage, shown, original, desk_rights)


def _nearer(candidates: Sequence[Candidate], lineage: Lineage, shown: int, original: int, desk_rights: FullText) -> int:
    """Which of the entry *shown* now and the *original* of one priority the article is told by."""
    if _gives_more(candidates[shown], candidates[original], desk_rights):
        return shown
    lead = (lineage.why(original).score or 0.0) - (lineage.why(shown).score or 0.0)
    return original if lead >= PLAIN_LEAD else shown


def _gives_more(one: Candidate, other: Candidate, desk_rights: FullText) -> bool:
    """Whether the source of *one* gives the full text by a setting of its own, and that of *other* does not."""
    return one.source.rights == "full" and (other.source.rights or desk_rights) != "full"


def _names_as_canonical(one: OriginSigns, other: OriginSigns) -> bool:
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
