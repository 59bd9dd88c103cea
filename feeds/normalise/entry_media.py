"""Files, picture, episode and place of an entry as they can be trusted. Part of `normalise`. Pure.

Numbers are within what they can be, addresses absolute http(s), words plain and short. What is none of it is left out,
and only that: an episode whose number is nonsense keeps its transcript.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from msgspec.structs import replace

from feeds.normalise.languages import language_tag
from feeds.normalise.pictures import is_never_shown, is_shown
from feeds.normalise.scalars import NAME_CHARS, line, name_line, resolved
from feeds.parsed import Enclosure, Episode, Image, Participant, Place, Shape, Transcript
from feeds.players import is_dead

MAX_ENCLOSURES = 30
MAX_TRANSCRIPTS = 20
MAX_PEOPLE = 50
CAPTION_CHARS = 1000
SUBTITLE_CHARS = 255
SUMMARY_CHARS = 4000
"""What Apple takes of a subtitle and of a summary."""

_WORDS = ("width", "height", "alt", "caption", "credit")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$")
_TRANSCRIPT_TYPES = {
    "vtt": "text/vtt", "srt": "application/x-subrip", "json": "application/json", "html": "text/html",
    "htm": "text/html", "txt": "text/plain",
}  # fmt: skip


def enclosures_of(enclosures: tuple[Enclosure, ...], base: str) -> tuple[Enclosure, ...]:
    """Return the files that somebody can open, each address once."""
    found: dict[str, Enclosure] = {}
    for enclosure in enclosures[:MAX_ENCLOSURES]:
        url = resolved(base, enclosure.url)
        if url is None or url in found:
            continue
        kind = _media_type(enclosure.type)
        if is_dead(kind, url):
            continue
        found[url] = Enclosure(
            url=url,
            type=kind,
            length_bytes=count(enclosure.length_bytes) or None,  # 0 is what RSS says of an unknown length
            title=line(enclosure.title),
            duration_s=_within(enclosure.duration_s, 1e7),
            width=_pixels(enclosure.width),
            height=_pixels(enclosure.height),
            bitrate_kbps=_within(enclosure.bitrate_kbps, 1e6),
            language=language_tag(enclosure.language) or None,
            description=name_line(enclosure.description, limit=CAPTION_CHARS),
            credit=name_line(enclosure.credit, limit=NAME_CHARS),
            group=enclosure.group,
        )
    return _regrouped(found)


def _regrouped(found: dict[str, Enclosure]) -> tuple[Enclosure, ...]:
    """Groups of one are none, and the others count from 1."""
    sizes = Counter(file.group for file in found.values() if file.group > 0)
    numbers = {group: number for number, group in enumerate((g for g, size in sizes.items() if size > 1), 1)}
    return tuple(replace(file, group=numbers.get(file.group, 0)) for file in found.values())


def image_of(image: Image | None, base: str) -> Image | None:
    """Return the picture, unless it is no wider or higher than a point."""
    url = resolved(base, image.url) if image else None
    if image is None or url is None:
        return None
    width, height = _pixels(image.width), _pixels(image.height)
    if width == 1 or height == 1:
        return None
    return Image(
        url=url,
        width=width,
        height=height,
        alt=line(image.alt, limit=500),
        caption=name_line(image.caption, limit=CAPTION_CHARS),
        credit=name_line(image.credit, limit=NAME_CHARS),
    )


def with_words(stated: Image | None, shown: Image | None, home: str) -> Image | None:
    """Return the picture that the entry *stated*, with the words that its text has for it; else the one *shown*.

    *home* is the address of the document that stated it.

    Some sites state the face of the author: what the text shows is better, and none is better than such a face.
    """
    if stated is None:
        return shown
    if shown is None:
        return None if is_never_shown(stated.url, home) else stated
    sizes = {"width": str(stated.width or ""), "height": str(stated.height or "")}
    if not is_shown(sizes, stated.url, home=home):
        return shown
    if stated.url.partition("?")[0] != shown.url.partition("?")[0]:
        return stated
    words = {name: getattr(stated, name) or getattr(shown, name) for name in _WORDS}
    return replace(stated, **words)


def episode_of(episode: Episode | None, base: str, *, title: str, text: str) -> Episode | None:
    """Return what of *episode* can be trusted and is not said by the entry's own *title* and *text* already."""
    if episode is None:
        return None
    number = episode.number
    known = {_bare(title), _bare(text)}
    chapters = resolved(base, episode.chapters_url)
    found = Episode(
        number=round(number, 2) if number is not None and 0 <= number < 100_000 else None,
        label=line(episode.label, limit=32),
        season=episode.season if episode.season and 0 < episode.season < 10_000 else None,
        season_name=line(episode.season_name, limit=128),
        kind=episode.kind,
        explicit=episode.explicit,
        title=_unsaid(line(episode.title), known),
        subtitle=_unsaid(name_line(episode.subtitle, limit=SUBTITLE_CHARS), known),
        summary=_unsaid(name_line(episode.summary, limit=SUMMARY_CHARS), known),
        image_url=resolved(base, episode.image_url),
        transcripts=_transcripts(episode.transcripts, base),
        chapters_url=chapters,
        chapters_type=(_media_type(episode.chapters_type) or "application/json+chapters") if chapters else "",
        people=_people(episode.people, base),
    )
    return found if found != Episode() else None


