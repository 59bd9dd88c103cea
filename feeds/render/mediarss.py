"""What RSS and Atom say in elements of other namespaces: files, pictures, episodes, places, what a podcast is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from feeds.frames import OPTIONAL_NAMESPACES
from feeds.model import Article
from feeds.parsed import Enclosure, Episode, Image, Participant, Place, Transcript
from feeds.players import media_type
from feeds.render.contexts import DeskContext, SectionContext
from feeds.render.printable import absolute, files, image, language, line, present

ATOM = "http://www.w3.org/2005/Atom"
NAMESPACES: dict[str, str] = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
    "fh": "http://purl.org/syndication/history/1.0",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
RSS_NAMESPACES = NAMESPACES | {
    "dcterms": "http://purl.org/dc/terms/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}
ATOM_NAMESPACES = NAMESPACES | {
    "at": "http://purl.org/atompub/tombstones/1.0",
    "thr": "http://purl.org/syndication/thread/1.0",
}

PREFIXES = (
    OPTIONAL_NAMESPACES
    | RSS_NAMESPACES
    | ATOM_NAMESPACES
    | {
        "atom": ATOM,
        "content": "http://purl.org/rss/1.0/modules/content/",
        "xml": "http://www.w3.org/XML/1998/namespace",
    }
)
"""Every prefix that a document may declare."""

_GEOJSON = {"point": "Point", "line": "LineString", "polygon": "Polygon", "box": "Polygon"}


def add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    """Add an element to *parent* and return it; *name* may have one of our prefixes, such as ``dc:creator``."""
    child = etree.SubElement(parent, expanded(name), attributes)
    child.text = text
    return child


def add_texts(parent: etree._Element, *pairs: tuple[str, str | None]) -> None:
    """Add an element to *parent* for each name with a text; none where the text is empty."""
    for name, text in pairs:
        if text:
            add(parent, name, text)


def expanded(name: str) -> str:
    """Return the name with its prefix as lxml wants it.

    >>> expanded("dc:creator"), expanded("pubDate")
    ('{http://purl.org/dc/elements/1.1/}creator', 'pubDate')
    """
    prefix, colon, local = name.rpartition(":")
    return f"{{{PREFIXES[prefix]}}}{local}" if colon else name


def add_licence(element: etree._Element, name: str, url: str | None) -> None:
    """Add the link *name* to terms for machines (Really Simple Licensing 1.0; RFC 4946 for the rel)."""
    if url:
        add(element, name, None, href=url, rel="license", type="application/rsl+xml")


def add_looks(element: etree._Element, icon_url: str | None, colour: str) -> None:
    """Add to a channel or feed what readers show it with: Feedly's elements, which others read too."""
    add_texts(element, ("webfeeds:icon", icon_url), ("webfeeds:accentColor", colour.removeprefix("#")))


def add_robots(element: etree._Element, article: Article) -> None:
    """Pass on that the source wants no indexing, in the way that feeds have for it, RSS and Atom alike.

    A custom and no standard: robots.txt and HTML's robots meta, for one entry.
    """
    if article.noindex:
        add(element, "xhtml:meta", None, name="robots", content="noindex")


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


def _add_files(element: etree._Element, found: Sequence[Enclosure], linked: int) -> None:
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
        size = present(fileSize=file.length_bytes and str(file.length_bytes))
        content = add(parent, "media:content", None, url=file.url, type=file.type, **size, **best, **facts)
        _add_words(content, file.title, file.description, file.credit)


def _add_words(content: etree._Element, title: str, description: str, credit: str) -> None:
    for name, text in (("media:title", title), ("media:description", description)):
        if text:
            add(content, name, text, type="plain")
    add_texts(content, ("media:credit", credit))


def _facts(file: Enclosure, *, first: bool) -> dict[str, str]:
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


def _add_episode(
    element: etree._Element, episode: Episode | None, found: Sequence[Enclosure], desk: DeskContext
) -> None:
    duration = next((file.duration_s for file in found if file.duration_s), 0)
    if episode is None and not duration:
        return
    known = episode_of(episode, desk)
    number, whole = known.get("number"), _whole(known.get("number"))
    add_texts(
        element,
        ("itunes:title", known.get("title")),
        ("itunes:episode", whole),
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
    if number is not None and ("label" in known or not whole):
        add(element, "podcast:episode", str(number), **present(display=known.get("label")))
    _add_podcast(element, known)


def _add_podcast(element: etree._Element, known: dict[str, Any]) -> None:
    if "season" in known and "season_name" in known:
        add(element, "podcast:season", str(known["season"]), name=known["season_name"])
    for transcript in known.get("transcripts", ()):
        add(element, "podcast:transcript", None, **transcript)
    if "chapters" in known:
        add(element, "podcast:chapters", None, **known["chapters"])
    for person in known.get("people", ()):
        beside = {name: person[key] for name, key in _PERSON.items() if key in person}
        add(element, "podcast:person", person["name"], **beside)


_PERSON = {"role": "role", "group": "group", "href": "url", "img": "image"}


def _whole(number: Any) -> str | None:
    """An episode's number where it is one that itunes can say."""
    return str(number) if isinstance(number, int) and number >= 1 else None


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
_CATEGORIES = {known.lower(): known for known in CATEGORIES} | {
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
    return _CATEGORIES.get(line(title).lower(), "News")
