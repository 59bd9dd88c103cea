"""What a document is, found from what it holds and not from the type it was served with (criterion F4). Pure.

The XML safety of `parse` begins here (OWASP XXE): no DOCTYPE ever reaches an XML parser. Of an internal subset only
entities that stand for plain text are kept, within a budget, and written into a DOCTYPE of our own; what is external,
nested or parametric is dropped, so that a reference to it stays the text that it is.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from feeds.errors import ParseError
from feeds.parse.charset import to_utf8
from feeds.parse.fields import (
    MAX_DOCTYPE_BYTES,
    MAX_EXPANSION_BYTES,
    MAX_LEAD_BYTES,
    MAX_ROOT_TAG_BYTES,
)
from feeds.text import plain

Kind = Literal["xml", "json", "html", "sitemap", "opml", "junk"]

_HTML_ROOTS = {
    "html", "head", "body", "title", "meta", "script", "style", "link", "div", "p", "h1", "h2", "center", "span",
    "table", "main", "article", "section", "header", "footer", "nav", "form", "iframe", "noscript", "br", "a", "b",
    "pre", "img", "hr", "font", "ul", "ol", "h3", "h4", "h5", "h6", "blockquote", "strong", "em", "i", "u", "small",
    "figure", "picture", "details", "video", "audio", "time", "address", "dl", "template", "button", "base", "code",
}  # fmt: skip
_KIND_OF_ROOT: dict[str, Kind] = {
    **dict.fromkeys(("rss", "rdf", "feed", "channel"), "xml"),
    **dict.fromkeys(("urlset", "sitemapindex"), "sitemap"),
    "opml": "opml",
    **dict.fromkeys(_HTML_ROOTS, "html"),
}
# What a script's warning begins with, and where the feed behind it does.
_WARNING_ROOTS = {"br", "b", "p", "div", "pre", "font", "table"}
_LATE_START = re.compile(rb"<\?xml\s|<(?:rss|feed|rdf:RDF)[\s>]")
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{0,300})", re.IGNORECASE)
_CHALLENGE = re.compile(
    rb"captcha|cf-challenge|challenge-platform|just a moment|attention required|are you (?:a )?(?:human|robot)"
    rb"|verify(?:ing)? (?:that )?you are|unusual traffic|access denied|ddos protection"
    rb"|please enable (?:javascript|cookies)",
    re.IGNORECASE,
)
_RSS_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_ATOM_VERSIONS = {"0.1": "atom01", "0.2": "atom02", "0.3": "atom03"}
_VERSION = re.compile(rb"""\sversion\s*=\s*["']([^"']{0,20})""", re.IGNORECASE)
_BINARY = (
    (b"\x1f\x8b", "a gzip file"), (b"PK\x03\x04", "a ZIP file"), (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"), (b"RIFF", "a media file"), (b"ID3", "a media file"),
    (b"BZh", "a bzip2 file"), (b"\xfd7zXZ", "an xz file"), (b"7z\xbc\xaf", "a 7z file"),
    (b"(\xb5/\xfd", "a Zstandard file"),
    (b"\xd0\xcf\x11\xe0", "an Office file"), (b"wOF", "a font"), (b"OggS", "a media file"),
)  # fmt: skip


class Seen(Struct, frozen=True):
    """A document as it was recognised: its *kind*, its bytes in UTF-8, and for XML and HTML its first element."""

    kind: Kind
    body: bytes
    prolog: Prolog | None = None
    raw: bytes = b""  # as it came, of what was not recognised


def recognise(body: bytes, content_type: str | None = None) -> Seen:
    """Say what *body* is. Never fails but for a DOCTYPE that passes its caps (ParseError)."""
    text = to_utf8(body, content_type)
    start = text[:MAX_LEAD_BYTES].lstrip(b" \t\r\n\x00\xef\xbb\xbf")
    if start[:1] in (b"{", b"["):
        return Seen("json", text)
    prolog = read_prolog(text)
    if prolog is None:
        return Seen("junk", text, raw=body[:64])
    if prolog.local in _WARNING_ROOTS and (late := _LATE_START.search(text, prolog.end, MAX_LEAD_BYTES)) is not None:
        text = text[late.start() :]
        prolog = read_prolog(text) or prolog
    if prolog.local == "entry":
        text, prolog = _as_feed(text, prolog)
    says_html = b"html" in prolog.doctype[:40].lower()
    return Seen(_KIND_OF_ROOT.get(prolog.local) or ("html" if says_html else "junk"), text, prolog)


def _as_feed(text: bytes, prolog: Prolog) -> tuple[bytes, Prolog]:
    """An Atom document that is one entry (RFC 4287 §2), as the feed of that entry."""
    tag = b'<feed xmlns="http://www.w3.org/2005/Atom">'
    text = tag + text[prolog.start :] + b"</feed>"
    return text, replace(prolog, name="feed", start=0, end=len(tag), tag=tag)


def shown(body: bytes) -> str:
    """The beginning of *body* for a message: as text where it is text, else by the name of what it is."""
    named = next((name for mark, name in _BINARY if body.startswith(mark)), None)
    start = body[:40].decode("utf-8", "replace")
    if named is None and sum(not character.isprintable() and not character.isspace() for character in start) > 2:
        named = "binary data"
    return f"it is {named}" if named else f"it begins with {start.replace(chr(0xFFFD), '')!r}"


_OF_OTHER_KIND = {
    "sitemap": ("a sitemap where a feed was expected", "write `sitemap:` instead of `url:`"),
    "opml": ("a list of feeds (OPML) where a feed was expected", "write `opml:` instead of `url:`"),
}


def refusal(seen: Seen, content_type: str | None = None) -> ParseError:
    """Return the error for a document that is no feed: what it is instead, and what to do about it."""
    served = f" (served as {content_type.split(';')[0].strip()})" if content_type else ""
    cause, remedy = _instead(seen, served)
    return ParseError(cause, remedy=remedy)


def _instead(seen: Seen, served: str) -> tuple[str, str]:
    if not seen.body.strip():
        return "an empty document where a feed was expected", "nothing to do if it does not last"
    if seen.kind == "html":
        title = _TITLE.search(seen.body[:65_536])
        named = f" titled {plain(title.group(1).decode('utf-8', 'replace'))[:80]!r}" if title else ""
        if _CHALLENGE.search(seen.body[:65_536]):
            return (
                f"a challenge page{named} where a feed was expected{served}",
                "the site takes the desk for a robot: ask its publisher to let the feed through",
            )
        return (
            f"an HTML page{named} where a feed was expected{served}",
            "`wiredesk discover URL` lists the feeds of a page; `page:` follows the links of one",
        )
    if seen.kind in _OF_OTHER_KIND:
        return _OF_OTHER_KIND[seen.kind]
    if seen.prolog is not None:
        return (
            f"XML with the root element {seen.prolog.name[:60]!r}, which is no feed{served}",
            "the root of a feed is rss, rdf:RDF or feed; look for the feed's own address",
        )
    return (
        f"neither XML nor JSON{served}: {shown(seen.raw or seen.body)}",
        "look at the address in a browser; `wiredesk discover URL` lists the feeds of a site",
    )


def format_of(prolog: Prolog) -> str:
    """Return feedparser's name for the format that the root announces, such as ``rss20``; for a feed not read whole."""
    version = _VERSION.search(prolog.tag)
    number = version.group(1).decode("utf-8", "replace").strip() if version else ""
    tag = prolog.tag.lower()
    if b"netscape" in prolog.doctype.lower():
        return "rss091n"
    if prolog.local == "feed":
        return "atom10" if b"http://www.w3.org/2005/atom" in tag else _ATOM_VERSIONS.get(number, "atom")
    if prolog.local == "rss":
        return _RSS_VERSIONS.get(number, "rss20" if number.startswith("2.") else "rss")
    if prolog.local == "channel":
        return "cdf"
    if b"http://purl.org/rss/1.0/" in tag:
        return "rss10"
    return "rss090" if b"http://my.netscape.com/rdf/simple/0.9/" in tag else "rss"


# ----------------------------------------------------------------------- what stands before the root


_SPACE = b" \t\r\n"
_NAME = re.compile(rb"<([A-Za-z_\x80-\xff][\w.\-\x80-\xff]*(?::[A-Za-z_\x80-\xff][\w.\-\x80-\xff]*)?)")
TAG_END = re.compile(rb"""(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")
_DOCTYPE_PART = re.compile(rb"""<!--.*?-->|<\?.*?\?>|"[^"]*"|'[^']*'|[\[\]>]""", re.DOTALL)
_ENTITY = re.compile(rb"""<!ENTITY\s+([A-Za-z_][\w.\-]*)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_TEXT_VALUE = re.compile(rb"(?:[^&%<]|&#(?:[0-9]{1,7}|x[0-9A-Fa-f]{1,6});)*\Z")
_REFERENCE = re.compile(rb"&#(x?)([0-9A-Fa-f]+);")
_BUILT_IN = (b"lt", b"gt", b"amp", b"quot", b"apos")


class Prolog(Struct, frozen=True, kw_only=True):
    """The root's *name* and *tag* (`body[start:end]`), and text *entities* of the document's own, as it wrote them."""

    name: str
    start: int
    end: int
    tag: bytes
    doctype: bytes = b""
    entities: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def local(self) -> str:
        """The root's name without prefix, in lower case."""
        return self.name.rpartition(":")[2].lower()


def read_prolog(body: bytes) -> Prolog | None:
    """Find the root of *body* (UTF-8); None where there is no element, or too much before it to be markup.

    Comments, processing instructions and at most MAX_LEAD_BYTES of other text may stand before it.
    Raises ParseError where the DOCTYPE passes its caps.
    """
    at = junk = 0
    doctype, entities = b"", dict[bytes, bytes]()
    while True:
        opening = body.find(b"<", at, at + MAX_LEAD_BYTES)
        if opening < 0:
            return None
        junk += len(body[at:opening].strip())
        if junk > MAX_LEAD_BYTES:
            return None
        at = opening
        if body.startswith(b"<?", at):
            at = _after(body, b"?>", at)
        elif body.startswith(b"<!--", at):
            at = _after(body, b"-->", at)
        elif body[at : at + 9].upper() == b"<!DOCTYPE":
            end = _doctype_end(body, at)
            doctype = body[at:end]
            entities = _entities(doctype)
            at = end
        elif (match := _NAME.match(body, at)) is not None:
            end_match = TAG_END.match(body, match.end(), match.end() + MAX_ROOT_TAG_BYTES)
            end = end_match.end() if end_match else match.end()
            if entities:
                _check_expansion(body, end, entities)
            name = match.group(1).decode("utf-8", "replace")
            return Prolog(name=name, start=at, end=end, tag=body[at:end], doctype=doctype, entities=entities)
        else:
            junk += 1
            at += 1


def _after(body: bytes, mark: bytes, at: int) -> int:
    """Where the construct that begins at *at* is over; the end of the document where it never is."""
    end = body.find(mark, at)
    return end + len(mark) if end >= 0 else len(body)


def _doctype_end(body: bytes, at: int) -> int:
    subset = False
    for part in _DOCTYPE_PART.finditer(body, at, at + MAX_DOCTYPE_BYTES):
        token = part.group()
        if token == b"[":
            subset = True
        elif token == b"]":
            subset = False
        elif token == b">" and not subset:
            return part.end()
    if len(body) - at <= MAX_DOCTYPE_BYTES:
        return len(body)
    raise ParseError(
        f"a DOCTYPE of more than {MAX_DOCTYPE_BYTES} bytes",
        remedy="a feed needs none; ask its publisher to leave it out",
    )


def _entities(doctype: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, double, single in _ENTITY.findall(COMMENT.sub(b"", doctype)):
        value = double or single
        # XML 1.0 §4.2: the first declaration binds. "&#38;lol;" is a nested reference in disguise (§4.4, appendix D).
        if name not in found and name not in _BUILT_IN and _TEXT_VALUE.match(value) and not _disguised(value):
            found[name] = value
    return found


def _disguised(value: bytes) -> bool:
    return any(int(digits, 16 if x else 10) in (37, 38, 60) for x, digits in _REFERENCE.findall(value))


def _check_expansion(body: bytes, start: int, entities: dict[bytes, bytes]) -> None:
    total = sum(body.count(b"&" + name + b";", start) * len(value) for name, value in entities.items())
    if total > MAX_EXPANSION_BYTES:
        raise ParseError(
            f"entities that come to {total} bytes, {MAX_EXPANSION_BYTES} are allowed",
            remedy="this looks like an attack; remove the source unless its publisher is known",
        )


def doctype_of(entities: dict[bytes, bytes]) -> bytes:
    """Return a DOCTYPE that declares *entities* and nothing else, empty for none."""
    if not entities:
        return b""
    declared = b"".join(
        b"<!ENTITY %s %s>" % (name, b"'%s'" % value if b'"' in value else b'"%s"' % value)
        for name, value in entities.items()
    )
    return b"<!DOCTYPE feed [" + declared + b"]>"
