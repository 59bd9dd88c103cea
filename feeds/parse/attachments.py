"""What comes with the text of an entry: files, picture, episode, place. Part of `parse`. Pure.

Of Media RSS 1.5.1, Apple's podcast tags, the podcast namespace 1.0, GeoRSS, W3C geo, GeoJSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from feeds.model import Enclosure, Episode, Image, Participant, Place, Shape, Transcript
from feeds.parse.fields import MAX_LIST_ITEMS, MAX_PLACE_POINTS, decimal, seconds, short, truth, whole_number

_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|\Z)", re.IGNORECASE)
_EVERYWHERE = ("audio/mpeg", "audio/mp4", "audio/x-m4a", "video/mp4", "video/x-m4v")


@dataclass(slots=True, eq=False)
class Media:
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
        if (said := what(self)) or self.around is None or id(self.around) in films:
            return said
        return self.around.nearest(what, films)


def files_and_image(
    raw: Any, links: Iterable[Any], *, titled: bool = True
) -> tuple[tuple[Enclosure, ...], Image | None]:
    """Files and picture of an entry. Pictures of Media RSS become the image, all else that it names a file.

    Renditions of one thing stand together, the best first: what the entry has for its enclosure, else what the
    publisher calls default, what most players take, what is larger. A picture's description is what is printed below
    it; of an entry without a title (not *titled*), a post, it is what its author wrote for those who do not see it.
    """
    files: dict[str, Enclosure] = {}
    groups: dict[int, list[str]] = {}  # id of a media:group, 0 for podcast:alternateEnclosure: its urls
    ranks: dict[str, tuple[int, ...]] = {}
    images: list[Image] = []
    for link in links:
        url = short(link.get("href"))
        if link.get("rel") == "enclosure" and url:
            files.setdefault(url, _linked(link, url, raw if not files else {}))
            ranks.setdefault(url, (1,))
    listed = [media for media in raw.get("desk_media") or () if short(media.attributes.get("url"))]
    films = frozenset(id(media.around) for media in listed if not media.is_picture)
    for media in listed:
        url, kind = short(media.attributes["url"]) or "", short(media.attributes.get("type")) or ""
        if media.is_picture:
            images.append(_pictured(url, media, films, titled))
            continue
        files[url] = _merged(files.get(url), _enclosure(url, kind, media))
        ranks.setdefault(url, _rank(media.attributes, files[url]))
        if media.around is not None and media.around.group:
            groups.setdefault(id(media.around), []).append(url)
    main = next(iter(files), None)
    for one in podcast_elements(raw, "alternate"):
        if (url := short(one.get("url"))) and url not in files:
            files[url] = _alternate(url, one)
            ranks[url] = _rank(one, files[url])
            groups.setdefault(0, [main] if main else []).append(url)
    for thumbnail in list(raw.get("media_thumbnail") or ())[:MAX_LIST_ITEMS]:
        if url := short(thumbnail.get("url")):
            images.append(_sized(url, thumbnail))
    itunes = raw.get("image")
    if isinstance(itunes, dict) and (url := short(itunes.get("href"))):
        images.append(Image(url=url))
    images += [Image(url=file.url) for file in files.values() if file.type.startswith("image/")]
    best = max(images, key=lambda image: (image.width or 0) * (image.height or image.width or 0), default=None)
    return grouped(files, groups.values(), ranks), best


def grouped(
    files: dict[str, Enclosure], groups: Iterable[Sequence[str]], ranks: dict[str, tuple[int, ...]]
) -> tuple[Enclosure, ...]:
    """Return *files* with the members of each of *groups* (urls) side by side, the highest of *ranks* first."""
    placed: dict[str, Enclosure] = {}
    group_of: dict[str, list[str]] = {}
    for members in groups:
        together = [url for url in dict.fromkeys(members) if url not in group_of]
        if len(together) > 1:
            group_of |= dict.fromkeys(together, sorted(together, key=lambda url: ranks.get(url, ()), reverse=True))
    number = 0
    for url, file in files.items():
        if url in placed:
            continue
        if url not in group_of:
            placed[url] = file
            continue
        number += 1
        placed |= {member: replace(files[member], group=number) for member in group_of[url]}
    return tuple(placed.values())


def _linked(link: Any, url: str, raw: Any) -> Enclosure:
    return Enclosure(
        url=url,
        type=short(link.get("type")) or "",
        length_bytes=whole_number(link.get("length")),
        title=short(link.get("title")) or "",
        duration_s=seconds(raw.get("itunes_duration")),
    )


def _enclosure(url: str, kind: str, media: Media) -> Enclosure:
    said = media.attributes
    # What stands around a content alone is its too; what stands in a group is about all of it.
    return Enclosure(
        url=url,
        type=kind,
        length_bytes=whole_number(said.get("filesize")),
        title=short(media.title) or "",
        duration_s=seconds(said.get("duration")),
        width=whole_number(said.get("width")),
        height=whole_number(said.get("height")),
        bitrate_kbps=decimal(said.get("bitrate")),
        language=short(said.get("lang")),
        description=short(media.description) or "",
        credit=_names(media.credits),
    )


def _alternate(url: str, said: dict[str, str]) -> Enclosure:
    bits = decimal(said.get("bitrate"))
    return Enclosure(
        url=url,
        type=short(said.get("type")) or "",
        length_bytes=whole_number(said.get("length")),
        title=short(said.get("title")) or "",
        height=whole_number(said.get("height")),
        bitrate_kbps=bits / 1000 if bits else None,
        language=short(said.get("lang")),
    )


def _merged(one: Enclosure | None, other: Enclosure) -> Enclosure:
    """*one*, and what *other* says of the same address beyond it."""
    if one is None:
        return other
    names = ("type", "length_bytes", "title", "duration_s", "width", "height", "bitrate_kbps", "language")
    beyond = {name: getattr(other, name) for name in (*names, "description", "credit")}
    return replace(one, **{name: value for name, value in beyond.items() if value and not getattr(one, name)})


def _rank(said: dict[str, str], file: Enclosure) -> tuple[int, ...]:
    """How good a rendition is; the entry's own enclosure, (1,), is better than all of these."""
    default = str(said.get("isdefault", said.get("default", ""))).strip().lower() == "true"
    part = said.get("expression", "full").strip().lower() in ("sample", "nonstop")
    size = (file.width or 0) * (file.height or file.width or 0) or (file.height or 0) ** 2
    rate = int(file.bitrate_kbps or 0)
    return (0, default, not part, file.type.partition(";")[0].strip().lower() in _EVERYWHERE, size, rate)


