"""Whom an entry credits as first publisher, which entry of an article is the original, and by which it is told. Pure.

Credits are "Source: X", "(Reuters)", "With inputs from PTI", datelines, bylines, addresses. Agencies are known by the
names under which they are credited: one is believed wherever it stands as a credit, short ones ("AP", "PA") only as
whole names. `Directory` finds the configured source that a credit means.

No single sign of an original is sure: feeds carry wrong dates, partners name themselves as canonical, agencies are
credited in a dozen ways. So each sign is evidence with a weight, and the entry with most of it is the original
(`trace`). The weights are ordered by how hard a sign is to have by accident.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from feeds.comparable import comparable_url
from feeds.configuration import FullText, Source
from feeds.errors import UrlError
from feeds.model import Entry, Evidence
from feeds.parsed import Origin
from feeds.text import OF_PICTURES, agencies, fold, spelled
from feeds.urls import host_of, public_address, registrable, site_of

_LABELLED = re.compile(
    r"^\W*(?:sources?|via|credits?|courtesy|quelle|fonte|fuente|bron|källa|kilde|źródło|источник|स्रोत|来源|來源|出典)"
    r"(?:\s*[:：]|\s+[-–—]|[–—])\s*"
    r"(?P<name>.{2,80}?)\W*$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^\W*(?:(?:this |the )?(?:article|story|report|post|piece) )?(?:was |is )?"
    r"(?:(?:first|originally) (?:published|appeared) (?:in|on|at|by)|"
    r"(?:republished|reprinted) (?:from|with permission (?:of|from))|courtesy of)\s+"
    r"(?P<name>.{2,80}?)\W*$",
    re.IGNORECASE,
)
_INPUTS = re.compile(
    r"\bwith (?:additional )?(?:inputs?|reporting|files) (?:from|by)\s+(?P<name>[^.;()\n]{2,80})", re.IGNORECASE
)
_BRACKETED = re.compile(r"\((?P<name>[A-Z][\w./ &-]{1,40})\)")
_DATELINE = re.compile(
    r"^\s*(?P<place>[A-Z][\w.'’ -]{1,40}(?:,\s*[A-Z][\w.' -]{1,30}){0,2})?\s*"
    r"(?:\((?P<agency>[A-Z][\w./ &-]{1,40})\))?\s*(?:[-–—]{1,2}|:)\s"
)
_CONTRIBUTED = re.compile(r"^\W*(?P<name>[\w./ &-]{2,40}?) contributed to this (?:report|story|article)", re.IGNORECASE)
_BYLINE_AGENCY = re.compile(r"^\W*(?:by |von |par |por |di )?(?P<name>.{2,60}?)\W*$", re.IGNORECASE)
_OF_PERSON = re.compile(r"\W*(?:credits?|courtesy)\b", re.IGNORECASE)
_NAME_TAIL = re.compile(r"\s*(?:[|/,]| - | – ).*$")


NAME_BEGINS = 6
"""A credit with so many letters means a source whose name begins with it."""
_NO_LETTER = re.compile(r"[^\w]")
_TOP_DOMAIN = re.compile(r"\.(?:com|org|net|co\.\w\w|in|uk|de|fr)\b.*$", re.IGNORECASE)
AGENCIES = {spelled(name): shown for name, shown in agencies("c").items()}
"""Folded words → the name to show."""
_KNOWN_AGENCIES = frozenset(AGENCIES.values())
PLAIN_WEIGHT = 0.8
"""So sure a credit must be for the article to name it as its origin."""


class Credit(Struct, frozen=True):
    """Somebody named as first publisher: *name* as known, *how* it was said, *weight* from 0 to 1.

    Inputs from an agency (*partial*) do not make the entry its copy.
    """

    name: str
    how: str
    weight: float
    url: str | None = None
    partial: bool = False


def find_credits(entry: Entry) -> tuple[Credit, ...]:
    """Whom an entry names as first publisher, surest first: its origin, credit lines, dateline, byline, publisher.

    A name counts as an agency's only where it is one of AGENCIES; a line such as "Source: X" names anybody.
    """
    found = [*_stated(entry), *chain.from_iterable(map(read_credit, entry.credits)), *_in_text(entry.text)]
    found += [*_in_bylines(entry), *_at_canonical(entry)]
    distinct: dict[tuple[str, bool], Credit] = {}
    for credit in found:
        key = (name_key(credit.name), credit.partial)
        if key not in distinct or credit.weight > distinct[key].weight:
            distinct[key] = credit
    return tuple(sorted(distinct.values(), key=lambda credit: -credit.weight))


def _stated(entry: Entry) -> list[Credit]:
    """Whom the feed itself names as the entry's origin."""
    origin = entry.origin
    if origin is None or not origin.name:
        return []
    return [Credit(origin.name, "origin in the feed", 1.0, origin.url or origin.feed_url)]


