"""What comes with the text of an entry: files, picture, episode, place. Part of `parse`. Pure.

Of Media RSS 1.5.1, Apple's podcast tags, the podcast namespace 1.0, GeoRSS, W3C geo, GeoJSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from feeds.parse.fields import (
    MAX_LIST_ITEMS,
    MAX_PLACE_POINTS,
    Table,
    decimal,
    read_fields,
    seconds,
    short,
    text,
    truth,
    whole_number,
)
from feeds.parsed import Enclosure, Episode, Image, Participant, Place, Shape, Transcript

_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|\Z)", re.IGNORECASE)
_EVERYWHERE = ("audio/mpeg", "audio/mp4", "audio/x-m4a", "video/mp4", "video/x-m4v")


class Media(Struct, eq=False):
    """A media:content, or the media:group around it, with what is said inside of it."""

    attributes: dict[str, str]
    around: Media | None = None
    group: bool = False
    title: str = ""
    description: str = ""
    credits: list[str] = field(default_factory=list)

    @property
    def is_picture(self) -> bool:
        """Whether it says so, or its address does where it says nothing."""
        kind = self.attributes.get("medium") or self.attributes.get("type", "").partition("/")[0].strip()
        return kind == "image" or (not kind and _PICTURE.search(self.attributes.get("url", "")) is not None)

    def nearest(self, what: Callable[[Media], Any], films: frozenset[int]) -> Any:
        """What this says, else what stands around it does, unless *films* (ids) has that: then it is about a film."""
        if (value := what(self)) or self.around is None or id(self.around) in films:
            return value
        return self.around.nearest(what, films)


# --------------------------------------------------------------------------- files and picture


def _kilobits(bits: Any) -> float | None:
    number = decimal(bits)
    return number / 1000 if number else None


_LINK: Table = {"type": ("type", text), "length_bytes": ("length", whole_number), "title": ("title", text)}
_SIZE: Table = {"width": ("width", whole_number), "height": ("height", whole_number)}
_CONTENT: Table = {
    **_SIZE,
    "type": ("type", text),
    "length_bytes": ("filesize", whole_number),
    "duration_s": ("duration", seconds),
    "bitrate_kbps": ("bitrate", decimal),
    "language": ("lang", short),
}
_ALTERNATE: Table = {
    **_LINK,
    "height": ("height", whole_number),
    "bitrate_kbps": ("bitrate", _kilobits),
    "language": ("lang", short),
}
_MERGED = (*_CONTENT, "title", "description", "credit")


def files_and_image(
    raw: Any, links: Iterable[Any], *, titled: bool = True
) -> tuple[tuple[Enclosure, ...], Image | None]:
    """Files and picture of an entry. Pictures of Media RSS become the image, all else that it names a file.

    Renditions of one thing stand together, the best first: what the entry has for its enclosure, else what the
    publisher calls default, what most players take, what is larger. A picture's description is what is printed below
    it; of an entry without a title (not *titled*), a post, it is what its author wrote for those who do not see it.
    """
    listed = [media for media in raw.get("desk_media") or () if short(media.attributes.get("url"))]
    contents = [media for media in listed if not media.is_picture]
    films = frozenset(id(media.around) for media in contents)
    files = _Files(links, seconds(raw.get("itunes_duration")))
    for media in contents:
        files.add_content(media)
    files.add_alternates(podcast_elements(raw, "alternate"))
    images = [_pictured(media, films, titled) for media in listed if media.is_picture]
    images += _other_images(raw, files.found.values())
    largest = max(images, key=lambda image: _area(image.width, image.height), default=None)
    return grouped(files.found, files.groups.values(), files.ranks), largest


class _Files:
    """The files of an entry as they are *found*, by address, and which of them are renditions of one thing."""

    def __init__(self, links: Iterable[Any], duration_s: float | None) -> None:
        self.found: dict[str, Enclosure] = {}
        self.groups: dict[int, list[str]] = {}  # id of a media:group, 0 for podcast:alternateEnclosure: its urls
        for link in links:
            url = short(link.get("href"))
            if link.get("rel") == "enclosure" and url and url not in self.found:
                first = None if self.found else duration_s
                self.found[url] = Enclosure(url=url, duration_s=first, **read_fields(link, _LINK))
        self.ranks: dict[str, tuple[int, ...]] = dict.fromkeys(self.found, (1,))

    def add_content(self, media: Media) -> None:
        """Add a media:content. What stands around one alone is its too; what stands in a group is about all of it."""
        url = text(media.attributes["url"])
        file = Enclosure(
            url=url,
            title=text(media.title),
            description=text(media.description),
            credit=_names(media.credits),
            **read_fields(media.attributes, _CONTENT),
        )
        if known := self.found.get(url):
            beyond = {name: getattr(file, name) for name in _MERGED if not getattr(known, name)}
            file = replace(known, **{name: value for name, value in beyond.items() if value})
        self.found[url] = file
        self.ranks.setdefault(url, _rank(media.attributes, file))
        if media.around is not None and media.around.group:
            self.groups.setdefault(id(media.around), []).append(url)

    def add_alternates(self, elements: Iterable[dict[str, str]]) -> None:
        """Add what is an alternative to the first file."""
        main = list(self.found)[:1]
        for one in elements:
            if (url := short(one.get("url"))) and url not in self.found:
                self.found[url] = Enclosure(url=url, **read_fields(one, _ALTERNATE))
                self.ranks[url] = _rank(one, self.found[url])
                self.groups.setdefault(0, main).append(url)


def grouped(
    files: dict[str, Enclosure], groups: Iterable[Sequence[str]], ranks: dict[str, tuple[int, ...]]
) -> tuple[Enclosure, ...]:
    """Return *files* with the members of each of *groups* (urls) side by side, the highest of *ranks* first."""
    group_of: dict[str, list[str]] = {}
    for members in groups:
        together = [url for url in dict.fromkeys(members) if url not in group_of]
        if len(together) > 1:
            group_of |= dict.fromkeys(together, sorted(together, key=lambda url: ranks.get(url, ()), reverse=True))
    placed: dict[str, Enclosure] = {}
    number = 0
    for url, file in files.items():
        if url in placed:
            continue
        number += url in group_of
        for member in group_of.get(url, ()):
            placed[member] = replace(files[member], group=number)
        placed.setdefault(url, file)
    return tuple(placed.values())


def _rank(attributes: dict[str, str], file: Enclosure) -> tuple[int, ...]:
    """How good a rendition is; the entry's own enclosure, (1,), is better than all of these."""
    default = str(attributes.get("isdefault", attributes.get("default", ""))).strip().lower() == "true"
    part = attributes.get("expression", "full").strip().lower() in ("sample", "nonstop")
    size = _area(file.width, file.height) or (file.height or 0) ** 2
    played = file.type.partition(";")[0].strip().lower() in _EVERYWHERE
    return (0, default, not part, played, size, int(file.bitrate_kbps or 0))


