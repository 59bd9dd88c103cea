"""Foreign HTML made safe to show: rewritten as what it was meant to show, then held to an allow-list (nh3). Pure.

The allow-list is what an article needs to be read: text in its structure, tables, pictures, formulas, links. Nothing
that runs, frames, styles or submits is on it (OWASP XSS prevention); of names of places those that the text's own links
lead to, under a prefix.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape

import nh3

from feeds.normalise.embeds import MATHML, MATHML_ATTRIBUTES
from feeds.normalise.rewrite import Rewritten, rewrite
from feeds.normalise.scalars import legal

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
