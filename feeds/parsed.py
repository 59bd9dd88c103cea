"""What a fetch gives (Request, Answer) and what a document says (ParsedFeed, ParsedEntry), as it says it. Pure.

Nothing here is trusted yet: `normalise/` makes entries of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Order = Literal["dmy", "mdy", "ymd"]
"""In which order a document writes day, month and year in numbers."""

# --------------------------------------------------------------------------- fetch


class Validators(Struct, frozen=True, kw_only=True):
    """ETag and Last-Modified as the origin gave them, byte for byte (RFC 9110 §8.8); None where it gave none."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        return self.etag is not None or self.last_modified is not None


class Request(Struct, frozen=True, kw_only=True):
    """One thing to ask: *url* exactly as configured. *validators* are sent to *validators_url* alone, on whatever hop
    that is met (None: *url* itself), for they belong to the address that gave them.
    """

    source_id: int
    url: str
    validators: Validators = Validators()
    validators_url: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    accept: str = "feed"  # "feed", "page", "json" or "any": which Accept header is sent
    timeout_s: float | None = None  # None: the desk's
    tag: object = None  # handed back untouched
    deltas: bool = False  # ask for a part (RFC 3229, `A-IM: feed`): only then may the answer be a 226
    as_is: bool = False  # every status is an Answer, redirects are not followed, only a short 2xx body is kept
    post: bytes | None = None  # a POST of this; *as_is*, no body of its answer is kept, else no redirect is followed


def posting(request: Request, body: str) -> Request:
    """Return *request* as a POST of *body*, JSON or a form by its looks; it has no conditions (RFC 9110 §13.1.2)."""
    kind = "application/json" if body.lstrip().startswith(("{", "[")) else "application/x-www-form-urlencoded"
    headers = (*request.headers, ("Content-Type", kind))
    return replace(request, post=body.encode(), headers=headers, validators=Validators())


class Redirect(Struct, frozen=True, kw_only=True):
    """One hop that was followed (RFC 9110 §15.4)."""

    status: int
    url: str
    target: str


class Answer(Struct, frozen=True, kw_only=True):
    """What an origin answered, whole. *status* is a 2xx with a document, 304 or 410; everything else is a FetchError,
    but to a request that takes the answer *as_is*.

    *headers* are the last hop's, names in lower case, in order. *body* is decoded and within its cap, empty on
    304 and 410. *validators* hold for *final_url* alone: stored, they are sent back with it as *validators_url*. Those
    of a 304 are complete: what it did not repeat is what was sent.
    """

    request: Request
    status: int
    final_url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    validators: Validators = Validators()
    redirects: tuple[Redirect, ...] = ()
    received_at: datetime
    wire_bytes: int = 0
    seconds: float = 0.0
    address: str = ""  # what was connected to, for `doctor` and debugging

    def header(self, name: str) -> str | None:
        """The value of the header *name* (lower case), several joined with ``, ``; None where absent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    @property
    def content_type(self) -> str | None:
        """What its Content-Type says; None where it has none."""
        return self.header("content-type")


# --------------------------------------------------------------------------- parse: what a document says

TextType = Literal["text", "html", "xhtml"]


class RawText(Struct, frozen=True, kw_only=True):
    """Text as a document gave it: *value* is plain text, or markup of *type*; *base* resolves links in it."""

    value: str
    type: TextType = "text"
    base: str = ""
    language: str | None = None


class Person(Struct, frozen=True, kw_only=True):
    """An author or contributor."""

    name: str = ""
    url: str | None = None
    email: str | None = None


class Category(Struct, frozen=True, kw_only=True):
    """A publisher's own label: *term*, the *scheme* (RSS: domain) it is from, *label* for people."""

    term: str
    scheme: str | None = None
    label: str | None = None


class Enclosure(Struct, frozen=True, kw_only=True):
    """A file that comes with an entry (RSS enclosure, Atom link rel=enclosure, JSON Feed attachment, media:content).

    Files with the same *group* above 0 are renditions of one thing (media:group), the best of them first.
    """

    url: str
    type: str = ""
    length_bytes: int | None = None
    title: str = ""
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    bitrate_kbps: float | None = None
    language: str | None = None
    description: str = ""
    credit: str = ""
    group: int = 0


class Image(Struct, frozen=True, kw_only=True):
    """A picture that stands for the entry (media:thumbnail, media:content, og:image, JSON Feed image, else the first
    true picture of the text). *alt* stands in its place, *caption* below it, *credit* names who made it; all plain.
    """

    url: str
    width: int | None = None
    height: int | None = None
    alt: str = ""
    caption: str = ""
    credit: str = ""


EpisodeKind = Literal["", "full", "trailer", "bonus"]


class Transcript(Struct, frozen=True, kw_only=True):
    """The words of an episode as a file (podcast:transcript). *captions*: timed, to be shown while it plays."""

    url: str
    type: str = ""
    language: str | None = None
    captions: bool = False