def _in_bylines(entry: Entry) -> Iterator[Credit]:
    for author in entry.authors:
        byline = _BYLINE_AGENCY.match(author.name or "")
        if byline and (agency := _agency(byline["name"])):
            yield Credit(agency, f"byline {author.name!r}", 0.7)


def _at_canonical(entry: Entry) -> Iterator[Credit]:
    """Whose site has the canonical address, where it is another one."""
    canonical = host_of(entry.canonical_url or "")
    if canonical and entry.link and registrable(canonical) != registrable(host_of(entry.link)):
        yield Credit(canonical, "canonical address", 0.9, entry.canonical_url)


def _in_text(text: str) -> Iterator[Credit]:
    """Whom a text credits where it begins and where it ends."""
    dateline = _DATELINE.match(text[:200])
    if dateline and (agency := _agency(dateline["agency"])):
        yield Credit(agency, f"dateline {dateline[0].strip()!r}", 0.8)
    for line in text[-300:].split("\n")[-4:]:
        yield from (one for one in read_credit(line) if one.name in _KNOWN_AGENCIES or one.weight >= 0.9)


def read_credit(line: str) -> list[Credit]:
    """The credits in one printed line.

    >>> [(credit.name, credit.partial) for credit in read_credit("Source: hindustantimes")]
    [('hindustantimes', False)]
    >>> [(credit.name, credit.partial) for credit in read_credit("With inputs from PTI")]
    [('PTI', True)]
    """
    line = line.strip()
    if not line or len(line) > 200:
        return []
    how = f"line {line!r}"
    if partial := _contributed(line):
        return [Credit(_agency(name) or name, how, weight, partial=True) for name, weight in partial]
    if stated := _LABELLED.match(line) or _SAID.match(line):
        if _OF_PERSON.match(line) and OF_PICTURES.search(stated["name"]):
            return []
        name = _NAME_TAIL.sub("", stated["name"]).strip()
        return [Credit(_agency(name) or name, how, 0.95)] if name else []
    return _of_agencies(line, how)


def _of_agencies(line: str, how: str) -> list[Credit]:
    """The credits in a line that names an agency and nothing else, or has some in brackets."""
    if agency := _agency(line.strip("()[] .–—-")):
        return [Credit(agency, how, 0.85)]
    return [Credit(agency, how, 0.7) for agency in map(_agency, _BRACKETED.findall(line)) if agency is not None]


def _contributed(line: str) -> list[tuple[str, float]]:
    """The names of those that gave a part of an article, each with the weight of the credit."""
    if inputs := _INPUTS.search(line):
        names = [name.strip() for name in re.split(r",| and | & ", inputs["name"])]
        return [(name, 0.5) for name in names if name]
    contributed = _CONTRIBUTED.match(line)
    return [(contributed["name"].strip(), 0.4)] if contributed else []


@lru_cache(4096)
def _known_by(name: str, key: str, target: str) -> tuple[frozenset[str], str, str]:
    """By what a credit means a source: its names, as `name_key` gives them; the domain of its site, and its label."""
    host = host_of(target)
    return frozenset((name_key(name), name_key(key))), registrable(host) if host else "", site_label(host)


