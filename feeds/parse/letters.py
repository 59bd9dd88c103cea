"""Letters (RFC 5322): the article in one, or the articles of a digest. Part of `parse`. Pure.

A letter is written to one reader, and what is published of it must not say to whom: links for signing off, pictures
that report who looks, and links that say who follows them are taken out. Attached files and pictures stay in the
letter, for the desk has no place to serve them from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from html import escape
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree, html
from msgspec.structs import replace

from feeds.comparable import carried_target
from feeds.errors import ParseError
from feeds.parse.charset import decode
from feeds.parse.fields import MAX_ENTRIES, any_of, raw_text
from feeds.parse.plain import read_plain
from feeds.parsed import Category, ParsedEntry, ParsedFeed, Person, RawText

MAX_HTML_CHARACTERS = 3_000_000
FOOTER_CHARS = 400
"""A block with more text than this is no mere footer, whatever link it holds."""

_HEADER = re.compile(
    rb"(?:From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Reply-To|Sender|"
    rb"DKIM-Signature|X-[\w-]+|List-[\w-]+):",
    re.IGNORECASE,
)
_NEEDED = (
    re.compile(rb"^From:", re.I | re.M),
    re.compile(rb"^(?:Subject|Date|Message-ID|Received|MIME-Version):", re.I | re.M),
)
_PREFIX = re.compile(r"^(?:(?:fwd?|wg|re|aw|tr|rv)\s*:\s*)+", re.IGNORECASE)
_SIGNATURE = re.compile(r"\n-- ?\n[\s\S]{0,2000}\Z")
_TRAILER = re.compile(r"\n_{10,}\n[\s\S]{0,2000}\Z")
_SIGN_OFF = re.compile(any_of("sign-off"), re.IGNORECASE)
_SIGN_OFF_PATH = re.compile(
    r"unsubscri|optout|opt-out|/unsub\b|email-preferences|list-manage\.com/(?:profile|unsub)", re.IGNORECASE
)
_TRACKER_HOST = re.compile(
    r"^(?:click\d*|clicks|links?\d*|lnks?|track(?:ing|er)?\d*|trk|email|e|ct|url\d+|mailtrack|open|r\d*)\.|"
    r"(?:list-manage\.com|sendgrid\.net|mandrillapp\.com|mailgun\.(?:org|net)|hubspotlinks\.com|rs6\.net|cmail\d*\.com|"
    r"createsend\d*\.com|exct\.net|mlsend\.com|sendibm\d*\.com|awstrack\.me|sparkpostmail\d*\.com)$",
    re.IGNORECASE,
)
_TRACKER_PATH = re.compile(r"/(?:ls|track|wf|e|c)/(?:click|c|o|open)\b|/track/|/click\b|/open\b|/pixel\b|/beacon", re.I)
_TOKEN = re.compile(r"[A-Za-z0-9_%+=~]{20,}|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|(?:max-height|font-size)\s*:\s*0", re.IGNORECASE
)
_SIZE = re.compile(r"\s*(\d+)")
_DKIM = re.compile(r"\bdkim\s*=\s*([a-z]+)(?:[^;]*?\bheader\.[di]\s*=\s*@?([\w.-]+))?", re.IGNORECASE)
_LIST = re.compile(r"<([^<>\s]+)>")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")
_HEADINGS = ("h1", "h2", "h3", "h4")


def is_letter(body: bytes) -> bool:
    """Tell whether *body* begins with the headers of a letter."""
    head = re.split(rb"\r?\n\r?\n", body[:65_536].lstrip(), maxsplit=1)[0]
    return bool(_HEADER.match(head)) and all(needed.search(head) for needed in _NEEDED)


def parse_letter(body: bytes, *, name: str, digest: bool = False) -> ParsedFeed:
    """Return the article that the letter *body* holds, or with *digest* each of those that are put together in it.

    A digest of which no parts are found is one article. Raises ParseError where there is no text.
    """
    whole = read_letter(body, name=name)
    parts = tuple(_parts(whole)) if digest else ()
    entries = parts if len(parts) > 1 else (whole,)
    numbered = tuple(replace(entry, position=at) for at, entry in enumerate(entries))
    return ParsedFeed(kind="document", title=whole.publisher or "", language=whole.language, entries=numbered)


def read_letter(body: bytes, *, name: str) -> ParsedEntry:
    """Return the article that the letter *body* holds; its HTML part counts before its plain one.

    What the receiving server found of its DKIM signature is a note. Raises ParseError where there is no text.
    """
    try:
        letter = message_from_bytes(body, _class=EmailMessage, policy=policy.default)
        markup, plain = _part(letter, "html"), _part(letter, "plain")
        notes = (*_pictures_left_out(letter), *_signed(letter))
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError(f"{name} is a damaged letter: {error}", remedy="save the letter again") from error
    if not markup and not plain:
        raise ParseError(f"{name} is a letter without text", remedy="save its text as a file of its own")
    title = _PREFIX.sub("", _header(letter, "subject")) or None
    plain = _TRAILER.sub("", _SIGNATURE.sub("", plain.replace("\r\n", "\n")))
    cleaned = _cleaned(markup) if markup else ""
    listed = _LIST.search(_header(letter, "list-id"))
    facts: dict[str, Any] = {
        "entry_id": _header(letter, "message-id").strip("<> "),
        "title": raw_text(title, "text"),
        "content": RawText(value=cleaned, type="html") if cleaned else None,
        "authors": _senders(letter),
        "published": _header(letter, "date"),
        "language": _header(letter, "content-language").partition(",")[0],
        "categories": (Category(term=listed[1].lower(), scheme="list-id"),) if listed else (),
        "notes": notes,
    }
    entry = read_plain(_without_sign_off(plain), title=title) if plain and not cleaned else ParsedEntry()
    return replace(entry, **{field: fact for field, fact in facts.items() if fact})


def _pictures_left_out(letter: EmailMessage) -> Iterator[str]:
    if count := sum(part.get_content_maintype() == "image" for part in letter.walk()):
        yield f"{count} pictures of the letter are left out: there is no place to serve them from"


def _signed(letter: EmailMessage) -> Iterator[str]:
    """What the server that received the letter says of its signature (RFC 8601): its own header stands first."""
    results = _header(letter, "authentication-results")
    if found := _DKIM.search(results):
        yield f"DKIM: {found[1].lower()}" + (f", signed by {found[2].lower()}" if found[2] else "")


def _part(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body(preferencelist=(kind,))
    raw = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(raw, bytes):
        return ""
    charset = part.get_content_charset()
    try:
        return raw.decode(charset) if charset else decode(raw)
    except (LookupError, UnicodeDecodeError):
        return decode(raw)


def _header(letter: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(letter.get(name) or "").split())
    except (ValueError, TypeError, AttributeError, IndexError):
        return ""  # a header that the parser cannot make sense of says nothing


def _senders(letter: EmailMessage) -> tuple[Person, ...]:
    try:
        addresses = letter["from"].addresses if letter["from"] is not None else ()
    except (ValueError, TypeError, AttributeError, IndexError):
        return ()
    # A letter's address is its sender's own and is not republished.
    return tuple(Person(name=address.display_name or address.username) for address in addresses if address.addr_spec)


# ------------------------------------------------------------------------------- what is the reader's own


def _cleaned(markup: str) -> str:
    """The HTML of a letter without what is meant for its one reader; ``""`` where nothing is left."""
    if len(markup) > MAX_HTML_CHARACTERS:
        raise ParseError(f"a letter with more than {MAX_HTML_CHARACTERS} characters of HTML", remedy="leave it out")
    try:
        tree: Any = html.document_fromstring(_NO_XML.sub("", markup), parser=html.HTMLParser(remove_comments=True))
    except (ValueError, etree.LxmlError):
        return ""
    _take_out(tree)
    body = tree.find("body")
    inner = tree if body is None else body
    if not inner.text_content().strip():
        return ""
    return escape(inner.text or "") + "".join(html.tostring(child, encoding="unicode") for child in inner)


def _take_out(tree: Any) -> None:
    """Take out of *tree* what nobody sees, what reports who reads, and links to sign off."""
    etree.strip_elements(tree, "style", "script", "title", "head", with_tail=False)
    for element in list(tree.iter(etree.Element)):
        if _HIDDEN.search(element.get("style") or "") and element.getparent() is not None:
            element.drop_tree()
    for picture in list(tree.iter("img")):
        if _reports(picture):
            picture.drop_tree()
    for link in list(tree.iter("a")):
        _mind_link(link)


_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def _reports(picture: Any) -> bool:
    """Whether *picture* is there to be asked for, and not to be seen, or lies within the letter."""
    source = picture.get("src") or ""
    sizes = [size for name in ("width", "height") if (size := _SIZE.match(picture.get(name) or ""))]
    if any(int(size[1]) <= 2 for size in sizes) or not source.lower().startswith(("http://", "https://")):
        return True
    return _is_tracker(source)


def _is_tracker(address: str) -> bool:
    """Whether *address* is one reader's own: a tracker's host or path, and a token."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return True
    named = _TRACKER_HOST.search(parts.hostname or "") or _TRACKER_PATH.search(parts.path)
    return bool(named and _TOKEN.search(f"{parts.path}?{parts.query}"))