class Participant(Struct, frozen=True, kw_only=True):
    """Somebody heard or seen in an episode (podcast:person). *role* and *group* are words of the Podcast Taxonomy."""

    name: str
    role: str = ""
    group: str = ""
    url: str | None = None
    image_url: str | None = None


class Episode(Struct, frozen=True, kw_only=True):
    """What an entry says of itself as a part of a show (itunes:, podcast:). How long it is stands with its file.

    *number* counts within *season* and may lie between two whole ones; *label* is how it is written where that is no
    number. *title* is without number and show, where the entry's own has them. *subtitle* and *summary* are plain.
    *explicit* is None where nothing is said.
    """

    number: float | None = None
    label: str = ""
    season: int | None = None
    season_name: str = ""
    kind: EpisodeKind = ""
    explicit: bool | None = None
    title: str = ""
    subtitle: str = ""
    summary: str = ""
    image_url: str | None = None
    transcripts: tuple[Transcript, ...] = ()
    chapters_url: str | None = None
    chapters_type: str = ""
    people: tuple[Participant, ...] = ()


Shape = Literal["point", "line", "polygon", "box"]


class Place(Struct, frozen=True, kw_only=True):
    """Where an entry is about (GeoRSS Simple, geo:lat and geo:long, GML): pairs of latitude and longitude in degrees.

    A polygon ends with its first pair; a box has two, the lower corner first. *name* is the place's, "" for none.
    """

    shape: Shape
    points: tuple[tuple[float, float], ...]
    name: str = ""


class Origin(Struct, frozen=True, kw_only=True):
    """Whom an entry credits as first publisher; *url* of their site, *feed_url* and *feed_id* from atom:source."""

    name: str
    url: str | None = None
    feed_url: str | None = None
    feed_id: str | None = None


class Discussion(Struct, frozen=True, kw_only=True):
    """Where people talk about an entry: RSS comments, slash:comments, wfw:commentRss, link rel=replies (RFC 4685)."""

    url: str | None = None
    feed_url: str | None = None
    count: int | None = None


class Details(Struct, frozen=True, kw_only=True):
    """What stands beside title, text and dates: of an entry as parsed, as trusted, and of the article published."""

    language: str | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    origin: Origin | None = None
    publisher: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    image: Image | None = None
    episode: Episode | None = None
    place: Place | None = None
    discussion: Discussion | None = None
    rights: str | None = None
    via: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    noindex: bool = False


class ParsedEntry(Details, frozen=True, kw_only=True):
    """One entry as the document says it: nothing resolved, cleaned or believed yet.

    Dates are the document's own strings. *position* counts from 0 in document order.
    """

    position: int = 0
    entry_id: str | None = None
    id_is_permalink: bool = False
    link: str | None = None
    original_link: str | None = None  # feedburner:origLink, rel=canonical, og:url
    title: RawText | None = None
    summary: RawText | None = None
    content: RawText | None = None
    base: str = ""
    published: str | None = None
    updated: str | None = None
    breadcrumb: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()  # credit lines as printed, such as "Source: hindustantimes"
    notes: tuple[str, ...] = ()  # what the parser took out, and why, in words


class Hints(Struct, frozen=True, kw_only=True):
    """What a feed declares about its own rhythm: RSS ttl, skipHours (GMT), skipDays; sy:updatePeriod / Frequency."""

    ttl_s: float | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()  # Monday is 0
    update_period_s: float | None = None


class ParsedFeed(Struct, frozen=True, kw_only=True):
    """A document as it stood. *item_hashes* are those of all its items, in order, for the next poll's cut; *head_hash*
    is of the bytes around them without the feed's own dates, 0 where the document was not cut.

    *entries* leaves out items whose hash the caller already knew (*skipped* counts them). With nothing new at all the
    head is not read either: *head_parsed* is False, everything from *title* to *hints* is empty, and what was stored
    stands.
    """

    kind: str  # "rss20", "atom10", "json11", "document", "page", …
    title: str = ""
    link: str | None = None
    self_url: str | None = None
    feed_id: str | None = None
    language: str | None = None
    updated: str | None = None
    rights: str | None = None
    image_url: str | None = None
    authors: tuple[Person, ...] = ()
    hubs: tuple[str, ...] = ()
    next_archive: str | None = None
    hints: Hints = Hints()
    entries: tuple[ParsedEntry, ...] = ()
    item_hashes: tuple[int, ...] = ()  # unsigned 64 bit
    head_hash: int = 0  # unsigned 64 bit
    skipped: int = 0
    head_parsed: bool = True
    links: tuple[str, ...] = ()  # pages: article links found, in order
    date_order: Order | None = None  # how the document's dates in numbers are to be read, where only one order fits all
    broken_off: bool = False  # there is more than was read: what the document said of itself is not to be relied on
    killed: tuple[str, ...] = ()  # ids of articles that their agency takes back
    embargoes: tuple[str, ...] = ()  # until when nothing of it may be shown, in the document's words
    warnings: tuple[str, ...] = ()
