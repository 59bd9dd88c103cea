"""What a channel says where most of its items are episodes, for podcast readers and directories. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from feeds.model import Article
from feeds.parsed import Episode, Image, Participant, Place, Transcript
from feeds.players import media_type
from feeds.render.generator import add, add_texts
from feeds.render.printable import DeskContext, File, SectionContext, absolute, files, image, language, line, present

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
        if position < linked and not (facts or file.description or file.credit or file.group):
            continue
        parent, best = element, {}
        if file.group:
            if file.group not in groups:
                groups[file.group] = add(element, "media:group")
                best = {"isDefault": "true"}
            parent = groups[file.group]
        size = {"fileSize": str(file.length_bytes)} if file.length_bytes else {}
        content = add(parent, "media:content", None, url=file.url, type=file.type, **size, **best, **facts)
        _add_words(content, file.title, file.description, file.credit)


def _add_words(content: etree._Element, title: str, description: str, credit: str) -> None:
    for name, text in (("media:title", title), ("media:description", description)):
        if text:
            add(content, name, text, type="plain")
    add_texts(content, ("media:credit", credit))


def _facts(file: File, *, first: bool) -> dict[str, str]:
    """What an enclosure cannot say of a file; how long the *first* is, itunes:duration says."""
    return present(
        bitrate=_number(file.bitrate_kbps),
        duration=None if first or not file.duration_s else _number(round(file.duration_s)),
        width=_number(file.width),
        height=_number(file.height),
        lang=file.language,
    )


def _add_image(element: etree._Element, picture: Image | None) -> None:
    """The picture: thumbnail for lists, content for its text and for whoever looks for no thumbnail."""
    if picture is None:
        return
    size = {name: str(value) for name, value in (("width", picture.width), ("height", picture.height)) if value}
    described = picture.caption or picture.alt
    if described or picture.credit:
        element = add(element, "media:content", None, url=picture.url, medium="image", **size)
        _add_words(element, picture.alt if picture.alt != described else "", described, picture.credit)
    add(element, "media:thumbnail", None, url=picture.url, **size)


def _add_episode(element: etree._Element, episode: Episode | None, found: Sequence[File], desk: DeskContext) -> None:
    duration = next((file.duration_s for file in found if file.duration_s), 0)
    if episode is None and not duration:
        return
    known = episode_of(episode, desk)
    number = known.get("number")
    add_texts(
        element,
        ("itunes:title", known.get("title")),
        ("itunes:episode", str(number) if _counts(number) else None),
        ("itunes:season", _text(known.get("season"))),
        ("itunes:episodeType", known.get("type")),
        ("itunes:explicit", _text(known.get("explicit"))),
    )
    if "image" in known:
        add(element, "itunes:image", None, href=known["image"])
    add_texts(
        element,
        ("itunes:subtitle", known.get("subtitle")),
        ("itunes:summary", known.get("summary")),
        ("itunes:duration", clock(duration) if round(duration) > 0 else None),
    )
    _add_podcast(element, known)


def _add_podcast(element: etree._Element, known: dict[str, Any]) -> None:
    _add_podcast_numbers(element, known)
    for transcript in known.get("transcripts", ()):
        add(element, "podcast:transcript", None, **transcript)
    if "chapters" in known:
        add(element, "podcast:chapters", None, **known["chapters"])
    for person in known.get("people", ()):
        beside = {name: person[key] for name, key in _PERSON.items() if key in person}
        add(element, "podcast:person", person["name"], **beside)


def _add_podcast_numbers(element: etree._Element, known: dict[str, Any]) -> None:
    """Season and episode, where they have names, or a number that itunes can't say."""
    number = known.get("number")
    if number is not None and ("label" in known or not _counts(number)):
        display = {"display": known["label"]} if "label" in known else {}
        add(element, "podcast:episode", str(number), **display)
    if "season" in known and "season_name" in known:
        add(element, "podcast:season", str(known["season"]), name=known["season_name"])


_PERSON = {"role": "role", "group": "group", "href": "url", "img": "image"}


def _counts(number: float | None) -> bool:
    """Whether an episode's number is one that itunes can say."""
    return number is not None and number == int(number) and number >= 1


def _text(value: int | bool | None) -> str | None:
    return None if value is None else str(value).lower()


def episode_of(episode: Episode | None, desk: DeskContext) -> dict[str, Any]:
    """Return what *episode* says, fit to print, under the names that it has in JSON; nothing of what is empty."""
    if episode is None:
        return {}
    number = episode.number
    if number is not None and number == int(number):
        number = int(number)
    return present(
        number=number,
        label=line(episode.label),
        season=episode.season or None,
        season_name=line(episode.season_name),
        type=episode.kind,
        explicit=episode.explicit,
        title=line(episode.title),
        subtitle=line(episode.subtitle),
        summary=line(episode.summary),
        image=absolute(episode.image_url) if desk.images else None,
        transcripts=[_transcript(each) for each in episode.transcripts if absolute(each.url)],
        chapters=_chapters(episode),
        people=[_participant(person, desk) for person in episode.people if line(person.name)],
    )


def _transcript(transcript: Transcript) -> dict[str, Any]:
    return present(
        url=absolute(transcript.url),
        type=media_type(transcript.type, transcript.url, "text/plain"),
        language=language(transcript.language),
        rel="captions" if transcript.captions else None,
    )


def _chapters(episode: Episode) -> dict[str, Any]:
    url = absolute(episode.chapters_url)
    kind = media_type(episode.chapters_type, "", "application/json+chapters")
    return present(url=url, type=kind) if url else {}


def _participant(person: Participant, desk: DeskContext) -> dict[str, Any]:
    return present(
        name=line(person.name),
        role=line(person.role),
        group=line(person.group),
        url=absolute(person.url),
        image=absolute(person.image_url) if desk.images else None,
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
    found: dict[str, Any] = {"type": _GEOJSON[place.shape]}
    if place.shape == "box":
        (west, south), (east, north) = points[0], points[-1]
        found["bbox"] = [west, south, east, north]
        points = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    found["coordinates"] = points[0] if place.shape == "point" else points if place.shape == "line" else [points]
    return found


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
