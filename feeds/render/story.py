"""A story as one entry: the same id for as long as it lives, updated as it grows, its articles listed inside. Pure.

What comes out is an Article like any other, so that fragments, checks and documents need not know of stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from feeds.dates import rfc3339
from feeds.model import Article
from feeds.render.context import DeskContext
from feeds.render.credit import permalink
from feeds.render.tidy import headline, line

MOST_LISTED = 50


def as_story(members: Sequence[Article], *, story_uid: str, desk: DeskContext) -> Article:
    """Return the story of *members*, which are at least one, in any order.

    It speaks with its newest article's title, summary and picture, and links to it. *published* is when the story
    began; *updated* when an article joined it or changed last. Sources with link rights alone are listed by title, as
    everywhere. Nothing of a member's full text is repeated.
    """
    newest_first = sorted(members, key=lambda article: (article.published, article.uid), reverse=True)
    newest = newest_first[0]
    sources = list(dict.fromkeys(name for article in newest_first if (name := line(article.source_name))))
    languages = {article.language for article in newest_first}
    return Article(
        uid=story_uid,
        link=permalink(newest, desk),
        title=headline(newest),
        summary=newest.summary,
        content=_list(newest_first, desk),
        language=languages.pop() if len(languages) == 1 else newest.language,
        published=min(article.published for article in members),
        updated=max(max(article.published, article.updated) for article in members),
        rank_at=max(article.rank_at for article in members),
        categories=tuple(dict.fromkeys(category for article in newest_first for category in article.categories)),
        # One source is credited as for an article; several are named in the list, and the desk signs.
        source_name=sources[0] if len(sources) == 1 else "",
        source_url=newest.source_url if len(sources) == 1 else None,
        source_site=newest.source_site if len(sources) == 1 else None,
        source_key=newest.source_key if len(sources) == 1 else "",
        image=next((article.image for article in newest_first if article.image), None),
        noindex=any(article.noindex for article in members),
        series=len(members) > 1 and len({article.source_key for article in members} | _brought_by(members)) == 1,
        story_uid=story_uid,
    )


def _brought_by(members: Sequence[Article]) -> set[str]:
    """The names of sources that brought copies, as far as they are not the members' own."""
    own = {article.source_name for article in members}
    return {copy.source_name for article in members for copy in article.copies if copy.source_name not in own}


def _list(newest_first: Sequence[Article], desk: DeskContext) -> str:
    rows = "".join(
        f'<li><a href="{escape(permalink(article, desk))}">{escape(headline(article))}</a>{_whence(article)}</li>'
        for article in newest_first[:MOST_LISTED]
    )
    left = len(newest_first) - MOST_LISTED
    return f"<ul>{rows}</ul>" + (f"<p>+ {left}</p>" if left > 0 else "")


def _whence(article: Article) -> str:
    day = rfc3339(article.published)[:10]
    name = line(article.source_name)
    return f" ({escape(name)}, {day})" if name else f" ({day})"