def means(credit: Credit, source: Source) -> bool:
    """Whether a credit is to this source: by its name, or by the name or address of its site."""
    names, site, label = _known_by(source.name, source.key, source.target)
    key = name_key(credit.name)
    if key and (key in names or any(_begins(name, key) for name in names)):
        return True
    if credit.url and site and registrable(host_of(credit.url)) == site:
        return True
    return bool(label) and (key == label or site_label(credit.name.lower()) == label)


def _begins(name: str, key: str) -> bool:
    """ "hindustantimes" means the source "Hindustan Times World", but "the" means nobody."""
    return len(key) >= NAME_BEGINS and name.startswith(key)


def _agency(name: str | None) -> str | None:
    return AGENCIES.get(spelled(name)) if name else None


def name_key(name: str) -> str:
    """A name as names are compared: "Hindustan Times", "hindustantimes" and "HindustanTimes.com" are one."""
    key = _NO_LETTER.sub("", fold(_TOP_DOMAIN.sub("", name.strip()) if "." in name else name))
    return key.removeprefix("www").removeprefix("the") if len(key) > 6 else key


def site_label(host: str) -> str:
    """What a host is called between ``www`` and its top domain, as a name is compared; empty where it is not told."""
    labels = [
        label for label in host.split(".") if label not in ("www", "m", "feeds", "rss", "news", "amp", "co", "com")
    ]
    return name_key(max(labels[:-1] or labels, key=len)) if len(labels) > 1 or "." in host else ""


def has_dateline(entry: Entry) -> bool:
    """Whether the text begins with the place it was written at, in capitals: "ROME - …"."""
    found = _DATELINE.match(entry.text[:200])
    return bool(found and found["place"] and found["place"].split(",")[0].isupper())


