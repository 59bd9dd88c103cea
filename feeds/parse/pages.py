"""An article page to one entry: its text by trafilatura, its facts by `metadata`. Part of `parse`. Pure.

The text is extracted in trafilatura's fast mode and without readers' comments, which is nearly twice as fast as its
default and loses nothing (bench/extraction.py).
"""

from __future__ import annotations

import logging
import re
from typing import Any

from lxml import etree, html

from feeds.errors import ParseError
from feeds.model import ParsedEntry, ParsedFeed, RawText
from feeds.parse import lines as kinds
from feeds.parse.charset import to_utf8
from feeds.parse.furniture import furniture
from feeds.parse.metadata import PageFacts, read_metadata

MAX_PAGE_BYTES = 5_242_880
MAX_ELEMENTS = 60_000
DOUBTFUL_CHARS = 1_000
"""An article shorter than this, on a page four times as long, may not be all of it."""

# What the library says at WARNING is here a ParseError, with a remedy.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
# The HTML parser lets control characters through, and whoever builds a tree of its text is refused them.
_NO_CONTROLS = bytes(byte if byte in b"\t\n\r" or 32 <= byte != 127 else 32 for byte in range(256))
# One class for all elements: asking lxml.html for the class of each costs more than to parse it.
_ELEMENTS = etree.ElementDefaultClassLookup(element=html.HtmlElement)
_COUNT: Any = etree.XPath("count(//*)")
# Never text, whatever the page: gone before the extractor searches the tree many times over.
_FURNISHING = (
    "nav", "footer", "select", "option", "button", "iframe", "noscript", "input", "textarea", "canvas", "dialog",
    "link", "meta", "style", "menu", "object", "embed", "audio", "video", "map", "picture", "svg", "source", "track",
    "template",
)  # fmt: skip
_HOLDING = ("nav", "footer", "button", "noscript", "dialog", "menu", "object", "map", "select", "textarea")
_TAGS = {"item": "li", "quote": "blockquote", "lb": "br", "row": "tr", "graphic": "img", "ref": "a", "code": "code"}
_RENDERED = {"#b": "strong", "#i": "em", "#u": "u", "#t": "code", "#sub": "sub", "#sup": "sup"}
_BULLET = re.compile(r"\s*[•‣◦▪▫●○■□►▸➤∙⁃·]\s*(?=\S)")
_SEEN = re.compile(r"[^\s\x00-\x1f\x7f\ufffd]")
_LINES = frozenset(("p", "head", "hi", "quote", "ab", "ref"))


def parse_page(body: bytes, *, url: str, content_type: str | None = None) -> ParsedFeed:
    """Return the article on the page *body* as a feed of one entry, kind ``page``.

    *url* is where the page was found after redirects, ``""`` for a saved one. Content is HTML as the page had it,
    headings, lists, quotes and links kept, not yet safe. Raises ParseError where the page holds no article.
    """
    tree = page_tree(body, content_type)
    if tree is None or _COUNT(tree) > MAX_ELEMENTS:
        raise ParseError("a page empty or too large to be an article", remedy="look at the address in a browser")
    facts = read_metadata(tree, url)
    content = _content(tree, facts)
    if not content and not (facts.title and facts.summary):
        raise ParseError(
            "no article text on the page",
            remedy="the page may need a browser to show it; look for a feed with `wiredesk discover URL`",
        )
    return ParsedFeed(
        kind="page",
        title=facts.site or "",
        language=facts.language,
        entries=(_entry(facts, content, url),),
    )


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
        tree: Any = html.document_fromstring(to_utf8(body, content_type).translate(_NO_CONTROLS), parser=parser)
    except (ValueError, etree.LxmlError):
        return None
    for script in list(tree.iter("script")):
        if "ld+json" not in (script.get("type") or "") and script.getparent() is not None:
            script.drop_tree()
    etree.strip_elements(tree, "style", "svg", "template", with_tail=False)
    return tree


def _entry(facts: PageFacts, content: str, url: str) -> ParsedEntry:
    return ParsedEntry(
        link=url or facts.canonical,
        original_link=facts.canonical,
        title=RawText(value=facts.title) if facts.title else None,
        summary=RawText(value=facts.summary) if facts.summary else None,
        content=RawText(value=content, type="html", base=url) if content else None,
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
    )


def _content(tree: Any, facts: PageFacts) -> str:
    """The article's text as HTML, ``""`` where none was found."""
    whole = len(tree.text_content())
    for element in tree.iter(*_HOLDING):
        if len(element.text_content()) * 2 > whole:
            element.tag = "div"  # left open by mistake, it holds the page
    etree.strip_elements(tree, *_FURNISHING, with_tail=False)
    _mark_article(tree, whole)
    body = _extract(tree, fast=True)
    found = _length(body)
    if found < DOUBTFUL_CHARS and found * 4 < whole:
        # Little of a long page: the slow way finds articles in places that the fast one does not look at.
        slow = _extract(tree, fast=False)
        if _length(slow) > found * 1.5:
            body = slow
    if body is None:
        return ""
    children = []
    for child in list(body):
        children.append(child)
        if child.tail and child.tail.strip():
            loose = etree.Element("p")
            loose.text, child.tail = child.tail, None
            children.append(loose)
    kept = _lists(_without_lines_around(children, facts))
    for child in kept:
        _to_html(child)
        child.tail = None
    if not any(_SEEN.search(text) for child in kept for text in child.itertext()):
        return ""
    return "\n".join(etree.tostring(child, encoding="unicode", method="html") for child in kept)