def _area(width: int | None, height: int | None) -> int:
    return (width or 0) * (height or width or 0)


def _pictured(media: Media, films: frozenset[int], titled: bool) -> Image:
    described = text(media.nearest(lambda each: each.description, films))
    return Image(
        url=text(media.attributes["url"]),
        alt="" if titled else described,
        caption=described if titled else "",
        credit=_names(media.nearest(lambda each: each.credits, films) or ()),
        **read_fields(media.attributes, _SIZE),
    )


def _other_images(raw: Any, files: Iterable[Enclosure]) -> Iterator[Image]:
    """Thumbnails, the image of Apple's tags, and files that are pictures."""
    for thumbnail in list(raw.get("media_thumbnail") or ())[:MAX_LIST_ITEMS]:
        if url := short(thumbnail.get("url")):
            yield Image(url=url, **read_fields(thumbnail, _SIZE))
    if isinstance(raw.get("image"), dict) and (url := short(raw["image"].get("href"))):
        yield Image(url=url)
    yield from (Image(url=file.url) for file in files if file.type.startswith("image/"))


def _names(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(name for each in names if (name := short(each))))


def podcast_elements(raw: Any, name: str) -> list[dict[str, str]]:
    """The elements *name* of the podcast namespace in an entry: their attributes, and their text under ``text``."""
    found: list[dict[str, str]] = (raw.get("desk_podcast") or {}).get(name) or []
    return found


# --------------------------------------------------------------------------- episodes


def _kind(value: Any) -> Any:
    """What itunes:episodeType says; "" for none that is known."""
    name = str(value or "").strip().lower()
    return name if name in ("full", "trailer", "bonus") else ""


def _whole(value: Any) -> int | None:
    number = decimal(value)
    return int(number) if number is not None else None