def _mind_link(link: Any) -> None:
    """Take a *link* to sign off out with its block; of one that says who follows it, give the target or the text."""
    address, words = link.get("href") or "", link.text_content()
    if _SIGN_OFF.search(words) or _SIGN_OFF_PATH.search(address):
        block = next(
            (up for up in link.iterancestors("p", "td", "li", "div") if len(up.text_content()) < FOOTER_CHARS), link
        )
        if block.getparent() is not None:
            block.drop_tree()
        return
    target = carried_target(address)
    if target is not None:
        link.set("href", target)
    elif _is_tracker(address):
        link.drop_tag()


def _without_sign_off(text: str) -> str:
    """Plain *text* without the lines that say how to sign off, and the address below each."""
    kept: list[str] = []
    signing_off = False
    for row in text.split("\n"):
        signing_off = bool(_SIGN_OFF.search(row) or _SIGN_OFF_PATH.search(row)) or (
            signing_off and bool(_ADDRESS.fullmatch(row.strip().strip("<>")))
        )
        if not signing_off:
            kept.append(row)
    return "\n".join(kept)


# --------------------------------------------------------------------------------------- digests


def _parts(whole: ParsedEntry) -> Iterator[ParsedEntry]:
    """The articles of a digest: what stands below each of its headings, or between its rules."""
    if whole.content is None or whole.content.type != "html":
        return
    for number, (title, link, body) in enumerate(islice(_by_headings(whole.content.value), MAX_ENTRIES), start=1):
        yield replace(
            whole,
            entry_id=f"{whole.entry_id}#{number}" if whole.entry_id else None,
            title=RawText(value=title),
            link=link or None,
            summary=None,
            content=RawText(value=body, type="html") if body else None,
        )


