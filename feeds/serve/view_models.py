"""What of an article there is to hear, watch and fetch, and what it says of itself as an episode, for pages. Pure.

Players load nothing by themselves: who only reads a page is not told to the host of a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from itertools import groupby
from types import MappingProxyType
from urllib.parse import urlsplit

from feeds.dates import rfc3339, zone_of
from feeds.model import FORMATS, MEDIA_TYPES, Article, Enclosure, Episode, Image, Participant, Place, Section
from feeds.players import informs_a_player, media_type
from feeds.serve.addresses import Addresses, document_path, story_path
from feeds.serve.store_reader import Desk
from feeds.store.values import StorySize
from feeds.text import plain

_KINDS = {
    "text/vtt": "WebVTT", "application/x-subrip": "SRT", "application/srt": "SRT", "text/srt": "SRT",
    "application/json": "JSON", "text/html": "web page", "text/plain": "text", "application/pdf": "PDF",
    "application/epub+zip": "EPUB", "application/zip": "ZIP", "application/x-bittorrent": "torrent",
}  # fmt: skip
_EPISODE_KINDS = {"trailer": "Trailer", "bonus": "Bonus episode"}
FORMAT_NAMES = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}
REDRAWN_MIN = 5
"""How long a page with relative times stands, in minutes; they are rounded to as much."""
_TEASER_CHARS = 260
_RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "ha-arab", "he", "iw", "khw", "ks", "ku-arab", "nqo", "pa-arab", "ps", "sd", "syr",
     "ug", "ur", "yi")
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One thing to play, in one or several renditions (address, media type); *tag* is ``audio`` or ``video``."""

    tag: str
    renditions: tuple[tuple[str, str], ...]
    title: str
    note: str
    width: int | None
    height: int | None
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A file as a link; *note* says what kind and how large."""

    href: str
    title: str
    note: str


def players_of(article: Article) -> tuple[Player, ...]:
    """Return what can be played, renditions of one thing together."""
    found = []
    for files in _things(article):
        kinds = [(file.url, media_type(file.type, file.url)) for file in files]
        tags = {kind.partition("/")[0] for _, kind in kinds}
        if tags <= {"audio", "video"}:
            first = files[0]
            found.append(
                Player(
                    tag=kinds[0][1].partition("/")[0],
                    renditions=tuple(kinds),
                    title=first.title,
                    note=_joined(in_minutes(first.duration_s), in_bytes(first.length_bytes)),
                    width=first.width,
                    height=first.height,
                    caption=_joined(first.description, first.credit),
                )
            )
    return tuple(found)


def downloads_of(article: Article) -> tuple[Link, ...]:
    """Return what can't be played, pictures left out: papers, books, archives."""
    found = []
    for file in article.enclosures:
        kind = media_type(file.type, file.url)
        if kind.partition("/")[0] not in ("audio", "video", "image"):
            found.append(_link(file, kind))
    return tuple(found)


def files_of(article: Article) -> tuple[Link, ...]:
    """Return every file as a link: what a desk shows that wants nothing of others on its pages."""
    return tuple(_link(file, media_type(file.type, file.url)) for file in article.enclosures)


def _things(article: Article) -> Iterator[list[Enclosure]]:
    alone = iter(range(-1, -len(article.enclosures) - 1, -1))
    for _, files in groupby(article.enclosures, key=lambda file: file.group or next(alone)):
        yield list(files)


def _link(file: Enclosure, kind: str) -> Link:
    name = urlsplit(file.url).path.rpartition("/")[2]
    return Link(
        href=file.url,
        title=file.title or name or file.url,
        note=_joined(_KINDS.get(kind, kind), in_minutes(file.duration_s), in_bytes(file.length_bytes)),
    )


def facts_of(episode: Episode | None) -> str:
    """Return what an episode is, in a line: its place in its show, and whether it is fit for all.

    >>> facts_of(Episode(season=2, number=7, explicit=True))
    'Season 2 · Episode 7 · Explicit'
    """
    if episode is None:
        return ""
    season = episode.season_name or (f"Season {episode.season}" if episode.season else "")
    number = episode.label or (f"Episode {episode.number:g}" if episode.number is not None else "")
    explicit = "Explicit" if episode.explicit else ""
    return _joined(season, number, _EPISODE_KINDS.get(episode.kind, ""), explicit)


def transcripts_of(episode: Episode | None) -> tuple[Link, ...]:
    """Return the transcripts, the ones that people read before those that players show."""
    links = []
    for each in episode.transcripts if episode else ():
        title = "Captions" if each.captions else "Transcript"
        links.append(
            Link(href=each.url, title=title, note=_joined(each.language or "", _KINDS.get(each.type, each.type)))
        )
    return tuple(sorted(links, key=lambda link: not link.note.endswith(("web page", "text", "PDF"))))


def cast_of(episode: Episode | None) -> tuple[Participant, ...]:
    """Return who is heard or seen."""
    return episode.people if episode else ()


