"""Text and addresses in the form in which they may stand in a published document. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from urllib.parse import quote, urlsplit

from feeds.frames import legal
from feeds.model import Article

# Unreserved, reserved and percent of RFC 3986; everything else is percent-encoded (RFC 3987 §3.1).
_URL_SAFE = "%:/?#[]@!$&'()*+,;=-._~"
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
    if not url:
        return None
    url = legal(url).strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
    if "@" in parts.netloc or not parts.netloc.isascii():
        host = f"[{host}]" if ":" in host else host
        parts = parts._replace(netloc=f"{host}:{port}" if port is not None else host)
    return _percents(quote(parts.geturl(), safe=_URL_SAFE))


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


def line(text: str) -> str:
    """Return *text* as one line of legal characters."""
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
