"""A parsed document to entries that can be trusted, one by one. Pure.

    parse -> normalise -> dedupe

One bad entry is dropped with a reason and harms no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

import xxhash
from msgspec import Struct, field
from msgspec.structs import replace

from feeds.comparable import comparable_or_none, is_of_one_article
from feeds.configuration import Source
from feeds.dates import parse_date, settle, zone_of
from feeds.model import Entry
from feeds.normalise.entry_keys import Marks, content_hash, key_of, marks_of, told_apart
from feeds.normalise.entry_media import count, enclosures_of, episode_of, image_of, place_of, with_words
from feeds.normalise.languages import detected_language, language_tag
from feeds.normalise.scalars import NAME_CHARS, TITLE_CHARS, line, name_line, resolved, visible
from feeds.normalise.texts import Place, body_of, title_of
from feeds.parsed import Category, Discussion, Order, Origin, ParsedEntry, ParsedFeed, Person
from feeds.text import text_hash
from feeds.urls import host_of

MAX_PEOPLE = 50
MAX_CATEGORIES = 60
MAX_LINKS = 20
MAX_NAMES = 10
"""Parts of a breadcrumb, lines of credit."""
MAX_ID_CHARS = 2000

_EMAIL = re.compile(r"[^\s@<>()\"',;:]{1,64}@[^\s@<>()\"',;:]+\.[^\s@<>()\"',;:.]{2,}$")
_NAMED_EMAIL = re.compile(r"(?P<email>\S+@\S+)\s*\((?P<name>[^)]+)\)$|(?P<name2>[^<]+)<(?P<email2>[^\s<>]+@[^\s<>]+)>$")
_BY = re.compile(r"\A[Bb][Yy]:?\s+(?=\w)")
_NOBODY = {"unknown", "unknown author", "none", "null", "undefined", "n/a"}
"""What programs write where no author is set; a blog host's feeds say ``noreply@blogger.com (Unknown)``."""
# RSS has an author as ``address (Name)``; what is not to be shown is one small word then, or an address in pieces.
_HIDDEN_EMAIL = re.compile(
    r"[a-z0-9._%+-]+(?: ?(?:@|\[at\]|\[dot\]| at | dot ) ?[a-z0-9._-]+)* \((?P<name>[^a-z()][^()]*)\)$"
)


class Normalised(Struct, frozen=True):
    """*entries* in document order, each with a key of its own; why others were *dropped*, in words.

    *killed* are keys of entries that the document takes back, *embargo* is when it may be shown.
    *marks* are those of each entry, by its position, the dropped ones that another stands for included. *ground* is a
    hash (unsigned 64 bit) of what entries take from the document and the config: with another, all are read anew.
    """

    entries: tuple[Entry, ...]
    dropped: tuple[str, ...] = ()
    marks: Mapping[int, Marks] = field(default_factory=dict)
    ground: int = 0
    killed: tuple[str, ...] = ()
    embargo: datetime | None = None


class _Ground(Struct, frozen=True):
    """What holds for all entries of one document."""

    url: str
    declared: str | None  # the language that the feed, or else config, says
    desk_language: str
    zone: tzinfo
    received_at: datetime
    ids: frozenset[str]  # the feed's own ids and addresses: no entry's
    home: frozenset[str]  # comparable addresses of the feed and its site


