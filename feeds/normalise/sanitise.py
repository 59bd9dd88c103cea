"""Foreign HTML made safe to show: an allow-list on a parsed tree (nh3), links resolved, beacons out. Pure.

The allow-list is what an article needs to be read: text in its structure, tables, pictures, links. Nothing that runs,
frames, styles, submits or names things for others (ids, classes) is on it (OWASP XSS prevention).
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape

import nh3

from feeds.normalise.lines import legal
from feeds.normalise.links import is_clean, resolved

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
_TAGS = (_TEXT | _TABLE | _MEDIA) - {"span", "center", "picture", "track"}
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
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
_DROPPED_WHOLE = set(
    "script style iframe frame frameset object embed applet noembed noframes template svg math".split()
)
_DROPPED_WHOLE |= set("select option textarea title head".split())

_MARKUP = re.compile(r"[<&]")
# Without these a parser takes what was in them otherwise: it is read again as readers will read it. (A line feed at the
# beginning of <pre> is none.)
_SCOPED = re.compile(r"<(?:table|t[drh]|tbody|thead|tfoot|caption|col|button|marquee|nobr|pre|listing)", re.IGNORECASE)
_ADDRESSED = re.compile(r'<[a-z0-9]+(?: [a-z]+="[^"]*")*? (?:href|src|cite|poster)="[^>]*>')
_ADDRESS = re.compile(r'( (?:href|src|cite|poster))="([^"]*)"')
_IMAGE = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_TINY = re.compile(r' (?:width|height)="\s*[01](?:px)?\s*"')
_BEACONS = re.compile(
    r"//(?:feeds\.feedburner\.com/~r/|feeds\.wordpress\.com/1\.0/|pixel\.wp\.com|stats\.wordpress\.com|[^/]*\.doubleclick\.net/"
    r"|www\.google-analytics\.com|rss\.feedsportal\.com|pi\.feedsportal\.com|da\.feedsportal\.com|b\.scorecardresearch\.com"
    r"|pixel\.quantserve\.com|counter\.theconversation\.com|blogger\.googleusercontent\.com/tracker)|/b\.gif\?|/(?:pixel|beacon|blank|spacer)\.gif",
    re.IGNORECASE,
)
_HOLLOW = re.compile(
    r"<(p|a|b|i|strong|em|div|figure|h[1-6]|li|ul|ol|blockquote)(?: [a-z]+=\"[^\"]*\")*>(?:\s|&nbsp;|<br>)*</\1>"
)
_FRAME = re.compile(r"<iframe\b[^>]*?\bsrc\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)[^>]*>", re.IGNORECASE)
_LAZY = re.compile(r"<img\b(?=[^>]*\sdata-(?:lazy-|original-)?src\s*=)[^>]*>", re.IGNORECASE)
_LAZY_SOURCE = re.compile(r"\sdata-(?:lazy-|original-)?src\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_SOURCE = re.compile(r"(?<![\w-])src\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)


def sanitise(html: str, base: str = "") -> str:
    """Return *html* with nothing in it that could run, follow or disguise; links absolute against *base*.

    Idempotent, but for some headings within headings. Only http(s) and mailto links and http(s) media stay; relative
    ones go where *base* is no http(s) URL. Pictures that nobody can see (1 × 1, known beacons) and elements left hollow
    go. Frames become links.
    """
    html = legal(html[:MAX_HTML_CHARS])
    if "\r" in html:  # parsers of HTML read them as line feeds; so does what does not reach the parser
        html = html.replace("\r\n", "\n").replace("\r", "\n")
    if html.count("<") > MAX_TAGS:
        html = "<".join(html.split("<", MAX_TAGS)[:MAX_TAGS])
    if not _MARKUP.search(html):
        return escape(html, quote=False).strip()
    if "<iframe" in html or "<IFRAME" in html:
        html = _FRAME.sub(_frame_link, html)
    if "data-" in html:
        html = _LAZY.sub(_eager, html)
    clean = _cleaned(html, base)
    if _SCOPED.search(html):
        for _ in range(MAX_PASSES):
            if (again := _cleaned(clean, base)) == clean:
                break
            clean = again
    return clean.replace("&nbsp;", "\u00a0").strip()


def _cleaned(html: str, base: str) -> str:
    clean = _cleaner(base).clean(html)
    if '="' in clean:
        # In a tag alone: what looks like an attribute in the text is text. The parser wrote every < and > that is
        # no tag's as a reference, in attributes too.
        clean = _ADDRESSED.sub(lambda tag: _ADDRESS.sub(lambda match: _address(match, base), tag[0]), clean)
    if "<img" in clean:
        clean = _IMAGE.sub(_picture, clean)
    for _ in range(MAX_HOLLOW_DEPTH):
        if (fuller := _HOLLOW.sub("", clean)) == clean:
            break
        clean = fuller
    return clean


def from_text(text: str) -> str:
    """Return plain *text* as HTML: paragraphs at blank lines, breaks at line ends."""
    text = legal(text[:MAX_HTML_CHARS]).replace("\r\n", "\n").replace("\r", "\n").strip()
    if "\n" not in text:
        return escape(text, quote=False)
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "".join("<p>" + escape(part, quote=False).replace("\n", "<br>") + "</p>" for part in paragraphs)


@lru_cache(maxsize=64)
def _cleaner(base: str) -> nh3.Cleaner:
    relative = ("rewrite_with_base", base) if base else "deny"
    try:
        return _build(relative)
    except ValueError:
        return _build("deny")


def _build(relative: object) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
        url_relative=relative,  # type: ignore[arg-type]
        strip_comments=True,
    )


def _address(match: re.Match[str], base: str) -> str:
    """An address as it may stand: mailto in links alone, credentials and illegal characters out, useless ones gone."""
    raw = unescape(match[2]).strip() if "&" in match[2] else match[2]
    if is_clean(raw):
        return match[0]
    if raw[:7].lower() == "mailto:":
        return match[0] if match[1] == " href" and "\n" not in raw else ""
    url = resolved(base, raw)
    return f'{match[1]}="{escape(url, quote=False)}"' if url else ""  # a clean URL holds no quotation mark


def _picture(match: re.Match[str]) -> str:
    attributes = match[1]
    if ' src="' not in attributes or _TINY.search(attributes) or _BEACONS.search(attributes):
        return ""
    return match[0]


def _frame_link(match: re.Match[str]) -> str:
    url = escape(unescape(match[1] if match[1].lower().startswith("http") else "https:" + match[1]))
    return f'<p><a href="{url}">{url}</a></p>{match[0]}'


def _eager(match: re.Match[str]) -> str:
    """A picture that a script would load: its real address stands in a ``data-`` attribute."""
    tag = match[0]
    source = _LAZY_SOURCE.search(tag)
    if source is None or "<" in source[1]:
        return tag
    rest = _SOURCE.sub("", _LAZY_SOURCE.sub("", tag))
    return f"{rest[:4]} src={source[1]} {rest[4:]}"
