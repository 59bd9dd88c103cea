"""The form of an address in which two copies of one article compare equal. Pure.

`comparable_url` is for comparing and never for fetching or showing. It prefers two forms for one article over one
form for two: a parameter that nobody has listed in `comparable.txt` stays, and so do the cases of paths.

No list of names can hold what every shop calls its session, so values are also known by their form. Session ids,
tickets and cache busters have in common that chance made them (hex, base64, UUIDs, fractions of a random number) or
the clock (seconds or milliseconds of this age).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from urllib.parse import SplitResult, quote, unquote, unquote_to_bytes

from feeds.errors import UrlError
from feeds.files import tables
from feeds.urls import by_chance, split_url


def _words(lines: list[str]) -> list[str]:
    return list(chain.from_iterable(map(str.split, lines)))


def _by_first(lines: list[str]) -> dict[str, tuple[str, ...]]:
    """The first word of each line → the others."""
    return {name: tuple(others) for name, *others in map(str.split, lines)}


_TABLES = tables("comparable.txt")
_PREFIXES = tuple(_words(_TABLES["prefixes"]))
_NAMES = frozenset(_words(_TABLES["names"]))
_WORD_NAMES = frozenset(_words(_TABLES["word names"]))
_WHERE_FROM = frozenset(_words(_TABLES["where from"]))
_VIEWS = {
    name: ["" if value == "-" else value for value in values] for name, *values in map(str.split, _TABLES["views"])
}
_HOST_NAMES = _by_first(_TABLES["names of a host"])
_VARIANT_LABELS = frozenset(_words(_TABLES["variant labels"]))
_HOST_ALIASES = {host: name for host, (name,) in _by_first(_TABLES["host aliases"]).items()}
_REDIRECTORS = _by_first(_TABLES["redirectors"])
_REDIRECT_PATHS = frozenset(_words(_TABLES["redirect paths"]))
_REDIRECT_NAMES = _words(_TABLES["redirect names"])
_FRAME_WORDS = frozenset(_words(_TABLES["frame words"]))
_PARTS = "|".join(_words(_TABLES["parts of a page"]))

PERMALINK = r"[^#]*/(?=[^/#]*\d|[^/#]*-[^/#]*-)[^/#]+"
"""An address whose last part has a number or three words is of one article; another may show a new one each day."""
MAX_HOPS = 4  # redirectors inside redirectors
SLUG_WORDS = 3
"""A last part of a path with so many words of its own names an article."""

_OF_ONE_ARTICLE = re.compile(PERMALINK)
_INDEX = re.compile(r"/(?:index|default)\.(?:s?html?|php\d?|aspx?|jsp|cfm|pl|cgi)$", re.IGNORECASE)
_PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid|sessionid)=[^/;?]*", re.IGNORECASE)
_COOKIELESS = re.compile(r"/\([A-Z]\([a-z0-9]+\)\)(?=/)", re.IGNORECASE)
_VIEW_TAIL = re.compile(r"(?:/(?:amp|print|mobile|printer-friendly|singlepage)|\.amp|\.print)$", re.IGNORECASE)
_VIEW_FILE = re.compile(
    r"(?:[./](?:amp|print)|(?<=\d)-(?:amp|print))(?=\.(?:s?html?|php|aspx?|cms|ece)$)", re.IGNORECASE
)
_VIEW_HEAD = re.compile(r"^/(?:print|mobile)(?=/[^/]+/)", re.IGNORECASE)
_NAMES_ARTICLE = re.compile(r"\d{4}|[^/]*[-_][^/]*[-_][^/]*/?$|/[^/]+\.(?:s?html?|cms|ece|stm)$", re.IGNORECASE)
_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
# A time of this age in seconds or milliseconds since 1970.
_CLOCK = re.compile(r"1[0-9]{9}(?:[0-9]{3})?(?:\.[0-9]+)?")
_PASSING = re.compile(
    r"_+|z?x|n?cb?|r|t|ts|v|ver|version|_dc|dc|ord|rnd|rand.*|.*(?:sess|token|ticket|nonce|csrf|cache|bust|stamp|time).*"
    r"|[a-z]?sid|.*(?:visit|visitor|client|device|user|request|req|click|track)_?id",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"(?:.*[_-])?(?:id|ids|guid|uuid|key|uri|url|link|q|query|search|page|p|n|s|hash|code|slug|file|path|doc|no|nr|num)"
    r"|.*(?:article|story|post|news|item|entry|content|doc|node|episode|video|audio|photo|image|event|page|issue).*"
    r"|[a-z]{1,3}id",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
# Behind the # a script's own address, or what stands on a page beside others: #!/a, #/a, #comment-55, #block-6f3a.
_OWN_FRAGMENT = re.compile(rf"[!/].*|(?:[a-z]+[-_])?(?:{_PARTS})[-_:.]?(?=[a-z]*\d)[0-9a-z]+", re.IGNORECASE)
_SLASHES = re.compile(r"^(https?):/+", re.IGNORECASE)
_AMPERSAND = re.compile(r"&amp;|&", re.IGNORECASE)
_SCHEME = re.compile(r"https?:", re.IGNORECASE)
_AMP_PATH = re.compile(r"(?:/[a-z]+)?/(s/)?([^/]+\.[a-z]{2,}(?:[:/].*)?)$", re.IGNORECASE)
_ARCHIVES = ("web.archive.org", "href.li", "anonym.to")
_PORTALS = ("rd.yahoo.com", "search.yahoo.com")
_CASELESS = (".asp", ".aspx", ".ashx")
"""Endings of what is served by software that does not look at the case."""
_EMBEDDED = re.compile(r"https?(?::|%3a)(?:/|%2f){1,2}", re.IGNORECASE)

# Characters that mean the same escaped or not in practice; "/?#%&=+" and brackets do not.
_PATH_PLAIN = "-._~!$'()*,;:@"
_QUERY_PLAIN = "-._~!$'()*,:@/"


@lru_cache(maxsize=4096)  # an entry's id is often its link, and each is asked for by several steps
def comparable_url(url: str) -> str:
    """Return the key under which *url* is compared: host, path and query; for comparing, not for fetching.

    Left out are what does not name the article (RFC 3986 §6.2 and beyond): scheme, user, default port, ``www`` and
    mobile hosts, dot segments, index files, a last slash, AMP and print views, tracking and session parameters, the
    order of parameters, the fragment, unless it names a comment, a post or the page of a script. A redirector's link
    counts as the target that it carries.
    Raises UrlError if *url* is not an absolute http(s) URL.
    >>> comparable_url("HTTPS://Example.org:443?utm_source=x&id=7#top")
    'example.org/?id=7'
    >>> comparable_url("http://m.example.org/a/./b%2dc/index.html?b=2&a=1&fbclid=x")
    'example.org/a/b-c?a=1&b=2'
    >>> comparable_url("https://www.google.com/url?sa=t&url=https%3A%2F%2Fexample.org%2Fnews%2F1%2F")
    'example.org/news/1'
    """
    text = url
    for _ in range(MAX_HOPS):
        parts, host, port = split_url(text)
        target = _carried(parts, host)
        if target is None:
            break
        text = target
    path = _comparable_path(parts.path)
    host = _comparable_host(host)
    query = _comparable_query(parts.query, host, path)
    host, path, query = _rewritten(host, path, query)
    if port not in (None, 80, 443):
        host = f"{host}:{port}"
    if _OWN_FRAGMENT.fullmatch(parts.fragment):
        query += ("&" if query else "") + "#" + _plain_escapes(parts.fragment, _QUERY_PLAIN)
    return host + path + ("?" + query if query else "")


def is_of_one_article(comparable: str) -> bool:
    """
    >>> is_of_one_article("transit.example/alerts"), is_of_one_article("transit.example/alerts/line-2")
    (False, True)
    """
    return _OF_ONE_ARTICLE.fullmatch(comparable) is not None


def comparable_or_none(url: str | None) -> str | None:
    """Return the key of *url*, None where it is none or no absolute http(s) URL."""
    try:
        return comparable_url(url) if url else None
    except UrlError:
        return None


def carried_target(url: str) -> str | None:
    """The address that a redirector's link *url* carries, through redirectors in it; None where it carries none.

    >>> carried_target("https://click.example.org/track/click?u=7&url=https%3A%2F%2Fexample.com%2Fnews")
    'https://example.com/news'
    """
    text: str | None = None
    for _ in range(MAX_HOPS):
        try:
            parts, host, _port = split_url(text or url)
        except UrlError:
            return text
        target = _carried(parts, host)
        if target is None:
            return text
        text = target
    return text


def _carried(parts: SplitResult, host: str) -> str | None:
    """The target that a redirector's, cache's or archive's link carries, None for all other links."""
    return _amp_target(parts, host) or _path_target(parts, host) or _query_target(parts, host)


