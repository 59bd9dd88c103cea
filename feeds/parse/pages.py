"""An article page to one entry: its text by trafilatura, its facts by `metadata`. Part of `parse`. Pure.

    page tree -> figures aside -> standfirst -> boxes out -> extraction -> lines around out -> HTML, figures back

The text is extracted in trafilatura's fast mode, and again in its thorough ones where the result is doubtful: little
of the page's paragraphs, mostly links, or not what the page itself gives as `articleBody` in JSON-LD.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from functools import reduce
from typing import Any

from lxml import etree, html
from msgspec import Struct
from msgspec.structs import replace

from feeds.errors import ParseError
from feeds.frames import legal
from feeds.parse.charset import to_utf8
from feeds.parse.fields import PHRASES, any_of
from feeds.parse.figures import SIGNS, chars_by_parent, drop_boxes, prose, prose_in, put_back, set_aside, squashed
from feeds.parse.metadata import PageFacts, read_metadata
from feeds.parse.trim import (
    NOTHING_SHOWN,
    Line,
    lines_behind_headline,
    places_of_text,
    seen,
    standfirst,
    trimmed,
    without_shared,
)
from feeds.parsed import ParsedFeed, RawText
from feeds.text import Recurring, Shown
from feeds.urls import absolute

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
_SCRIPTS: Any = etree.XPath("/*//script[not(contains(@type, 'ld+json'))]")


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
    if not found.html and not (facts.title and facts.entry.summary):
        raise ParseError(
            "no article text on the page",
            remedy="the page may need a browser to show it; look for a feed with `wiredesk discover URL`",
        )
    content = RawText(value=found.html, type="html", base=url) if found.html else None
    entry = replace(facts.entry, content=content, notes=found.notes)
    feed = ParsedFeed(kind="page", title=facts.site or "", language=entry.language, entries=(entry,))
    return feed, (found.shown,) if found.html else ()


def page_tree(body: bytes, content_type: str | None = None, *, scripts: bool = False) -> Any:
    """Return the tree of the page *body* without what no reader sees, JSON-LD apart; None where there is no element.

    With *scripts* it keeps its scripts, as text.
    """
    if len(body) > MAX_PAGE_BYTES:
        raise ParseError(f"a page of more than {MAX_PAGE_BYTES} bytes", remedy="no article needs as much; leave it out")
    if "charset" not in (content_type or "").lower() and (declared := _META_CHARSET.search(body[:4096])):
        content_type = f"text/html; charset={declared[1].decode('ascii')}"
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    parser.set_element_class_lookup(_ELEMENTS)
    try:
        text = _NO_CHARACTER.sub(b"", to_utf8(body, content_type).translate(_NO_CONTROLS))
        tree: Any = html.document_fromstring(text, parser=parser)
    except (ValueError, etree.LxmlError):
        return None
    for script in [] if scripts else _SCRIPTS(tree):
        script.drop_tree()
    etree.strip_elements(tree, "style", "svg", "template", with_tail=False)
    return tree


def xml_tree(document: bytes) -> Any:
    """The tree of *document*, XML that is no feed and without a DOCTYPE; None where there is no element."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True, encoding="utf-8",
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        return etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def local_name(node: Any) -> str:
    """The name of an element, in lower case; a prefix that nobody declared stays before it in the tree."""
    return re.split("[}:]", str(node.tag))[-1].lower()


def base_of(tree: Any, url: str) -> str:
    """What the links of the page *tree* at *url* are relative to."""
    return next((base for node in tree.iter("base") if (base := absolute(url, node.get("href") or ""))), url)


# ------------------------------------------------------------------------------------------ the text


DOUBTFUL_CHARS = 1_000
"""An article shorter than this, on a page four times as long, may not be all of it."""
DOUBTFUL_LINKS = 0.5
"""The part of an article's text that may be links."""
DOUBTFUL_PART = 0.6
"""Of the page's paragraphs, or of the text in JSON-LD, an extraction should have this part."""
WITNESS_CHARS = 600
"""JSON-LD with less text than this gives a teaser."""

# What the library says at WARNING is here a ParseError, with a remedy.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

