"""The alarms as a feed: one entry an event, whose id stays and whose words change when it is over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree

from feeds.dates import rfc3339
from feeds.frames import legal
from feeds.store.values import Event

MOST = 100
_ATOM = "http://www.w3.org/2005/Atom"
WORK = frozenset(("refile",))
"""Events that stand for work under way: nobody has to be told."""

NEWS = frozenset(("revived", "flood"))
"""Events that are over as soon as they are told."""

TITLES = {
    "config": "The config files have errors",
    "gate": "A section's document was held back",
    "held": "A section's document was held back",
    "set-aside": "An article was set aside",
    "document": "A document could not be read",
    "gone": "Gone",
    "failing": "Failing",
    "silent": "Silent",
    "validators": "Validators that lie",
    "flood": "An archive came again",
}
"""What stands before the text of an event; other kinds say all in their text."""


def title_of(event: Event) -> str:
    """Return an event in a few words."""
    first = event.text.split("\n")[0]
    words = TITLES.get(event.kind)
    told = f"{words}: {first}" if words else first
    told = told if len(told) <= 160 else told[:159].rstrip() + "…"
    return f"Over: {told}" if event.closed_at and event.kind not in NEWS else told


def alarms_feed(
    events: Sequence[Event], *, title: str, feed_id: str, self_url: str, page_url: str, began: datetime
) -> bytes:
    """Return the feed of *events*, newest first (RFC 4287); *began* dates one without any."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")

    def put(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        made = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
        made.text = legal(text) or None
        return made

    told = [event for event in events if event.kind not in WORK]
    put(feed, "id", feed_id)
    put(feed, "title", f"{title}: alarms")
    put(feed, "subtitle", "What an admin should know; an entry changes when its trouble is over.")
    put(feed, "updated", rfc3339(max((event.closed_at or event.at for event in told), default=began)))
    put(feed, "link", rel="self", href=self_url, type="application/atom+xml")
    put(feed, "link", rel="alternate", href=page_url, type="text/html")
    put(put(feed, "author"), "name", title)
    for event in told:
        entry = put(feed, "entry")
        put(entry, "id", event.id)
        put(entry, "title", title_of(event))
        put(entry, "published", rfc3339(event.at))
        put(entry, "updated", rfc3339(event.closed_at or event.at))
        put(entry, "link", rel="alternate", href=page_url, type="text/html")
        put(entry, "category", term=event.kind)
        put(entry, "category", term="over" if event.closed_at else "open")
        words = event.text + (f"\n{event.remedy}" if event.remedy else "")
        put(entry, "content", words + (f"\nOver since {rfc3339(event.closed_at)}." if event.closed_at else ""))
    ElementTree.indent(feed)
    text = ElementTree.tostring(feed, encoding="unicode")
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + text + "\n").encode()