def _amp_target(parts: SplitResult, host: str) -> str | None:
    """What a cache of AMP pages has: the address without its scheme is the path."""
    if not (host.endswith("ampproject.org") or (host.endswith("google.com") and parts.path.startswith("/amp/"))):
        return None
    found = _AMP_PATH.match(parts.path)
    return f"http{found[1] and 's' or ''}://{found[2]}{_with_query(parts)}" if found else None


def _path_target(parts: SplitResult, host: str) -> str | None:
    """The address that stands in the path of an archive's or a portal's link."""
    embedded = _EMBEDDED.search(parts.path, 1)
    if embedded is None or not (host in _ARCHIVES or host.endswith(_PORTALS)):
        return None
    target = parts.path[embedded.start() :]
    if host.endswith("search.yahoo.com"):
        target = target.partition("/RK=")[0]
    if "%" in target[:12]:
        target = unquote(target)
    return _SLASHES.sub(r"\1://", target) + _with_query(parts)


def _query_target(parts: SplitResult, host: str) -> str | None:
    """The address that a parameter of a redirector's link holds."""
    if not parts.query or parts.path.startswith("/search"):  # who searches for an address is not sent there
        return None
    for value in _redirect_values(parts, host):
        if host.endswith("proofpoint.com"):
            value = value.replace("-", "%").replace("_", "/")
        target = unquote(value)
        if _SCHEME.match(target) and "://" in target[:8]:
            return target
        if target.startswith("//"):
            return "http:" + target
        if _EMBEDDED.match(target):
            return unquote(target)
    return None


