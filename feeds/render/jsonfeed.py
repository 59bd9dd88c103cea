"""JSON Feed 1.1, with what it has no key for under `_wiredesk`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feeds.dates import rfc3339
from feeds.frames import compact_json, legal
from feeds.model import Article, Person, Related
from feeds.render.mediarss import episode_of, geometry
from feeds.render.printable import (
    DeskContext,
    SectionContext,
    absolute,
    credit,
    files,
    headline,
    image,
    language,
    line,
    permalink,
    plain,
    related,
    via,
)

VERSION = "https://jsonfeed.org/version/1.1"


def feed(section: SectionContext, values: dict[str, str]) -> dict[str, Any]:
    """Return the keys of *section*'s feed, without items; *values* are self, page, title, description, id, updated."""
    told: dict[str, Any] = {
        "version": VERSION,
        "title": values["title"],
        "home_page_url": values["page"],
        "feed_url": values["self"],
        "description": values["description"],
    }
    if tag := language(section.language):
        told["language"] = tag
    if picture := absolute(section.image_url):
        told["icon"] = picture
    told["authors"] = [{"name": line(section.desk_title) or "Wiredesk"}]
    desk: dict[str, Any] = {"id": values["id"], "updated": values["updated"]}
    if rights := line(section.rights):
        desk["rights"] = rights
    told["_wiredesk"] = desk
    return told


def item(article: Article, desk: DeskContext) -> dict[str, Any]:
    """Return *article* as an item; what is empty is left out."""
    link = permalink(article, desk)
    summary, content = legal(article.summary).strip(), legal(article.content).strip()
    told: dict[str, Any] = {"id": article.uid, "url": link, "title": headline(article)}
    if content or summary:
        told["content_html"] = content or summary
    else:
        told["content_text"] = told["title"]
    if summary and (words := plain(summary)):
        told["summary"] = words
    if picture := image(article, desk):
        told["image"] = picture.url
    told["date_published"] = rfc3339(article.published)
    told["date_modified"] = rfc3339(article.updated)
    if people := _people(article.authors):
        told["authors"] = people
    if tags := list(dict.fromkeys(line(category.term) for category in article.categories if line(category.term))):
        told["tags"] = tags
    if tag := language(article.language):
        told["language"] = tag
    if attached := files(article):
        told["attachments"] = [
            _kept(
                url=file.url,
                mime_type=file.type,
                title=file.title,
                size_in_bytes=file.length_bytes,
                duration_in_seconds=round(file.duration_s) if file.duration_s else None,
                _wiredesk=_kept(
                    width=file.width,
                    height=file.height,
                    bitrate_kbps=file.bitrate_kbps,
                    language=file.language,
                    description=file.description,
                    credit=file.credit,
                    group=file.group or None,
                ),
            )
            for file in attached
        ]
    told["_wiredesk"] = _beyond(article, link, desk)
    return told


def _beyond(article: Article, link: str, desk: DeskContext) -> dict[str, Any]:
    """What JSON Feed has no key for; nothing that differs from section to section."""
    picture = image(article, desk)
    place = article.place
    credited = credit(article)
    origin = article.origin
    talk = article.discussion
    copies = [
        _kept(
            source=line(copy.source_name),
            url=absolute(copy.link),
            title=line(copy.title),
            first_seen=rfc3339(copy.first_seen),
            original=copy.original or None,
            why=line(copy.why),
        )
        for copy in article.copies
    ]
    return _kept(
        source=_kept(name=line(article.source_name), url=absolute(article.source_url or article.source_site)),
        origin=_kept(name=credited.name, url=credited.url, feed_url=credited.feed_url)
        if origin and credited and credited.name == line(origin.name)
        else None,
        publisher=line(article.publisher or ""),
        rights=line(article.rights or ""),
        contributors=_people(article.contributors),
        categories=[
            _kept(term=line(c.term), scheme=legal(c.scheme or ""), label=line(c.label or ""))
            for c in article.categories
            if line(c.term) and (c.scheme or c.label)
        ],
        picture=_kept(alt=picture.alt, caption=picture.caption, credit=picture.credit) if picture else None,
        episode=episode_of(article.episode, desk),
        place=_kept(name=line(place.name), geometry=geometry(place)) if place else None,
        comments=_kept(url=absolute(talk.url), feed_url=absolute(talk.feed_url), count=talk.count) if talk else None,
        via=list(via(article, link)),
        related=list(related(article, link)),
        copies=copies,
        contains=_around(article.contains, desk),
        contained_in=_around(article.contained_in, desk),
        story=article.story_uid,
        series=article.series or None,
        noindex=article.noindex or None,
    )


def _around(several: Sequence[Related], desk: DeskContext) -> list[dict[str, Any]]:
    return [
        _kept(
            id=other.uid,
            url=absolute(other.link) or f"{desk.base_url}/article/{other.id}",
            title=line(other.title),
        )
        for other in several
    ]


def _people(people: Sequence[Person]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for person in people:
        if (name := line(person.name)) and name not in found:
            found[name] = _kept(name=name, url=absolute(person.url))
    return list(found.values())


def _kept(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def fragments(articles: Sequence[Article], desk: DeskContext) -> list[bytes]:
    """Return the items of *articles*."""
    return [compact_json(item(article, desk)).encode() for article in articles]


def frame(section: SectionContext, values: dict[str, str]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the items; the slot for extra keys stands before ``items``."""
    head = compact_json(feed(section, values))
    return f'{head[:-1]},{values["extra"]}"items":['.encode(), b"]}"