def _extract(tree: Any, *, fast: bool) -> Any:
    """The body that trafilatura finds, in its own element names; None where it finds none."""
    from trafilatura import bare_extraction  # a third of a second and 40 MB, for desks that read pages

    try:
        found = bare_extraction(
            tree,  # without the url: `normalise` resolves links, and ten times faster
            fast=fast,
            include_comments=False,
            include_formatting=True,
            include_links=True,
            output_format="html",
        )
    except (AttributeError, IndexError, KeyError, RecursionError, etree.LxmlError):
        return None
    return None if found is None or isinstance(found, dict) else found.body


def _length(body: Any) -> int:
    return 0 if body is None else sum(len(text) for text in body.itertext())


def _mark_article(tree: Any, whole: int) -> None:
    """Put the parent of most paragraphs into an ``article`` where nothing on the page says what is one.

    The extractor keeps headings and lists of what is marked as an article; of a bare page it takes paragraphs alone.
    Of *whole* characters on the page these paragraphs must be a good part.
    """
    lengths: dict[Any, int] = {}
    for paragraph in tree.iter("p"):
        parent = paragraph.getparent()
        if parent is not None:
            lengths[parent] = lengths.get(parent, 0) + len(paragraph.text_content())
    if not lengths:
        return
    parent = max(lengths, key=lambda element: lengths[element])
    if (
        lengths[parent] * 4 < whole
        or parent.tag not in ("body", "div", "td", "section", "center")
        or any(
            element.tag in ("article", "main") or element.get("class") or element.get("id") or element.get("role")
            for element in (parent, *parent.iterancestors("article", "main", "div", "section"))
        )
    ):
        return
    article = etree.SubElement(parent, "article")
    article.text, parent.text = parent.text, None
    for child in list(parent):
        if child is not article:
            article.append(child)


def _without_lines_around(children: list[Any], facts: PageFacts) -> list[Any]:
    """The blocks of an article without the lines around and between them that are none of its text."""
    lines = [" ".join("".join(child.itertext()).split()) if child.tag in _LINES else "" for child in children]
    start, end = 0, len(children)
    while start < end and start < 6:
        line = lines[start]
        if (
            not line
            or len(line) > 200
            or not (
                line == facts.title
                or kinds.stated(line)
                or furniture(line)
                or kinds.breadcrumb(line) == facts.breadcrumb != ()
            )
        ):
            break
        start += 1
    credited = False
    while end > start + 1:
        line = lines[end - 1]
        if not line or len(line) > 200:
            break
        under = end >= 2 and bool(kinds.credit(lines[end - 2])) and kinds.is_name(line)
        if not (
            kinds.credit(line)
            or kinds.rights(line)
            or furniture(line)
            or kinds.stated(line)
            or (under and not credited)
        ):
            break
        credited = credited or bool(kinds.credit(line))
        end -= 1
    return [
        child
        for child, line in zip(children[start:end], lines[start:end], strict=True)
        if not (line and len(line) <= 200 and furniture(line))
    ]


def _lists(children: list[Any]) -> list[Any]:
    """Paragraphs that begin with a bullet, two or more in a row, made the list that they stand for."""
    made: list[Any] = []
    for number, child in enumerate(children):
        following = children[number + 1] if number + 1 < len(children) else None
        if child.tag != "p" or not (mark := _BULLET.match(child.text or "")):
            made.append(child)
            continue
        within = bool(made) and made[-1].tag == "list" and made[-1].get("made") == "here"
        if not within and (following is None or following.tag != "p" or not _BULLET.match(following.text or "")):
            made.append(child)
            continue
        if not within:
            made.append(etree.Element("list", made="here"))
        child.tag, child.text = "item", (child.text or "")[mark.end() :]
        made[-1].append(child)
    return made


def _to_html(tree: Any) -> None:
    """trafilatura's own element names to those of HTML, in place; only addresses stay of the attributes."""
    for element in tree.iter():
        tag = element.tag
        if not isinstance(tag, str):
            continue
        rendered = element.get("rend") or ""
        target = element.get("target")
        if tag == "list":
            element.tag = rendered if rendered in ("ol", "dl") else "ul"
        elif tag == "head":
            element.tag = rendered if re.fullmatch(r"h[1-6]", rendered) else "h3"
        elif tag == "hi":
            element.tag = _RENDERED.get(rendered, "em")
        elif tag == "cell":
            element.tag = "th" if element.get("role") == "head" else "td"
        elif tag == "code":
            element.tag = "pre" if "\n" in "".join(element.itertext()) else "code"
        elif tag == "ab":
            element.tag = "p"
        else:
            element.tag = _TAGS.get(tag, tag)
        kept = {name: element.get(name) for name in ("src", "alt") if tag == "graphic" and element.get(name)}
        element.attrib.clear()
        if tag == "ref" and target:
            element.set("href", target)
        for name, value in kept.items():
            element.set(name, value)
