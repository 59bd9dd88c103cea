"""Documents written whole, without fragments: the reference that joined ones must equal byte for byte. Pure.

Nothing on the path uses it; tests and `bench/render.py` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feeds.dates import rfc822, rfc3339
from feeds.frames import legal
from feeds.model import Article, Format
from feeds.render import atom, jsonfeed, rss
from feeds.render.printable import DeskContext, SectionContext


def whole_document(
    section: SectionContext,
    articles: Sequence[Article],
    format: Format,
    *,
    desk: DeskContext,
    updated: datetime,
    feed_id: str,
) -> bytes:
    """Return the document as feedgen, or `json`, writes it from *articles* in one go; without hubs or other extras."""
    title = legal(section.title).strip() or legal(section.url(format))
    values = {
        "self": legal(section.url(format)),
        "page": legal(section.url()),
        "title": title,
        "description": legal(section.description).strip() or title,
        "id": legal(feed_id),
        "updated": rfc822(updated) if format == "rss" else rfc3339(updated),
        "extra": "",
    }
    values |= {f"@{name}": value for name, value in values.items()}
    whole = {"rss": rss.document, "atom": atom.document, "json": jsonfeed.document}[format]
    return whole(section, values, articles, desk)