def _by_headings(markup: str) -> Iterator[tuple[str, str, str]]:
    """Heading, first address and HTML of each part; what stands before the first heading is the letter's own."""
    tree = html.fragment_fromstring(markup, create_parent="div")
    marks = _marks(tree)
    parts: list[list[Any]] = []
    for element in _leaves(tree, marks):
        if element in marks:
            parts.append([])
        if parts:
            parts[-1].append(element)
    for part in parts:
        links = (link.get("href") for element in part for link in element.iter("a"))
        body = "".join(html.tostring(element, encoding="unicode") for element in part[1:])
        yield " ".join(part[0].text_content().split()), next(filter(None, links), ""), body


def _marks(tree: Any) -> set[Any]:
    """The headings of the highest level that *tree* has more than once."""
    levels = ({element for element in tree.iter(tag) if element.text_content().strip()} for tag in _HEADINGS)
    return next((headings for headings in levels if len(headings) > 1), set())


def _leaves(tree: Any, marks: set[Any]) -> Iterator[Any]:
    """The largest elements of *tree* that hold none of *marks*, and the marks, in order."""
    for child in tree:
        if child in marks:
            yield child
        elif any(inner in marks for inner in child.iter()):
            yield from _leaves(child, marks)
        elif isinstance(child.tag, str):
            yield child
