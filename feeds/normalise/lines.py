"""Titles, names and other one-line texts: plain, visible, of bounded length. Part of `normalise`. Pure."""

from __future__ import annotations

import re
from html import unescape

import nh3

from feeds.model import RawText

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
    r"<\s*(script|style)\b.*?(?:<\s*/\s*\1\s*>|$)|"
    r"<\s*/?\s*(?:script|style|iframe|frame|frameset|object|embed|applet|svg|math|form|base|meta|link|portal|template|xml"
    r"|input|button|select|textarea|keygen|isindex|marquee|plaintext|xmp|listing|noembed|noscript)"
    r"\b[^>]*(?:>|$)|<\s*/?\s*[a-z][^<>\s/]*[\s/][^>]*=[^>]*(?:>|$)",
    re.IGNORECASE | re.DOTALL,
)
_BLOCK = re.compile(r"<(?=/?(?:p|br|div|li|h[1-6]|td|th|tr|dt|dd|hr)\b)", re.IGNORECASE)
_TAGLESS = nh3.Cleaner(tags=set(), clean_content_tags={"script", "style", "iframe", "noembed", "template", "title"})


def line(text: RawText | str | None, *, limit: int = TITLE_CHARS) -> str:
    """Return *text* on one line: markup undone once, nothing invisible, at most *limit* characters, ``""`` for None.

    What is literal stays literal (``AT&amp;T`` in plain text, ``a < b``), except markup that could run where a reader
    takes the line for HTML: such tags are taken out.
    """
    if text is None:
        return ""
    value, markup = (text, False) if isinstance(text, str) else (text.value, text.type != "text")
    value = value[: limit * 20]
    if markup and ("<" in value or "&" in value):
        value = unescape(_TAGLESS.clean(_BLOCK.sub(" <", value)))
    value = visible(value)
    while "<" in value and (safer := _ACTIVE.sub(" ", value)) != value:
        value = safer
    return cut(" ".join(value.split()), limit)


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