# Never text, whatever the page: gone before the extractor searches the tree many times over.
_FURNISHING = (
    "nav", "footer", "select", "option", "button", "iframe", "noscript", "input", "textarea", "canvas", "dialog",
    "link", "meta", "style", "menu", "object", "embed", "audio", "video", "map", "picture", "svg", "source", "track",
    "template",
)  # fmt: skip
_HOLDING = ("nav", "footer", "button", "noscript", "dialog", "menu", "object", "map", "select", "textarea")
_RENDERED = {"#b": "strong", "#i": "em", "#u": "u", "#t": "code", "#sub": "sub", "#sup": "sup"}
_SEEN = re.compile(r"[^\s\x00-\x1f\x7f\ufffd]")
_COMMENT = re.compile(r"comment|respond|repl(?:y|ies)|disqus|reviews?\b|kommentar|guestbook", re.IGNORECASE)
_WORD = re.compile(r"\w+")


class Body(Struct, frozen=True):
    """An article's body as HTML, ``""`` where none was found; what was seen of the page for the next of its site; in
    words, what was taken out because other pages of the site have it too.
    """

    html: str
    shown: Shown
    notes: tuple[str, ...] = ()


def read_body(tree: Any, facts: PageFacts, url: str, learnt: Recurring) -> Body:
    """Return the article's body in the page *tree* at *url*; *learnt* is what was seen of other pages of its site.

    The tree is used up.
    """
    heads = list(filter(None, (squashed(head.text_content()) for head in tree.iter("h1"))))
    kept = set_aside(tree)
    whole = len(tree.text_content())
    for element in tree.iter(*_HOLDING):
        if len(element.text_content()) * 2 > whole:
            element.tag = "div"  # left open by mistake, it holds the page
    above = lines_behind_headline(tree)
    etree.strip_elements(tree, *_FURNISHING, with_tail=False)
    drop_boxes(tree, text_chars=whole)
    _mark_article(tree, whole)
    found = _best(tree, whole, facts, learnt)
    if found is None:
        return Body("", NOTHING_SHOWN)
    blocks = trimmed(_split(found), facts, heads=heads, url=facts.entry.link or "")
    shown = seen(blocks, tree, facts.title)
    blocks, notes = without_shared(blocks, facts.title, learnt.with_([shown]))
    if not any(_SEEN.search(text) for block in blocks for text in block.itertext()):
        return Body("", shown)
    html = "\n".join(map(_html_of, _with_standfirst(blocks, above, facts)))
    return Body(put_back(html, kept), shown, notes)


def _with_standfirst(blocks: list[Any], above: list[Line], facts: PageFacts) -> list[Any]:
    """*blocks* behind the standfirst among the lines *above* them, where it is not in them."""
    texts = ["".join(block.itertext()) for block in blocks]
    first = next((text for block, text in zip(blocks, texts, strict=True) if prose_in(block)), "")
    found = standfirst(above, facts, first)
    if not found or squashed(found)[:100] in squashed("".join(texts)):
        return blocks
    return [_paragraph(found), *blocks]


def _paragraph(text: str) -> Any:
    paragraph = etree.Element("p")
    paragraph.text = text
    return paragraph


def _split(body: Any) -> list[Any]:
    """The blocks of *body*; text between them becomes a paragraph."""
    children = []
    for child in list(body):
        children.append(child)
        if child.tail and child.tail.strip():
            children.append(_paragraph(child.tail))
            child.tail = None
    return children


# --------------------------------------------------------------------------- extraction


class _Text(Struct, frozen=True):
    """An extraction: its characters, those in links, those in paragraphs that are sentences."""

    body: Any
    chars: int
    linked: int
    prose: int

    def says_all_of(self, other: _Text) -> bool:
        """Tell whether this has the paragraphs and the pictures of *other*."""
        return self.prose >= max(other.prose, 1) and self._figures() >= other._figures()

    def _figures(self) -> int:
        return 0 if self.body is None else len(SIGNS.findall("".join(self.body.itertext())))


def _best(tree: Any, whole: int, facts: PageFacts, learnt: Recurring) -> Any:
    """What the fast extraction finds; where that is doubtful, what the one finds that says most of the article."""
    first = _extract(tree, fast=True)
    for holder in places_of_text(tree, learnt):
        if (remembered := _inside(holder)).says_all_of(first):
            return remembered.body
    witness = _words(facts.body) if len(facts.body) >= WITNESS_CHARS else Counter[str]()
    if not _doubtful(first, tree, whole, witness):
        return first.body
    found = [first, _extract(tree, fast=False)]
    gathered = _gathered(tree)
    if _is_about(gathered, facts.title):
        found.append(gathered)
    if not witness:
        return reduce(_fuller, found).body
    agreed = max(found, key=lambda one: _agreement(one, witness))
    if _agreement(agreed, witness) < DOUBTFUL_PART or _is_lump(agreed):
        agreed = _written(facts.body)  # a page that a script would fill, or hide
    return agreed.body