def _pictured(url: str, media: Media, films: frozenset[int], titled: bool) -> Image:
    described = short(media.nearest(lambda each: each.description, films)) or ""
    return replace(
        _sized(url, media.attributes),
        alt="" if titled else described,
        caption=described if titled else "",
        credit=_names(media.nearest(lambda each: each.credits, films) or ()),
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(name for each in names if (name := short(each))))


def _sized(url: str, attributes: Any) -> Image:
    return Image(url=url, width=whole_number(attributes.get("width")), height=whole_number(attributes.get("height")))


def podcast_elements(raw: Any, name: str) -> list[dict[str, str]]:
    """The elements *name* of the podcast namespace in an entry: their attributes, and their text under ``text``."""
    found: list[dict[str, str]] = (raw.get("desk_podcast") or {}).get(name) or []
    return found


# ------------------------------------------------------------------------------------------ episodes


NO_SHOW = Episode()


def show_of(feed: Any) -> Episode:
    """What a feed says of all its episodes: its cover, and whether they are explicit."""
    explicit = feed.get("itunes_explicit")
    return Episode(image_url=short(feed.get("desk_cover")), explicit=explicit if isinstance(explicit, bool) else None)


def episode_of(raw: Any, enclosures: Sequence[Enclosure], show: Episode) -> Episode | None:
    """What an entry says of itself as a part of *show*; None where it has nothing to play and says nothing."""
    explicit = raw.get("itunes_explicit")
    number, label = _counted(raw, "episode", "display")
    season, season_name = _counted(raw, "season", "name")
    transcripts = podcast_elements(raw, "transcript")
    chapters = next((one for one in podcast_elements(raw, "chapters") if short(one.get("url"))), {})
    own = Episode(
        number=number,
        label=label,
        season=int(season) if season is not None else None,
        season_name=season_name,
        kind=kind_of(raw.get("itunes_episodetype")),
        explicit=explicit if isinstance(explicit, bool) else None,
        title=short(raw.get("itunes_title")) or "",
        subtitle=short(raw.get("subtitle")) or "",
        summary=short(raw.get("itunes_summary")) or "",
        image_url=short(raw.get("desk_cover")),
        transcripts=tuple([each for one in transcripts if (each := _transcript(one))]),
        chapters_url=short(chapters.get("url")),
        chapters_type=short(chapters.get("type")) or "",
        people=tuple([found for one in podcast_elements(raw, "person") if (found := _participant(one))]),
    )
    plays = any(file.type.startswith(("audio/", "video/")) for file in enclosures)
    if not plays and own in (Episode(), Episode(subtitle=own.subtitle), Episode(image_url=own.image_url)):
        return None
    return replace(
        own,
        explicit=own.explicit if own.explicit is not None else show.explicit,
        image_url=own.image_url or show.image_url,
    )


