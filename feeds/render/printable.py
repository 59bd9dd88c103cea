"""Whom a published article credits, and where it links: the same answers for all three formats. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape, unescape
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from feeds.frames import legal
from feeds.model import Article, Related
from feeds.parsed import Discussion, Enclosure, Image, Origin, Person
from feeds.players import media_type
from feeds.render.contexts import DeskContext
from feeds.urls import masked, public_address

# Unreserved, reserved and percent of RFC 3986; everything else is percent-encoded (RFC 3987 §3.1).
_URL_SAFE = "%:/?#[]@!$&'()*+,;=-._~"
# An address of these characters alone is printed as it stands. Nearly all are such, and to take one apart and join it
# again takes twenty times as long.
_PRINTED = re.compile(
    r"https?://[A-Za-z0-9.\-]+(?:/(?:[A-Za-z0-9/:@!$&'()*+,;=._~\-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9/:@!$&'()*+,;=._~?\-]|%[0-9A-Fa-f]{2})+)?\Z"
)
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%\u00a0-\U0010ffff]+\Z")
_EMAIL = re.compile(r"[^\s@<>,]+@[^\s@<>,]+\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*\Z")
_HTMLISH = re.compile(r"<[A-Za-z/!?]|&(?:#\d|#[xX][0-9A-Fa-f]|[A-Za-z]\w*;)")
_TAG = re.compile(r"<!--.*?-->|<[A-Za-z/!?][^>]*>", re.DOTALL)
_BREAK = re.compile(r"</?(?:p|div|br|li|h[1-6]|tr|td|blockquote|figure|figcaption|pre|ul|ol|table|hr)\b[^>]*>", re.I)
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=4096)  # three formats ask the same of each article
def absolute(url: str | None) -> str | None:
    """Return *url* as an absolute http(s) URI in ASCII, without user and password; None where it is not one.

    >>> absolute(" https://user:pw@example.org/a b/ä?q=<x> ")
    'https://example.org/a%20b/%C3%A4?q=%3Cx%3E'
    >>> absolute("javascript:alert(1)") is absolute("/only/a/path") is None
    True
    """
    if not url or _PRINTED.match(url):
        return url or None
    url = legal(url).strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    if "@" in parts.netloc or not parts.netloc.isascii():
        if not (host := _ascii_host(host)):
            return None
        host = f"[{host}]" if ":" in host else host
        parts = parts._replace(netloc=f"{host}:{port}" if port is not None else host)
    return _percents(quote(parts.geturl(), safe=_URL_SAFE))


@lru_cache(maxsize=4096)  # three formats name the same addresses, and each must be one
def is_web_address(text: str) -> bool:
    """Whether *text* is an absolute http(s) address.

    >>> is_web_address("https://example.org/a?b"), is_web_address("/a"), is_web_address("javascript:alert(1)")
    (True, False, False)
    """
    if _PRINTED.match(text):
        return True
    if not URI.match(text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _ascii_host(host: str) -> str:
    """*host* in IDNA, "" where it has no such form."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return ""


def _percents(url: str) -> str:
    """A percent sign that begins no escape is itself escaped, so that the address is a URI."""
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", url)


def email(address: str | None) -> str | None:
    """Return *address* where it is one."""
    address = legal(address or "").strip()
    return address if _EMAIL.match(address) else None


def language(tag: str | None) -> str | None:
    """Return *tag* where it has the form of a language tag (RFC 5646 §2.1)."""
    return tag if tag and _LANGUAGE.match(tag) else None


def line(text: str | None) -> str:
    """Return *text* as one line of legal characters; "" for None."""
    if not text:
        return ""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _SPACES.sub(" ", legal(text)).strip()


def plain(html: str) -> str:
    """Return the words of sanitised *html* as one line.

    >>> plain("<p>Tide &amp; <b>time</b></p><p>wait</p>")
    'Tide & time wait'
    """
    return line(unescape(_TAG.sub("", _BREAK.sub(" ", html))))


def excerpt(html: str, most: int = 300) -> str:
    """Return the first words of sanitised *html*, *most* characters of them."""
    words = plain(html)
    return words if len(words) <= most else words[:most].rsplit(" ", 1)[0] + "…"


def headline(article: Article) -> str:
    """Return the title, or for an article without one the beginning of its text; never empty (RFC 4287 §4.2.14)."""
    title = line(article.title)
    if not title:
        title = excerpt(article.summary or article.content, 80)
    return title or line(article.source_name) or article.uid


def rss_title(title: str) -> str:
    """Return *title* as it must stand in RSS, where readers sniff whether a title is HTML.

    A title with markup or entities in its words is escaped once more, so that it shows as written and no reader
    runs it; every other one stands as it is.

    >>> rss_title("AT&T < you"), rss_title("The <script> tag")
    ('AT&T < you', 'The &lt;script&gt; tag')
    """
    return escape(title, quote=False) if _HTMLISH.search(title) else title