def _transcripts(transcripts: tuple[Transcript, ...], base: str) -> tuple[Transcript, ...]:
    found: dict[tuple[str, str], Transcript] = {}
    for transcript in transcripts[:MAX_TRANSCRIPTS]:
        if url := resolved(base, transcript.url):
            ending = urlsplit(url).path.rpartition(".")[2].lower()
            kind = _media_type(transcript.type) or _TRANSCRIPT_TYPES.get(ending, "text/plain")
            language = language_tag(transcript.language) or None
            found.setdefault(
                (url, kind), Transcript(url=url, type=kind, language=language, captions=transcript.captions)
            )
    return tuple(found.values())


def _people(people: tuple[Participant, ...], base: str) -> tuple[Participant, ...]:
    found: dict[tuple[str, str], Participant] = {}
    for person in people[:MAX_PEOPLE]:
        if name := line(person.name, limit=NAME_CHARS):
            role = line(person.role, limit=128)
            found.setdefault(
                (name, role.lower()),
                Participant(
                    name=name,
                    role=role,
                    group=line(person.group, limit=128),
                    url=resolved(base, person.url),
                    image_url=resolved(base, person.image_url),
                ),
            )
    return tuple(found.values())


def place_of(place: Place | None) -> Place | None:
    """Return *place* where it lies on Earth and has the points of its shape (GeoRSS Simple); an open ring is closed."""
    if place is None:
        return None
    points = tuple((round(latitude, 7), round(_east(longitude), 7)) for latitude, longitude in place.points)
    if not points or not all(map(_on_earth, points)):
        return None
    if place.shape == "polygon" and len(points) > 2 and points[0] != points[-1]:
        points = (*points, points[0])
    if not _HAS_ITS_POINTS[place.shape](points):
        return None
    return Place(shape=place.shape, points=points, name=line(place.name, limit=NAME_CHARS))


_HAS_ITS_POINTS: dict[Shape, Callable[[tuple[tuple[float, float], ...]], bool]] = {
    "point": lambda points: len(points) == 1 and points[0] != (0, 0),  # off Ghana: coordinates that nobody filled in
    "line": lambda points: len(points) > 1,
    "polygon": lambda points: len(points) > 3,
    "box": lambda points: len(points) == 2 and points[0][0] <= points[-1][0],
}


def _on_earth(point: tuple[float, float]) -> bool:
    latitude, longitude = point
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def _east(longitude: float) -> float:
    return longitude - 360 if 180 < longitude <= 360 else longitude


def count(number: int | None) -> int | None:
    """Return *number* where it can be a size or a count."""
    return number if number is not None and 0 <= number < 1 << 62 else None


def _media_type(text: str) -> str:
    kind = text.partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.match(kind) else ""


def _pixels(size: int | None) -> int | None:
    return size if size and 0 < size < 100_000 else None


def _within(number: float | None, most: float) -> float | None:
    return number if number and 0 < number < most else None


def _bare(text: str) -> str:
    return "".join(text.split()).lower()


def _unsaid(text: str, known: set[str]) -> str:
    return "" if _bare(text) in known else text