class Directory:
    """Finds the source that a credit means, in a time that does not grow with their number."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._by_name: dict[str, Source] = {}
        self._by_site: dict[str, Source] = {}
        self._by_label: dict[str, Source] = {}
        for source in sources:
            names, site, label = _known_by(source.name, source.key, source.target)
            for name in names:
                self._by_name.setdefault(name, source)
            self._by_site.setdefault(site, source)
            self._by_label.setdefault(label, source)
        for known in (self._by_name, self._by_site, self._by_label):
            known.pop("", None)
        self._names = sorted(self._by_name)

    def meant(self, credit: Credit) -> Source | None:
        """The source that *credit* names: by its name, the beginning of it, or its site; see `means`."""
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
    if meant is not None:
        origin = entry.origin or Origin(name=meant.name if credit.url else credit.name)
        feed, site = _addresses(meant)
        origin = replace(origin, url=origin.url or site_url or site, feed_url=origin.feed_url or feed)
    else:
        url = f"https://{host_of(credit.url)}/" if credit.url else None
        origin = entry.origin or Origin(name=credit.name, url=url)
    return entry if origin == entry.origin else replace(entry, origin=origin)


def _addresses(source: Source) -> tuple[str | None, str | None]:
    """The feed of a source, where its address may be shown, else its site."""
    if source.kind != "feed":
        return None, None
    feed = public_address(source.target)
    return feed, site_of(source.target) if feed is None else None


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


class OriginSigns(Struct, frozen=True, kw_only=True):
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


class Candidate(Struct, frozen=True, kw_only=True):
    """What one entry of an article says, with its source, when it was first seen, and whether that source drops it."""

    signs: OriginSigns
    source: Source
    first_seen: datetime
    dropped: bool = False


class Lineage(Struct, frozen=True, kw_only=True):
    """*original* counts in the entries given; None where each credits somebody who has brought nothing (yet).

    *evidence* is what was weighed for each entry.
    """

    original: int | None
    evidence: tuple[Evidence, ...]


def trace(candidates: Sequence[Candidate]) -> Lineage:
    """Weigh the entries of one article."""
    weighing = _Weighing(candidates)
    every = range(len(candidates))
    for at in every:
        weighing.look_at(at)
        weighing.look_for_canonical(at)
        weighing.look_at_credits(at)
    weighing.look_at_times()
    elsewhere = all(map(weighing.credits_another, every))
    first = min(every, key=lambda at: (-weighing.scores[at], candidates[at].first_seen, at), default=None)
    return Lineage(original=None if elsewhere else first, evidence=tuple(map(weighing.evidence, every)))


class _Weighing:
    """What speaks for each of the *candidates* to be the original."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self.scores = [0.0] * len(candidates)
        self._reasons: list[list[str]] = [[] for _ in candidates]
        priorities = [one.source.priority for one in candidates]
        self._lowest, self._highest = min(priorities, default=0), max(priorities, default=0)

    def evidence(self, at: int) -> Evidence:
        detail = f"{self._candidates[at].source.name}: {', '.join(self._reasons[at]) or 'nothing'}"
        return Evidence(kind="lineage", detail=detail, score=self.scores[at])

    def credits_another(self, at: int) -> bool:
        """Whether the entry names somebody else as first publisher."""
        one = self._candidates[at]
        return any(not means(credit, one.source) for credit in one.signs.credits if not credit.partial)

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
        one = self._candidates[at]
        for credit in one.signs.credits:
            if credit.partial:
                continue
            if not means(credit, one.source):
                self._say(at, CREDITS_OTHER * credit.weight, f"credits {credit.name}: {credit.how}")
            for other_at, other in self._others(at):
                if means(credit, other.source):
                    self._say(other_at, CREDITED * credit.weight, f"credited by {one.source.name}: {credit.how}")

    def look_at_times(self) -> None:
        published = [(one.signs.published, at) for at, one in enumerate(self._candidates)]
        dated = [(moment, at) for moment, at in published if moment is not None]
        if len(dated) > 1 and min(dated)[0] != max(dated)[0]:
            self._say(min(dated)[1], PUBLISHED_FIRST, "published first")
        if self._candidates:
            first = min(range(len(self._candidates)), key=lambda at: self._candidates[at].first_seen)
            self._say(first, SEEN_FIRST, "seen first")

    def _others(self, at: int) -> Iterator[tuple[int, Candidate]]:
        return ((other_at, other) for other_at, other in enumerate(self._candidates) if other_at != at)

    def _say(self, at: int, weight: float, why: str) -> None:
        self.scores[at] += weight
        self._reasons[at].append(f"{why} ({weight:+g})")


def choose_shown(candidates: Sequence[Candidate], lineage: Lineage, shown: int, desk_rights: FullText) -> int:
    """Which entry the article is told by: the original, once one that is *shown* now names it; seldom another.

    A source of higher priority comes first. What dates alone say marks the original and moves nothing, for subscribers
    would see title and address change without need. Nor is text lost that a source's own ``full_text: full`` gives.
    What its own source drops is shown where there is nothing else.
    """
    may = [at for at, one in enumerate(candidates) if not one.dropped] or range(len(candidates))
    highest = max(candidates[at].source.priority for at in may)
    allowed = [at for at in may if candidates[at].source.priority == highest]
    original = lineage.original if lineage.original in allowed else None
    if shown not in allowed:
        return original if original is not None else allowed[0]
    if original is None or original == shown:
        return shown
    return _nearer(candidates, lineage, shown, original, desk_rights)


def _nearer(candidates: Sequence[Candidate], lineage: Lineage, shown: int, original: int, desk_rights: FullText) -> int:
    """Which of the entry *shown* now and the *original* of one priority the article is told by."""
    of_shown, of_original = candidates[shown].source, candidates[original].source
    if of_shown.rights == "full" and (of_original.rights or desk_rights) != "full":
        return shown
    lead = (lineage.evidence[original].score or 0.0) - (lineage.evidence[shown].score or 0.0)
    return original if lead >= PLAIN_LEAD else shown


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