_NAMESPACE = uuid.UUID("5f1d8c9e-4b0a-5d0f-8f6c-2b7a1e94c3d2")


class Credit(Struct, frozen=True, kw_only=True):
    """The origin where the article names one, else the source that brought it. *id* is its feed's, a urn if need be."""

    name: str
    id: str
    url: str | None
    feed_url: str | None
    updated: datetime

    @property
    def address(self) -> str | None:
        """What RSS calls the source's url: the feed, or the site of one whose feed is not known."""
        return self.feed_url or self.url


def credit(article: Article) -> Credit | None:
    """Return whom *article* credits, None where neither origin nor source has a name."""
    if article.origin and (name := line(article.origin.name)):
        return _origin_credit(article.origin, name, article.published)
    if name := line(article.source_name):
        feed_url = _public(article.source_url)
        identity = feed_url or _urn(line(article.source_key) or name)
        updated = article.source_updated or article.updated
        return Credit(name=name, id=identity, url=_public(article.source_site), feed_url=feed_url, updated=updated)
    return None


def _origin_credit(origin: Origin, name: str, published: datetime) -> Credit:
    url, feed_url = _public(origin.url), _public(origin.feed_url)
    stated = legal(origin.feed_id or "").strip()
    if masked(stated) != stated:
        stated = ""  # the address by which somebody else is let in
    identity = stated if _is_iri(stated) else feed_url or url or _urn(name)
    # When its own feed changed is not known: the latest that is sure is when it published.
    return Credit(name=name, id=identity, url=url, feed_url=feed_url, updated=published)


def _public(url: str | None) -> str | None:
    found = absolute(url)
    return found and public_address(found)


def people(several: Sequence[Person]) -> list[Person]:
    """Return *several* as they are printed, each name once; e-mail and address only where they are one."""
    found: dict[str, Person] = {}
    for person in several:
        if (name := line(person.name)) and name not in found:
            found[name] = Person(name=name, email=email(person.email), url=absolute(person.url))
    return list(found.values())


def discussion(article: Article) -> Discussion:
    """Return where *article* is discussed: usable addresses and a count of 0 or more; empty where nowhere."""
    talk = article.discussion or Discussion()
    count = talk.count if talk.count is not None and talk.count >= 0 else None
    return Discussion(url=absolute(talk.url), feed_url=absolute(talk.feed_url), count=count)


def texts(article: Article) -> tuple[str, str]:
    """Return summary and content of *article*, legal in XML."""
    return legal(article.summary).strip(), legal(article.content).strip()


def present(**values: Any) -> dict[str, Any]:
    """Return those of *values* that say something: neither None nor empty."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def permalink(article: Article | Related, desk: DeskContext) -> str:
    """Return where *article* is read: at its own address, else on the desk's page of it."""
    return absolute(article.link) or f"{desk.base_url}/article/{article.id}"


def via(article: Article, link: str) -> list[str]:
    """Return where *article* was taken from beside *link*: what it says itself, and the original that it copies."""
    return _others([*article.via, *(copy.link for copy in article.copies if copy.original)], link)


def related(article: Article, link: str) -> list[str]:
    """Return the addresses that *article* names as related."""
    return _others(article.related, link)


def _others(urls: Iterable[str | None], link: str) -> list[str]:
    found = dict.fromkeys(map(absolute, urls))
    return [url for url in found if url and url != link]


def files(article: Article) -> tuple[Enclosure, ...]:
    """Return *article*'s enclosures that have a usable address, each address once, fit to print: with a type."""
    found: dict[str, Enclosure] = {}
    for enclosure in article.enclosures:
        if (url := absolute(enclosure.url)) and url not in found:
            found[url] = replace(
                enclosure,
                url=url,
                type=media_type(enclosure.type, url),
                length_bytes=max(enclosure.length_bytes or 0, 0) or None,
                title=line(enclosure.title),
                language=language(enclosure.language),
                description=line(enclosure.description),
                credit=line(enclosure.credit),
            )
    return tuple(found.values())


def image(article: Article, desk: DeskContext) -> Image | None:
    """Return *article*'s picture with a usable address, unless the desk shows none."""
    picture = article.image if desk.images else None
    url = absolute(picture.url) if picture else None
    if picture is None or url is None:
        return None
    return replace(picture, url=url, alt=line(picture.alt), caption=line(picture.caption), credit=line(picture.credit))


def _is_iri(text: str) -> bool:
    scheme, colon, rest = text.partition(":")
    return bool(colon and rest and scheme.isascii() and scheme.replace("+", "").isalnum() and " " not in text)


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, legal(name))}"
