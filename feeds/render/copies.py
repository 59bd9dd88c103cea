"""What a section makes of copies: folded into their article, linked from it, or entries of their own. Pure."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from uuid import UUID, uuid5

from feeds.model import Article, CopyNote
from feeds.render.tidy import absolute, line

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
