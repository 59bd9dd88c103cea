"""Articles, days, sections and feeds as pages list them, and in what order: the heaviest first, nothing twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from itertools import groupby
from types import MappingProxyType

from feeds.configuration import Section
from feeds.dates import rfc3339, zone_of
from feeds.model import FORMATS, MEDIA_TYPES, Article
from feeds.parsed import Image
from feeds.players import informs_a_player
from feeds.serve.addresses import Addresses, document_path, story_path
from feeds.serve.article_models import what_plays
from feeds.serve.store_reader import Desk, weight
from feeds.serve.wording import Wording, direction
from feeds.store.values import StorySize
from feeds.text import plain

FORMAT_NAMES = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}
_TEASER_CHARS = 260


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What a page is drawn with: the desk, its addresses, the page's words, and when."""

    desk: Desk
    addresses: Addresses
    words: Wording
    now: datetime

    @property
    def zone(self) -> tzinfo:
        """The zone that times are told in."""
        return zone_of(self.desk.settings.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A document as a link: *url* is the public address, to copy into a reader."""

    name: str
    media_type: str
    href: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """An article in a list. *published* orders it: as shown, but for a time that is yet to come. *at* is its time as
    short as it can be, *when* the whole of it.
    """

    title: str
    published: datetime
    href: str
    page: str
    teaser: str
    at: str
    when: str
    stamp: str
    source: str
    language: str | None
    direction: str
    copies: int
    elsewhere: bool
    image: Image | None = None
    plays: str = ""
    first_in: str = ""
    story: str | None = None
    story_href: str = ""
    story_size: int = 0
    independent: int = 1
    series: bool = False
    others: tuple[Headline, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The articles of one day of the desk's zone."""

    name: str
    stamp: str
    lines: tuple[Headline, ...]

    @classmethod
    def of(cls, day: date, lines: Sequence[Headline], words: Wording) -> Day:
        """Return *lines* under the name of their day."""
        return cls(name=words.day(day), stamp=day.isoformat(), lines=tuple(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A section in the tree."""

    title: str
    description: str
    href: str
    path: str
    feeds: tuple[Feed, ...]
    language: str | None
    direction: str = "ltr"
    children: tuple[Node, ...] = ()
    headlines: tuple[Headline, ...] = ()


def feeds_of(path: str, addresses: Addresses) -> tuple[Feed, ...]:
    """Return the documents of a section, as links."""
    return tuple(
        Feed(
            name=FORMAT_NAMES[format],
            media_type=MEDIA_TYPES[format].partition(";")[0],
            href=addresses.local(document_path(path, format)),
            url=addresses.public(document_path(path, format)),
        )
        for format in FORMATS
    )


def picture_of(article: Article, desk: Desk) -> Image | None:
    """Return the picture of *article* that a page may show: none that calls a player's host which is not its source."""
    picture = article.image if desk.settings.publish.images else None
    return picture if picture is not None and not informs_a_player(picture.url, article.link) else None


def shows_a_film(picture: Image | None) -> bool:
    """Return whether *picture* is the still of a film or a piece of sound that plays where it is from."""
    return picture is not None and informs_a_player(picture.url, None)


def headline(
    article: Article, showing: Showing, sizes: Mapping[str, StorySize] = MappingProxyType({}), *, dated: bool = True
) -> Headline:
    """Return *article* as a line of a list: it links to its text here where there is one, else to where it is from.

    Of stories of one article, as of those not in *sizes*, there is no page. *dated*: its time stands with its day.
    """
    desk, addresses, words = showing.desk, showing.addresses, showing.words
    size = sizes.get(article.story_uid or "", StorySize(0, 0))
    page = addresses.local(f"/article/{article.id}")
    elsewhere = "" if article.content else article.link
    picture = picture_of(article, desk)
    when = words.moment(article.published, showing.zone)
    at = when if dated else f"{article.published.astimezone(showing.zone):%H:%M}"
    return Headline(
        title=article.title or words.gettext("Untitled"),
        published=min(article.published, showing.now),
        href=elsewhere or page,
        page=page,
        teaser=shortened(plain(article.summary or article.content), _TEASER_CHARS),
        at=words.since(article.published, showing.now) or at,
        when=when,
        stamp=rfc3339(article.published),
        source=article.source_name,
        language=article.language,
        direction=direction(article.language or desk.settings.language),
        copies=sum(not copy.original for copy in article.copies),
        elsewhere=bool(elsewhere),
        image=picture,
        plays=_plays(article, picture, words),
        story=article.story_uid,
        story_href=_story_href(article, size, addresses),
        story_size=size.articles,
        independent=size.independent,
        series=size.series,
        first_in=_first_source(article),
    )


def _plays(article: Article, picture: Image | None, words: Wording) -> str:
    return what_plays(article, words) or (words.gettext("Video") if shows_a_film(picture) else "")


def _first_source(article: Article) -> str:
    return next((copy.source_name for copy in article.copies if copy.original), "")


def _story_href(article: Article, size: StorySize, addresses: Addresses) -> str:
    return addresses.local(story_path(article.story_uid)) if article.story_uid and size.articles > 1 else ""


def shortened(text: str, most: int) -> str:
    """Return *text* in one line of at most *most* characters, cut between words where it has any.

    >>> shortened("one two three", 9)
    'one two …'
    """
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,.;:–-") + " …"


def tree(desk: Desk, addresses: Addresses) -> tuple[Node, ...]:
    """Return the top sections with all below them, in the order of config; where there is one alone that has sections
    below it, those.
    """
    below = children(desk)
    tops = below.get("", [])
    if len(tops) == 1:
        tops = below.get(tops[0].path, tops)

    def grow(section: Section) -> Node:
        return node(section, addresses, children=tuple(grow(child) for child in below.get(section.path, ())))

    return tuple(grow(section) for section in tops)


def children(desk: Desk) -> dict[str, list[Section]]:
    """Return the sections right below each path, in the order of config; top ones are below "", and so are those of
    which the one above is not shown.
    """
    below: dict[str, list[Section]] = {}
    shown = {section.path for section in desk.sections}
    for section in desk.sections:
        if section.path:
            below.setdefault(section.parent if section.parent in shown else "", []).append(section)
    return below


def node(
    section: Section,
    addresses: Addresses,
    *,
    children: tuple[Node, ...] = (),
    headlines: Sequence[Headline] = (),
) -> Node:
    """Return *section* as a node, with what is given of it."""
    return Node(
        title=section.title,
        description=section.description,
        href=addresses.local("/" + section.path),
        path=section.path,
        feeds=feeds_of(section.path, addresses),
        language=section.language,
        direction=direction(section.language),
        children=children,
        headlines=tuple(headlines),
    )


# ------------------------------------------------------------------ what stands above what


def by_weight(lines: Iterable[Headline], most_others: int = 4) -> list[Headline]:
    """Return *lines* with the heaviest first, and those of one story below the heaviest of them."""
    return grouped(sorted(lines, key=_weight_of, reverse=True), most_others)


def by_day(lines: Iterable[Headline], zone: tzinfo) -> list[tuple[date, list[Headline]]]:
    """Return *lines* by days in *zone*, the newest day first; within a day the heaviest stands first."""

    return days(by_weight(lines), zone)


def days(lines: Iterable[Headline], zone: tzinfo) -> list[tuple[date, list[Headline]]]:
    """Return *lines* by days in *zone*, the newest day first; within a day their order stays."""

    def day(line: Headline) -> date:
        return line.published.astimezone(zone).date()

    return [(its, list(several)) for its, several in groupby(sorted(lines, key=day, reverse=True), key=day)]


def not_shown(lines: Iterable[Headline], shown: set[str], most: int) -> list[Headline]:
    """Return the first *most* of *lines* that a page does not have yet, and note them in *shown*.

    What is of a story that is there already is left out too: that story leads to it. Where the first has no picture,
    there are two more: they fill its room.
    """
    taken: list[Headline] = []
    for line in lines:
        if len(taken) == most + 2 * (bool(taken) and taken[0].image is None):
            break
        marks = {line.page} if line.series or line.story is None else {line.page, line.story}
        if marks.isdisjoint(shown):
            taken.append(line)
            shown |= marks | {other.page for other in line.others}
    return taken


def grouped(lines: Iterable[Headline], most: int = 4) -> list[Headline]:
    """Return *lines* with those of one story below the first of them, at most *most*; the order stays else."""
    first: dict[str, int] = {}
    kept: list[Headline] = []
    for one in lines:
        at = first.get(one.story) if one.story else None
        if at is None:
            if one.story:
                first[one.story] = len(kept)
            kept.append(one)
        elif len(kept[at].others) < most:
            kept[at] = replace(kept[at], others=(*kept[at].others, one))
    return kept


def _weight_of(line: Headline) -> datetime:
    return weight(line.published, line.independent, line.image is not None)
