"""Atom 1.0 (RFC 4287) with threading (RFC 4685), tombstones (RFC 6721) and archives (RFC 5005). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lxml import etree

from feeds.dates import rfc3339
from feeds.frames import legal
from feeds.model import Article
from feeds.parsed import Discussion, Person
from feeds.render.contexts import DeskContext, SectionContext
from feeds.render.mediarss import add, add_licence, add_looks, add_media, add_robots, add_texts, expanded
from feeds.render.printable import (
    Credit,
    absolute,
    credit,
    discussion,
    files,
    headline,
    language,
    line,
    people,
    permalink,
    present,
    related,
    texts,
    via,
)
from feeds.render.rss import Stamp, cut_open, cut_out, new_generator

_LICENSE = re.compile(r"https?://\S+\Z")


def feed(section: SectionContext, values: dict[str, str]) -> Any:
    """Return a generator for *section*'s feed; *values* are id, self, page, title, description, updated and extra."""
    generator = new_generator("atom")
    generator.id(values["id"])
    generator.title(values["title"])
    generator.subtitle(values["description"])
    generator.updated(Stamp.of(values["updated"]))
    # Each entry has its author; this one is for a feed without entries (RFC 4287 §4.1.1).
    generator.author(name=line(section.desk_title) or "Wiredesk")
    generator.link(href=values["@page"], rel="alternate", type="text/html")
    generator.link(href=values["@self"], rel="self", type="application/atom+xml")
    generator.generator("Wiredesk")
    if tag := language(section.language):
        generator.language(tag)
    if rights := line(section.rights):
        generator.rights(rights)
    if picture := absolute(section.image_url):
        generator.logo(picture)
    if icon := absolute(section.icon_url):
        generator.icon(icon)

    def write(element: etree._Element) -> None:
        add_licence(element, "link", section.licence_url)
        add_looks(element, icon, section.colour)
        element[-1].tail = values["extra"]

    generator.desk.write = write
    return generator


def add_entry(generator: Any, article: Article, desk: DeskContext) -> None:
    """Put *article* behind the entries that *generator* has."""
    entry = generator.add_entry(order="append")
    entry.id(article.uid)
    entry.title(headline(article))
    entry.updated(Stamp.of(rfc3339(article.updated)))
    entry.published(Stamp.of(rfc3339(article.published)))
    credited = credit(article)
    # RFC 4287 §4.1.2: an entry has an author; a text without one is signed by the house it came from.
    house = credited.name if credited else line(desk.title) or "Wiredesk"
    entry.author(_people(article.authors) or [{"name": house}])
    if others := _people(article.contributors):
        entry.contributor(others)
    _set_text(entry, article)
    link = permalink(article, desk)
    entry.link(href=link, rel="alternate")
    if categories := _categories(article):
        entry.category(categories)
    rights = line(article.rights)
    if rights:
        entry.rights(rights)

    def write(element: etree._Element) -> None:
        if tag := language(article.language):
            element.set(expanded("xml:lang"), tag)
        _add_links(element, article, link)
        if credited:
            _add_source(element, credited)
        if _LICENSE.match(rights) and (url := absolute(rights)):
            add(element, "link", None, href=url, rel="license")  # RFC 4946
        add_texts(element, ("dc:publisher", line(article.publisher)))
        _add_discussion(element, discussion(article))
        add_media(element, article, desk, linked=len(article.enclosures))
        add_robots(element, article)

    entry.desk.write = write


def _set_text(entry: Any, article: Article) -> None:
    summary, content = texts(article)
    if summary:
        entry.summary(summary, type="html")
    if content or summary:
        # Some parsers know no summary (rss-parser and @rowanmanning/feed-parser look for content alone), and feedparser
        # makes a second text of an entry its content, whatever it is, where there is none.
        entry.content(content or summary, type="html")


def _categories(article: Article) -> list[dict[str, str]]:
    """Categories by term and scheme, the last of those that are alike; a scheme only where it is an address."""
    found = {}
    for category in article.categories:
        if term := line(category.term):
            scheme = legal(category.scheme or "").strip()
            scheme = scheme if absolute(scheme) == scheme else ""
            found[term, scheme] = present(term=term, scheme=scheme, label=line(category.label))
    return list(found.values())


def _people(several: Sequence[Person]) -> list[dict[str, str]]:
    return [present(name=person.name, email=person.email, uri=person.url) for person in people(several)]


def _add_source(element: etree._Element, credited: Credit) -> None:
    source = add(element, "source")
    add_texts(source, ("id", credited.id), ("title", credited.name), ("updated", rfc3339(credited.updated)))
    for url, rel in ((credited.url, "alternate"), (credited.feed_url, "self")):
        if url:
            add(source, "link", None, href=url, rel=rel)


def _add_links(element: etree._Element, article: Article, link: str) -> None:
    # feedgen 1.0 keeps nothing of an entry's link but its href: whatever has a rel is ours to write.
    for alternate in element.iterchildren("link"):
        alternate.set("rel", "alternate")
    for url in via(article, link):
        add(element, "link", None, href=url, rel="via")
    for url in related(article, link):
        add(element, "link", None, href=url, rel="related")
    for file in files(article):
        more = present(length=file.length_bytes and str(file.length_bytes), title=file.title)
        add(element, "link", None, href=file.url, rel="enclosure", type=file.type, **more)


def _add_discussion(element: etree._Element, talk: Discussion) -> None:
    count = None if talk.count is None else str(talk.count)
    if talk.url:
        link = add(element, "link", None, href=talk.url, rel="replies", type="text/html")
        if count:
            link.set(expanded("thr:count"), count)
    if talk.feed_url:
        # The type is not known; without one it would mean Atom (RFC 4685 §4).
        add(element, "link", None, href=talk.feed_url, rel="replies", type="application/xml")
    add_texts(element, ("thr:total", count))


def fragments(articles: Sequence[Article], desk: DeskContext) -> list[bytes]:
    """Return the entries of *articles*."""
    return cut_out(articles, desk, "atom", add_entry)


def frame(section: SectionContext, values: dict[str, str]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the entries."""
    return cut_open(feed(section, values).atom_str(), b"</feed>")
