"""What of an entry is its title, its summary, its content; foreign HTML made safe to show. Part of `normalise`. Pure.

Foreign HTML is rewritten as what it was meant to show, then held to an allow-list (nh3): what an article needs to be
read, text in its structure, tables, pictures, formulas, links. Nothing that runs, frames, styles or submits is on it
(OWASP XSS prevention); of names of places those that the text's own links lead to, under a prefix.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import escape, unescape
from itertools import groupby
from urllib.parse import unquote, urlsplit

import nh3
from msgspec import Struct
from msgspec.structs import replace

from feeds.normalise.embeds import MATHML, MATHML_ATTRIBUTES
from feeds.normalise.rewrite import Rewritten, rewrite
from feeds.normalise.scalars import cut, excerpt, legal, line, resolved
from feeds.parsed import Image, RawText
from feeds.text import plain

SUMMARY_CHARS = 1200
"""A summary with more plain text than this is the article itself (RSS knows one element for both)."""

EXCERPT_CHARS = 400
LEAST_PART_CHARS = 40
TITLE_FROM_TEXT_CHARS = 120

_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<t[dh]\b.*?</t[dh]>", re.DOTALL)
_CAPTION = re.compile(r"<figcaption\b.*?</figcaption>", re.DOTALL)
_ESCAPABLE = "p|div|span|h[1-6]|ul|ol|table|figure|img|a|b|strong|em|i|blockquote|article|section"
_ESCAPED_TWICE = re.compile(rf"\s*&lt;(?:{_ESCAPABLE})\b[^<]*&lt;/(?:{_ESCAPABLE})&gt;\s*", re.IGNORECASE)
"""Markup from its first to its last character, all of it as references: escaped once more than was meant."""
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}$", re.IGNORECASE)
_SLUG = re.compile(r"[-_+\s]+")


class Place(Struct, frozen=True):
    """Where a text stands, by which what is relative in it is resolved.

    *base* is what the document declares for the entry, *document* the address of the document, *article* the entry's
    own; ``""`` where there is none.
    """

    base: str
    document: str = ""
    article: str = ""

    def of(self, text: RawText) -> tuple[str, str | None]:
        """The base of *text*, and the address that a link within it (``#fn1``) leads to.

        A base that nobody declared is the article's address, not that of the document in which it came (which may
        be a copy on some other host); and no link within a text ever leads into the document.
        """
        base = resolved(self.base, text.base) or self.base
        if base != self.document:
            return base, base
        return self.article or base, self.article or None


class Body(Struct, frozen=True):
    """Sanitised *summary* and *content*, the plain *text* of the longer of them, and the first true *picture*.

    *text* leaves out the addresses and titles of what was embedded.
    """

    summary: str
    content: str
    text: str
    picture: Image | None = None


def body_of(summary: RawText | None, content: RawText | None, place: Place) -> Body:
    """Return what may be shown of an entry's two texts, by these rules.

    The longer text is the content, whatever it was called. A summary longer than SUMMARY_CHARS is content too. Where
    both say the same, or the source gave no summary, the summary is the beginning of the content: whole sentences up
    to EXCERPT_CHARS. A summary alone stays a summary.
    """
    short, long = _clean(summary, place), _clean(content, place)
    short_text, long_text = _words(short), _words(long)
    if len(short_text) > (len(long_text) or SUMMARY_CHARS):
        short, long, short_text, long_text = long, short, long_text, short_text
    picture = long.picture or short.picture
    if not (long_text or long.embeds or _has_media(long.html)):
        shown = short_text or short.embeds or _has_media(short.html)
        return Body(short.html if shown else "", "", short_text, picture)
    beginning = short.html if _is_summary(short_text, long_text) else excerpt_of(long_text, long.html)
    return Body(beginning, long.html, long_text, picture)


def _is_summary(text: str, whole: str) -> bool:
    # Of the characters of a plain text at most every other is a blank.
    return 0 < len(text) <= SUMMARY_CHARS and (len(whole) > 2 * len(text) or not _same(text, whole))


def excerpt_of(text: str, html: str) -> str:
    """Return the beginning of an article as HTML, EXCERPT_CHARS at most: whole sentences, and rows of tables as rows.

    *text* are the lines of *html*. Captions of pictures are left out, for they are not what an article begins with.
    """
    kept: list[str] = []
    room = EXCERPT_CHARS
    for part, is_row in _excerpt_parts(text[: EXCERPT_CHARS * 8], html):
        if is_row and len(part) > room and kept:
            break
        shown = part if is_row and len(part) <= room else excerpt(part, room)
        if not shown:
            break
        kept.append(escape(shown, quote=False))
        room -= len(shown)
        if len(shown) < len(part) or room < LEAST_PART_CHARS:
            break
    return "<br>".join(kept)


def _excerpt_parts(text: str, html: str) -> list[tuple[str, bool]]:
    """*text* without captions, in rows of tables and what stands between them; with each whether it is a row."""
    rows = {plain(row): " | ".join(filter(None, map(plain, _CELL.findall(row)))) for row in _ROW.findall(html)}
    captions = {plain(caption) for caption in _CAPTION.findall(html)}
    lines = [line for line in text.split("\n") if line not in captions]
    parts: list[tuple[str, bool]] = []
    for is_row, group in groupby(lines, key=rows.__contains__):
        some = list(group)
        parts += [(rows[row], True) for row in some] if is_row else [(" ".join(some), False)]
    return parts


def _clean(text: RawText | None, place: Place) -> Rewritten:
    if text is None or not text.value:
        return Rewritten("")
    if text.type == "text":
        return Rewritten(from_text(text.value))
    return clean(unescape(text.value) if _ESCAPED_TWICE.fullmatch(text.value) else text.value, *place.of(text))


def _words(body: Rewritten) -> str:
    text = plain(body.html)
    if not body.embeds:
        return text
    named = {" ".join((embed.title or embed.link).split()) for embed in body.embeds}
    return "\n".join(line for line in text.split("\n") if line not in named)


def _has_media(html: str) -> bool:
    return "<img" in html or "<video" in html or "<audio" in html


def _same(one: str, other: str) -> bool:
    return "".join(one.split()) == "".join(other.split())


def title_of(
    title: RawText | None,
    *,
    text: str,
    link: str | None,
    enclosure: str | None,
    picture: Image | None,
    published: datetime | None,
) -> tuple[str, str | None]:
    """Return a title and, where the entry has none of its own, the words for where it came from.

    In this order: the first sentence of the text, what stands for the picture where it cannot be seen, the last words
    of the link, the name of the enclosed file, the day. Nothing at all gives ``""``.
    """
    if own := line(title):
        return own, None
    if text:
        first = text.split("\n", 1)[0]
        return line(excerpt(first, TITLE_FROM_TEXT_CHARS, least=12)), "title: none, taken from the text"
    if picture is not None and (words := line(picture.alt, limit=TITLE_FROM_TEXT_CHARS)):
        return words, "title: none, taken from the picture"
    addresses = list(filter(None, (link, enclosure)))
    if words := next(filter(None, map(_words_of, addresses)), ""):
        return words, "title: none, taken from the link"
    if addresses or picture is not None:
        day = f", {published:%Y-%m-%d}" if published else ""
        return f"Untitled{day}", "title: none"
    return "", None


def _words_of(address: str) -> str:
    """The last part of a path that has words in it: ``/2024/06/tide-and-time.html`` gives "Tide and time"."""
    for segment in reversed(urlsplit(address).path.split("/")):
        words = _SLUG.sub(" ", _SUFFIX.sub("", unquote(segment, errors="replace"))).strip()
        if sum(character.isalpha() for character in words) >= 3 and not words.lower().startswith("index"):
            words = line(words, limit=TITLE_FROM_TEXT_CHARS)
            return cut(words[:1].upper() + words[1:], TITLE_FROM_TEXT_CHARS)
    return ""


# ----------------------------------------------------------------------- foreign HTML made safe

MAX_HTML_CHARS = 500_000
"""More of one field is cut off before it is parsed, so that what was open is closed."""

MAX_TAGS = 10_000
"""Tags of one field: the time to build a tree of unclosed elements grows with their square."""

MAX_HOLLOW_DEPTH = 20
MAX_PASSES = 4

_TEXT = set("p br hr div span h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote q cite pre code kbd samp var".split())
_TEXT |= set(
    "a abbr b bdi bdo strong em i u s del ins mark small sub sup time wbr ruby rb rt rp details summary".split()
)
_TEXT |= set("section article header footer main aside address center".split())
_TABLE = set("table caption colgroup col thead tbody tfoot tr th td".split())
_MEDIA = set("figure figcaption img picture audio video source track".split())
_TAGS = ((_TEXT | _TABLE | _MEDIA) - {"span", "center", "picture", "track"}) | MATHML
_ATTRIBUTES = {name: set(MATHML_ATTRIBUTES) for name in MATHML} | {
    "*": {"dir", "lang", "title"},
    "math": {"display", "alttext"},
    "a": {"href", "hreflang"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "time": {"datetime"},
    "img": {"src", "alt", "width", "height"},
    "audio": {"src", "controls"},
    "video": {"src", "poster", "controls", "width", "height"},
    "source": {"src", "type"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
}
_DROPPED_WHOLE = set("script style iframe frame frameset object embed applet noembed noframes template svg".split())
_DROPPED_WHOLE |= set("select option textarea title head".split())


def _cleaner(**attributes: set[str]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES | attributes,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
        url_relative="deny",
        strip_comments=True,
    )


_CLEANER = _cleaner()
_NAMING_CLEANER = _cleaner(**{"*": _ATTRIBUTES["*"] | {"id"}})

# Without these a parser takes what was in them otherwise: it is read again as readers will read it. (A line feed at the
# beginning of <pre> is none.)
_SCOPED = re.compile(r"<(?:t[abdhr]|caption|col|button|marquee|nobr|pre>\n|pre [^>]*>\n|listing|math)")
_HOLLOW = re.compile(
    r"<(p|a|b|i|strong|em|div|figure|h[1-6]|li|ul|ol|blockquote)(?: (?!id=)[a-z]+=\"[^\"]*\")*>(?:\s|&nbsp;|<br>)*</\1>"
)


def sanitise(html: str, base: str = "") -> str:
    """Return *html* with nothing in it that could run, follow or disguise; links absolute against *base*."""
    return clean(html, base, base).html


def clean(html: str, base: str, page: str | None) -> Rewritten:
    """Return *html* with nothing in it that could run, follow or disguise, and what was found in it on the way.

    Idempotent, but for some headings within headings. Only http(s) and mailto links and http(s) media stay; relative
    ones go where *base* is no http(s) URL. Pictures that nobody can see (1 × 1, known beacons) and elements left hollow
    go. Frames become links. *page* is the article's address (see `rewrite`).
    """
    html = legal(html[:MAX_HTML_CHARS])
    if "\r" in html:  # parsers of HTML read them as line feeds; so does what does not reach the parser
        html = html.replace("\r\n", "\n").replace("\r", "\n")
    if html.count("<") > MAX_TAGS:
        html = "<".join(html.split("<", MAX_TAGS)[:MAX_TAGS])
    if "<" not in html:
        text = _cleaned(html, _CLEANER).replace("&nbsp;", "\u00a0") if "&" in html else escape(html, quote=False)
        return Rewritten(legal(text).strip())
    rewritten = rewrite(html, base, page)
    cleaner = _NAMING_CLEANER if rewritten.named else _CLEANER
    safe = _cleaned(rewritten.html, cleaner)
    if _SCOPED.search(rewritten.html):
        for _ in range(MAX_PASSES):
            if (again := _cleaned(safe, cleaner)) == safe:
                break
            safe = again
    return replace(rewritten, html=legal(safe.replace("&nbsp;", "\u00a0")).strip())


def _cleaned(html: str, cleaner: nh3.Cleaner) -> str:
    safe = cleaner.clean(html)
    for _ in range(MAX_HOLLOW_DEPTH):
        if (fuller := _HOLLOW.sub("", safe)) == safe:
            break
        safe = fuller
    return safe


def from_text(text: str) -> str:
    """Return plain *text* as HTML: paragraphs at blank lines, breaks at line ends."""
    text = legal(text[:MAX_HTML_CHARS]).replace("\r\n", "\n").replace("\r", "\n").strip()
    if "\n" not in text:
        return escape(text, quote=False)
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "".join("<p>" + escape(part, quote=False).replace("\n", "<br>") + "</p>" for part in paragraphs)
