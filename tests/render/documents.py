"""Documents joined of fragments rendered anew, and written whole without any: the reference for joined ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import quoteattr

from feeds.codec import compact_json
from feeds.dates import rfc822, rfc3339
from feeds.frames import OPTIONAL_NAMESPACES, assemble, hub_links, legal, slot
from feeds.model import Article, Format
from feeds.render import (
    DeskContext,
    SectionContext,
    atom,
    check_fragment,
    jsonfeed,
    render_fragments,
    render_frame,
    rss,
)
from feeds.render.printable import absolute, files
from tests.render.articles import DESK, FEED_ID, NOW


def render_fragment(article: Article, format: Format, *, desk: DeskContext = DESK) -> bytes:
    """Return *article*'s fragment, checked."""
    (body,) = render_fragments([article], format, desk=desk)
    check_fragment(body, format, article.uid)
    return body


def render_document(
    section: SectionContext,
    articles: Sequence[Article],
    format: Format,
    *,
    desk: DeskContext = DESK,
    updated: datetime = NOW,
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
        feed_id=FEED_ID,
        extra=[hub_links(format, section.hubs), *extra],
    )


def whole_document(
    section: SectionContext,
    articles: Sequence[Article],
    format: Format,
    *,
    updated: datetime = NOW,
) -> bytes:
    """Return the document as feedgen, or `json`, writes it from *articles* in one go; without hubs or other extras."""
    title = legal(section.title).strip() or legal(section.url(format))
    values = {
        "self": legal(section.url(format)),
        "page": legal(section.url()),
        "title": title,
        "description": legal(section.description).strip() or title,
        "id": legal(FEED_ID),
        "updated": rfc822(updated) if format == "rss" else rfc3339(updated),
        "extra": "",
    }
    values |= {f"@{name}": value for name, value in values.items()}
    if format == "json":
        items = [jsonfeed.item(article, DESK) for article in articles]
        return compact_json(jsonfeed.feed(section, values) | {"items": items}).encode()
    if format == "atom":
        feed = atom.feed(section, values)
        for article in articles:
            atom.add_entry(feed, article, DESK)
        return _only_used(feed, feed.atom_str)
    show = _show(articles)
    channel = rss.channel(section, values | show)
    for article in articles:
        rss.add_item(channel, article, DESK)
    body = _only_used(channel, channel.rss_str)
    if not show:
        return body
    cover = _cover(articles)
    image = f"<itunes:image href={quoteattr(cover)}/>" if cover else ""
    return body.replace(slot("cover").encode(), image.encode())


def _show(articles: Sequence[Article]) -> dict[str, str]:
    """What a channel of *articles* says of itself as a podcast: nothing where not more than half can be played."""
    kinds = [files(article)[0].type for article in articles if files(article)]
    if 2 * sum(kind.startswith(("audio/", "video/")) for kind in kinds) <= len(articles):
        return {}
    explicit = any(article.episode and article.episode.explicit for article in articles)
    return {"podcast": "", "cover": slot("cover"), "explicit": "true" if explicit else "false"}


def _cover(articles: Sequence[Article]) -> str | None:
    urls = (absolute(article.episode.image_url) for article in articles if article.episode)
    return next((url for url in urls if url), None)


def _only_used(generator: Any, written: Callable[[], bytes]) -> bytes:
    """The document that *written* gives of *generator*, which declares no optional namespace without use."""
    body = written()
    generator.desk.optional = {
        prefix: uri for prefix, uri in OPTIONAL_NAMESPACES.items() if f"<{prefix}:".encode() in body
    }
    return written()
