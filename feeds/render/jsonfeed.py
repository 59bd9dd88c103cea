"""JSON Feed 1.1, with what it has no key for under `_wiredesk`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feeds.codec import compact_json
from feeds.dates import rfc3339
from feeds.frames import legal
from feeds.model import Article, CopyNote, Related
from feeds.parsed import Enclosure, Person
from feeds.render.contexts import DeskContext, SectionContext
from feeds.render.mediarss import episode_of, geometry
from feeds.render.printable import (
    absolute,
    credit,
    files,
    headline,
    image,
    language,
    line,
    people,
    permalink,
    plain,
    present,
    related,
    texts,
    via,
)

VERSION = "https://jsonfeed.org/version/1.1"


def feed(section: SectionContext, values: dict[str, str]) -> dict[str, Any]:
    """Return the keys of *section*'s feed, without items; *values* are self, page, title, description, id, updated."""
    return {
        "version": VERSION,
        "title": values["title"],
        "home_page_url": values["page"],
        "feed_url": values["self"],
        "description": values["description"],
        **present(language=language(section.language), icon=absolute(section.icon_url) or absolute(section.image_url)),
        "authors": [{"name": line(section.desk_title) or "Wiredesk"}],
        "_wiredesk": {
            "id": values["id"],
            "updated": values["updated"],
            **present(rights=line(section.rights), colour=section.colour, licence=section.licence_url),
        },
    }


def item(article: Article, desk: DeskContext) -> dict[str, Any]:
    """Return *article* as an item; what is empty is left out."""
    link = permalink(article, desk)
    summary, content = texts(article)
    title = headline(article)
    picture = image(article, desk)
    terms = (line(category.term) for category in article.categories)
    return {
        "id": article.uid,
        "url": link,
        "title": title,
        **({"content_html": content or summary} if content or summary else {"content_text": title}),
        **present(
            summary=plain(summary),
            image=picture and picture.url,
            date_published=rfc3339(article.published),
            date_modified=rfc3339(article.updated),
            authors=_people(article.authors),
            tags=[term for term in dict.fromkeys(terms) if term],
            language=language(article.language),
            attachments=[_attachment(file) for file in files(article)],
        ),
        "_wiredesk": _beyond(article, link, desk),
    }


def _attachment(file: Enclosure) -> dict[str, Any]:
    return present(
        url=file.url,
        mime_type=file.type,
        title=file.title,
        size_in_bytes=file.length_bytes,
        duration_in_seconds=round(file.duration_s) if file.duration_s else None,
        _wiredesk=present(
            width=file.width,
            height=file.height,
            bitrate_kbps=file.bitrate_kbps,
            language=file.language,
            description=file.description,
            credit=file.credit,
            group=file.group or None,
        ),
    )


def _beyond(article: Article, link: str, desk: DeskContext) -> dict[str, Any]:
    """What JSON Feed has no key for; nothing that differs from section to section."""
    picture, place, talk = image(article, desk), article.place, article.discussion
    return present(
        source=present(name=line(article.source_name), url=absolute(article.source_url or article.source_site)),
        origin=_origin(article),
        publisher=line(article.publisher),
        rights=line(article.rights),
        contributors=_people(article.contributors),
        categories=_categories(article),
        picture=picture and present(alt=picture.alt, caption=picture.caption, credit=picture.credit),
        episode=episode_of(article.episode, desk),
        place=place and present(name=line(place.name), geometry=geometry(place)),
        comments=talk and present(url=absolute(talk.url), feed_url=absolute(talk.feed_url), count=talk.count),
        via=via(article, link),
        related=related(article, link),
        copies=[_copy(copy) for copy in article.copies],
        contains=_around(article.contains, desk),
        contained_in=_around(article.contained_in, desk),
        story=article.story_uid,
        series=article.series or None,
        noindex=article.noindex or None,
    )


def _origin(article: Article) -> dict[str, Any] | None:
    credited = credit(article)
    if article.origin is None or credited is None or credited.name != line(article.origin.name):
        return None
    return present(name=credited.name, url=credited.url, feed_url=credited.feed_url)


def _categories(article: Article) -> list[dict[str, Any]]:
    """Those categories of which there is more to say than their term."""
    return [
        present(term=line(one.term), scheme=legal(one.scheme or ""), label=line(one.label))
        for one in article.categories
        if line(one.term) and (one.scheme or one.label)
    ]


def _copy(copy: CopyNote) -> dict[str, Any]:
    return present(
        source=line(copy.source_name),
        url=absolute(copy.link),
        title=line(copy.title),
        first_seen=rfc3339(copy.first_seen),
        original=copy.original or None,
        why=line(copy.why),
    )


def _around(several: Sequence[Related], desk: DeskContext) -> list[dict[str, Any]]:
    return [present(id=other.uid, url=permalink(other, desk), title=line(other.title)) for other in several]


def _people(several: Sequence[Person]) -> list[dict[str, Any]]:
    return [present(name=person.name, url=person.url) for person in people(several)]


def fragments(articles: Sequence[Article], desk: DeskContext) -> list[bytes]:
    """Return the items of *articles*."""
    return [compact_json(item(article, desk)).encode() for article in articles]


def frame(section: SectionContext, values: dict[str, str]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the items; the slot for extra keys stands before ``items``."""
    head = compact_json(feed(section, values))
    return f'{head[:-1]},{values["extra"]}"items":['.encode(), b"]}"