def _redirect_values(parts: SplitResult, host: str) -> Iterator[str]:
    """The values of the parameters that hold a redirector's target, the likeliest first; none of other addresses."""
    names: Sequence[str] | None = next((_REDIRECTORS[tail] for tail in _tails(host) if tail in _REDIRECTORS), None)
    if names is None:
        if parts.path.rstrip("/").rpartition("/")[2].lower() not in _REDIRECT_PATHS:
            return
        names = _REDIRECT_NAMES
    pairs = [pair.partition("=") for pair in _AMPERSAND.split(parts.query)]
    for wanted in names:
        yield from (value for name, _, value in pairs if name.lower() == wanted)


def _with_query(parts: SplitResult) -> str:
    return f"?{parts.query}" if parts.query else ""


def _tails(host: str) -> list[str]:
    """The host and all that it lies under.

    >>> _tails("a.example.org")
    ['a.example.org', 'example.org', 'org']
    """
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _comparable_host(host: str) -> str:
    labels = host.split(".")
    while len(labels) > 2 and labels[0] in _VARIANT_LABELS and not labels[0].isdigit():
        labels = labels[1:]
    if len(labels) > 3 and labels[1] in ("m", "mobile"):  # en.m.wikipedia.org
        del labels[1]
    short = ".".join(labels)
    return _HOST_ALIASES.get(short, short)


def _comparable_path(path: str) -> str:
    path = _PATH_SESSION.sub("", path)
    path = _COOKIELESS.sub("", path)
    path = _plain_escapes(path, _PATH_PLAIN)
    path = _without_views(_without_dots(re.sub(r"/{2,}", "/", path or "/")))
    if "/amp_" in path:
        path = path.replace("/amp_articleshow/", "/articleshow/").replace("/amp_", "/")
    if _NAMES_ARTICLE.search(path):
        path = _VIEW_HEAD.sub("", path)
    if path.startswith("/amp/") and path.count("/") > 1:
        path = path[4:]
    elif "/news/amp/" in path:
        path = path.replace("/news/amp/", "/news/", 1)
    return path.lower() if path.lower().endswith(_CASELESS) else path


def _without_views(path: str) -> str:
    """*path* without index files and what says how the page is shown; these lie in one another: /a/amp/index.html."""
    for _ in range(3):
        shorter = _INDEX.sub("/", path).rstrip("/") or "/"
        shorter = _VIEW_FILE.sub("", shorter)
        if shorter.count("/") > 1 or "." in shorter:
            shorter = _VIEW_TAIL.sub("", shorter) or "/"
        if shorter == path:
            break
        path = shorter
    return path


