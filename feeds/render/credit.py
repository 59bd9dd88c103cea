"""Whom a published article credits, and where it links: the same answers for all three formats. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from feeds.frames import legal
from feeds.model import Article, Enclosure, Image
from feeds.players import media_type
from feeds.render.context import DeskContext
from feeds.render.tidy import absolute, language, line
from feeds.urls import masked, public_address

_NAMESPACE = uuid.UUID("5f1d8c9e-4b0a-5d0f-8f6c-2b7a1e94c3d2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The origin where the article names one, else the source that brought it. *id* is its feed's, a urn if need be."""

    name: str
    id: str
    url: str | None
    feed_url: str | None
    updated: datetime

    @property
    def address(self) -> str | None:
        """What RSS calls the source's url: the feed, or the site of one whose feed is not known."""
        return self.feed_url or self.url


def credit(article: Article) -> Credit | None:
    """Return whom *article* credits, None where neither origin nor source has a name."""
    origin = article.origin
    if origin and line(origin.name):
        name, url, feed_url = line(origin.name), _told(origin.url), _told(origin.feed_url)
        stated = legal(origin.feed_id or "").strip()
        if masked(stated) != stated:
            stated = ""  # the address by which somebody else is let in
        identity = stated if _is_iri(stated) else feed_url or url or _urn(name)
        # When an origin's own feed changed is not known: its article's date is the latest that can be vouched for.
        return Credit(name=name, id=identity, url=url, feed_url=feed_url, updated=article.published)
    if name := line(article.source_name):
        feed_url = _told(article.source_url)
        identity = feed_url or _urn(line(article.source_key) or name)
        updated = article.source_updated or article.updated
        return Credit(name=name, id=identity, url=_told(article.source_site), feed_url=feed_url, updated=updated)
    return None


def _told(url: str | None) -> str | None:
    found = absolute(url)
    return found and public_address(found)


def permalink(article: Article, desk: DeskContext) -> str:
    """Return where *article* is read: at its own address, else on the desk's page of it."""
    return absolute(article.link) or f"{desk.base_url}/article/{article.id}"


def via(article: Article, link: str) -> tuple[str, ...]:
    """Return where *article* was taken from beside *link*: what it says itself, and the original that it copies."""
    urls = [absolute(url) for url in article.via]
    urls += [absolute(copy.link) for copy in article.copies if copy.original]
    return tuple(dict.fromkeys(url for url in urls if url and url != link))


def related(article: Article, link: str) -> tuple[str, ...]:
    """Return the addresses that *article* names as related."""
    urls = (absolute(url) for url in article.related)
    return tuple(dict.fromkeys(url for url in urls if url and url != link))


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An enclosure fit to print: *url* absolute, *type* never empty."""

    url: str
    type: str
    length_bytes: int | None
    title: str
    duration_s: float | None
    width: int | None
    height: int | None
    bitrate_kbps: float | None
    language: str | None
    description: str
    credit: str
    group: int


def files(article: Article) -> tuple[File, ...]:
    """Return *article*'s enclosures that have a usable address, each address once."""
    found: dict[str, File] = {}
    for enclosure in article.enclosures:
        if (file := _file(enclosure)) and file.url not in found:
            found[file.url] = file
    return tuple(found.values())


def _file(enclosure: Enclosure) -> File | None:
    url = absolute(enclosure.url)
    if url is None:
        return None
    length = enclosure.length_bytes
    return File(
        url=url,
        type=media_type(enclosure.type, url),
        length_bytes=length if length is not None and length > 0 else None,
        title=line(enclosure.title),
        duration_s=enclosure.duration_s,
        width=enclosure.width,
        height=enclosure.height,
        bitrate_kbps=enclosure.bitrate_kbps,
        language=language(enclosure.language),
        description=line(enclosure.description),
        credit=line(enclosure.credit),
        group=enclosure.group,
    )


def image(article: Article, desk: DeskContext) -> Image | None:
    """Return *article*'s picture with a usable address, unless the desk shows none."""
    url = absolute(article.image.url) if article.image and desk.images else None
    if article.image is None or url is None:
        return None
    picture = article.image
    return Image(
        url=url,
        width=picture.width,
        height=picture.height,
        alt=line(picture.alt),
        caption=line(picture.caption),
        credit=line(picture.credit),
    )


def _is_iri(text: str) -> bool:
    scheme, colon, rest = text.partition(":")
    return bool(colon and rest and scheme.isascii() and scheme.replace("+", "").isalnum() and " " not in text)


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, legal(name))}"
