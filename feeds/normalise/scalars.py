"""Single values of an entry, as they can be trusted: one-line texts, links. Part of `normalise`. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

import nh3

from feeds.parsed import RawText
from feeds.urls import MAX_URL_CHARS, absolute

TITLE_CHARS = 300
NAME_CHARS = 200

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_CONTROL = bytes((*range(9), 11, 12, *range(14, 32), 127))  # of them, those in ASCII
_SUSPECT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # both of them
_C1 = re.compile(r"[\x80-\x9f]")
# Bidi controls, zero widths, fillers, interlinear marks, tags: all that shows nothing and changes what is seen.
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    r"\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000\U000e0001\U000e0080-\U000e0fff]"
)
_JOINER = re.compile(r"[\u200c\u200d]+")
_TAGS = re.compile(r"(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+")  # those of flags stay
# Markup that could run if a reader took the line for HTML: elements that do so by themselves, and any with attributes.
_ACTIVE = re.compile(
    r"<(\s*/?\s*(?:script|style|iframe|frame|frameset|object|embed|applet|svg|math|form|base|meta|link|portal|template|xml"
    r"|input|button|select|textarea|keygen|isindex|marquee|plaintext|xmp|listing|noembed|noscript)"
    r"\b[^>]*|\s*/?\s*[a-z][^<>\s/]*[\s/][^>]*=[^>]*)(>|$)",
    re.IGNORECASE,
)
# Elements that shape a line. A bare tag of any other is a word of it: titles talk of <script>, <head> and List<T>.
_SHAPING = set("a abbr acronym b bdi bdo big br center cite code del dfn em font h1 h2 h3 h4 h5 h6 hr i img".split())
_SHAPING |= set("ins kbd li mark nobr ol p div q rb rp rt ruby s samp small span strike strong sub sup time tt".split())
_SHAPING |= set("u ul var wbr blockquote dd dl dt td th tr tbody thead table section article header footer".split())
_WORD_TAG = re.compile(r"<(?=/?([A-Za-z][\w.:-]*)\s*/?>)|<(?=/?[A-Za-z][\w.:-]*[^\w.:\-\s/>])")
# Elements that hide what follows them, up to their end; where they have none, a parser would take all the rest.
_HIDING = set("script style iframe noembed noframes template title textarea xmp plaintext".split())
_HIDDEN = re.compile(rf"<({'|'.join(_HIDING)})\s[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_ENDLESS = re.compile(rf"<(?=(?:{'|'.join(_HIDING)})\b)", re.IGNORECASE)
# What no line would talk about: a tag with attributes, or one that has words between itself and its end.
_MEANT = re.compile(r"<([A-Za-z][\w.:-]*)(?:\s+[^<>]*=[^<>]*>|\s*>\s*(?=[^\s<]).*?</\1\s*>)", re.DOTALL)
_MARKED = re.compile(r"</?[A-Za-z][^<>]*>|&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_BLOCK = re.compile(r"<(?=/?(?:p|br|div|li|h[1-6]|td|th|tr|dt|dd|hr)\b)", re.IGNORECASE)
_TAGLESS = nh3.Cleaner(tags=set(), clean_content_tags={"script", "style", "iframe", "noembed", "template", "title"})


def line(text: RawText | str | None, *, limit: int = TITLE_CHARS) -> str:
    """Return *text* on one line: markup undone once, nothing invisible, at most *limit* characters, ``""`` for None.

    No word is lost: what is literal stays literal (``AT&amp;T`` in plain text, ``a < b``), and so do tags that the line
    is about. Markup that could run where a reader takes the line for HTML gets brackets that look alike.
    >>> line(RawText(value="Why the <script> tag is <b>slow</b>", type="html"))
    'Why the ‹script› tag is slow'
    """
    if text is None:
        return ""
    value, markup = (text, False) if isinstance(text, str) else (text.value, text.type != "text")
    value = value[: limit * 20]
    if markup and ("<" in value or "&" in value):
        if "<" in value:
            value = _with_words(_HIDDEN.sub(" ", value))
        value = unescape(_TAGLESS.clean(_BLOCK.sub(" <", value)))
    value = visible(value)
    while "<" in value and (safer := _ACTIVE.sub(_look_alike, value)) != value:
        value = safer
    return cut(" ".join(value.split()), limit)


def name_line(text: str | None, *, limit: int = NAME_CHARS) -> str:
    """Return the `line` of a name, category or other label, which no format says to be HTML and many write as HTML.

    >>> name_line('<a href="/staff/x">Arts &amp; Crafts</a>')
    'Arts & Crafts'
    """
    return line(RawText(value=text, type="html") if text and _MARKED.search(text) else text, limit=limit)


def _with_words(value: str) -> str:
    """*value*, HTML of a line, with those tags escaped that are words of it."""
    markup = _SHAPING.union(name.lower() for name in _MEANT.findall(value)) - _HIDING
    value = _WORD_TAG.sub(lambda tag: "<" if tag[1] and tag[1].lower() in markup else "&lt;", value)
    return _ENDLESS.sub("&lt;", value)


def _look_alike(tag: re.Match[str]) -> str:
    return f"‹{tag[1]}›" if tag[2] else f"‹{tag[1]}"


def visible(text: str) -> str:
    """Return *text* without what XML forbids and what no reader sees; joiners stay where a script needs them."""
    text = legal(text)
    if text.isascii():
        return text
    text = _TAGS.sub("", _INVISIBLE.sub("", text))
    if "\u200c" in text or "\u200d" in text:
        return _JOINER.sub(lambda match: match[0][0] if _joins(text, match) else "", text)
    return text


def legal(text: str) -> str:
    """Return *text* without the characters that XML 1.0 §2.2 forbids; C1 controls are read as windows-1252."""
    if text.isascii():
        if text.isprintable():
            return text
        kept = text.encode().translate(None, _CONTROL)
        return text if len(kept) == len(text) else kept.decode()
    return _C1.sub(_from_windows, _ILLEGAL.sub("", text)) if _SUSPECT.search(text) else text


def _from_windows(match: re.Match[str]) -> str:
    try:
        return match[0].encode("latin-1").decode("cp1252")
    except UnicodeDecodeError:
        return ""


def _joins(text: str, match: re.Match[str]) -> bool:
    """Joiners shape Arabic and Indic scripts and build emoji; between Latin letters they only hide a difference."""
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    return bool(before and after) and min(ord(before), ord(after)) >= 0x0600 and not 0x1E00 <= ord(before) < 0x2190


def cut(text: str, limit: int) -> str:
    """Return *text* if it has at most *limit* characters, else what fits of it up to the end of a word, and "…"."""
    if len(text) <= limit:
        return text
    room = text[: limit - 1]
    short = room.rpartition(" ")[0] if not text[limit - 1].isspace() else room
    return (short if len(short) >= limit // 2 else room).rstrip(" ,;:–—-\u200d") + "…"


def excerpt(text: str, limit: int, *, least: int | None = None) -> str:
    """Return the beginning of plain *text*: whole sentences within *limit* characters, else a part of the first.

    With *least* it is the first sentence of at least so many characters; without, as many sentences as fit.
    """
    text = " ".join(text[: limit * 4].split())
    if len(text) <= limit and not least:
        return text
    ends = [match.end() for match in re.finditer(r"[.!?…][\"'”’»)]*(?=\s)|[。！？।]", text[: limit + 1])]
    fitting = [end for end in ends if (least or limit // 4) <= end <= limit]
    return text[: fitting[0 if least else -1]] if fitting else cut(text, limit)


# --------------------------------------------------------------------------------------------- links


_IN_PATH = r"A-Za-z0-9\-._~/!$'()*+,;=:@"
_CLEAN = re.compile(
    rf"https?://[a-z0-9\-]+(?:\.[a-z0-9\-]+)+/[{_IN_PATH}]*+(?:%[0-9A-Fa-f]{{2}}[{_IN_PATH}]*+)*+"
    rf"(?:\?[{_IN_PATH}?&\[\]]*+(?:%[0-9A-Fa-f]{{2}}[{_IN_PATH}?&\[\]]*+)*+)?"
    rf"(?:#(?:[{_IN_PATH}?&]++|%[0-9A-Fa-f]{{2}})++)?\Z"
)


# The base of a document comes with each of its texts.
_absolute = lru_cache(maxsize=64)(absolute)


def is_clean(url: str) -> bool:
    """Tell whether *url* is an absolute http(s) URL that `feeds.urls.absolute` would return as it is."""
    return len(url) <= MAX_URL_CHARS and _CLEAN.match(url) is not None


def resolved(base: str, ref: str | None) -> str | None:
    """Return *ref* as a clean absolute http(s) URL, resolved against *base*; None where none comes of it.

    What names a host and no scheme is https where there is no base.
    """
    if not ref:
        return None
    if is_clean(ref):
        return ref
    if not base:
        return _absolute(ref, f"https:{ref}" if ref.startswith("//") else ref)
    if (joined := _joined(base, ref)) is not None and is_clean(joined):
        return joined
    return _absolute(base, ref)


def _joined(base: str, ref: str) -> str | None:
    """What most relative references come to where they are as they should be: paths from the root, places in a page."""
    if ref[0] == "#" and is_clean(base):
        return base.partition("#")[0] + ref
    if ref[0] == "/" and ref[1:2] != "/" and "/." not in ref and is_clean(base):
        return base[: base.index("/", 8)] + ref
    return None
