"""RSS 2.0 by its specification and the RSS Board's best-practices profile. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from lxml import etree

from feeds.dates import rfc822, rfc3339
from feeds.model import Article
from feeds.render.generator import LICENCE_TYPE, Stamp, add, add_looks, add_texts, cut_out, new_generator, undeclared
from feeds.render.mediarss import add_media, add_show, describes
from feeds.render.printable import (
    DeskContext,
    SectionContext,
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
        if section.licence_url:
            add(element, "atom:link", None, href=section.licence_url, rel="license", type=LICENCE_TYPE)
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


def add_robots(element: etree._Element, article: Article) -> None:
    """Pass on that the source wants no indexing, in the way that feeds have for it, RSS and Atom alike.

    A custom and no standard: robots.txt and HTML's robots meta, for one entry.
    """
    if article.noindex:
        add(element, "xhtml:meta", None, name="robots", content="noindex")


def fragments(articles: Sequence[Article], desk: DeskContext) -> list[bytes]:
    """Return the items of *articles*, cut out of a channel that holds nothing but what feedgen demands beside them."""
    generator = new_generator("rss")
    generator.updated(Stamp.of(""))
    generator.title("-")
    generator.description("-")
    generator.link(href="-")
    for article in articles:
        add_item(generator, article, desk)
    return cut_out(generator.rss_str(), b"<item>", b"</item>")


def frame(section: SectionContext, values: dict[str, str]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the items; optional namespaces are for `frames.assemble` to declare."""
    body = undeclared(channel(section, values).rss_str())
    at = body.rindex(b"</channel>")
    return body[:at], body[at:]
