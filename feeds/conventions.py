"""Where well-known sites keep the feed of what a page of theirs shows (`conventions.txt`; nobody is asked), and how
articles are found on pages: selectors as config writes them, as XPath, and those by which pages mark what they list.

I/O: reads that table.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from cssselect import HTMLTranslator, SelectorError
from msgspec import Struct

from feeds.configuration import Select
from feeds.files import tables


class Convention(Struct, frozen=True):
    """What is known of a page by its address: *what* it is, and *url*, its feed; with *select* a page to be read by it.

    Where *url* is ``""`` only the page itself, or a catalogue, can tell the feed: *ask* is the address that does, by
    autodiscovery or as JSON.
    """

    what: str
    url: str = ""
    select: Select | None = None
    ask: str = ""


_TABLES = tables("conventions.txt")
_ROWS = tuple(
    (what, re.compile(host), re.compile(path.replace("NAME", r"[\w.~%-]+")), feed.strip())
    for what, host, path, feed in (re.split(r"\s{2,}", f"{row}  ", maxsplit=3) for row in _TABLES["feeds"])
)
_LIKELY = _TABLES["likely"][0].split()
_NOT_MASTODON = frozenset(_TABLES["not mastodon"][0].split())
_FEED = re.compile(r"\.(?:rss|atom|xml|json)$")
_TELEGRAM = re.compile(r"/(?:s/)?(?P<id>(?!joinchat|share)[A-Za-z]\w{3,31})/?")
_APPLE = re.compile(r"/(?:.*/)?podcast/(?:.*/)?id(?P<id>\d+)")
_MASTODON = re.compile(r"/(?P<id>@[\w.-]+|tags/\w+)/?")


def convention_of(url: str) -> Convention | None:
    """Return what is known of the page at *url* by its address; None where nothing is, or where it is a feed already.

    >>> convention_of("https://github.com/pallets/flask")
    Convention(what='releases on GitHub', url='https://github.com/pallets/flask/releases.atom', select=None, ask='')
    >>> convention_of("https://mastodon.example/@ada").url, convention_of("https://example.org/news")
    ('https://mastodon.example/@ada.rss', None)
    """
    host, path, asked = _page_of(url)
    if not host or _FEED.search(path):
        return None
    for what, host_like, path_like, feed in _ROWS:
        at, found = host_like.fullmatch(host), path_like.fullmatch(asked) or path_like.fullmatch(path)
        if at is not None and found is not None:
            named = {name: quote(unquote(value), safe="/:@+&=%,") for name, value in found.groupdict().items()}
            return Convention(what, feed.format(**at.groupdict(), **named), ask="" if feed else url)
    return _elsewhere(host, path)


def _page_of(url: str) -> tuple[str, str, str]:
    """Host, path, and path with query of a page that may have a convention; empty for all else, such as other ports."""
    if not any(word in url for word in _LIKELY):  # most addresses, seen at a look
        return "", "", ""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", "", ""
    if parts.scheme not in ("http", "https") or parts.netloc.lower() != host:
        return "", "", ""
    return host, parts.path, parts.path + (f"?{parts.query}" if parts.query else "")


def _elsewhere(host: str, path: str) -> Convention | None:
    """What has no feed at its address, or stands on many hosts."""
    if host in ("t.me", "telegram.me") and (found := _TELEGRAM.fullmatch(path)):
        return Convention("a channel of Telegram", f"https://t.me/s/{found['id']}", TELEGRAM)
    if host in ("podcasts.apple.com", "itunes.apple.com") and (found := _APPLE.fullmatch(path)):
        return Convention("a podcast at Apple", ask=f"https://itunes.apple.com/lookup?id={found['id']}&entity=podcast")
    if (found := _MASTODON.fullmatch(path)) and host and host.removeprefix("www.") not in _NOT_MASTODON:
        return Convention("a page of Mastodon, or one like it", f"https://{host}/{found['id']}.rss")
    return None


_ATTRIBUTE = re.compile(r"(?P<css>.*?)@(?P<name>[A-Za-z_][\w:.-]*)\s*\Z", re.DOTALL)
_XPATH = "xpath:"
_TRANSLATOR = HTMLTranslator()


def xpath_of(selector: str, axis: str = "descendant::") -> str:
    """Return the XPath 1.0 of *selector*: CSS, CSS with ``@attribute`` behind it, or ``xpath:`` and an XPath.

    CSS is of what stands below the element that is looked in, as in `querySelectorAll`; ``:scope > a`` begins at the
    element itself, ``@href`` alone is an attribute of it. Raises ValueError, in words, for what is no selector.

    >>> xpath_of("time@datetime"), xpath_of("@href"), xpath_of("xpath: ../h2")
    ('(descendant::time)/@datetime', '@href', '../h2')
    """
    selector = selector.strip()
    if selector.startswith(_XPATH):
        return selector.removeprefix(_XPATH).strip()
    if found := _ATTRIBUTE.match(selector):
        css, attribute = found["css"].strip(), found["name"].lower()
        return f"({_translated(css, axis)})/@{attribute}" if css else f"@{attribute}"
    return _translated(selector, axis)


def _translated(css: str, axis: str) -> str:
    if css.startswith(("/", "./", "(")):
        raise ValueError("an XPath begins with xpath:")
    try:
        return _TRANSLATOR.css_to_xpath(css, prefix="self::" if css.startswith(":scope") else axis)
    except SelectorError as error:
        if "::" in css:
            raise ValueError("for an attribute write a@href, for the text of an element the element alone") from error
        raise ValueError(str(error)) from error


def _named(*names: str) -> str:
    """The test of an element that has one of the classes *names*."""
    return " or ".join(f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')" for name in names)


def _property(*names: str) -> str:
    """The microformats properties *names* of an entry, not those of a person or of a quotation within it."""
    return f"{_XPATH}.//*[{_named(*names)}][not(ancestor::*[{_named('h-card', 'h-cite', 'h-adr')}])]"


H_ENTRY = Select(
    item=f"{_XPATH}//*[{_named('h-entry')}][not(ancestor::*[{_named('h-entry')}])]",
    title=_property("p-name"),
    link=_property("u-url"),
    date=_property("dt-published"),
    text=_property("e-content", "p-summary"),
    picture=_property("u-photo", "u-featured"),
    author=".p-author",
    category=_property("p-category"),
)
"""The posts of a page that marks them (microformats.org/wiki/h-entry)."""

ITEM_LIST = Select(
    item="@",
    title="name || headline",
    link='url || "@id" || item',
    date="datePublished || startDate || dateModified || uploadDate",
    text="description || articleBody || abstract",
    picture="image.url || image[0].url || image[0] || image || thumbnailUrl",
    author="author[].name || author.name || author",
    category="articleSection || keywords || genre",
)
"""The members of an ItemList or of a Blog in JSON-LD (schema.org), by JMESPath."""

TELEGRAM = Select(
    item=".tgme_widget_message",
    id="@data-post",
    link="a.tgme_widget_message_date@href",
    date=".tgme_widget_message_date time@datetime",
    text=".tgme_widget_message_text",
    picture="xpath:substring-before(substring-after(.//*[contains(@class, 'photo_wrap')]/@style, \"url('\"), \"')\")",
)
"""The posts on Telegram's web page of a public channel."""
