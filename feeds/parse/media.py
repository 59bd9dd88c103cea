"""Files and picture of an entry, and the elements for media that feedparser flattens or does not know. Part of `parse`.
Pure.

`MediaHandlers` keeps such elements as they stood, under keys of an entry that begin with ``desk_``. What they mean say
`files_and_image` (Media RSS 1.5.1), `episodes.episode_of` and `places.place_of`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from feeds.model import Enclosure, Image, Shape
from feeds.parse.limits import MAX_LIST_ITEMS
from feeds.parse.scalars import decimal, seconds, short, truth, whole_number

PODCAST_NAMESPACES = (
    "https://podcastindex.org/namespace/1.0",
    "http://podcastindex.org/namespace/1.0",
    "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
)
MAX_CREDITS = 5

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


def _kept(name: str) -> tuple[Callable[..., None], Callable[..., None]]:
    """Handlers that keep every element *name* of the podcast namespace, its attributes and its text."""

    def start(self: Any, attrs_d: dict[str, str]) -> None:
        found = self._get_context().setdefault("desk_podcast", {}).setdefault(name, [])
        self.push(f"podcast_{name}", 0)
        self.podcast_element = dict(attrs_d)
        if len(found) < MAX_LIST_ITEMS:
            found.append(self.podcast_element)

    def end(self: Any) -> None:
        self.podcast_element["text"] = self.pop(f"podcast_{name}") or ""

    return start, end


class MediaHandlers:
    """To be mixed into a parser of feedparser, before it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.media_open: list[Media] = []
        self.podcast_element: dict[str, str] = {}
        self.gml_shape: Shape | None = None
        self.gml_dimensions = 2

    def forget_media(self) -> None:
        """Leave behind what the entry before left open."""
        self.media_open.clear()
        self.gml_shape = None

    # ---------------------------------------------------------------- Media RSS

    def _media_here(self: Any) -> Media:
        if self.media_open:
            return self.media_open[-1]  # type: ignore[no-any-return]
        whole: Media = self._get_context().setdefault("desk_media_around", Media({}))
        return whole

    def _start_media_group(self: Any, attrs_d: dict[str, str]) -> None:
        self.media_open.append(Media(attrs_d, self._media_here(), group=True))

    def _end_media_group(self: Any) -> None:
        while self.media_open and not self.media_open.pop().group:
            pass

    def _start_media_content(self: Any, attrs_d: dict[str, str]) -> None:
        super()._start_media_content(attrs_d)  # type: ignore[misc]
        media = Media(attrs_d, self._media_here())
        self.media_open.append(media)
        found = self._get_context().setdefault("desk_media", [])
        if len(found) < MAX_LIST_ITEMS:
            found.append(media)

    def _end_media_content(self: Any) -> None:
        if self.media_open and not self.media_open[-1].group:
            self.media_open.pop()

    def _end_media_title(self: Any) -> None:
        if self.elementstack and self.elementstack[-1][0] == "title":
            self._media_here().title = "".join(self.elementstack[-1][2]).strip()
        super()._end_media_title()  # type: ignore[misc]

    # feedparser makes a second text of an entry its content, whatever it is; this is kept under a name of its own.
    def _start_media_description(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("media_description", 1)

    def _end_media_description(self: Any) -> None:
        self._media_here().description = self.pop("media_description") or ""

    def _end_media_credit(self: Any) -> None:
        super()._end_media_credit()  # type: ignore[misc]
        credits: list[Any] = self._get_context().get("media_credit") or [{}]
        here = self._media_here()
        if (name := credits[-1].get("content")) and len(here.credits) < MAX_CREDITS:
            here.credits.append(name)

    # ---------------------------------------------------------------- itunes and podcast

    def _start_itunes_image(self: Any, attrs_d: dict[str, str]) -> None:
        super()._start_itunes_image(attrs_d)  # type: ignore[misc]
        if url := attrs_d.get("href") or attrs_d.get("url"):
            self._get_context()["desk_cover"] = url

    _start_itunes_link = _start_itunes_image

    def _end_itunes_explicit(self: Any) -> None:
        self._get_context()["itunes_explicit"] = truth(self.pop("itunes_explicit", 0))

    _start_podcast_transcript, _end_podcast_transcript = _kept("transcript")
    _start_podcast_chapters, _end_podcast_chapters = _kept("chapters")
    _start_podcast_person, _end_podcast_person = _kept("person")
    _start_podcast_season, _end_podcast_season = _kept("season")
    _start_podcast_episode, _end_podcast_episode = _kept("episode")
    _start_podcast_location, _end_podcast_location = _kept("location")
    _start_podcast_alternateenclosure, _end_podcast_alternateenclosure = _kept("alternate")

    def _start_podcast_source(self: Any, attrs_d: dict[str, str]) -> None:
        if (uri := attrs_d.get("uri", "")).lower().startswith(("http://", "https://")):
            self.podcast_element.setdefault("url", uri)

    def _end_podcast_source(self) -> None:
        pass

    # ---------------------------------------------------------------- places: feedparser's own handlers break on some

    def _start_geometry(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("desk_geometry", 0)

    def _end_shape(self: Any, shape: Shape) -> None:
        text = self.pop("desk_geometry")
        if text and shape:
            self._get_context().setdefault("desk_place", (shape, text, 2))

    _start_georss_point = _start_georss_line = _start_georss_polygon = _start_georss_box = _start_geometry

    def _end_georss_point(self) -> None:
        self._end_shape("point")

    def _end_georss_line(self) -> None:
        self._end_shape("line")

    def _end_georss_polygon(self) -> None:
        self._end_shape("polygon")

    def _end_georss_box(self) -> None:
        self._end_shape("box")

    def _open_gml(self, shape: Shape, attrs_d: dict[str, str]) -> None:
        # GeoRSS GML is WGS84; the numbers of another system are no degrees, or stand the other way round.
        system = attrs_d.get("srsname", "").strip()
        self.gml_shape = shape if not system or re.search(r"\b4326\Z|CRS:?84\Z|WGS84\Z", system, re.I) else None
        if re.search(r"CRS:?84\Z", system, re.I):
            self.gml_shape = None  # longitude first
        self.gml_dimensions = 3 if attrs_d.get("srsdimension", "").strip() == "3" else 2

    def _start_gml_point(self, attrs_d: dict[str, str]) -> None:
        self._open_gml("point", attrs_d)

    def _start_gml_linestring(self, attrs_d: dict[str, str]) -> None:
        self._open_gml("line", attrs_d)

    def _start_gml_polygon(self, attrs_d: dict[str, str]) -> None:
        self._open_gml("polygon", attrs_d)

    def _nothing(self, attrs_d: dict[str, str] | None = None) -> None:
        pass

    _end_gml_point = _end_gml_linestring = _end_gml_polygon = _nothing
    _start_gml_exterior = _end_gml_exterior = _start_gml_linearring = _end_gml_linearring = _nothing

    _start_gml_pos = _start_gml_poslist = _start_geometry

    def _end_gml_pos(self: Any) -> None:
        text = self.pop("desk_geometry")
        if text and self.gml_shape:
            self._get_context().setdefault("desk_place", (self.gml_shape, text, self.gml_dimensions))

    _end_gml_poslist = _end_gml_pos


# ------------------------------------------------------------------------------------------------- files and picture


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
