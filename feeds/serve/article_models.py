"""What an article's page shows beside its text: what there is to hear, watch and fetch, what it says of itself as an
episode, and what an edit changed, word for word. Pure.

Players load nothing by themselves: who only reads a page is not told to the host of a file. Of an edit only what is
different is shown, with some words around it, so that a reader sees a correction at a glance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, islice
from typing import Literal
from urllib.parse import urlsplit

from feeds.model import Article
from feeds.parsed import Enclosure, Episode, Image, Place
from feeds.players import media_type
from feeds.serve.wording import Wording, wording

_KINDS = {
    "text/vtt": "WebVTT", "application/x-subrip": "SRT", "application/srt": "SRT", "text/srt": "SRT",
    "application/json": "JSON", "application/pdf": "PDF",
    "application/epub+zip": "EPUB", "application/zip": "ZIP", "application/x-bittorrent": "torrent",
}  # fmt: skip
ENGLISH = wording("en")
_TO_READ = ("text/html", "text/plain", "application/pdf")


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


def players_of(article: Article, words: Wording = ENGLISH) -> tuple[Player, ...]:
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
                    note=_joined(words.duration(first.duration_s), words.size(first.length_bytes)),
                    width=first.width,
                    height=first.height,
                    caption=_joined(first.description, first.credit),
                )
            )
    return tuple(found)


def downloads_of(article: Article, words: Wording) -> tuple[Link, ...]:
    """Return what can't be played, pictures left out: papers, books, archives."""
    found = []
    for file in article.enclosures:
        kind = media_type(file.type, file.url)
        if kind.partition("/")[0] not in ("audio", "video", "image"):
            found.append(_link(file, kind, words))
    return tuple(found)


def files_of(article: Article, words: Wording) -> tuple[Link, ...]:
    """Return every file as a link: what a desk shows that wants nothing of others on its pages."""
    return tuple(_link(file, media_type(file.type, file.url), words) for file in article.enclosures)


def _things(article: Article) -> Iterator[list[Enclosure]]:
    alone = iter(range(-1, -len(article.enclosures) - 1, -1))
    for _, files in groupby(article.enclosures, key=lambda file: file.group or next(alone)):
        yield list(files)


def _link(file: Enclosure, kind: str, words: Wording) -> Link:
    name = urlsplit(file.url).path.rpartition("/")[2]
    return Link(
        href=file.url,
        title=file.title or name or file.url,
        note=_joined(_kind(kind, words), words.duration(file.duration_s), words.size(file.length_bytes)),
    )


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


def transcripts_of(episode: Episode | None, words: Wording) -> tuple[Link, ...]:
    """Return the transcripts, the ones that people read before those that players show."""
    return tuple(
        Link(
            href=each.url,
            title=words.gettext("Captions") if each.captions else words.gettext("Transcript"),
            note=_joined(each.language or "", _kind(each.type, words)),
        )
        for each in sorted(episode.transcripts if episode else (), key=lambda each: each.type not in _TO_READ)
    )


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


Kind = Literal["same", "gone", "new", "gap"]

AROUND = 8
"""Words shown before and after a change."""
MOST_RUNS = 120
"""Runs of words shown at most: of a text that was written anew the beginning tells enough."""
MOST_CHANGED = 0.75
"""Above this share of other words a text was written anew: two texts in one tell nothing."""


@dataclass(frozen=True, slots=True)
class Run:
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
