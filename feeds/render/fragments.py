"""Articles → fragments, a section → the frame around them, both checked; documents in other codings. Pure.

Consumers take so much of an entry (Google News documents of 2 MB and articles of 1 MB, others less): a text that is too
long ends after a sentence (`within`). What a document as a whole may have is `frames.fitting`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import brotli
from isal import igzip
from msgspec.structs import replace

from feeds import frames
from feeds.errors import RenderError
from feeds.model import Article, Format, Frame
from feeds.render import atom, jsonfeed, rss
from feeds.render.contexts import DeskContext, SectionContext
from feeds.render.gate import check_frame
from feeds.render.mediarss import category_of
from feeds.render.printable import is_web_address
from feeds.urls import OWN

SMALLEST_BYTES = 200
GZIP_LEVEL = 2
BROTLI_QUALITY = 4
BROTLI_AT_ONCE_BYTES = 65_536

_WRITERS = {"rss": rss, "atom": atom, "json": jsonfeed}
_SLOTS = {name: frames.slot(name) for name in ("self", "page", "title", "description", "id", "updated", "extra")}
_SLOTS |= {f"@{name}": frames.slot(name, attribute=True) for name in _SLOTS}
_SHOW = {name: frames.slot(name) for name in ("podcast", "cover", "explicit")}
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_PLAYED: dict[Format, list[bytes]] = {"rss": [b'<item><enclosure type="audio/mpeg"/></item>'], "atom": [], "json": []}
"""With this entry a channel says all that it can of itself."""


def render_fragments(articles: Sequence[Article], format: Format, *, desk: DeskContext) -> list[bytes]:
    """Return the ``<item>``, ``<entry>`` or JSON object of each article: the same for every section and every place.

    What an article has at the desk's own address (`feeds.urls.OWN`) is at `base_url` there.

    Many at once cost less: feedgen makes them in one document. Whoever keeps them checks them: `check_fragment`.
    """
    if not articles:
        return []
    made: list[bytes] = _WRITERS[format].fragments(articles, desk)
    own, base = OWN.encode(), desk.base_url.encode()
    return [fragment.replace(own, base) for fragment in made] if base else made


def render_frame(section: SectionContext, format: Format) -> Frame:
    """Return what stands around the fragments of *section*'s documents, with slots for what differs among them.

    Raises RenderError where a document of it would not check.
    """
    name = f"{section.path or 'index'}.{format}"
    for address in (section.url(format), section.url()):
        if not is_web_address(address):
            raise RenderError(f"{name} does not check: {address!r} must be an address")
    try:
        return _frame(replace(section, path="", title=category_of(section.title), description=""), format)
    except RenderError as error:
        raise RenderError(f"{name}: {error.cause}") from error


@lru_cache(maxsize=3 * 256)
def _frame(section: SectionContext, format: Format) -> Frame:
    """The frame of all sections that are like *section* but for what slots take: most of a desk's are."""
    head, tail = _WRITERS[format].frame(section, _SLOTS | _SHOW)
    frame = Frame(format=format, head=head, tail=tail, separator=b"," if format == "json" else b"")
    sample = frames.assemble(
        frame,
        _PLAYED[format],
        self_url=section.url(format),
        alternate_url=section.url(),
        title=section.title,
        description=section.description,
        updated=_SOME_TIME,
        feed_id=frames.feed_urn("", section.path),
        extra=[
            frames.hub_links(format, section.hubs),
            frames.archive_links(format, prev_url=section.base_url + frames.archive_path(section.path, 1, format)),
            frames.deleted_entries(format, [("urn:-", _SOME_TIME)]),
        ],
    )
    check_frame(sample, format, section.path)
    return frame


def compress(body: bytes) -> tuple[bytes | None, bytes | None]:
    """Return *body* in gzip and in brotli; None for one that does not pay, or not yet. Same body, same bytes.

    gzip comes from ISA-L, a twentieth of zlib's time for a tenth more bytes. brotli's bytes are an eighth fewer, for
    seven times ISA-L's time: it pays at once for small documents, and for large ones when nothing waits for them.
    """
    if len(body) < SMALLEST_BYTES:
        return None, None
    zipped: bytes = igzip.compress(body, GZIP_LEVEL, mtime=0)
    gzip = zipped if len(zipped) < len(body) else None
    return gzip, squeeze(body, gzip) if len(body) <= BROTLI_AT_ONCE_BYTES else None


def squeeze(body: bytes, gzip: bytes | None = None) -> bytes | None:
    """Return *body* in brotli, None where that is not smaller than both *body* and its *gzip*.

    For documents that `compress` left without: archive pages, exports, sections that rest.
    """
    squeezed: bytes = brotli.compress(body, quality=BROTLI_QUALITY)
    return squeezed if SMALLEST_BYTES <= len(body) and len(squeezed) < len(gzip or body) else None


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