_ITUNES: Table = {
    "kind": ("itunes_episodetype", _kind),
    "explicit": ("itunes_explicit", lambda value: value if isinstance(value, bool) else None),
    "title": ("itunes_title", text),
    "subtitle": ("subtitle", text),
    "summary": ("itunes_summary", text),
    "image_url": ("desk_cover", short),
}
_SAYS_EPISODE = {name for name, _ in _ITUNES.values()} - {"subtitle"} | {
    "itunes_episode",
    "itunes_season",
    "desk_podcast",
}
_SHOW: Table = {name: _ITUNES[name] for name in ("explicit", "image_url")}
_CHAPTERS: Table = {"chapters_url": ("url", short), "chapters_type": ("type", text)}
_TRANSCRIPT: Table = {
    "url": ("url", short),
    "type": ("type", text),
    "language": ("language", short),
    "captions": ("rel", lambda value: (value or "").strip().lower() == "captions"),
}
_PARTICIPANT: Table = {
    "name": ("text", short),
    "role": ("role", text),
    "group": ("group", text),
    "url": ("href", short),
    "image_url": ("img", short),
}


def show_of(feed: Any) -> Episode:
    """What a feed says of all its episodes: its cover, and whether they are explicit."""
    return Episode(**read_fields(feed, _SHOW))


def episode_of(raw: Any, enclosures: Sequence[Enclosure], show: Episode) -> Episode | None:
    """What an entry says of itself as a part of *show*; None where it has nothing to play and says nothing."""
    plays = any(file.type.startswith(("audio/", "video/")) for file in enclosures)
    if not plays and _SAYS_EPISODE.isdisjoint(raw):
        return None
    number, label = _counted(raw, "episode", "display")
    season, season_name = _counted(raw, "season", "name")
    chapters = next((one for one in podcast_elements(raw, "chapters") if short(one.get("url"))), {})
    own = Episode(
        number=number,
        label=label,
        season=_whole(season),
        season_name=season_name,
        transcripts=_transcripts(podcast_elements(raw, "transcript")),
        people=_people(podcast_elements(raw, "person")),
        **read_fields(raw, _ITUNES),
        **read_fields(chapters, _CHAPTERS),
    )
    if not plays and own in (Episode(), Episode(subtitle=own.subtitle), Episode(image_url=own.image_url)):
        return None
    explicit = own.explicit if own.explicit is not None else show.explicit
    return replace(own, explicit=explicit, image_url=own.image_url or show.image_url)


def _counted(raw: Any, name: str, written: str) -> tuple[float | None, str]:
    """Episode or season: its number, as podcast: or itunes: has it, and its name."""
    for one in podcast_elements(raw, name):
        if (number := decimal(one.get("text"))) is not None:
            return number, text(one.get(written))
    return decimal(raw.get(f"itunes_{name}")), ""


def _transcripts(elements: Iterable[dict[str, str]]) -> tuple[Transcript, ...]:
    records = (read_fields(one, _TRANSCRIPT) for one in elements)
    return tuple([Transcript(**fields) for fields in records if fields["url"]])


def _people(elements: Iterable[dict[str, str]]) -> tuple[Participant, ...]:
    records = (read_fields(one, _PARTICIPANT) for one in elements)
    return tuple([Participant(**fields) for fields in records if fields["name"]])


_JSON_EXTENSIONS = ("_wiredesk", "_podcast", "_itunes")
_PERSON_IN_XML = {"name": "text", "url": "href", "image": "img"}
_JSON: Table = {
    "number": ("number", decimal),
    "label": ("label", text),
    "season": ("season", _whole),
    "season_name": ("seasonname", text),
    "kind": ("type", _kind),
    "explicit": ("explicit", truth),
    "title": ("title", text),
    "subtitle": ("subtitle", text),
    "summary": ("summary", text),
    "image_url": ("image", short),
}


def episode_of_json(item: dict[str, Any]) -> Episode | None:
    """What an item of JSON Feed says of itself as an episode, under a desk's key or under those of podcast hosts.

    There is no standard for it: names are Apple's or ours, in any case and with or without ``_``.
    """
    members: dict[str, Any] = {}
    for key in _JSON_EXTENSIONS:
        for name, value in list(_json_episode(item, key).items())[:MAX_LIST_ITEMS]:
            members[name.replace("_", "").lower()] = value
    if not members:
        return None
    members.setdefault("number", members.get("episode"))
    members.setdefault("type", members.get("episodetype"))
    chapters = members.get("chapters")
    return Episode(
        transcripts=_transcripts(_json_elements(members, "transcripts", "transcript")),
        people=_people(_json_elements(members, "people", "persons", names=_PERSON_IN_XML)),
        **read_fields(members, _JSON),
        **read_fields(chapters if isinstance(chapters, dict) else {"url": chapters}, _CHAPTERS),
    )