def _plain_escapes(text: str, plain: str) -> str:
    """One spelling for all that mean the same: needless escapes undone, needed ones in capitals (RFC 3986 §6.2.2)."""
    if text.isascii() and "%" not in text and not re.search(r"[^A-Za-z0-9/\-._~!$'()*,;:@+=&?%]", text):
        return text

    def undo(found: re.Match[str]) -> str:
        raw = unquote_to_bytes(found[0])
        try:
            decoded = unicodedata.normalize("NFC", raw.decode("utf-8"))
        except UnicodeDecodeError:
            return found[0].upper()
        return quote(decoded, safe=plain)

    text = _ESCAPE.sub(undo, text)
    return quote(unicodedata.normalize("NFC", text), safe=plain + "/%+=&?", errors="replace")


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4.

    >>> _without_dots("/a/./b/../c")
    '/a/c'
    """
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    tail = "/" if segments[-1] in (".", "..") and kept else ""
    return "/" + "/".join(kept) + tail


def _comparable_query(query: str, host: str, path: str) -> str:
    if not query:
        return ""
    pairs = _naming_parameters(query, host, path)
    named = _names_article(path)
    alone = all(_passing(unquote(name), unquote(value), named=True, alone=False) for name, value in pairs)
    kept: set[str] = set()
    for name, value in pairs:
        if _passing(unquote(name), unquote(value), named=named, alone=alone):
            continue
        name = name.lower() if path.endswith(_CASELESS) else name
        name, value = (_plain_escapes(part.replace("+", "%20"), _QUERY_PLAIN) for part in (name, value))
        kept.add(f"{name}={value}" if value else name)
    return "&".join(sorted(kept))


def _naming_parameters(query: str, host: str, path: str) -> list[tuple[str, str]]:
    """The parameters of *query* that no table knows as tracking, or as a way to show the page."""
    names_of_host = set(chain.from_iterable(_HOST_NAMES.get(tail, ()) for tail in _tails(host)))
    by_path = _NAMES_ARTICLE.search(path) is not None
    pairs: list[tuple[str, str]] = []
    for pair in _AMPERSAND.split(query):
        name, _, value = pair.partition("=")
        low, word = unquote(name).strip().lower(), unquote(value).strip().lower()
        tracking = not low or low in _NAMES or low in names_of_host or low.startswith(_PREFIXES)
        if not (tracking or _says_where_from(low, word, by_path) or word in _VIEWS.get(low, ())):
            pairs.append((name, value))
    return pairs


def _says_where_from(name: str, word: str, by_path: bool) -> bool:
    """Whether a parameter says by which link a reader came; a number can be the article's where no path names it."""
    return name in _WORD_NAMES and (word in _WHERE_FROM or not word or (by_path and not word.isdigit()))


def _names_article(path: str) -> bool:
    """Whether the last part of *path* says what the article is about, and is no name of a script for all of them.

    >>> _names_article("/2026/harbour-council-votes-again.html"), _names_article("/read-full-story.php")
    (True, False)
    """
    words = {word.lower() for word in _WORD.findall(path.rstrip("/").rpartition("/")[2].partition(".")[0])}
    return len(words - _FRAME_WORDS) >= SLUG_WORDS


def _passing(name: str, value: str, *, named: bool, alone: bool) -> bool:
    """Whether a parameter tells of the visit alone. *named*: the path names the article; *alone*: nothing else would.

    A name that says so needs a value that looks so too; one that says nothing needs a path that names the article as
    well, and one that means an article is never taken for a visit's.
    """
    drawn = by_chance(value or name)
    if not (drawn or _CLOCK.fullmatch(value or name)):
        return False
    if not value:
        return named
    if _PASSING.fullmatch(name):
        return named or not alone
    return drawn and named and not _OWN.fullmatch(name)


def _rewritten(host: str, path: str, query: str) -> tuple[str, str, str]:
    """Addresses that hosts give to one thing."""
    if host == "youtu.be" and path.count("/") == 1 and len(path) > 1:
        return "youtube.com", "/watch", f"v={path[1:]}"
    if host == "youtube.com" and path.startswith(("/shorts/", "/embed/", "/v/", "/live/")):
        return host, "/watch", f"v={path.split('/')[2]}"
    return host, path, query


def addresses_of(comparable: str | None, entry_id: str | None) -> tuple[str, ...]:
    """The comparable forms by which an entry can be known: its own address, and its id where that is another one."""
    known = (comparable,) if comparable else ()
    if not entry_id or not entry_id.lower().startswith("http"):
        return known
    if entry_id.partition("://")[2].removeprefix("www.").rstrip("/") == comparable:
        return known  # most ids that are addresses, seen at a look
    try:
        other = comparable_url(entry_id)
    except UrlError:
        return known
    return known if other == comparable else (*known, other)
