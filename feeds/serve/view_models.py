"""What pages list, and in what order: articles, the heaviest first and nothing twice; days, sections, feeds. And what
an article's page shows beside its text: what there is to hear, watch and fetch, and what an edit changed. Pure.

Players load nothing by themselves: who only reads a page is not told to the host of a file. Of an edit only what is
different is shown, with some words around it, so that a reader sees a correction at a glance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from difflib import SequenceMatcher
from itertools import groupby, islice
from types import MappingProxyType
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from feeds.configuration import Section, Settings
from feeds.dates import zone_of
from feeds.frames import document_path
from feeds.model import FORMATS, MEDIA_TYPES, Article, Format
from feeds.parsed import Enclosure, Episode, Image, Place
from feeds.players import informs_a_player, media_type
from feeds.serve.addresses import Addresses
from feeds.serve.store_reader import Desk, weight
from feeds.serve.wording import Wording, direction, wording
from feeds.store.values import StorySize
from feeds.text import plain

FORMAT_NAMES = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}
_TEASER_CHARS = 260
_KINDS = {
    "text/vtt": "WebVTT", "application/x-subrip": "SRT", "application/srt": "SRT", "text/srt": "SRT",
    "application/json": "JSON", "application/pdf": "PDF",
    "application/epub+zip": "EPUB", "application/zip": "ZIP", "application/x-bittorrent": "torrent",
}  # fmt: skip
ENGLISH = wording("en")
_TO_READ = ("text/html", "text/plain", "application/pdf")


class Showing(Struct, frozen=True, kw_only=True):
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


class Headline(Struct, frozen=True, kw_only=True):
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
    for key, several in others.items():
        heads[key] = replace(heads[key], others=tuple(several[:most]))
    return list(heads.values())


def _weight_of(line: Headline) -> datetime:
    return weight(line.published, line.size.independent, line.image is not None)


# ------------------------------------------------------------------ an article's page


class Player(NamedTuple):
    """One thing to play, the first of its files in one or several renditions (address, media type); *tag* is ``audio``
    or ``video``.
    """

    tag: str
    file: Enclosure
    renditions: Sequence[tuple[str, str]]
    note: str
    caption: str


class Link(NamedTuple):
    """A file or a place as a link; *note* says what kind and how large."""

    href: str
    title: str
    note: str


def players_of(article: Article, words: Wording = ENGLISH) -> list[Player]:
    """Return what can be played, renditions of one thing together."""
    found = []
    for files in _things(article):
        kinds = [(file.url, media_type(file.type, file.url)) for file in files]
        tags = [kind.partition("/")[0] for _, kind in kinds]
        if {"audio", "video"}.issuperset(tags):
            first = files[0]
            note = _joined(words.duration(first.duration_s), words.size(first.length_bytes))
            found.append(Player(tags[0], first, kinds, note, _joined(first.description, first.credit)))
    return found


def files_of(article: Article, words: Wording, *, shown: bool) -> list[Link]:
    """Return the files as links, but for sound, films and pictures where these are *shown*."""
    kinds = [(file, media_type(file.type, file.url)) for file in article.enclosures]
    left_out = ("audio", "video", "image") if shown else ()
    return [_link(file, kind, words) for file, kind in kinds if kind.partition("/")[0] not in left_out]


def _things(article: Article) -> Iterator[list[Enclosure]]:
    alone = iter(range(-1, -len(article.enclosures) - 1, -1))
    for _, files in groupby(article.enclosures, key=lambda file: file.group or next(alone)):
        yield list(files)


def _link(file: Enclosure, kind: str, words: Wording) -> Link:
    name = urlsplit(file.url).path.rpartition("/")[2]
    note = _joined(_kind(kind, words), words.duration(file.duration_s), words.size(file.length_bytes))
    return Link(file.url, file.title or name or file.url, note)


def facts_of(episode: Episode | None, words: Wording) -> str:
    """Return what an episode is, in a line: its place in its show, and whether it is fit for all.

    >>> facts_of(Episode(season=2, number=7, explicit=True), ENGLISH)
    'Season 2 · Episode 7 · Explicit'
    """
    if episode is None:
        return ""
    _ = words.gettext
    season = episode.season_name or (_("Season {number}").format(number=episode.season) if episode.season else "")
    number = episode.label
    if not number and episode.number is not None:
        number = _("Episode {number}").format(number=f"{episode.number:g}")
    kind = {"trailer": _("Trailer"), "bonus": _("Bonus episode")}.get(episode.kind, "")
    return _joined(season, number, kind, _("Explicit") if episode.explicit else "")


def transcripts_of(episode: Episode | None, words: Wording) -> list[Link]:
    """Return the transcripts, the ones that people read before those that players show."""
    names = {True: words.gettext("Captions"), False: words.gettext("Transcript")}
    return [
        Link(each.url, names[each.captions], _joined(each.language or "", _kind(each.type, words)))
        for each in sorted(episode.transcripts if episode else (), key=lambda each: each.type not in _TO_READ)
    ]


def _kind(media_type: str, words: Wording) -> str:
    _ = words.gettext
    spoken = {"text/html": _("web page"), "text/plain": _("text")}
    return spoken.get(media_type) or _KINDS.get(media_type, media_type)


def map_of(place: Place | None) -> Link | None:
    """Return where *place* is found on a map: its middle, with its name or in degrees."""
    if place is None:
        return None
    latitudes, longitudes = ([point[axis] for point in place.points] for axis in (0, 1))
    latitude, longitude = (min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2
    at, name = f"{latitude:.5f}/{longitude:.5f}", in_degrees(latitude, longitude)
    href = f"https://www.openstreetmap.org/?mlat={latitude:.5f}&mlon={longitude:.5f}#map=9/{at}"
    return Link(href, place.name or name, name if place.name else "")


def legend_of(picture: Image | None) -> str:
    """Return what is printed below a picture.

    >>> legend_of(Image(url="x", caption="Boats at noon.", credit="Ann"))
    'Boats at noon. · Ann'
    """
    return _joined(picture.caption, picture.credit) if picture else ""


def what_plays(article: Article, words: Wording) -> str:
    """Return in a word what an article brings to play, and how long it is; "" for nothing.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> file = Enclosure(url="https://a.example/1.mp3", duration_s=1812)
    >>> article = Article(
    ...     uid="u", link=None, title="t", published=now, updated=now, rank_at=now, enclosures=(file,)
    ... )
    >>> what_plays(article, ENGLISH)
    'Audio, 30 min'
    """
    first = next(iter(players_of(article, words)), None)
    if first is None:
        return ""
    duration = words.duration(article.enclosures[0].duration_s)
    kind = words.gettext("Audio") if first.tag == "audio" else words.gettext("Video")
    return kind + (f", {duration}" if duration else "")


def in_degrees(latitude: float, longitude: float) -> str:
    """Return a position for people.

    >>> in_degrees(45.25, -71.5)
    '45.25° N, 71.5° W'
    """
    north, east = f"{abs(latitude):.4f}".rstrip("0").rstrip("."), f"{abs(longitude):.4f}".rstrip("0").rstrip(".")
    return f"{north}° {'N' if latitude >= 0 else 'S'}, {east}° {'E' if longitude >= 0 else 'W'}"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


# ------------------------------------------------------------------ what an edit changed

Kind = Literal["same", "gone", "new", "gap"]

AROUND = 8
"""Words shown before and after a change."""
MOST_RUNS = 120
"""Runs of words shown at most: of a text that was written anew the beginning tells enough."""
MOST_CHANGED = 0.75
"""Above this share of other words a text was written anew: two texts in one tell nothing."""


class Run(NamedTuple):
    """Some words that are the same, gone, or new; a gap stands for same words that are left out."""

    kind: Kind
    words: str = ""


def changes(before: str, after: str) -> tuple[Run, ...]:
    """Return what is different between two plain texts, in the order of the text; nothing where nothing is.

    >>> [(run.kind, run.words) for run in changes("Three ships sank.", "Two ships sank.")]
    [('gone', 'Three'), ('new', 'Two'), ('same', 'ships sank.')]
    """
    old, new = before.split(), after.split()
    if old == new or not old:
        return ()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    steps = matcher.get_opcodes()
    changed = sum(max(b - a, d - c) for tag, a, b, c, d in steps if tag != "equal")
    if changed > MOST_CHANGED * max(len(old), len(new)) and max(len(old), len(new)) > 2 * AROUND:
        return ()
    last = len(steps) - 1
    runs = (
        run
        for at, (tag, a, b, c, d) in enumerate(steps)
        for run in (_same(new[c:d], at == 0, at == last) if tag == "equal" else _changed(old[a:b], new[c:d]))
    )
    return tuple(islice(runs, MOST_RUNS))


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Run]:
    if old:
        yield Run("gone", " ".join(old))
    if new:
        yield Run("new", " ".join(new))


def _same(words: Sequence[str], first: bool, last: bool) -> Iterator[Run]:
    """Same words: those right before and behind changes, whole where these reach each other."""
    head = () if first else words[:AROUND]
    tail = () if last else words[len(words) - AROUND :] if len(words) > AROUND else words
    if len(words) <= len(head) + len(tail):
        yield Run("same", " ".join(words))
        return
    if head:
        yield Run("same", " ".join(head))
    yield Run("gap")
    if tail:
        yield Run("same", " ".join(tail))