def normalise(
    feed: ParsedFeed,
    *,
    source: Source,
    url: str,
    received_at: datetime,
    desk_language: str,
    desk_timezone: str,
) -> Normalised:
    """Return the entries of *feed* as they can be trusted. Never raises for what a document says.

    *url* is where the document was found after redirects, ``""`` for a file; relative links are resolved against the
    text's own base, then the entry's, then *url*; those within a text whose base nobody declared against the article's
    address. *received_at* is when it arrived, aware. The language is the
    first well-formed one of entry, feed and source, else that of the text where it is clear, else the desk's; dates
    without a zone are read in the source's, else the desk's. An entry without title, text, link and enclosure is
    dropped.
    """
    ground = _ground_of(feed, source, url, received_at, desk_language, desk_timezone)
    entries: list[Entry] = []
    dropped: list[str] = []
    for parsed in feed.entries:
        try:
            entry = _entry(parsed, feed, ground)
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # Whatever a document manages to break, it breaks for one entry of its own.
            dropped.append(f"entry {parsed.position}: {type(error).__name__}: {error}"[:200])
            continue
        if entry is None:
            dropped.append(f"entry {parsed.position}: no title, text, picture, link or enclosure")
        else:
            entries.append(entry)
    marks = {entry.position: marks_of(entry) for entry in entries}
    kept, twice = told_apart(entries, ids_hold=feed.kind.startswith(("atom", "json")))
    return Normalised(
        tuple(kept),
        tuple(dropped + twice),
        marks,
        _ground_hash(ground, feed),
        killed=tuple(key_of(Entry(key="", title="", entry_id=id_.strip()[:MAX_ID_CHARS])) for id_ in feed.killed),
        embargo=max((_embargo(text, ground) for text in feed.embargoes), default=None),
    )


def _embargo(text: str, ground: _Ground) -> datetime:
    """The end of an embargo; where that can't be read, a year from now: nothing is shown by mistake."""
    return parse_date(text, ground.zone, None) or ground.received_at + timedelta(days=365)


def _ground_of(
    feed: ParsedFeed, source: Source, url: str, received_at: datetime, desk_language: str, desk_timezone: str
) -> _Ground:
    # Where a document is one article, its address is the article's.
    document = "" if feed.kind in ("document", "page") else url
    own = (feed.feed_id, feed.self_url, feed.link, document)
    return _Ground(
        url=resolved("", url) or "",
        declared=_first_language(feed.language, source.language),
        desk_language=_first_language(desk_language) or "en",
        zone=zone_of(source.timezone or desk_timezone),
        received_at=received_at,
        ids=frozenset(filter(None, map(_stripped, own))),
        home=frozenset(filter(None, map(comparable_or_none, (feed.link, feed.self_url, document)))),
    )


def _ground_hash(ground: _Ground, feed: ParsedFeed) -> int:
    parts = (
        ground.url,
        ground.declared,
        ground.desk_language,
        str(ground.zone),
        sorted(ground.ids),
        sorted(ground.home),
        feed.authors,
        feed.rights,
    )
    return xxhash.xxh3_64_intdigest(repr(parts).encode("utf-8", "surrogatepass"))


def _entry(parsed: ParsedEntry, feed: ParsedFeed, ground: _Ground) -> Entry | None:
    base = resolved(ground.url, parsed.base) or ground.url
    warnings: list[str] = list(parsed.notes)
    entry_id = _entry_id(parsed, ground, warnings)
    link, canonical = _addresses(parsed, base, warnings)
    article = canonical or link or resolved(ground.url, feed.link) or ""
    body = body_of(parsed.summary, parsed.content, Place(base, ground.url, article))
    dates = dates_of(parsed, zone=ground.zone, order=feed.date_order, received_at=ground.received_at)
    enclosures = enclosures_of(parsed.enclosures, base)
    title, from_where = title_of(
        parsed.title,
        text=body.text,
        link=link,
        enclosure=next((enclosure.url for enclosure in enclosures), None),
        picture=body.picture or parsed.image,
        published=dates.published,
    )
    if not title:
        return None
    warnings += filter(None, [from_where])
    entry = Entry(
        key="",
        entry_id=entry_id,
        link=link,
        comparable=_place(ground, canonical, link),
        canonical_url=None if canonical == link else canonical,
        title=title,
        summary=body.summary,
        content=body.content,
        text=body.text,
        language=_language(parsed, f"{title}\n{body.text}", ground),
        authors=_people(parsed.authors or feed.authors, base),
        contributors=_people(parsed.contributors, base),
        published=dates.published,
        updated=dates.updated,
        categories=_categories(parsed.categories),
        breadcrumb=_name_lines(parsed.breadcrumb),
        origin=_origin(parsed.origin, base),
        credits=_name_lines(parsed.credits, limit=TITLE_CHARS),
        publisher=name_line(parsed.publisher) or None,
        enclosures=enclosures,
        image=with_words(image_of(parsed.image, base), image_of(body.picture, base), ground.url),
        episode=episode_of(parsed.episode, base, title=title, text=body.text),
        place=place_of(parsed.place),
        discussion=_discussion(parsed.discussion, base),
        rights=line(parsed.rights or feed.rights, limit=500) or None,
        via=_urls(parsed.via, base),
        related=_urls(parsed.related, base),
        noindex=parsed.noindex,
        position=parsed.position,
        text_hash=text_hash(body.text),
        warnings=(*warnings, *dates.warnings),
    )
    return replace(entry, key=key_of(entry), content_hash=content_hash(entry))