def _fuller(one: _Text, other: _Text) -> _Text:
    """*other* where it says a good deal more than *one*."""
    longer = other.chars - other.linked > 1.5 * (one.chars - one.linked)
    return other if other.prose > one.prose * 1.3 or (longer and other.prose >= one.prose) else one


def _gathered(tree: Any) -> _Text:
    """What is found in the element that holds most of the page's paragraphs, and in its like beside it."""
    chars = chars_by_parent(tree, lambda paragraph: 0 if _is_comment(paragraph) else prose_in(paragraph))
    if not chars:
        return _NOTHING
    holder = max(chars, key=lambda element: chars[element])
    held = chars[holder]
    for above in list(holder.iterancestors())[:8]:
        if above.tag in ("body", "html"):
            break
        wider = sum(length for element, length in chars.items() if element is above or above in element.iterancestors())
        if wider >= held * 1.35:
            holder, held = above, wider
    return _inside(holder)


def _inside(holder: Any) -> _Text:
    """What is found in the element *holder*, as if it were the whole page."""
    page = etree.Element("html")
    # A name that the extractor looks for first: the body's own parts may have such names as well.
    article = etree.SubElement(etree.SubElement(page, "body"), "article", {"class": "post"})
    article.text = holder.text
    article.extend(deepcopy(list(holder)))
    return _extract(html.document_fromstring(etree.tostring(page, encoding="unicode")), fast=True)


def _is_comment(paragraph: Any) -> bool:
    return any(_COMMENT.search(f"{up.get('class') or ''} {up.get('id') or ''}") for up in paragraph.iterancestors())


def _is_lump(text: _Text) -> bool:
    """Tell whether *text* is one paragraph of a whole article's length: the extractor's own look into JSON-LD."""
    return text.body is not None and len(text.body) == 1 and text.chars >= WITNESS_CHARS


def _is_about(text: _Text, title: str) -> bool:
    """Tell whether *text* has half of the title's telling words."""
    telling = {word[:5] for word in _WORD.findall(title.casefold()) if len(word) >= 4}
    known = {word[:5] for word in _words_of(text.body)}
    return text.body is not None and 2 * len(telling & known) >= len(telling)


def _doubtful(text: _Text, tree: Any, whole: int, witness: Counter[str]) -> bool:
    if text.chars < DOUBTFUL_CHARS and text.chars * 4 < whole:
        return True
    if text.linked > text.chars * DOUBTFUL_LINKS:
        return True
    if witness:
        return _is_lump(text) or (_words_of(text.body) & witness).total() < DOUBTFUL_PART * witness.total()
    return text.chars < DOUBTFUL_PART * prose(tree)


def _extract(tree: Any, *, fast: bool) -> _Text:
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
        found = None
    body = None if found is None or isinstance(found, dict) else found.body
    if body is None:
        return _NOTHING
    linked = sum(len(str(text)) for link in body.iter("ref", "a") for text in link.itertext())
    chars = sum(len(text) for text in body.itertext())
    sentences = sum(prose_in(block) for block in body.iter("p", "item", "quote", "ab"))
    return _Text(body, chars, linked, sentences)


def _written(text: str) -> _Text:
    """The text that JSON-LD gives, as paragraphs."""
    body = etree.Element("body")
    for paragraph in re.split(r"\n\s*\n|\r\n|\n", text):
        if paragraph.strip():
            etree.SubElement(body, "p").text = " ".join(paragraph.split())
    return _Text(body, len(text), 0, len(text))


_NOTHING = _Text(None, 0, 0, 0)


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))


def _words_of(body: Any) -> Counter[str]:
    return Counter[str]() if body is None else _words(" ".join(body.itertext()))


def _agreement(text: _Text, witness: Counter[str]) -> float:
    """The F1 measure of the words of *text* against those of *witness*."""
    counts = _words_of(text.body)
    return 2 * (counts & witness).total() / max(1, counts.total() + witness.total())


