"""Atom 1.0 (RFC 4287) with threading (RFC 4685), tombstones (RFC 6721) and archives (RFC 5005). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lxml import etree

from feeds.dates import rfc3339
from feeds.frames import legal
from feeds.model import Article, Person
from feeds.render.generator import Stamp, add, cut_out, expanded, new_generator, undeclared
from feeds.render.mediarss import add_media, describes
from feeds.render.printable import (
    DeskContext,
    SectionContext,
    absolute,
    credit,
    email,
    files,
    headline,
    language,
    line,
    permalink,
    related,
    via,
)
from feeds.render.rss import add_robots

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

    def write(element: etree._Element) -> None:
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
    people = _people(article.authors)
    # RFC 4287 §4.1.2: an entry has an author; a text without one is signed by the house it came from.
    entry.author(people or [{"name": credited.name if credited else line(desk.title) or "Wiredesk"}])
    if others := _people(article.contributors):
        entry.contributor(others)
    summary, content = legal(article.summary).strip(), legal(article.content).strip()
    if summary:
        entry.summary(summary, type="html")
    if content or summary and describes(article, desk):
        # feedparser makes a second text of an entry its content, whatever it is, where there is none.
        entry.content(content or summary, type="html")
    link = permalink(article, desk)
    entry.link(href=link, rel="alternate")
    categories = {}
    for category in article.categories:
        if term := line(category.term):
            scheme, label = legal(category.scheme or "").strip(), line(category.label or "")
            value = {"term": term} | ({"scheme": scheme} if absolute(scheme) == scheme else {})
            categories[term, value.get("scheme")] = value | ({"label": label} if label else {})
    if categories:
        entry.category(list(categories.values()))
    rights = line(article.rights or "")
    if rights:
        entry.rights(rights)

    def write(element: etree._Element) -> None:
        if tag := language(article.language):
            element.set(expanded("xml:lang"), tag)
        _add_links(element, article, link)
        if credited:
            source = add(element, "source")
            add(source, "id", credited.id)
            add(source, "title", credited.name)
            add(source, "updated", rfc3339(credited.updated))
            if credited.url:
                add(source, "link", None, href=credited.url, rel="alternate")
            if credited.feed_url:
                add(source, "link", None, href=credited.feed_url, rel="self")
        if _LICENSE.match(rights) and (url := absolute(rights)):
            add(element, "link", None, href=url, rel="license")  # RFC 4946
        if publisher := line(article.publisher or ""):
            add(element, "dc:publisher", publisher)
        _add_discussion(element, article)
        add_media(element, article, desk, linked=len(article.enclosures))
        add_robots(element, article)

    entry.desk.write = write


def _add_links(element: etree._Element, article: Article, link: str) -> None:
    # feedgen 1.0 keeps nothing of an entry's link but its href: whatever has a rel is ours to write.
    for alternate in element.iterchildren("link"):
        alternate.set("rel", "alternate")
    for url in via(article, link):
        add(element, "link", None, href=url, rel="via")
    for url in related(article, link):
        add(element, "link", None, href=url, rel="related")
    for file in files(article):
        size = {"length": str(file.length_bytes)} if file.length_bytes else {}
        title = {"title": file.title} if file.title else {}
        add(element, "link", None, href=file.url, rel="enclosure", type=file.type, **size, **title)


def _add_discussion(element: etree._Element, article: Article) -> None:
    talk = article.discussion
    if talk is None:
        return
    counted = talk.count is not None and talk.count >= 0
    if url := absolute(talk.url):
        link = add(element, "link", None, href=url, rel="replies", type="text/html")
        if counted:
            link.set(expanded("thr:count"), str(talk.count))
    if feed_url := absolute(talk.feed_url):
        # The type is not known; without one it would mean Atom (RFC 4685 §4).
        add(element, "link", None, href=feed_url, rel="replies", type="application/xml")
    if counted:
        add(element, "thr:total", str(talk.count))


def _people(people: Sequence[Person]) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for person in people:
        if (name := line(person.name)) and name not in found:
            found[name] = {"name": name}
            if address := email(person.email):
                found[name]["email"] = address
            if url := absolute(person.url):
                found[name]["uri"] = url
    return list(found.values())


def fragments(articles: Sequence[Article], desk: DeskContext) -> list[bytes]:
    """Return the entries of *articles*, cut out of a feed that holds nothing but what feedgen demands beside them."""
    generator = new_generator("atom")
    generator.id("-")
    generator.title("-")
    generator.updated(Stamp.of("-"))
    for article in articles:
        add_entry(generator, article, desk)
    return cut_out(generator.atom_str(), b"<entry", b"</entry>")


def frame(section: SectionContext, values: dict[str, str]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the entries; optional namespaces are for `frames.assemble` to declare."""
    body = undeclared(feed(section, values).atom_str())
    at = body.rindex(b"</feed>")
    return body[:at], body[at:]