def _entry_id(parsed: ParsedEntry, ground: _Ground, warnings: list[str]) -> str | None:
    entry_id = (parsed.entry_id or "").strip()[:MAX_ID_CHARS] or None
    if entry_id in ground.ids:
        warnings.append("entry id: the feed's own, not used")
        return None
    return entry_id


def _addresses(parsed: ParsedEntry, base: str, warnings: list[str]) -> tuple[str | None, str | None]:
    """The address for people, and the one that the entry names as its own."""
    canonical, link = resolved(base, parsed.original_link), resolved(base, parsed.link)
    if link is None and parsed.id_is_permalink:
        link = resolved(base, parsed.entry_id)
    if parsed.link and link is None:
        warnings.append("link: no http(s) address, left out")
    if canonical and link and _is_of_the_site(canonical, link):
        warnings.append(f"canonical address: {canonical} is of no article, not used")
        canonical = None
    return link or canonical, canonical


def _is_of_the_site(canonical: str, link: str) -> bool:
    """Whether *canonical* is what a site says of all its pages, by mistake: the address of none, beside that of one."""
    if canonical == link or host_of(canonical) != host_of(link):
        return False
    return is_of_one_article(comparable_or_none(link) or "") and not is_of_one_article(
        comparable_or_none(canonical) or ""
    )


def _name_lines(texts: tuple[str, ...], *, limit: int = NAME_CHARS) -> tuple[str, ...]:
    return tuple(filter(None, (name_line(text, limit=limit) for text in texts[:MAX_NAMES])))


def _urls(refs: tuple[str, ...], base: str) -> tuple[str, ...]:
    found = (resolved(base, ref) for ref in refs[:MAX_LINKS])
    return tuple(dict.fromkeys(url for url in found if url))


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _place(ground: _Ground, *urls: str | None) -> str | None:
    """The first address by which an article can be known: not its feed's, not its site's front page."""
    places = filter(None, map(comparable_or_none, urls))
    return next((place for place in places if place not in ground.home and not _is_front_page(place)), None)


def _is_front_page(place: str) -> bool:
    return place.endswith("/") and place.count("/") == 1


def _first_language(*tags: str | None) -> str | None:
    return next((tag for text in tags if (tag := language_tag(text))), None)


def _language(parsed: ParsedEntry, words: str, ground: _Ground) -> str:
    texts = (text.language for text in (parsed.content, parsed.summary, parsed.title) if text is not None)
    stated = _first_language(parsed.language, *texts) or ground.declared
    return stated or detected_language(words) or ground.desk_language


def _people(people: tuple[Person, ...], base: str) -> tuple[Person, ...]:
    found: dict[str, Person] = {}
    for person in people[:MAX_PEOPLE]:
        name, email = _name_and_email(person)
        if name or email:
            found.setdefault(name or email, Person(name=name, url=resolved(base, person.url), email=email or None))
    return tuple(found.values())