def _json_episode(item: dict[str, Any], key: str) -> dict[str, Any]:
    """What the extension *key* says of an episode: in an object of that name, or, of podcast hosts, all of it."""
    holder = item.get(key)
    if not isinstance(holder, dict):
        return {}
    if isinstance(holder.get("episode"), dict):
        return holder["episode"]  # type: ignore[no-any-return]
    return holder if key != "_wiredesk" else {}


def _json_elements(members: dict[str, Any], *keys: str, names: Mapping[str, str] = {}) -> list[dict[str, str]]:
    """Objects of a list, or one alone, with the *names* that the podcast namespace has for their members."""
    value: Any = next((members[key] for key in keys if key in members), None)
    listed = (value if isinstance(value, list) else [value])[:MAX_LIST_ITEMS]
    objects = [one for one in listed if isinstance(one, dict)]
    return [{names.get(str(name), str(name)): text(member) for name, member in one.items()} for one in objects]


# --------------------------------------------------------------------------- places


_GEO_URI = re.compile(r"geo:(-?[0-9.]+),(-?[0-9.]+)")  # RFC 5870
_BETWEEN = re.compile(r"[\s,]+")
_GEOJSON: dict[str, Shape] = {"Point": "point", "LineString": "line", "Polygon": "polygon"}


def place_of(raw: Any) -> Place | None:
    """Where an entry is about: GeoRSS, else geo:lat and geo:long, else podcast:location."""
    name = text(raw.get("georss_featurename"))
    if stated := raw.get("desk_place"):
        shape, numbers, dimensions = stated
        return _placed(shape, _pairs(numbers, dimensions), name)
    if points := _pairs(f"{raw.get('geo_lat', '')} {raw.get('geo_long', raw.get('geo_lon', ''))}"):
        return _placed("point", points, name)
    for one in podcast_elements(raw, "location"):
        if match := _GEO_URI.match(one.get("geo", "").strip()):
            return _placed("point", _pairs(f"{match[1]} {match[2]}"), text(one.get("text")))
    return None


def _placed(shape: Shape, points: tuple[tuple[float, float], ...], name: str) -> Place | None:
    return Place(shape=shape, points=points, name=name) if points else None


def _pairs(numbers: str, dimensions: int = 2) -> tuple[tuple[float, float], ...]:
    """Pairs of numbers; nothing where one is none, one is left over, or there are too many: half a line is no line."""
    parts = [part for part in _BETWEEN.split(numbers[: MAX_PLACE_POINTS * 60]) if part]
    if len(parts) % dimensions or len(parts) > MAX_PLACE_POINTS * dimensions:
        return ()
    found = [number for part in parts if (number := decimal(part)) is not None]
    if len(found) < len(parts):
        return ()
    return tuple(zip(found[::dimensions], found[1::dimensions], strict=True))


def place_of_geojson(geometry: dict[str, Any], name: str) -> Place | None:
    """The place of a GeoJSON geometry (RFC 7946), longitude first; of a polygon its outer ring, or the bbox it has."""
    shape = _GEOJSON.get(str(geometry.get("type")))
    if shape is None or not isinstance(geometry.get("coordinates"), list):
        return None
    shape, positions = _positions(shape, geometry["coordinates"], geometry.get("bbox"))
    if len(positions) > MAX_PLACE_POINTS:
        return None
    points = tuple([point for each in positions if (point := _point(each))])
    return _placed(shape, points, name) if len(points) == len(positions) else None


def _positions(shape: Shape, coordinates: list[Any], bbox: Any) -> tuple[Shape, list[Any]]:
    if shape == "point":
        return shape, [coordinates]
    if shape == "line":
        return shape, coordinates
    if isinstance(bbox, list) and len(bbox) == 4:
        return "box", [bbox[:2], bbox[2:]]
    return shape, coordinates[0] if coordinates and isinstance(coordinates[0], list) else []


def _point(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) < 2:
        return None
    east, north = (decimal(each) if isinstance(each, int | float) else None for each in value[:2])
    return (north, east) if north is not None and east is not None else None
