"""Parse: bytes to what the document says. Second step of the path, in worker processes. Pure.

`parse` takes feeds of any kind, the others what their names say. Nothing is resolved,
cleaned or believed yet: that is `normalise`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from feeds.parse.json_feeds import parse_json
from feeds.parse.kinds import recognise, refusal
from feeds.parse.xml_feeds import parse_xml
from feeds.parsed import ParsedFeed
from feeds.urls import masked

if TYPE_CHECKING:
    from feeds.parse.folder_files import parse_document
    from feeds.parse.letters import parse_letter
    from feeds.parse.links import Offer, is_about_comments, is_sitemap, parse_listing, parse_offers, parse_sitemap
    from feeds.parse.pages import parse_page, read_page, stand_in, wall
    from feeds.parse.proposals import propose, propose_json
    from feeds.parse.selected import Picked, parse_selected, pick, picked_without

__all__ = [
    "Offer",
    "Picked",
    "is_about_comments",
    "is_sitemap",
    "parse",
    "parse_document",
    "parse_letter",
    "parse_listing",
    "parse_offers",
    "parse_page",
    "parse_selected",
    "parse_sitemap",
    "pick",
    "picked_without",
    "propose",
    "propose_json",
    "read_page",
    "stand_in",
    "wall",
]

_MODULES = {
    "folder_files": ("parse_document",),
    "letters": ("parse_letter",),
    "links": ("Offer", "is_about_comments", "is_sitemap", "parse_listing", "parse_offers", "parse_sitemap"),
    "pages": ("parse_page", "read_page", "stand_in", "wall"),
    "proposals": ("propose", "propose_json"),
    "selected": ("Picked", "parse_selected", "pick", "picked_without"),
}
"""What reads other kinds than feeds is loaded with the first body of its kind: it would be half of a worker's start."""


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"feeds.parse.{module}"), name)


def parse(
    body: bytes,
    *,
    url: str,
    content_type: str | None = None,
    known_items: frozenset[int] = frozenset(),
    known_head: int | None = None,
) -> ParsedFeed:
    """Return what the feed *body* says: RSS, Atom, CDF or JSON Feed, found from its content.

    *url* is where it came from after redirects, the base of its links. *known_items* are the hashes of the last
    poll: these items are left out and counted in *skipped*; with nothing new the head is read only where its hash is
    another than *known_head*. A feed without entries is fine.
    Raises ParseError, with what the document is instead, for anything else.
    """
    seen = recognise(body, content_type)
    if seen.kind == "json":
        return parse_json(seen.body, url=url, known_items=known_items)
    if seen.kind == "xml":
        return parse_xml(seen, url=url, known_items=known_items, known_head=known_head)
    error = refusal(seen, content_type)
    if seen.kind == "html":
        offers = __getattr__("parse_offers")(body, url=url, content_type=content_type)
        if named := next((offer.url for offer in offers if offer.named and not offer.comments), None):
            error.remedy = f"the page names its feed: write `url: {masked(named)}`"
    raise error