def _name_and_email(person: Person) -> tuple[str, str]:
    """The name and the address of *person*, taken apart where one stands in the other."""
    name, email = " ".join(visible(person.name).split()), visible(_stripped(person.email))
    if not email:
        name, email = _taken_apart(name)
    name = name_line(name)
    if match := _HIDDEN_EMAIL.match(name):
        name = match["name"]
    if name.casefold() in _NOBODY:
        return "", ""
    name = _BY.sub("", name, count=1)
    return name, email if _EMAIL.match(email) and len(email) <= NAME_CHARS else ""


def _taken_apart(name: str) -> tuple[str, str]:
    if match := _NAMED_EMAIL.match(name):
        return (match["name"] or match["name2"]).strip(), match["email"] or match["email2"]
    return ("", name) if _EMAIL.match(name) else (name, "")


def _categories(categories: tuple[Category, ...]) -> tuple[Category, ...]:
    found: dict[tuple[str, str], Category] = {}
    for category in categories[:MAX_CATEGORIES]:
        term, label = name_line(category.term), name_line(category.label)
        scheme = line(category.scheme, limit=500)
        if term or label:
            clean = Category(term=term or label, scheme=scheme or None, label=label or None)
            found.setdefault((clean.term, scheme), clean)
    return tuple(found.values())


def _origin(origin: Origin | None, base: str) -> Origin | None:
    if origin is None:
        return None
    url, feed_url = resolved(base, origin.url), resolved(base, origin.feed_url)
    name = name_line(origin.name)
    if not name and not url and not feed_url:
        return None
    feed_id = visible((origin.feed_id or "").strip())[:MAX_ID_CHARS]
    return Origin(name=name, url=url, feed_url=feed_url, feed_id=feed_id or None)


def _discussion(discussion: Discussion | None, base: str) -> Discussion | None:
    if discussion is None:
        return None
    url, feed_url = resolved(base, discussion.url), resolved(base, discussion.feed_url)
    if url is None and feed_url is None:
        return None
    return Discussion(url=url, feed_url=feed_url, count=count(discussion.count))


# ------------------------------------------------------------------------------- dates (criteria G3)


FAST_CLOCK = timedelta(hours=1)
"""A date less than this ahead is a clock that goes fast, and not worth a word."""


class Dates(Struct, frozen=True):
    """Aware UTC, None where nothing believable was said; *updated* is never before *published*."""

    published: datetime | None
    updated: datetime | None
    warnings: tuple[str, ...]


def dates_of(entry: ParsedEntry, *, zone: tzinfo, order: Order | None = None, received_at: datetime) -> Dates:
    """Return the dates of *entry* by these rules.

    What has no zone is in *zone*; numbers that could be read in several orders are in *order*, the document's. Before
    1990, impossible or unreadable: none. Ahead of *received_at*: *received_at*. Only updated: that is when it was
    published, as far as anybody knows. Updated before published: published.
    """
    warnings: list[str] = []
    published, updated = (
        _moment(name, text, zone, order, received_at, warnings)
        for name, text in (("published", entry.published), ("updated", entry.updated))
    )
    if published is None:
        published = updated
    elif updated is None or updated < published:
        updated = published if updated is not None else None
    return Dates(published, updated, tuple(warnings))


def _moment(
    name: str, text: str | None, zone: tzinfo, order: Order | None, received_at: datetime, warnings: list[str]
) -> datetime | None:
    stated = parse_date(text, zone, order) if text else None
    if stated is None:
        if text and text.strip():
            warnings.append(f"{name}: {text.strip()[:60]!r} is no date")
        return None
    believed = settle(stated, received_at=received_at)
    if believed is None:
        warnings.append(f"{name}: nothing was published in {stated.year}")
    elif stated - received_at > FAST_CLOCK:
        warnings.append(f"{name}: {stated:%Y-%m-%d %H:%M} UTC lies ahead, taken as now")
    return believed