def kind_of(value: Any) -> Any:
    """itunes:episodeType; "" for none that is known."""
    text = str(value or "").strip().lower()
    return text if text in ("full", "trailer", "bonus") else ""


def _counted(raw: Any, name: str, written: str) -> tuple[float | None, str]:
    """Episode or season: its number, as podcast: or itunes: has it, and its name."""
    for one in podcast_elements(raw, name):
        if (number := decimal(one.get("text"))) is not None:
            return number, short(one.get(written)) or ""
    return decimal(raw.get(f"itunes_{name}")), ""


def _transcript(said: dict[str, str]) -> Transcript | None:
    url = short(said.get("url"))
    if url is None:
        return None
    return Transcript(
        url=url,
        type=short(said.get("type")) or "",
        language=short(said.get("language")),
        captions=said.get("rel", "").strip().lower() == "captions",
    )


def _participant(said: dict[str, str]) -> Participant | None:
    name = short(said.get("text"))
    if name is None:
        return None
    return Participant(
        name=name,
        role=short(said.get("role")) or "",
        group=short(said.get("group")) or "",
        url=short(said.get("href")),
        image_url=short(said.get("img")),
    )


_JSON_EXTENSIONS = ("_wiredesk", "_podcast", "_itunes")


def episode_of_json(item: dict[str, Any]) -> Episode | None:
    """What an item of JSON Feed says of itself as an episode, under a desk's key or under those of podcast hosts.

    There is no standard for it: names are Apple's or ours, in any case and with or without ``_``.
    """
    told: dict[str, Any] = {}
    for key in _JSON_EXTENSIONS:
        holder = item.get(key)
        inner = holder.get("episode") if isinstance(holder, dict) else None
        found = inner if isinstance(inner, dict) else holder if key != "_wiredesk" else None
        if isinstance(found, dict):
            told |= {name.replace("_", "").lower(): value for name, value in list(found.items())[:MAX_LIST_ITEMS]}
    if not told:
        return None
    chapters = told.get("chapters")
    chapters = chapters if isinstance(chapters, dict) else {"url": chapters}
    season = decimal(told.get("season"))
    return Episode(
        number=decimal(told.get("number", told.get("episode"))),
        label=short(told.get("label")) or "",
        season=int(season) if season is not None else None,
        season_name=short(told.get("seasonname")) or "",
        kind=kind_of(told.get("type", told.get("episodetype"))),
        explicit=truth(told.get("explicit")),
        title=short(told.get("title")) or "",
        subtitle=short(told.get("subtitle")) or "",
        summary=short(told.get("summary")) or "",
        image_url=short(told.get("image")),
        transcripts=tuple([each for one in _listed(told, "transcripts", "transcript") if (each := _transcript(one))]),
        chapters_url=short(chapters.get("url")),
        chapters_type=short(chapters.get("type")) or "",
        people=tuple([found for one in _listed(told, "people", "persons") if (found := _participant(one))]),
    )


