"""The step render: an article → its fragments, a section → its frames, both → checked documents. Pure.

Library: feedgen, for whose traps see `generator`. `frames.assemble` does the joining, so that `serve` can join too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from feeds.frames import assemble, hub_links, slot
from feeds.model import Article, Format, Frame
from feeds.render import atom, jsonfeed, rss
from feeds.render.check import Listed, check, compare
from feeds.render.compress import compress, squeeze
from feeds.render.printable import FRAGMENT_VERSION, DeskContext, SectionContext, fragment_version
from feeds.render.rules import Problem
from feeds.render.story import as_story

__all__ = [
    "FRAGMENT_VERSION",
    "DeskContext",
    "Listed",
    "Problem",
    "SectionContext",
    "as_story",
    "check",
    "compare",
    "compress",
    "fragment_version",
    "render_document",
    "render_fragment",
    "render_fragments",
    "render_frame",
    "squeeze",
]


def render_fragments(articles: Sequence[Article], format: Format, *, desk: DeskContext) -> list[bytes]:
    """Return the ``<item>``, ``<entry>`` or JSON object of each article: the same for every section and every place.

    Many at once cost less: feedgen makes them in one document.
    """
    if format == "rss":
        return rss.fragments(articles, desk)
    if format == "atom":
        return atom.fragments(articles, desk)
    return [jsonfeed.item_bytes(article, desk) for article in articles]


def render_fragment(article: Article, format: Format, *, desk: DeskContext) -> bytes:
    """Return *article*'s fragment alone: the very bytes that `render_fragments` gives."""
    return render_fragments([article], format, desk=desk)[0]


@lru_cache(maxsize=3 * 256)
def render_frame(section: SectionContext, format: Format) -> Frame:
    """Return what stands around the fragments of *section*'s documents, with slots for what differs among them."""
    names = ("self", "page", "title", "description", "id", "updated", "extra")
    values = {name: slot(name) for name in names} | {f"@{name}": slot(name, attribute=True) for name in names}
    if format == "json":
        head, tail = jsonfeed.frame_parts(section, values)
        return Frame(format=format, head=head, tail=tail, separator=b",")
    if format == "rss":
        head, tail = rss.frame_parts(rss.frame_bytes(section, values))
    else:
        head, tail = atom.frame_parts(atom.frame_bytes(section, values))
    return Frame(format=format, head=head, tail=tail)


def render_document(
    section: SectionContext,
    articles: Sequence[Article],
    format: Format,
    *,
    desk: DeskContext,
    updated: datetime,
    feed_id: str,
    extra: Sequence[bytes] = (),
) -> bytes:
    """Return *section*'s document of *articles* in their order, its hubs told: every part rendered anew."""
    return assemble(
        render_frame(section, format),
        render_fragments(articles, format, desk=desk),
        self_url=section.url(format),
        alternate_url=section.url(),
        title=section.title,
        description=section.description,
        updated=updated,
        feed_id=feed_id,
        extra=[hub_links(format, section.hubs), *extra],
    )
