"""Parse: bytes to what the document says. Second step of the path, in worker processes. Pure.

`parse` takes feeds of any kind, the others what their names say. Nothing is resolved,
cleaned or believed yet: that is `normalise`.
"""

from __future__ import annotations

from feeds.parse.folder_files import parse_document
from feeds.parse.json_feeds import parse_json
from feeds.parse.kinds import recognise, refusal, wall
from feeds.parse.letters import parse_letter
from feeds.parse.links import Offer, is_about_comments, parse_listing, parse_offers, parse_sitemap
from feeds.parse.pages import parse_page, read_page
from feeds.parse.proposals import propose, propose_json
from feeds.parse.selected import Picked, parse_selected, pick, picked_without
from feeds.parse.xml_feeds import parse_xml
from feeds.parsed import ParsedFeed
from feeds.urls import masked

__all__ = [
    "Offer",
    "Picked",
    "is_about_comments",
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
    "wall",
]


def parse(
    body: bytes,
    *,
    url: str,
    content_type: str | None,
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
    offers = parse_offers(body, url=url, content_type=content_type) if seen.kind == "html" else ()
    if named := next((offer.url for offer in offers if offer.named and not offer.comments), None):
        error.remedy = f"the page names its feed: write `url: {masked(named)}`"
    raise error
