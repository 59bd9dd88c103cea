"""Entries, sources and sections for the tests of filing, as short as a test can say them."""

from __future__ import annotations

from feeds.configuration import Match, Section, Source, Term, TermField
from feeds.model import Entry
from feeds.parsed import Category, Origin, Person


def entry(
    title: str = "Ferry late",
    text: str = "",
    *,
    categories: tuple[str, ...] = (),
    breadcrumb: tuple[str, ...] = (),
    link: str | None = None,
    authors: tuple[str, ...] = (),
    language: str | None = "en",
    origin: str | None = None,
) -> Entry:
    """An entry that says only what is given."""
    return Entry(
        key=title,
        title=title,
        text=text,
        link=link,
        categories=tuple(Category(term=term) for term in categories),
        breadcrumb=breadcrumb,
        authors=tuple(Person(name=name) for name in authors),
        language=language,
        origin=Origin(name=origin) if origin else None,
    )


def source(name: str = "Tidings", section: str | None = None, key: str | None = None) -> Source:
    """A feed called *name*."""
    return Source(key=key or name, name=name, kind="feed", target="https://tidings.example/feed", section=section)


def term(field: TermField, *values: str) -> Term:
    """A term over *values*."""
    return Term(field=field, values=values)


def section(path: str, rule: Match | Term | None = None, **more: object) -> Section:
    """A section whose title is its key with a capital; a bare term is its rule."""
    match = Match(all=(rule,)) if isinstance(rule, Term) else rule
    title = str(more.pop("title", path.rpartition("/")[2].capitalize()))
    return Section(path=path, title=title, match=match, **more)  # type: ignore[arg-type]
