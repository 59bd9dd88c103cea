"""What of an entry is its title, its summary, its content. Part of `normalise`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby
from urllib.parse import unquote, urlsplit

from feeds.normalise.rewrite import Rewritten
from feeds.normalise.sanitise import clean, from_text
from feeds.normalise.scalars import cut, excerpt, line, resolved
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
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}$", re.IGNORECASE)
_SLUG = re.compile(r"[-_+\s]+")


@dataclass(frozen=True, slots=True)
class Place:
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


@dataclass(frozen=True, slots=True)
class Body:
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
        return Body(short.html or long.html, "", short_text, picture)
    beginning = short.html if _is_summary(short_text, long_text) else excerpt_of(long_text, long.html)
    return Body(beginning, long.html, long_text, picture)


def _is_summary(text: str, whole: str) -> bool:
    return 0 < len(text) <= SUMMARY_CHARS and not _same(text, whole)


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
    return clean(text.value, *place.of(text))


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
