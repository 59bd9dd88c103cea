"""RSS 2.0 by its specification and the RSS Board's best-practices profile; feedgen, for Atom as well. Pure.

Traps of feedgen 1.0 that are closed here and in `atom`: unset dates become the present, RSS dates go through the
process-wide `setlocale`, entries are put in front, a channel's link is the last one given, an entry's links lose their
rel, its syndication extension writes a wrong case, and its atom:source has neither id nor date.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.dates import rfc822, rfc3339
from feeds.frames import OPTIONAL_NAMESPACES
from feeds.model import Article, Format
from feeds.render.contexts import DeskContext, SectionContext
from feeds.render.mediarss import (
    ATOM_NAMESPACES,
    RSS_NAMESPACES,
    add,
    add_licence,
    add_looks,
    add_media,
    add_robots,
    add_show,
    add_texts,
    describes,
)
from feeds.render.printable import (
    absolute,
    credit,
    discussion,
    excerpt,
    files,
    headline,
    language,
    line,
    people,
    permalink,
    present,
    rss_title,
    texts,
)

Write = Callable[[etree._Element], None]
AddEntry = Callable[[Any, Article, DeskContext], None]


class Stamp(datetime):
    """A date that feedgen writes as *text*, or leaves out where *text* is empty."""

    text: str

    @classmethod
    def of(cls, text: str) -> Stamp:
        stamp = cls(2000, 1, 1, tzinfo=UTC)
        stamp.text = text
        return stamp

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text)


class Feed(BaseExtension):  # type: ignore[misc]
    """What *write* adds to a channel or feed; *optional* are the namespaces declared that few documents need."""

    write: Write | None = None
    optional: dict[str, str] = OPTIONAL_NAMESPACES
    namespaces: dict[str, str] = {}

    def extend_ns(self) -> dict[str, str]:
        return self.optional | self.namespaces

    def extend_rss(self, feed: etree._Element) -> etree._Element:
        if self.write:
            self.write(feed[0])
        return feed

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        if self.write:
            self.write(feed)
        return feed


class Entry(BaseEntryExtension):  # type: ignore[misc]
    """What *write* adds to an item or entry."""

    write: Write | None = None

    def extend_rss(self, item: etree._Element) -> etree._Element:
        if self.write:
            self.write(item)
        return item

    extend_atom = extend_rss


def new_generator(format: Format) -> Any:
    """Return a feedgen generator for *format* ("rss" or "atom") with our extensions, as ``generator.desk``."""
    generator = FeedGenerator()
    generator.register_extension("desk", Feed, Entry)
    generator.desk.namespaces = RSS_NAMESPACES if format == "rss" else ATOM_NAMESPACES
    return generator


def cut_out(articles: Sequence[Article], desk: DeskContext, format: Format, add_entry: AddEntry) -> list[bytes]:
    """Return what *add_entry* writes of each article, cut out of a feed with nothing but what feedgen demands beside.

    Text is escaped, so the tags can only be the markup's own.
    """
    generator = new_generator(format)
    for demanded in (generator.id, generator.title, generator.description):
        demanded("-")
    generator.link(href="-")
    generator.updated(Stamp.of("-" if format == "atom" else ""))
    for article in articles:
        add_entry(generator, article, desk)
    body, tag = (generator.rss_str(), b"item") if format == "rss" else (generator.atom_str(), b"entry")
    closing = b"</%b>" % tag
    return [b"<" + tag + piece.partition(b"<" + tag)[2] + closing for piece in body.split(closing)[:-1]]


def cut_open(body: bytes, closing: bytes) -> tuple[bytes, bytes]:
    """Return what of a feed without entries stands before and behind them; optional namespaces are for
    `frames.assemble` to declare.
    """
    for prefix, uri in OPTIONAL_NAMESPACES.items():
        body = body.replace(f' xmlns:{prefix}="{uri}"'.encode(), b"", 1)
    at = body.rindex(closing)
    return body[:at], body[at:]


def channel(section: SectionContext, values: dict[str, str]) -> Any:
    """Return a generator for *section*'s channel; *values* are self, page, title, description, updated and extra.

    With podcast, cover and explicit among them, it says of itself what a podcast does.
    """
    generator = new_generator("rss")
    generator.updated(Stamp.of(""))
    generator.title(values["title"])
    generator.description(values["description"])
    generator.link(href=values["@self"], rel="self", type="application/rss+xml")
    generator.link(href=values["page"], rel="alternate")  # last: feedgen takes the last link for the channel's
    generator.generator("Wiredesk")
    generator.docs("https://www.rssboard.org/rss-specification")
    generator.ttl(max(1, section.max_age_s // 60))
    if tag := language(section.language):
        generator.language(tag)
    if rights := line(section.rights):
        generator.copyright(rights)
    if picture := absolute(section.image_url) or absolute(section.icon_url):
        generator.image(picture, title=values["title"], link=values["page"])

    def write(element: etree._Element) -> None:
        add_licence(element, "atom:link", section.licence_url)
        add_looks(element, absolute(section.icon_url), section.colour)
        add(element, "lastBuildDate", values["updated"])
        period, frequency = update_period(section.max_age_s)
        add(element, "sy:updatePeriod", period)
        add(element, "sy:updateFrequency", str(frequency)).tail = values["extra"]
        if "podcast" in values:
            add_show(element, section, values)

    generator.desk.write = write
    return generator


def update_period(max_age_s: int) -> tuple[str, int]:
    """Return sy:updatePeriod and sy:updateFrequency for a document that may change every *max_age_s* seconds.

    >>> update_period(300), update_period(7200)
    (('hourly', 12), ('daily', 12))
    """
    for period, seconds in (("hourly", 3600), ("daily", 86400), ("weekly", 604800)):
        if max_age_s <= seconds:
            return period, max(1, seconds // max(1, max_age_s))
    return "monthly", 1


def add_item(generator: Any, article: Article, desk: DeskContext) -> None:
    """Put *article* behind the items that *generator* has."""
    item = generator.add_entry(order="append")
    item.title(rss_title(headline(article)))
    item.link(href=permalink(article, desk), rel="alternate")
    item.guid(article.uid, permalink=False)
    _set_text(item, article, desk)
    if categories := _categories(article):
        item.category(categories)
    for first in files(article)[:1]:
        item.enclosure(first.url, str(first.length_bytes or 0), first.type)
    credited, talk = credit(article), discussion(article)
    if credited and credited.address:
        item.source(credited.address, credited.name)
    if talk.url:
        item.comments(talk.url)

    def write(element: etree._Element) -> None:
        _add_dates_and_people(element, article, desk)
        add_texts(
            element,
            ("dc:source", credited.name if credited and not credited.address else None),
            ("dc:publisher", line(article.publisher)),
            ("dc:rights", line(article.rights)),
            ("dc:language", language(article.language)),
            ("slash:comments", None if talk.count is None else str(talk.count)),
            ("wfw:commentRss", talk.feed_url),
        )
        add_media(element, article, desk, linked=1)
        add_robots(element, article)

    item.desk.write = write


def _set_text(item: Any, article: Article, desk: DeskContext) -> None:
    summary, content = texts(article)
    # Readers look for full text in content:encoded alone, which wants a description before it: the text's beginning.
    described = summary or escape(excerpt(content), quote=False) or content
    if described:
        item.description(described)
    if content or described and describes(article, desk):
        # feedparser makes a second text of an item its content, whatever it is, where there is none.
        item.content(content or described, type="html")


def _add_dates_and_people(element: etree._Element, article: Article, desk: DeskContext) -> None:
    add_texts(
        element,
        ("pubDate", rfc822(max(article.published, article.updated) if desk.dated_by_edits else article.published)),
        ("dcterms:modified", rfc3339(article.updated) if article.updated > article.published else None),
        *(("dc:creator", person.name) for person in people(article.authors)),
        *(("dc:contributor", person.name) for person in people(article.contributors)),
    )


def _categories(article: Article) -> list[dict[str, str]]:
    pairs = ((line(category.term), line(category.scheme)) for category in article.categories)
    return [present(term=term, scheme=scheme) for term, scheme in dict.fromkeys(pairs) if term]


def fragments(articles: Sequence[Article], desk: DeskContext) -> list[bytes]:
    """Return the items of *articles*."""
    return cut_out(articles, desk, "rss", add_item)


def frame(section: SectionContext, values: dict[str, str]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the items."""
    return cut_open(channel(section, values).rss_str(), b"</channel>")
