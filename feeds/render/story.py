"""What a section makes of copies: folded into their article, linked from it, or entries of their own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import chain
from typing import Any
from uuid import UUID, uuid5

from msgspec.structs import replace

from feeds.dates import rfc3339
from feeds.model import Article, CopyNote
from feeds.render.contexts import DeskContext
from feeds.render.printable import absolute, headline, line, permalink

MOST_LISTED = 50


def as_story(members: Sequence[Article], *, story_uid: str, desk: DeskContext) -> Article:
    """Return the story of *members*, which are at least one, in any order.

    It speaks with its newest article's title, summary and picture, and links to it. *published* is when the story
    began; *updated* when an article joined it or changed last. Sources with link rights alone are listed by title, as
    everywhere. Nothing of a member's full text is repeated.
    """
    newest_first = sorted(members, key=lambda article: (article.published, article.uid), reverse=True)
    newest = newest_first[0]
    languages = {article.language for article in newest_first}
    pictures = (article.image for article in newest_first if article.image)
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
        categories=tuple(dict.fromkeys(chain.from_iterable(article.categories for article in newest_first))),
        image=next(pictures, None),
        noindex=any(article.noindex for article in members),
        series=_is_series(members),
        story_uid=story_uid,
        **_credited(newest_first),
    )


def _credited(newest_first: Sequence[Article]) -> dict[str, Any]:
    """One source is credited as for an article; several are named in the list, and the desk signs."""
    newest = newest_first[0]
    names = {line(article.source_name) for article in newest_first} - {""}
    if len(names) != 1:
        return {}
    return {
        "source_name": names.pop(),
        "source_url": newest.source_url,
        "source_site": newest.source_site,
        "source_key": newest.source_key,
    }


def _is_series(members: Sequence[Article]) -> bool:
    """Whether one source alone tells the story."""
    return len(members) > 1 and len({article.source_key for article in members} | _brought_by(members)) == 1


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


_NAMESPACE = UUID("0f3f6c1e-6a55-5e0b-9a5e-3d1f3c8f5a77")


def linked(article: Article) -> Article:
    """Return *article* with a list of links to its copies behind its text; as it is where none has an address."""
    rows = "".join(
        f'<li><a href="{escape(url)}">{escape(line(copy.title) or line(copy.source_name) or url)}</a>'
        f"{f' ({escape(name)})' if (name := line(copy.source_name)) else ''}</li>"
        for copy in article.copies
        if (url := absolute(copy.link))
    )
    return replace(article, content=f"{article.content or article.summary}<ul>{rows}</ul>") if rows else article


def shown(article: Article) -> tuple[Article, ...]:
    """Return the copies of *article* as entries of their own: title, address and source, and no text.

    A copy's id is made of the article's and the copy's address, so that it stays while the copy has that address.
    Copies without an address, or with the article's own, are left out.
    """
    seen = {absolute(article.link)}
    entries: list[Article] = []
    for copy in article.copies:
        url = absolute(copy.link)
        if url and url not in seen:
            seen.add(url)
            entries.append(_entry(article, copy, url))
    return tuple(entries)


def _entry(article: Article, copy: CopyNote, url: str) -> Article:
    return Article(
        uid=uuid5(_NAMESPACE, f"{article.uid} {url}").urn,
        link=url,
        title=copy.title or article.title,
        language=article.language,
        published=copy.first_seen,
        updated=copy.first_seen,
        rank_at=article.rank_at,
        source_name=copy.source_name,
        story_uid=article.story_uid,
        sections=article.sections,
    )
