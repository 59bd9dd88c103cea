"""The alarms as a feed: one entry an event, whose id stays and whose words change when it is over. Pure.

What befalls many sources at once is one entry: events of one kind that begin within an hour of the first of them are
folded into it, as soon as there are more than a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote
from xml.etree import ElementTree

from feeds.dates import rfc3339
from feeds.frames import legal
from feeds.serve.representations import xml_text
from feeds.store.values import Event
from feeds.urls import masked

MOST = 100
LOOKS_AT = 5000
"""Entries that the feed has, and events of which they are made: a storm of them is a few entries."""
STORM_WITHIN = timedelta(hours=1)
STORM_FROM = 10
"""More events of one kind than that, begun within that time, become one entry."""
_NAMED = 40
_ATOM = "http://www.w3.org/2005/Atom"
WORK = frozenset(("refile",))
"""Events that stand for work under way: nothing for an admin to do."""

NEWS = frozenset(("revived", "flood"))
"""Events that are over as soon as they are noted."""

OF_SOURCES = frozenset(("gone", "failing", "revived", "unread", "silent", "moved", "validators", "flood", "robots"))
"""Kinds of events that are about the source whose key is their subject."""

TITLES = {
    "config": "The config files have errors",
    "files": "Config files that are not in force",
    "gate": "A section's document was held back",
    "held": "A section's document was held back",
    "set-aside": "An article was set aside",
    "document": "A document could not be read",
    "clock": "The clock was set",
    "gone": "Gone",
    "model": "The learned classifier is not in use",
    "failing": "Failing",
    "unread": "Nothing can be read",
    "silent": "Silent",
    "validators": "Validators that lie",
    "flood": "An archive came again",
    "robots": "Article pages are not to be asked for",
}
"""What stands before the text of an event; other kinds say all in their text."""


def title_of(event: Event) -> str:
    """Return an event in a few words."""
    first = event.text.split("\n")[0]
    words = TITLES.get(event.kind)
    title = f"{words}: {first}" if words else first
    title = title if len(title) <= 160 else title[:159].rstrip() + "…"
    return f"Over: {title}" if event.closed_at and event.kind not in NEWS else title


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEntry:
    """One entry of the feed; *source* is the key of the one that it is about, if it is about one."""

    id: str
    kind: str
    source: str
    title: str
    text: str
    at: datetime
    updated: datetime
    over: bool


def entries(events: Sequence[Event]) -> list[AlarmEntry]:
    """Return the entries of *events*, newest first, at most `MOST`."""
    storms: dict[str, list[list[Event]]] = {}
    for event in sorted(events, key=lambda one: one.at):
        if event.kind in WORK:
            continue
        of_kind = storms.setdefault(event.kind, [])
        if not of_kind or event.at - of_kind[-1][0].at > STORM_WITHIN:
            of_kind.append([])
        of_kind[-1].append(event)
    found: list[AlarmEntry] = []
    for storm in (storm for of_kind in storms.values() for storm in of_kind):
        found += [_folded(storm)] if len(storm) > STORM_FROM else [_single(event) for event in storm]
    return sorted(found, key=lambda one: one.at, reverse=True)[:MOST]


def _single(event: Event) -> AlarmEntry:
    over = f"\nOver since {rfc3339(event.closed_at)}." if event.closed_at else ""
    return AlarmEntry(
        id=event.id,
        kind=event.kind,
        source=event.subject if event.kind in OF_SOURCES else "",
        title=title_of(event),
        text=event.text + (f"\n{event.remedy}" if event.remedy else "") + over,
        at=event.at,
        updated=event.closed_at or event.at,
        over=event.closed_at is not None,
    )


def _folded(storm: Sequence[Event]) -> AlarmEntry:
    """One entry for many events; its id is the first one's, and stays while others join."""
    first, kind = storm[0], storm[0].kind
    over = all(event.closed_at is not None for event in storm)
    name = TITLES.get(kind, kind.capitalize())
    lines = [title_of(event) for event in storm[:_NAMED]]
    left = len(storm) - len(lines)
    return AlarmEntry(
        id=first.id,
        kind=kind,
        source="",
        title=f"{'Over: ' if over and kind not in NEWS else ''}{name}: {len(storm)} at once",
        text="\n".join([*lines, *([f"and {left} more"] if left else [])]),
        at=first.at,
        updated=max(event.closed_at or event.at for event in storm),
        over=over,
    )


def source_path(status: str, key: str) -> str:
    """Return the address of a source's page below that of the *status* page."""
    return f"{status}/source/{quote(key)}"


def alarms_feed(
    events: Sequence[Event], *, title: str, feed_id: str, self_url: str, page_url: str, began: datetime
) -> str:
    """Return the feed of *events*, newest first (RFC 4287); *began* dates one without any."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")

    def put(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        made = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
        made.text = legal(text) or None
        return made

    listed = entries(events)
    put(feed, "id", feed_id)
    put(feed, "title", f"{title}: alarms")
    put(feed, "subtitle", "What an admin should know; an entry changes when its trouble is over.")
    put(feed, "updated", rfc3339(max((one.updated for one in listed), default=began)))
    put(feed, "link", rel="self", href=self_url, type="application/atom+xml")
    put(feed, "link", rel="alternate", href=page_url, type="text/html")
    put(put(feed, "author"), "name", title)
    for one in listed:
        entry = put(feed, "entry")
        put(entry, "id", one.id)
        put(entry, "title", masked(one.title))
        put(entry, "published", rfc3339(one.at))
        put(entry, "updated", rfc3339(one.updated))
        page = source_path(page_url, one.source) if one.source else page_url
        put(entry, "link", rel="alternate", href=page, type="text/html")
        put(entry, "category", term=one.kind)
        put(entry, "category", term="over" if one.over else "open")
        put(entry, "content", masked(one.text))
    return xml_text(feed)