def map_of(place: Place | None) -> Link | None:
    """Return where *place* is found on a map: its middle, with its name or in degrees."""
    if place is None:
        return None
    latitudes, longitudes = ([point[axis] for point in place.points] for axis in (0, 1))
    latitude, longitude = (min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2
    return Link(
        href=f"https://www.openstreetmap.org/?mlat={latitude:.5f}&mlon={longitude:.5f}#map=9/{latitude:.5f}/{longitude:.5f}",
        title=place.name or in_degrees(latitude, longitude),
        note=in_degrees(latitude, longitude) if place.name else "",
    )


def legend_of(picture: Image | None) -> str:
    """Return what is printed below a picture.

    >>> legend_of(Image(url="x", caption="Boats at noon.", credit="Ann"))
    'Boats at noon. · Ann'
    """
    return _joined(picture.caption, picture.credit) if picture else ""


def what_plays(article: Article) -> str:
    """Return in a word what an article brings to play, and how long it is; "" for nothing.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> file = Enclosure(url="https://a.example/1.mp3", duration_s=1812)
    >>> what_plays(Article(uid="u", link=None, title="t", published=now, updated=now, rank_at=now, enclosures=(file,)))
    'Audio, 30 min'
    """
    first = next(iter(players_of(article)), None)
    if first is None:
        return ""
    duration = in_minutes(article.enclosures[0].duration_s)
    return first.tag.capitalize() + (f", {duration}" if duration else "")


def in_degrees(latitude: float, longitude: float) -> str:
    """Return a position for people.

    >>> in_degrees(45.25, -71.5)
    '45.25° N, 71.5° W'
    """
    north, east = f"{abs(latitude):.4f}".rstrip("0").rstrip("."), f"{abs(longitude):.4f}".rstrip("0").rstrip(".")
    return f"{north}° {'N' if latitude >= 0 else 'S'}, {east}° {'E' if longitude >= 0 else 'W'}"


def in_minutes(seconds: float | None) -> str:
    """Return a duration for people.

    >>> in_minutes(1812), in_minutes(5400), in_minutes(40), in_minutes(None)
    ('30 min', '1 h 30 min', '40 s', '')
    """
    if not seconds:
        return ""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join([f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0))


def in_bytes(size: int | None) -> str:
    """Return a size for people.

    >>> in_bytes(62_447_386), in_bytes(900), in_bytes(None)
    ('62.4 MB', '1 kB', '')
    """
    if not size:
        return ""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{max(1, round(size / 1000))} kB"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A document as a link: *url* is the public address, to copy into a reader."""

    name: str
    media_type: str
    href: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """An article in a list. *published* orders it: as shown, but for a time that is yet to come."""

    title: str
    published: datetime
    href: str
    page: str
    teaser: str
    when: str
    stamp: str
    source: str
    language: str | None
    direction: str
    copies: int
    elsewhere: bool
    image: Image | None = None
    plays: str = ""
    since: str = ""
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
    def of(cls, day: date, lines: Sequence[Headline]) -> Day:
        """Return *lines* under the name of their day."""
        return cls(name=f"{day.day} {day:%B %Y}", stamp=day.isoformat(), lines=tuple(lines))


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


def direction(language: str | None) -> str:
    """Return how *language* (BCP 47) is written: "rtl" or "ltr".

    >>> direction("ar-EG"), direction("pa-Arab-PK"), direction("en"), direction(None)
    ('rtl', 'rtl', 'ltr', 'ltr')
    """
    parts = (language or "").lower().replace("_", "-").split("-")
    return "rtl" if parts[0] in _RIGHT_TO_LEFT or "-".join(parts[:2]) in _RIGHT_TO_LEFT else "ltr"


def in_words(moment: datetime, zone: tzinfo) -> str:
    """Return *moment* for people, in *zone*; absolute, so that a page stays true however long a cache keeps it."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def in_relation(moment: datetime, now: datetime) -> str:
    """Return how long before *now* that was, in steps as coarse as pages are redrawn; "" for what is past a day.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> [in_relation(noon - timedelta(minutes=minutes), noon) for minutes in (-5, 4, 14, 59, 61, 1500)]
    ['', 'just in', '10 min ago', '55 min ago', '1 h ago', '']
    """
    minutes = int((now - moment).total_seconds() // 60)
    if not 0 <= minutes < 24 * 60:
        return ""
    step = minutes // REDRAWN_MIN * REDRAWN_MIN
    return f"{minutes // 60} h ago" if minutes >= 60 else f"{step} min ago" if step else "just in"


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


def headline(
    article: Article,
    desk: Desk,
    addresses: Addresses,
    *,
    now: datetime | None = None,
    sizes: Mapping[str, StorySize] = MappingProxyType({}),
) -> Headline:
    """Return *article* as a line of a list: it links to its text here where there is one, else to where it is from.

    With *now* it says how long ago that was, too; *sizes* are those of stories, and one of several has a page.
    """
    size = sizes.get(article.story_uid or "", StorySize(0, 0))
    page = addresses.local(f"/article/{article.id}")
    elsewhere = "" if article.content else article.link
    return Headline(
        title=article.title or "Untitled",
        published=article.published if now is None else min(article.published, now),
        href=elsewhere or page,
        page=page,
        teaser=shortened(plain(article.summary or article.content), _TEASER_CHARS),
        when=in_words(article.published, zone_of(desk.settings.timezone)),
        stamp=rfc3339(article.published),
        source=article.source_name,
        language=article.language,
        direction=direction(article.language or desk.settings.language),
        copies=sum(not copy.original for copy in article.copies),
        elsewhere=bool(elsewhere),
        image=picture_of(article, desk),
        plays=what_plays(article),
        since=in_relation(article.published, now) if now is not None else "",
        story=article.story_uid,
        story_href=_story_href(article, size, addresses),
        story_size=size.articles,
        independent=size.independent,
        series=size.series,
        first_in=_first_source(article),
    )


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
    """Return the top sections with all below them, in the order of config."""
    below = children(desk)

    def grow(section: Section) -> Node:
        return node(section, addresses, children=tuple(grow(child) for child in below.get(section.path, ())))

    return tuple(grow(section) for section in below.get("", ()))


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