_PERSON_IN_XML = {"name": "text", "url": "href", "image": "img"}


def _listed(told: dict[str, Any], *names: str) -> list[dict[str, str]]:
    """Objects of a list, or one alone, with the names that the podcast namespace has for their members."""
    value: Any = next((told[name] for name in names if name in told), None)
    objects = [one for one in (value if isinstance(value, list) else [value])[:MAX_LIST_ITEMS] if isinstance(one, dict)]
    wanted: dict[str, str] = _PERSON_IN_XML if names[0] == "people" else {}
    return [{wanted.get(str(name), str(name)): short(member) or "" for name, member in one.items()} for one in objects]


# -------------------------------------------------------------------------------------------- places


_GEO_URI = re.compile(r"geo:(-?[0-9.]+),(-?[0-9.]+)")  # RFC 5870
_BETWEEN = re.compile(r"[\s,]+")


def place_of(raw: Any) -> Place | None:
    """Where an entry is about: GeoRSS, else geo:lat and geo:long, else podcast:location."""
    name = short(raw.get("georss_featurename")) or ""
    if told := raw.get("desk_place"):
        shape, text, dimensions = told
        points = _pairs(text, dimensions)
        return Place(shape=shape, points=points, name=name) if points else None
    if points := _pairs(f"{raw.get('geo_lat', '')} {raw.get('geo_long', raw.get('geo_lon', ''))}"):
        return Place(shape="point", points=points, name=name)
    for one in podcast_elements(raw, "location"):
        if match := _GEO_URI.match(one.get("geo", "").strip()):
            points = _pairs(f"{match[1]} {match[2]}")
            return Place(shape="point", points=points, name=short(one.get("text")) or "") if points else None
    return None


def _pairs(text: str, dimensions: int = 2) -> tuple[tuple[float, float], ...]:
    """Pairs of numbers; nothing where one is none, one is left over, or there are too many: half a line is no line."""
    parts = [part for part in _BETWEEN.split(text[: MAX_PLACE_POINTS * 60]) if part]
    if not parts or len(parts) % dimensions or len(parts) > MAX_PLACE_POINTS * dimensions:
        return ()
    numbers = [number for part in parts if (number := decimal(part)) is not None]
    if len(numbers) < len(parts):
        return ()
    return tuple(zip(numbers[::dimensions], numbers[1::dimensions], strict=True))


_GEOJSON: dict[str, Shape] = {"Point": "point", "LineString": "line", "Polygon": "polygon"}


def place_of_geojson(geometry: dict[str, Any], name: str) -> Place | None:
    """The place of a GeoJSON geometry (RFC 7946), longitude first; of a polygon its outer ring, or the bbox it has."""
    shape = _GEOJSON.get(str(geometry.get("type")))
    coordinates = geometry.get("coordinates")
    if shape is None or not isinstance(coordinates, list):
        return None
    bbox = geometry.get("bbox")
    if shape == "polygon" and isinstance(bbox, list) and len(bbox) == 4:
        shape, coordinates = "box", [bbox[:2], bbox[2:]]
    elif shape == "polygon":
        coordinates = coordinates[0] if coordinates and isinstance(coordinates[0], list) else []
    elif shape == "point":
        coordinates = [coordinates]
    if len(coordinates) > MAX_PLACE_POINTS:
        return None
    points = [pair for each in coordinates if (pair := _position(each))]
    return Place(shape=shape, points=tuple(points), name=name) if len(points) == len(coordinates) > 0 else None


def _position(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) < 2:
        return None
    east, north = (decimal(each) if isinstance(each, int | float) else None for each in value[:2])
    return (north, east) if north is not None and east is not None else None
