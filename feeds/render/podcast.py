"""What a channel says where most of its items are episodes, for podcast readers and directories. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from feeds.frames import slot
from feeds.model import Article
from feeds.render.context import DeskContext, SectionContext
from feeds.render.credit import files
from feeds.render.generator import add
from feeds.render.tidy import absolute, line

# The top of Apple's list, which directories of others use too; their own words for what desks call otherwise.
CATEGORIES = (
    "Arts", "Business", "Comedy", "Education", "Fiction", "Government", "Health & Fitness", "History",
    "Kids & Family", "Leisure", "Music", "News", "Religion & Spirituality", "Science", "Society & Culture",
    "Sports", "TV & Film", "Technology", "True Crime",
)  # fmt: skip
_ALSO = {
    "culture": "Society & Culture", "economy": "Business", "film": "TV & Film", "health": "Health & Fitness",
    "money": "Business", "religion": "Religion & Spirituality", "society": "Society & Culture", "sport": "Sports",
    "tech": "Technology", "television": "TV & Film",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What of a channel depends on its items. *around* and *cover_slot* are marks that a frame has in its place."""

    explicit: str
    cover: str | None = None
    around: str = ""
    cover_slot: str = ""


FRAMED = Show(explicit=slot("explicit"), around=slot("podcast"), cover_slot=slot("cover"))
"""The show of a frame, which `frames.assemble` fills or takes out."""


def show_of(articles: Sequence[Article], desk: DeskContext) -> Show | None:
    """Return what a channel of *articles* says; None where not more than half of them can be played."""
    played = [article for article in articles if files(article)[:1] and _plays(files(article)[0].type)]
    if len(played) * 2 <= len(articles):
        return None
    episodes = [article.episode for article in articles if article.episode]
    covers = (absolute(episode.image_url) for episode in episodes if desk.images)
    return Show(
        explicit="true" if any(episode.explicit for episode in episodes) else "false",
        cover=next((cover for cover in covers if cover), None),
    )


def _plays(media_type: str) -> bool:
    return media_type.startswith(("audio/", "video/"))


def add_show(channel: etree._Element, section: SectionContext, show: Show) -> None:
    """Add what podcast readers and directories want; the cover is *section*'s picture, else its newest episode's."""
    if show.around:
        channel[-1].tail = (channel[-1].tail or "") + show.around
    add(channel, "itunes:author", line(section.desk_title) or "Wiredesk")
    add(channel, "itunes:type", "episodic")
    add(channel, "itunes:category", None, text=category_of(section.title))
    last = add(channel, "itunes:explicit", show.explicit)
    if cover := absolute(section.image_url) or show.cover:
        last = add(channel, "itunes:image", None, href=cover)
    elif show.cover_slot:
        last.tail = show.cover_slot
    if show.around:
        last.tail = (last.tail or "") + show.around


def category_of(title: str) -> str:
    """Return Apple's category for a section called *title*; news where none fits.

    >>> category_of("Sport"), category_of("TV & Film"), category_of("Harbour")
    ('Sports', 'TV & Film', 'News')
    """
    name = line(title).lower()
    return _ALSO.get(name) or next((known for known in CATEGORIES if known.lower() == name), "News")
