"""An article page to one entry: its text by `body`, its facts by `metadata`. Part of `parse`. Pure."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree, html

from feeds.errors import ParseError
from feeds.model import ParsedEntry, ParsedFeed, RawText
from feeds.parse.body import Body, read_body
from feeds.parse.charset import to_utf8
from feeds.parse.metadata import PageFacts, read_metadata
from feeds.text import Recurring, Shown

MAX_PAGE_BYTES = 5_242_880
MAX_ELEMENTS = 60_000

_NO_CHARACTER = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|6553[45])|x0*(?:[0-8bcef]|1[0-9a-f]|fff[ef]))(?:;|(?![0-9a-f]))",
    re.IGNORECASE,
)
"""References to what XML 1.0 has no character for: a tree takes them, and gives them to nobody."""
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
# The HTML parser lets control characters through, and whoever builds a tree of its text is refused them.
_NO_CONTROLS = bytes(byte if byte in b"\t\n\r" or 32 <= byte != 127 else 32 for byte in range(256))
# One class for all elements: asking lxml.html for the class of each costs more than to parse it.
_ELEMENTS = etree.ElementDefaultClassLookup(element=html.HtmlElement)
_COUNT: Any = etree.XPath("count(//*)")


def parse_page(body: bytes, *, url: str, content_type: str | None = None) -> ParsedFeed:
    """Return the article on the page *body* as a feed of one entry, kind ``page``.

    *url* is where the page was found after redirects, ``""`` for a saved one. Content is HTML as the page had it,
    headings, lists, quotes and links kept, not yet safe. Raises ParseError where the page holds no article.
    """
    return read_page(body, url=url, content_type=content_type, learnt=Recurring())[0]


def read_page(
    body: bytes, *, url: str, content_type: str | None, learnt: Recurring
) -> tuple[ParsedFeed, tuple[Shown, ...]]:
    """Return what `parse_page` does, and what was seen of the page for the next one of its site.

    *learnt* is what was seen of the site's other pages: lines that they share are furniture, and where their text
    stood is looked at first.
    """
    tree = page_tree(body, content_type)
    if tree is None or _COUNT(tree) > MAX_ELEMENTS:
        raise ParseError("a page empty or too large to be an article", remedy="look at the address in a browser")
    facts = read_metadata(tree, url)
    found = read_body(tree, facts, url, learnt)
    if not found.html and not (facts.title and facts.summary):
        raise ParseError(
            "no article text on the page",
            remedy="the page may need a browser to show it; look for a feed with `wiredesk discover URL`",
        )
    feed = ParsedFeed(
        kind="page",
        title=facts.site or "",
        language=facts.language,
        entries=(_entry(facts, found, url),),
    )
    return feed, (found.shown,) if found.html else ()


def page_tree(body: bytes, content_type: str | None = None) -> Any:
    """Return the tree of the page *body* without what no reader sees, JSON-LD apart; None where there is no element."""
    if len(body) > MAX_PAGE_BYTES:
        raise ParseError(f"a page of more than {MAX_PAGE_BYTES} bytes", remedy="no article needs as much; leave it out")
    if content_type is None or "charset" not in content_type.lower():
        declared = _META_CHARSET.search(body[:4096])
        if declared:
            content_type = f"text/html; charset={declared[1].decode('ascii')}"
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    parser.set_element_class_lookup(_ELEMENTS)
    try:
        text = _NO_CHARACTER.sub(b"", to_utf8(body, content_type).translate(_NO_CONTROLS))
        tree: Any = html.document_fromstring(text, parser=parser)
    except (ValueError, etree.LxmlError):
        return None
    for script in list(tree.iter("script")):
        if "ld+json" not in (script.get("type") or "") and script.getparent() is not None:
            script.drop_tree()
    etree.strip_elements(tree, "style", "svg", "template", with_tail=False)
    return tree


def _entry(facts: PageFacts, found: Body, url: str) -> ParsedEntry:
    return ParsedEntry(
        link=url or facts.canonical,
        original_link=facts.canonical,
        title=RawText(value=facts.title) if facts.title else None,
        summary=RawText(value=facts.summary) if facts.summary else None,
        content=RawText(value=found.html, type="html", base=url) if found.html else None,
        base=url,
        language=facts.language,
        authors=facts.authors,
        published=facts.published,
        updated=facts.updated,
        categories=facts.categories,
        breadcrumb=facts.breadcrumb,
        origin=facts.origin,
        credits=facts.credits,
        publisher=facts.publisher,
        image=facts.image,
        rights=facts.rights,
        noindex=facts.noindex,
        notes=found.notes,
    )
