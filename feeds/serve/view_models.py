"""What pages list, and in what order: articles, the heaviest first and nothing twice; days, sections, feeds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from feeds.configuration import Section, Settings
from feeds.dates import zone_of
from feeds.model import FORMATS, MEDIA_TYPES, Article, Format
from feeds.parsed import Image
from feeds.players import informs_a_player
from feeds.serve.addresses import Addresses, document_path
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
    def settings(self) -> Settings:
        """The desk's settings."""
        return self.desk.settings

    @property
    def zone(self) -> tzinfo:
        """The zone that times are told in."""
        return zone_of(self.settings.timezone)


class Feed(NamedTuple):
    """A document as a link: *url* is the public address, to copy into a reader."""

    name: str
    media_type: str
    href: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """An article in a list. *published* orders it: *when* it was published, but for a time that is yet to come. *at* is
    its time in words, as short as it can be.
    """

    title: str
    published: datetime
    href: str
    page: str
    teaser: str
    at: str
    when: datetime
    source: str
    language: str | None
    direction: str
    copies: int
    elsewhere: bool
    image: Image | None = None
    plays: str = ""
    first_in: str = ""
    story: str | None = None
    size: StorySize = StorySize(0, 0)
    others: tuple[Headline, ...] = ()


class Day(NamedTuple):
    """The articles of one day of the desk's zone."""

    name: str
    stamp: str
    lines: Sequence[Headline]


def feed_of(path: str, format: Format, addresses: Addresses, query: str = "") -> Feed:
    """Return a document as a link."""
    address = document_path(path, format)
    kind = MEDIA_TYPES[format].partition(";")[0]
    return Feed(FORMAT_NAMES[format], kind, addresses.local(address) + query, addresses.public(address) + query)


def feeds_of(path: str, addresses: Addresses) -> list[Feed]:
    """Return the documents of a section, or of a story, as links."""
    return [feed_of(path, format, addresses) for format in FORMATS]


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
    addresses, words = showing.addresses, showing.words
    size = sizes.get(article.story_uid or "", StorySize(0, 0))
    page = addresses.local(f"/article/{article.id}")
    elsewhere = "" if article.content else article.link
    picture = picture_of(article, showing.desk)
    when = article.published
    at = words.moment(when, showing.zone) if dated else f"{when.astimezone(showing.zone):%H:%M}"
    return Headline(
        title=article.title or words.gettext("Untitled"),
        published=min(when, showing.now),
        href=elsewhere or page,
        page=page,
        teaser=shortened(plain(article.summary or article.content), _TEASER_CHARS),
        at=words.since(when, showing.now) or at,
        when=when,
        source=article.source_name,
        language=article.language,
        direction=direction(article.language or showing.settings.language),
        copies=sum(not copy.original for copy in article.copies),
        elsewhere=bool(elsewhere),
        image=picture,
        plays=what_plays(article, words) or _plays_elsewhere(picture, words),
        first_in=_first_source(article),
        story=article.story_uid,
        size=size,
    )


def _plays_elsewhere(picture: Image | None, words: Wording) -> str:
    return words.gettext("Video") if shows_a_film(picture) else ""


def _first_source(article: Article) -> str:
    return next((copy.source_name for copy in article.copies if copy.original), "")


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


def top_sections(below: Mapping[str, Sequence[Section]]) -> Sequence[Section]:
    """Return the top sections of `children`; where there is one alone that has sections below it, those."""
    tops = below.get("", ())
    return below.get(tops[0].path, tops) if len(tops) == 1 else tops


# ------------------------------------------------------------------ what stands above what


def by_weight(lines: Iterable[Headline], most_others: int = 4) -> list[Headline]:
    """Return *lines* with the heaviest first, and those of one story below the heaviest of them."""
    return grouped(sorted(lines, key=_weight_of, reverse=True), most_others)


def days(lines: Iterable[Headline], showing: Showing) -> list[Day]:
    """Return *lines* by days in the desk's zone, the newest day first; within a day their order stays."""

    def day(line: Headline) -> date:
        return line.published.astimezone(showing.zone).date()

    grouped_by_day = groupby(sorted(lines, key=day, reverse=True), key=day)
    return [Day(showing.words.day(its), its.isoformat(), list(several)) for its, several in grouped_by_day]


def not_shown(lines: Iterable[Headline], shown: set[str], most: int) -> list[Headline]:
    """Return the first *most* of *lines* that a page does not have yet, and note them in *shown*.

    What is of a story that is there already is left out too: that story leads to it. Where the first has no picture,
    there are two more: they fill its room.
    """
    taken: list[Headline] = []
    for line in lines:
        if len(taken) == most + 2 * (bool(taken) and taken[0].image is None):
            break
        marks = {line.page} if line.size.series or line.story is None else {line.page, line.story}
        if marks.isdisjoint(shown):
            taken.append(line)
            shown |= marks | {other.page for other in line.others}
    return taken


def grouped(lines: Iterable[Headline], most: int) -> list[Headline]:
    """Return *lines* with those of one story below the first of them, at most *most*; the order stays else."""
    heads: dict[str, Headline] = {}
    others: dict[str, list[Headline]] = {}
    for one in lines:
        key = one.story or one.page
        if heads.setdefault(key, one) is not one:
            others.setdefault(key, []).append(one)
    return [replace(head, others=tuple(others.get(key, ())[:most])) for key, head in heads.items()]


def _weight_of(line: Headline) -> datetime:
    return weight(line.published, line.size.independent, line.image is not None)
