"""Whom an entry credits: "Source: X", "(Reuters)", "With inputs from PTI", datelines, bylines, addresses. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from feeds.dedupe.agencies import AGENCIES
from feeds.model import Entry, Source
from feeds.text import fold, spelled
from feeds.urls import host_of, registrable

_LABELLED = re.compile(
    r"^\W*(?:sources?|via|credits?|courtesy|quelle|fonte|fuente|bron|källa|kilde|źródło|источник|स्रोत|来源|來源|出典)\s*[:：\-–—]\s*"
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
_NAME_TAIL = re.compile(r"\s*(?:[|/,]| - | – ).*$")


NAME_BEGINS = 6
"""A credit with so many letters means a source whose name begins with it."""
_KNOWN_AGENCIES = frozenset(AGENCIES.values())


@dataclass(frozen=True, slots=True)
class Credit:
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
    found: list[Credit] = []
    if entry.origin is not None and entry.origin.name:
        found.append(Credit(entry.origin.name, "origin in the feed", 1.0, entry.origin.url or entry.origin.feed_url))
    for line in entry.credits:
        found.extend(read_credit(line))
    head, tail = entry.text[:200], entry.text[-300:]
    dateline = _DATELINE.match(head)
    if dateline and (agency := _agency(dateline["agency"])):
        found.append(Credit(agency, f"dateline {dateline[0].strip()!r}", 0.8))
    for line in tail.split("\n")[-4:]:
        found.extend(credit for credit in read_credit(line) if credit.name in _KNOWN_AGENCIES or credit.weight >= 0.9)
    for author in entry.authors:
        byline = _BYLINE_AGENCY.match(author.name or "")
        if byline and (agency := _agency(byline["name"])):
            found.append(Credit(agency, f"byline {author.name!r}", 0.7))
    stated = host_of(entry.canonical_url or "")
    if stated and entry.link and registrable(stated) != registrable(host_of(entry.link)):
        found.append(Credit(stated, "canonical address", 0.9, entry.canonical_url))
    distinct: dict[tuple[str, bool], Credit] = {}
    for credit in found:
        key = (name_key(credit.name), credit.partial)
        if key not in distinct or credit.weight > distinct[key].weight:
            distinct[key] = credit
    return tuple(sorted(distinct.values(), key=lambda credit: -credit.weight))


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
    inputs = _INPUTS.search(line)
    if inputs:
        names = re.split(r",| and | & ", inputs["name"])
        return [
            Credit(_agency(name) or name.strip(), f"line {line!r}", 0.5, partial=True) for name in names if name.strip()
        ]
    contributed = _CONTRIBUTED.match(line)
    if contributed:
        name = contributed["name"].strip()
        return [Credit(_agency(name) or name, f"line {line!r}", 0.4, partial=True)]
    stated = _LABELLED.match(line) or _SAID.match(line)
    if stated:
        name = _NAME_TAIL.sub("", stated["name"]).strip()
        return [Credit(_agency(name) or name, f"line {line!r}", 0.95)] if name else []
    agency = _agency(line.strip("()[] .–—-"))
    if agency:
        return [Credit(agency, f"line {line!r}", 0.85)]
    return [
        Credit(agency, f"line {line!r}", 0.7)
        for name in _BRACKETED.findall(line)
        if (agency := _agency(name)) is not None
    ]


def means(credit: Credit, source: Source) -> bool:
    """Whether a credit is to this source: by its name, or by the name or address of its site."""
    names = {name_key(source.name), name_key(source.key)}
    host = host_of(source.target)
    key = name_key(credit.name)
    if key and (key in names or any(_begins(name, key) for name in names)):
        return True
    if credit.url and host and registrable(host_of(credit.url)) == registrable(host):
        return True
    label = site_label(host)
    return bool(label) and (key == label or site_label(credit.name.lower()) == label)


def _begins(name: str, key: str) -> bool:
    """ "hindustantimes" means the source "Hindustan Times World", but "the" means nobody."""
    return len(key) >= NAME_BEGINS and name.startswith(key)


def _agency(name: str | None) -> str | None:
    return AGENCIES.get(spelled(name)) if name else None


_NO_LETTER = re.compile(r"[^\w]")
_TOP_DOMAIN = re.compile(r"\.(?:com|org|net|co\.\w\w|in|uk|de|fr)\b.*$", re.IGNORECASE)


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
