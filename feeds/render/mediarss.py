"""What a channel says where most of its items are episodes, for podcast readers and directories. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from feeds.model import Article, Episode, Image, Place
from feeds.players import media_type
from feeds.render.generator import add
from feeds.render.printable import DeskContext, File, SectionContext, absolute, files, image, language, line

_GEOJSON = {"point": "Point", "line": "LineString", "polygon": "Polygon", "box": "Polygon"}


def add_media(element: etree._Element, article: Article, desk: DeskContext, *, linked: int) -> None:
    """Add what *article* has beside its text. The first *linked* of its files stand in the entry as enclosures."""
    found = files(article)
    _add_files(element, found, linked)
    _add_image(element, image(article, desk))
    _add_episode(element, article.episode, found, desk)
    _add_place(element, article.place)


def describes(article: Article, desk: DeskContext) -> bool:
    """Whether `add_media` writes a text that feedparser takes for another of the entry's own."""
    picture, episode = image(article, desk), article.episode
    described = picture is not None and (picture.caption or picture.alt)
    return bool(described or (episode and line(episode.summary)) or any(file.description for file in files(article)))


def _add_files(element: etree._Element, found: Sequence[File], linked: int) -> None:
    groups: dict[int, etree._Element] = {}
    for position, file in enumerate(found):
        facts = _facts(file, first=position == 0)
        words = bool(file.description or file.credit)
        if position < linked and not facts and not words and not file.group:
            continue
        parent, best = element, {}
        if file.group:
            if file.group not in groups:
                groups[file.group] = add(element, "media:group")
                best = {"isDefault": "true"}
            parent = groups[file.group]
        size = {"fileSize": str(file.length_bytes)} if file.length_bytes else {}
        content = add(parent, "media:content", None, url=file.url, type=file.type, **size, **best, **facts)
        if file.title:
            add(content, "media:title", file.title, type="plain")
        if file.description:
            add(content, "media:description", file.description, type="plain")
        if file.credit:
            add(content, "media:credit", file.credit)


def _facts(file: File, *, first: bool) -> dict[str, str]:
    """What an enclosure cannot say of a file; how long the *first* is, itunes:duration says."""
    told = {
        "bitrate": _number(file.bitrate_kbps),
        "duration": None if first else _number(round(file.duration_s) if file.duration_s else None),
        "width": _number(file.width),
        "height": _number(file.height),
        "lang": file.language,
    }
    return {name: value for name, value in told.items() if value}


def _add_image(element: etree._Element, picture: Image | None) -> None:
    """The picture: thumbnail for lists, content for its text and for whoever looks for no thumbnail."""
    if picture is None:
        return
    size = {name: str(value) for name, value in (("width", picture.width), ("height", picture.height)) if value}
    described = picture.caption or picture.alt
    if not (described or picture.credit):
        add(element, "media:thumbnail", None, url=picture.url, **size)
        return
    content = add(element, "media:content", None, url=picture.url, medium="image", **size)
    if picture.alt and picture.alt != described:
        add(content, "media:title", picture.alt, type="plain")
    if described:
        add(content, "media:description", described, type="plain")
    if picture.credit:
        add(content, "media:credit", picture.credit)
    add(content, "media:thumbnail", None, url=picture.url, **size)


def _add_episode(element: etree._Element, episode: Episode | None, found: Sequence[File], desk: DeskContext) -> None:
    duration = next((file.duration_s for file in found if file.duration_s), None)
    told = episode_of(episode, desk)
    for name, key in (("title", "title"), ("episode", "number"), ("season", "season"), ("episodeType", "type")):
        number = told.get(key)
        if number is not None and not (key == "number" and (number != int(number) or number < 1)):
            add(element, f"itunes:{name}", str(number))
    if "explicit" in told:
        add(element, "itunes:explicit", "true" if told["explicit"] else "false")
    if "image" in told:
        add(element, "itunes:image", None, href=told["image"])
    for name in ("subtitle", "summary"):
        if name in told:
            add(element, f"itunes:{name}", told[name])
    if duration and round(duration) > 0:
        add(element, "itunes:duration", clock(duration))
    _add_podcast(element, told)


def _add_podcast(element: etree._Element, told: dict[str, Any]) -> None:
    number = told.get("number")
    if number is not None and ("label" in told or number != int(number) or number < 1):
        display = {"display": told["label"]} if "label" in told else {}
        add(element, "podcast:episode", str(number), **display)
    if "season" in told and "season_name" in told:
        add(element, "podcast:season", str(told["season"]), name=told["season_name"])
    for transcript in told.get("transcripts", ()):
        add(element, "podcast:transcript", None, **transcript)
    if "chapters" in told:
        add(element, "podcast:chapters", None, **told["chapters"])
    for person in told.get("people", ()):
        beside = {name: person[key] for name, key in _PERSON.items() if key in person}
        add(element, "podcast:person", person["name"], **beside)