def _mark_article(tree: Any, whole: int) -> None:
    """Put the parent of most paragraphs into an ``article`` where nothing on the page says what is one.

    The extractor keeps headings and lists of what is marked as an article; of a bare page it takes paragraphs alone.
    Of *whole* characters on the page these paragraphs must be a good part.
    """
    chars = chars_by_parent(tree, lambda paragraph: len(paragraph.text_content()))
    parent = max(chars, key=lambda element: chars[element], default=None)
    if parent is None or chars[parent] * 4 < whole or parent.tag not in ("body", "div", "td", "section", "center"):
        return
    if any(map(_says_what_it_is, (parent, *parent.iterancestors("article", "main", "div", "section")))):
        return
    article = etree.SubElement(parent, "article")
    article.text, parent.text = legal(parent.text or ""), None
    for child in list(parent):
        if child is not article:
            article.append(child)


def _says_what_it_is(element: Any) -> bool:
    return element.tag in ("article", "main") or any(map(element.get, ("class", "id", "role")))


def _html_of(block: Any) -> str:
    """*block* in trafilatura's element names as HTML; only addresses stay of the attributes."""
    for element in block.iter(etree.Element):
        attributes = {name: element.get(name) for name in _ADDRESSES.get(element.tag, ()) if element.get(name)}
        element.tag = _TAGS[element.tag](element) if element.tag in _TAGS else element.tag
        element.attrib.clear()
        for name, value in attributes.items():
            element.set("href" if name == "target" else name, value)
    block.tail = None
    return etree.tostring(block, encoding="unicode", method="html")


def _list_tag(element: Any) -> str:
    return element.get("rend") if element.get("rend") in ("ol", "dl") else "ul"


def _in_definitions(element: Any) -> bool:
    return (element.get("rend") or "").startswith(("dt-", "dd-"))


def _heading_tag(element: Any) -> str:
    rendered = element.get("rend") or ""
    return rendered if re.fullmatch(r"h[1-6]", rendered) else "h3"


def _code_tag(element: Any) -> str:
    parent = element.getparent()
    within = parent is not None and parent.tag == "pre"
    return "pre" if "\n" in "".join(element.itertext()) and not within else "code"


_TAGS: dict[str, Callable[[Any], str]] = {
    "list": _list_tag,
    "head": _heading_tag,
    "code": _code_tag,
    "hi": lambda element: _RENDERED.get(element.get("rend") or "", "em"),
    "cell": lambda element: "th" if element.get("role") == "head" else "td",
    "ab": lambda _: "p",
    "item": lambda element: (element.get("rend") or "")[:2] if _in_definitions(element) else "li",
    "quote": lambda _: "blockquote",
    "lb": lambda _: "br",
    "row": lambda _: "tr",
    "graphic": lambda _: "img",
    "ref": lambda _: "a",
}
"""The element of HTML for each of trafilatura's. Names of broken markup can be read, and not written: they stay."""
_ADDRESSES = {"graphic": ("src", "alt"), "ref": ("target",)}


# ------------------------------------------------------------------ what stands in an article's place


WALL_CHARS = 1_500
"""A page with more text is an article, whatever it says of cookies besides."""
END_CHARS = 600
"""So near the end of a text that breaks off stands the offer to go on."""

_NOT_FREE = re.compile(
    rb"""["']isAccessibleForFree["']\s*:\s*["']?\s*(?:https?://schema.org/)?false\b"""
    rb"""|<meta[^>]{0,200}article:content_tier["'][^>]{0,100}(?:locked|metered)""",
    re.IGNORECASE,
)
_PAYWALL = re.compile(any_of("paywall"), re.IGNORECASE)
_WALLS = {
    name.removeprefix("wall: "): re.compile(any_of(name), re.IGNORECASE)
    for name in PHRASES
    if name.startswith("wall: ")
}


def wall(body: bytes, *, title: str, text: str) -> str:
    """Return what stands on the page *body* in the place of an article, in words; ``""`` where it is one.

    *title* and *text* are what was read of it. Only what cannot be meant otherwise counts: what a page states of
    itself, its title, what a page with little text says, and the offer to go on where a text breaks off.
    """
    if _NOT_FREE.search(body):
        return "a page that says that it is not for free"
    if _PAYWALL.search(text[-END_CHARS:]):
        return "the beginning of an article behind a paywall"
    return stand_in(title, text)


def stand_in(title: str, text: str) -> str:
    """Return what a page is that was read as *title* and *text* and is no article at all: a test for robots, a question
    for consent, an error page; ``""`` for others.
    """
    short = f"{title}\n{text if len(text) < WALL_CHARS else ''}"
    return next((name for name, phrases in _WALLS.items() if phrases.search(short)), "")
