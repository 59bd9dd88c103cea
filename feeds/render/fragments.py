"""Articles → fragments, a section → the frame around them, both checked; documents in other codings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from functools import lru_cache
from zlib import crc32

import brotli
from isal import igzip

from feeds import frames
from feeds.model import Article, Format, Frame
from feeds.render import atom, jsonfeed, rss
from feeds.render.gate import check_frame
from feeds.render.printable import DeskContext, SectionContext
from feeds.urls import OWN

FRAGMENT_VERSION = 6
"""Counts changes of what fragments look like; one made under another number is made anew."""

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


@lru_cache(maxsize=8)
def fragment_version(desk: DeskContext) -> int:
    """Return the version that a fragment made for *desk* has: it changes with ours and with what it holds of the desk.

    Fits a signed 32 bit column.
    """
    held = "\n".join(map(str, (FRAGMENT_VERSION, *astuple(desk))))
    return crc32(held.encode()) & 0x7FFFFFFF


def render_fragments(articles: Sequence[Article], format: Format, *, desk: DeskContext) -> list[bytes]:
    """Return the ``<item>``, ``<entry>`` or JSON object of each article: the same for every section and every place.

    What an article has at the desk's own address (`feeds.urls.OWN`) is at `base_url` there.

    Many at once cost less: feedgen makes them in one document. Whoever keeps them checks them: `check_fragment`.
    """
    made: list[bytes] = _WRITERS[format].fragments(articles, desk)
    own, base = OWN.encode(), desk.base_url.encode()
    return [fragment.replace(own, base) for fragment in made] if base else made


@lru_cache(maxsize=3 * 256)
def render_frame(section: SectionContext, format: Format) -> Frame:
    """Return what stands around the fragments of *section*'s documents, with slots for what differs among them.

    Raises RenderError where a document of it would not check.
    """
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
    seven times ISA-L's time: it pays at once for small documents, and for large ones when nothing waits for them
    (`bench/render.py` prints the figures).
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