_PERSON = {"role": "role", "group": "group", "href": "url", "img": "image"}


def episode_of(episode: Episode | None, desk: DeskContext) -> dict[str, Any]:
    """Return what *episode* says, fit to print, under the names that it has in JSON; nothing of what is empty."""
    if episode is None:
        return {}
    number = episode.number
    chapters = absolute(episode.chapters_url)
    people = [
        _kept(
            name=line(person.name),
            role=line(person.role),
            group=line(person.group),
            url=absolute(person.url),
            image=absolute(person.image_url) if desk.images else None,
        )
        for person in episode.people
        if line(person.name)
    ]
    transcripts = [
        _kept(
            url=absolute(each.url),
            type=media_type(each.type, each.url, "text/plain"),
            language=language(each.language),
            rel="captions" if each.captions else None,
        )
        for each in episode.transcripts
        if absolute(each.url)
    ]
    return _kept(
        number=(int(number) if number == int(number) else number) if number is not None else None,
        label=line(episode.label),
        season=episode.season or None,
        season_name=line(episode.season_name),
        type=episode.kind,
        explicit=episode.explicit,
        title=line(episode.title),
        subtitle=line(episode.subtitle),
        summary=line(episode.summary),
        image=absolute(episode.image_url) if desk.images else None,
        transcripts=transcripts,
        chapters=_kept(url=chapters, type=media_type(episode.chapters_type, "", "application/json+chapters"))
        if chapters
        else None,
        people=people,
    )


def _add_place(element: etree._Element, place: Place | None) -> None:
    if place is None:
        return
    pairs = (f"{_degrees(latitude)} {_degrees(longitude)}" for latitude, longitude in place.points)
    add(element, f"georss:{place.shape}", " ".join(pairs))
    if name := line(place.name):
        add(element, "georss:featurename", name)


def geometry(place: Place) -> dict[str, Any]:
    """Return *place* as GeoJSON has it: longitude first, a box as the ring of its corners with a bbox."""
    points = [[longitude, latitude] for latitude, longitude in place.points]
    told: dict[str, Any] = {"type": _GEOJSON[place.shape]}
    if place.shape == "box":
        (west, south), (east, north) = points[0], points[-1]
        told["bbox"] = [west, south, east, north]
        points = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    told["coordinates"] = points[0] if place.shape == "point" else points if place.shape == "line" else [points]
    return told


def clock(seconds: float) -> str:
    """Return a duration as players show it.

    >>> clock(1812), clock(3723.6)
    ('00:30:12', '01:02:04')
    """
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _degrees(number: float) -> str:
    text = f"{number:.7f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _number(value: float | None) -> str | None:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else None


def _kept(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


# The top of Apple's list, which directories of others use too; their own words for what desks call otherwise.
CATEGORIES = (
    "Arts", "Business", "Comedy", "Education", "Fiction", "Government", "Health & Fitness", "History",
    "Kids & Family", "Leisure", "Music", "News", "Religion & Spirituality", "Science", "Society & Culture",
    "Sports", "TV & Film", "Technology", "True Crime",
)  # fmt: skip
_ALSO = {
    "culture": "Society & Culture", "economy": "Business", "film": "TV & Film", "health": "Health & Fitness",
    "money": "Business", "religion": "Religion & Spirituality", "society": "Society & Culture", "sport": "Sports",
    "tech": "Technology", "television": "TV & Film",
}  # fmt: skip


def add_show(channel: etree._Element, section: SectionContext, values: dict[str, str]) -> None:
    """Add what podcast readers and directories want; the cover is *section*'s picture, else its newest episode's.

    *values* are podcast, explicit and cover: slots that `frames.assemble` fills by the episodes, or takes out with all
    between.
    """
    channel[-1].tail = (channel[-1].tail or "") + values["podcast"]
    add(channel, "itunes:author", line(section.desk_title) or "Wiredesk")
    add(channel, "itunes:type", "episodic")
    add(channel, "itunes:category", None, text=category_of(section.title))
    last = add(channel, "itunes:explicit", values["explicit"])
    if cover := absolute(section.image_url):
        last = add(channel, "itunes:image", None, href=cover)
    else:
        last.tail = values["cover"]
    last.tail = (last.tail or "") + values["podcast"]


def category_of(title: str) -> str:
    """Return Apple's category for a section called *title*; news where none fits.

    >>> category_of("Sport"), category_of("TV & Film"), category_of("Harbour")
    ('Sports', 'TV & Film', 'News')
    """
    name = line(title).lower()
    return _ALSO.get(name) or next((known for known in CATEGORIES if known.lower() == name), "News")
