"""Entries that consumers take: a text that is too long for them ends after a sentence. Pure.

Google News takes documents of 2 MB and articles of 1 MB, and others less. What a document as a whole may have is
`frames.fitting`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from feeds.model import Article, Format
from feeds.render.fragments import render_fragments
from feeds.render.printable import DeskContext

TRIES = 5
"""How often a text is shortened at most: markup and other languages take more bytes than their share."""
_TOKEN = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)\b(?:[^>"']|"[^"]*"|'[^']*')*>|[^<]+|<""")
_VOID = frozenset("area br col embed hr img input source track wbr".split())
_BLOCKS = frozenset("p li blockquote pre figure table ul ol dl h1 h2 h3 h4 h5 h6 div section tr dd".split())
_END = re.compile(r"[.!?…][\"'”’»)]*(?=\s|\Z)|[。！？।]")  # noqa: RUF001
_CUT = " …"


def within(body: bytes, article: Article, format: Format, desk: DeskContext) -> bytes:
    """Return the fragment *body* of *article*, or one of at most `desk.max_entry_bytes` with the beginning of its text.

    Where nothing but the text's absence helps, it goes; what is left beyond that is not text, and stays.
    """
    for tried in range(TRIES):
        if len(body) <= desk.max_entry_bytes:
            break
        # What is no text takes its bytes all the same, so that each try leaves a tenth less than its share.
        share = 0.9 * desk.max_entry_bytes / len(body) if tried < TRIES - 1 else 0.0
        text = article.content or article.summary
        short = beginning(text, int(len(text) * share))
        article = replace(article, content=short) if article.content else replace(article, summary=short)
        body = render_fragments([article], format, desk=desk)[0]
    return body


def beginning(html: str, most_chars: int) -> str:
    """Return the beginning of sanitised *html*, up to the last sentence or block that ends within *most_chars*
    characters, with what is open closed; else up to a word; "" where not even one fits.

    >>> beginning("<p>One <b>and two. Then</b> three.</p>", 24)
    '<p>One <b>and two. …</b></p>'
    >>> beginning("<p>One.</p>", 40)
    '<p>One.</p>'
    """
    if len(html) <= most_chars:
        return html
    stops = [stop for stop in _stops(html, most_chars) if stop[0] <= most_chars]
    best = max((stop for stop in stops if stop[2]), default=None) or max(stops, default=None)
    if best is None:
        return ""
    at, around, _ = best
    return html[:at].rstrip() + _CUT + "".join(f"</{name}>" for name in reversed(around))


def _stops(html: str, most_chars: int) -> Iterator[tuple[int, tuple[str, ...], bool]]:
    """Where *html* may end: the place, what is open there, and whether it is the end of a sentence or block."""
    around: list[str] = []
    for token in _TOKEN.finditer(html):
        if token.start() >= most_chars:
            return
        name = (token[2] or "").lower()
        if token[1] and name in around:
            del around[len(around) - 1 - around[::-1].index(name) :]
            if name in _BLOCKS:
                yield token.end(), tuple(around), True
        elif name and not token[1] and name not in _VOID:
            around.append(name)
        elif not name:
            yield from ((token.start() + end.end(), tuple(around), True) for end in _END.finditer(token[0]))
            if (blank := token[0].rfind(" ", 0, most_chars - token.start())) > 0:
                yield token.start() + blank, tuple(around), False
