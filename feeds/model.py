"""The values that the steps hand on: frozen dataclasses, one for each boundary. Pure.

Read from top to bottom this is the way of an article: what admins configure (Settings, Section, Source), what a
fetch gives (Request, Answer), what a document says (ParsedFeed, ParsedEntry), what is trustworthy (Entry), what
dedupe decides (Decision), where it is filed (Placement), what is published (Article, Document).

Every datetime is aware and UTC; every duration and size carries its unit in its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from feeds.dates import Order

# --------------------------------------------------------------------------- what admins configure

SourceKind = Literal["feed", "page", "sitemap", "json", "files", "mail"]
FullText = Literal["full", "summary", "link"]
OwnFullText = Literal["full", "fetch", "summary", "link"]
Copies = Literal["fold", "link", "show"]
RateScope = Literal["url", "host", "domain"]
RssDate = Literal["published", "updated"]
Usage = Literal["all", "ai-all", "ai-train", "ai-input", "ai-index", "search"]
Payment = Literal["free", "attribution", "contribution", "purchase", "subscription", "training", "crawl", "use"]
ReadBy = Literal["public", "tokens"]
RemovedFile = Literal["keep", "retract"]

DOCUMENTS: tuple[SourceKind, ...] = ("files", "mail")
"""Kinds whose articles come as documents of their own, and whose address is no reader's business."""

WEEK_S = 7 * 86400


@dataclass(frozen=True, slots=True)
class Limits:
    """What config may say for a number: from *least* to *most* of *unit*."""

    least: float
    most: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What config may say for a text: at most *longest* characters, in one line, not empty unless said here."""

    longest: int
    empty: bool = False
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Several:
    """How many values config may give for a list."""

    least: int = 0
    most: int = 10_000


@dataclass(frozen=True, slots=True)
class OrWord:
    """A *word* that config may say in the place of a value, and what it *means*."""

    word: str
    means: str | None = None


# A field that config gives says what it takes, then what it does: `settings` reads, checks and explains keys by that.
# A name in the place of limits is that of a form, such as an address or a time zone (`settings.forms.FORMS`).


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """How often sources are asked; *per_host* transfers at once, *gap_s* between starts, over all of a host."""

    first_s: Annotated[float, Limits(1, WEEK_S, "seconds"), "how often a source of unknown rhythm is asked"] = 3600
    floor_s: Annotated[float, Limits(1, WEEK_S, "seconds"), "never ask a source more often than this"] = 300
    ceiling_s: Annotated[float, Limits(1, 30 * 86400, "seconds"), "never ask a healthy source more rarely"] = 86400
    per_host: Annotated[int, Limits(1, 100), "transfers from one host at the same time"] = 2
    gap_s: Annotated[float, Limits(0, 3600, "seconds"), "time between two starts at one host"] = 1
    retry_after_scope: Annotated[RateScope, "what waits when an origin answers with Retry-After"] = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """The limits of one fetch. *allow_private* opens networks (``10.1.0.0/16``) or one address and port."""

    timeout_s: Annotated[float, Limits(1, 600, "seconds"), "the longest that one fetch may take in all"] = 30
    idle_s: Annotated[float, Limits(1, 600, "seconds"), "the longest silence within a fetch"] = 10
    max_body_bytes: Annotated[int, Limits(1024, 2**30, "bytes"), "the largest document, after decoding"] = 10_485_760
    max_header_bytes: Annotated[int, Limits(1024, 2**24, "bytes"), "the largest block of response headers"] = 65_536
    max_redirects: Annotated[int, Limits(0, 50), "how many redirects are followed"] = 10
    max_transfers: Annotated[int, Limits(1, 10_000), "transfers at the same time, over all hosts"] = 256
    ports: Annotated[tuple[int, ...], Limits(1, 65535), Several(1), "ports that may be connected to"] = (80, 443)
    allow_private: Annotated[
        tuple[str, ...], "network or port", "private networks, or addresses with port, that may be connected to"
    ] = ()
    proxy: Annotated[str | None, "proxy", "a proxy that all fetches go through"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeSettings:
    """What a new article is compared with: the newest of what came before, in memory of the deciding process."""

    days: Annotated[int, Limits(10, 400, "days"), "how old an article may be that a new one is compared with"] = 14
    articles: Annotated[int, Limits(1000, 10**8), "articles in memory at most, some 0.6 kB each"] = 1_000_000
    stories: Annotated[int, Limits(1000, 10**7), "stories in memory at most, 0.4 kB an article, eight of each"] = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSettings:
    """What documents hold and how long it is kept. 0 for *keep_days* or *keep_articles* means for ever."""

    entries: Annotated[int, Limits(1, 1000), "articles in a section's document"] = 50
    max_age_s: Annotated[int, Limits(0, 86400, "seconds"), "how long readers may keep a document (Cache-Control)"] = 300
    max_bytes: Annotated[int, Limits(100_000, 2**27, "bytes"), "the largest document: the oldest articles go"] = (
        2_000_000
    )
    max_entry_bytes: Annotated[
        int, Limits(10_000, 2**27, "bytes"), "the largest article in a document: its text ends after a sentence"
    ] = 1_000_000
    rss_date: Annotated[RssDate, "what RSS dates an article by, for consumers that judge edits by pubDate"] = (
        "published"
    )
    full_text: Annotated[FullText, "how much of an article is republished where its source does not say"] = "summary"
    keep_days: Annotated[int, Limits(0, 36500, "days"), "how long articles are kept; 0 for ever"] = 400
    keep_articles: Annotated[int, Limits(0, 10**9), "how many articles a section keeps; 0 for all"] = 0
    first_import: Annotated[int, Limits(0, 10_000), "how many articles of a new source's first answer are taken"] = 20
    websub: Annotated[bool, "whether documents name a WebSub hub: those of `hubs`, else the desk's own"] = True
    hubs: Annotated[
        tuple[str, ...],
        "published address",
        Several(most=20),
        "WebSub hubs in the place of the desk's own, told of each change",
    ] = ()
    indexnow: Annotated[
        tuple[str, ...],
        "published address",
        Several(most=5),
        "where search engines take IndexNow: told of each article",
    ] = ()
    images: Annotated[bool, "whether articles keep their pictures"] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceSettings:
    """What machines may do with what is published (RSL 1.0); nothing is said where neither list has anything."""

    permits: Annotated[tuple[Usage, ...], "what everybody's programs may do with the desk's contents"] = ()
    prohibits: Annotated[tuple[Usage, ...], "what they may not do"] = ()
    payment: Annotated[Payment, "what is wanted for what is permitted"] = "free"
    terms: Annotated[str, "published address", "a page that says the same to people"] = ""

    def __bool__(self) -> bool:
        return bool(self.permits or self.prohibits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A webhook: *url* and *secret* as written, with `${NAME}` in them (see `settings.config.resolve_notify`)."""

    url: Annotated[str, "secret address", "where articles are sent to by POST, each as JSON; may hold ${NAME}"]
    sections: Annotated[
        tuple[str, ...], "path", "the sections whose articles are sent, instead of the whole desk's"
    ] = ()
    secret: Annotated[str, "secret", "what deliveries are signed with (HMAC-SHA256), such as ${NAME}"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRaw:
    """Answers as they came, for `wiredesk replay`: those of *days*, beside the last one of each source."""

    days: Annotated[int, Limits(0, 365, "days"), "how long all answers are kept; 0: the last one of each source"] = 0
    bytes: Annotated[int, Limits(0, 2**40, "bytes"), "how much of them is kept in all, compressed"] = 268_435_456


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """The digest by mail: none is sent while *to* names nobody. *server* is as written, with `${NAME}` in it."""

    at: Annotated[str, "time of day", "when it is sent each day, by the desk's time zone"] = "07:00"
    to: Annotated[tuple[str, ...], "e-mail", Several(most=1000), "who gets it"] = ()
    sections: Annotated[tuple[str, ...], "path", "the sections that it tells of, instead of the whole desk"] = ()
    sender: Annotated[str, "e-mail", "from whom it is; `contact` where that is an e-mail address"] = ""
    server: Annotated[str, "mail server", "such as smtps://user:${PASSWORD}@smtp.example.org"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`wiredesk.yaml`: the desk as a whole. *base_url* never ends in a slash; *learn_at* is by the desk's time zone,
    "never" where admins learn by hand.
    """

    title: Annotated[str, Words(200), "the name of the desk"] = "Wiredesk"
    description: Annotated[str, Words(1000, empty=True, lines=True), "what the desk is, in a sentence"] = ""
    copyright: Annotated[str, Words(500, empty=True), "who holds the rights, told by every document"] = ""
    image: Annotated[str, "published address", "a picture for the desk (PNG, JPEG or GIF), shown by readers"] = ""
    base_url: Annotated[str, "base url", "the desk's public address: what feeds and pages call themselves"] = (
        "http://127.0.0.1:8080"
    )
    contact: Annotated[str, "contact", "an e-mail address or page, told to sources in the User-Agent"] = ""
    language: Annotated[str, "language", "the desk's language, for sources that do not say"] = "en"
    timezone: Annotated[str, "zone", "for source dates without a zone, and for pages"] = "UTC"
    poll: Annotated[PollSettings, "how often sources are asked"] = PollSettings()
    fetch: Annotated[FetchSettings, "the limits of one fetch"] = FetchSettings()
    publish: Annotated[PublishSettings, "what documents hold, and how long it is kept"] = PublishSettings()
    dedupe: Annotated[DedupeSettings, "what a new article is compared with"] = DedupeSettings()
    licence: Annotated[LicenceSettings, "what machines may do with what is published (RSL)"] = LicenceSettings()
    notify: Annotated[tuple[Notify, ...], Several(most=50), "webhooks: who is told of each article"] = ()
    keep_raw: Annotated[KeepRaw, "answers that are kept as they came"] = KeepRaw()
    digest: Annotated[DigestSettings, "the digest by mail"] = DigestSettings()
    trusted_proxies: Annotated[tuple[str, ...], "network", "proxies whose X-Forwarded headers are believed"] = ()
    learn_at: Annotated[
        str,
        "time of day",
        OrWord("never", "never"),
        "when the classifier learns anew each day, where a section is to learn",
    ] = "03:30"

    @property
    def licence_url(self) -> str | None:
        """Where the desk says its terms to machines; None where it says none."""
        return f"{self.base_url}/licence.xml" if self.licence else None

    @property
    def own_hub(self) -> str | None:
        """The address of the desk's own WebSub hub; None where outside hubs are named, or none is wanted."""
        return f"{self.base_url}/websub" if self.publish.websub and not self.publish.hubs else None

    @property
    def hubs(self) -> tuple[str, ...]:
        """The WebSub hubs that documents name."""
        own = self.own_hub
        return (own,) if own else self.publish.hubs if self.publish.websub else ()


TermField = Literal[
    "source", "category", "breadcrumb", "path", "keywords", "title", "author", "language", "origin", "regex"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition: *field* of an entry is, or holds, one of *values*. *line* is where the admin wrote it."""

    field: TermField
    values: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule: at least one of *any* (where there is one), each of *all*, and none of *none*. Nests."""

    any: tuple[Term | Match, ...] = ()
    all: tuple[Term | Match, ...] = ()
    none: tuple[Term | Match, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """What must never be published: *match*, of the source with the key *source* alone, or of all."""

    match: Match
    source: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A node of the tree that admins define. *path* joins the keys with ``/``; the whole desk has the path ``""``."""

    path: str
    title: Annotated[str, Words(200), "the section's name for people"]
    description: Annotated[str, Words(1000, empty=True, lines=True), "what the section holds, in a sentence"] = ""
    match: Annotated[Match | None, "rules", "the rule that files articles here, whatever their source"] = None
    include_children: Annotated[bool, "whether articles of the sections below show here too"] = False
    exclusive: Annotated[bool, "whether an article filed here stays out of every other section"] = False
    priority: Annotated[int, Limits(-1000, 1000), "which section goes first where only one can have an article"] = 0
    limit: Annotated[int | None, Limits(1, 1000), "articles in this section's document, instead of publish.entries"] = (
        None
    )
    max_bytes: Annotated[
        int | None,
        Limits(100_000, 2**27, "bytes"),
        "the largest document of this section, instead of publish.max_bytes",
    ] = None
    copies: Annotated[Copies, "what becomes of copies of an article shown here"] = "fold"
    learned_precision: float | None = None
    moved_from: Annotated[tuple[str, ...], "path", "earlier paths of this section, redirected to it"] = ()
    language: Annotated[str | None, "language", "the section's language, instead of the desk's"] = None
    icon: Annotated[
        str, "published address", "a small square picture for the section (PNG or SVG), shown by readers"
    ] = ""
    colour: Annotated[str, "colour", "the section's colour in readers and browsers, as #rrggbb"] = ""
    access: Annotated[ReadBy, "who reads this section and those below: everybody, or who has a token"] = "public"

    @property
    def private(self) -> bool:
        """Whether it takes a token to read it; `settings` says so of every section below a private one."""
        return self.access == "tokens"

    @property
    def parent(self) -> str | None:
        """The path of the section above, ``""`` for a top one, None for the whole desk."""
        return None if not self.path else self.path.rpartition("/")[0]


UNFILED = "unfiled"
"""The path under which articles wait that no rule files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Where the articles of a page stand (CSS or XPath, see `feeds.selectors`), or those of JSON (JMESPath), and each
    part within an article; ``""`` for what is not taken. *item* is called `items` for JSON.
    """

    item: Annotated[str, Words(1000), "each article on the page, or the list of them in JSON"]
    id: Annotated[str, Words(1000), "an identity that stays when the address changes"] = ""
    title: Annotated[str, Words(1000), "its headline"] = ""
    link: Annotated[str, Words(1000), "its address; without one it is shown by the desk"] = ""
    date: Annotated[str, Words(1000), "when it was published, in almost any words, relative ones too"] = ""
    text: Annotated[str, Words(1000), "its text, or what stands there of it"] = ""
    picture: Annotated[str, Words(1000), "its picture"] = ""
    author: Annotated[str, Words(1000), "who wrote it"] = ""
    category: Annotated[str, Words(1000), "its categories"] = ""
    date_format: Annotated[str, Words(100), "how dates are written, by strptime, where that is not plain: %d.%m.%y"] = (
        ""
    )
    next: Annotated[str, Words(1000), "the address of the next page of the list"] = ""
    pages: Annotated[int, Limits(1, 20, "pages"), "how many pages are asked for at most, the first counted in"] = 3
    script: Annotated[str, Words(1000), "where JSON stands in a page: script#__NEXT_DATA__"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source as configured. *key* is its identity (`id:`, else its name); *id* is the store's, 0 before it has one.

    *target* is the address to fetch, or for kind ``files`` the glob relative to the config folder.
    *headers* and *post* may hold secrets: never print or store them outside the accepted config.
    """

    key: str
    name: Annotated[str, Words(200), "the source's name, shown to readers; its identity where it has no id"]
    kind: SourceKind
    target: str
    id: int = 0
    section: Annotated[str | None, "one path", "the path of the section that all its articles are filed in"] = None
    enabled: Annotated[bool, "false rests the source; what it brought stays"] = True
    interval_s: Annotated[
        float | None, Limits(1, 4 * WEEK_S, "seconds"), OrWord("auto"), "how often it is asked: auto follows its rhythm"
    ] = None
    headers: Annotated[
        tuple[tuple[str, str], ...], "headers", "request headers; ${NAME} in a value comes from the environment"
    ] = ()
    full_text: Annotated[
        OwnFullText | None, "how much of its articles is republished; fetch: full, and a short feed's from their pages"
    ] = None
    language: Annotated[str | None, "language", "the language of its articles, where they do not say"] = None
    timezone: Annotated[str | None, "zone", "for its dates without a zone, instead of the desk's"] = None
    priority: Annotated[int, Limits(-1000, 1000), "of several copies, that of the highest source is the original"] = 0
    ignore_validators: Annotated[bool, "ask for the whole document always, for origins whose validators lie"] = False
    line: int = 0
    follow: Annotated[tuple[str, ...], Words(1000), "folders that links among its documents may lead to"] = ()
    select: Annotated[Select | None, "selectors", "where on a page, or in JSON, its articles stand"] = None
    post: Annotated[
        str, Words(100_000, lines=True), "a body to ask with by POST; ${NAME} in it comes from the environment"
    ] = ""
    senders: tuple[str, ...] = ()  # whose letters are taken: patterns of addresses, or list:ID
    digest: Annotated[bool, "whether each letter is a digest, to be cut into its articles at its headings"] = False
    mark_read: Annotated[bool, "whether letters that are taken are marked as read; none is ever deleted"] = False
    removed: Annotated[RemovedFile, "what becomes of the article of a document that is removed"] = "keep"

    @property
    def is_imap(self) -> bool:
        """Whether it is a mailbox on a server, and no folder of this machine."""
        return self.kind == "mail" and "://" in self.target

    @property
    def has_entries(self) -> bool:
        """Whether what is asked for holds entries, and not links to articles alone."""
        return self.kind == "feed" or self.select is not None

    @property
    def rights(self) -> FullText | None:
        """How much of its articles is republished; None where the desk decides."""
        return "full" if self.full_text == "fetch" else self.full_text


def renames(present: Sequence[Any], wanted: Sequence[Source]) -> dict[str, str]:
    """Key in *wanted* → key in *present*, of each source that is at the same address under another name.

    Of several that were at one address the last of *present* is meant.
    """
    known, kept = {one.key for one in present}, {one.key for one in wanted}
    free = {(one.kind, one.target): one.key for one in present if one.key not in kept}
    new = [one for one in wanted if one.key not in known and (one.kind, one.target) in free]
    return {one.key: free.pop((one.kind, one.target)) for one in new if (one.kind, one.target) in free}


# --------------------------------------------------------------------------- fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """ETag and Last-Modified as the origin gave them, byte for byte (RFC 9110 §8.8); None where it gave none."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        return self.etag is not None or self.last_modified is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One hop that was followed (RFC 9110 §15.4)."""

    status: int
    url: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
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


# --------------------------------------------------------------------------- parse: what a document says

TextType = Literal["text", "html", "xhtml"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawText:
    """Text as a document gave it: *value* is plain text, or markup of *type*; *base* resolves links in it."""

    value: str
    type: TextType = "text"
    base: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author or contributor."""

    name: str = ""
    url: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A publisher's own label: *term*, the *scheme* (RSS: domain) it is from, *label* for people."""

    term: str
    scheme: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The words of an episode as a file (podcast:transcript). *captions*: timed, to be shown while it plays."""

    url: str
    type: str = ""
    language: str | None = None
    captions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody heard or seen in an episode (podcast:person). *role* and *group* are words of the Podcast Taxonomy."""

    name: str
    role: str = ""
    group: str = ""
    url: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an entry is about (GeoRSS Simple, geo:lat and geo:long, GML): pairs of latitude and longitude in degrees.

    A polygon ends with its first pair; a box has two, the lower corner first. *name* is the place's, "" for none.
    """

    shape: Shape
    points: tuple[tuple[float, float], ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whom an entry credits as first publisher; *url* of their site, *feed_url* and *feed_id* from atom:source."""

    name: str
    url: str | None = None
    feed_url: str | None = None
    feed_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussion:
    """Where people talk about an entry: RSS comments, slash:comments, wfw:commentRss, link rel=replies (RFC 4685)."""

    url: str | None = None
    feed_url: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
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
    language: str | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    published: str | None = None
    updated: str | None = None
    categories: tuple[Category, ...] = ()
    breadcrumb: tuple[str, ...] = ()
    origin: Origin | None = None
    credits: tuple[str, ...] = ()  # credit lines as printed, such as "Source: hindustantimes"
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
    notes: tuple[str, ...] = ()  # what the parser took out, and why, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a feed declares about its own rhythm: RSS ttl, skipHours (GMT), skipDays; sy:updatePeriod / Frequency."""

    ttl_s: float | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()  # Monday is 0
    update_period_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
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
    whole_parse: bool = True  # False where only the head and new items were given to feedparser
    links: tuple[str, ...] = ()  # pages: article links found, in order
    date_order: Order | None = None  # how the document's dates in numbers are to be read, where only one order fits all
    broken_off: bool = False  # the document ends too early: what it said of itself is not to be relied on
    killed: tuple[str, ...] = ()  # ids of articles that their agency takes back
    embargoes: tuple[str, ...] = ()  # until when nothing of it may be shown, in the document's words
    warnings: tuple[str, ...] = ()


# --------------------------------------------------------------------------- normalise: what can be trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry made trustworthy: plain or sanitised text, absolute http(s) links, aware UTC dates.

    *key* identifies it within its source (criteria G1): entry id, else comparable link, else a hash of its text.
    *title* and *text* are plain. *summary* and *content* are sanitised HTML, safe to show as they are.
    *published* and *updated* are None where the source gave none that can be believed. *text_hash* is of the
    folded text and 0 where there is too little of it to compare; *content_hash* changes with anything shown.
    *feed_hash* is the *content_hash* as its feed had it where the text is that of its page, else 0.
    """

    key: str
    entry_id: str | None = None
    link: str | None = None
    comparable: str | None = None  # comparable_url of the canonical address, else of the link
    canonical_url: str | None = None
    title: str
    summary: str = ""
    content: str = ""
    text: str = ""
    language: str | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    categories: tuple[Category, ...] = ()
    breadcrumb: tuple[str, ...] = ()
    origin: Origin | None = None
    credits: tuple[str, ...] = ()
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
    position: int = 0
    text_hash: int = 0
    content_hash: int = 0
    feed_hash: int = 0
    warnings: tuple[str, ...] = ()


FILING_FIELDS = frozenset(
    (
        "key",
        "title",
        "text",
        "link",
        "canonical_url",
        "language",
        "authors",
        "categories",
        "breadcrumb",
        "origin",
        "published",
    )
)
"""What filing may ask of an entry; of one that is filed again the rest is not read from the store."""

LINEAGE_FIELDS = frozenset(
    ("key", "title", "text", "link", "canonical_url", "authors", "origin", "credits", "published", "noindex")
)
"""What may tell which entry of an article is the original; of the others of a copy the rest is not read either."""


# --------------------------------------------------------------------------- dedupe: seen, updated, copy, new


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why something was decided: *kind* such as ``entry-id``, ``url``, ``text``, ``near``; *detail* for people."""

    kind: str
    detail: str = ""
    score: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What of a document stands beside the entries that were read. *window* counts all of its items, known ones that
    were left out included; *addresses* are those of the entries that items left out give too, under other titles.
    *left_out* are the items themselves: `feeds.text.short_hash` of key and of title.
    """

    window: int = 0
    addresses: frozenset[str] = frozenset()
    left_out: frozenset[tuple[int, int]] = frozenset()


NOTHING_BESIDE = Beside()
"""Where nothing was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """An entry that the store already has. *signature* is what its `Decision` carried, empty where none was kept."""

    key: str
    source_id: int
    article_uid: str
    entry_id: str | None
    comparable: str | None
    title: str
    text_hash: int
    content_hash: int
    published: datetime | None = None
    first_seen: datetime
    signature: bytes = b""


class StoredSignature(NamedTuple):
    """What the text of a stored entry is compared by. *copy* is False for the entry that made its article.

    Pass *id*, the number of its row, to go on behind it.
    """

    id: int
    article_uid: str
    source_id: int
    signature: bytes
    first_seen: datetime
    published: datetime | None = None
    copy: bool = False
    story_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store already has of a batch of entries: all that `dedupe` may ask, fetched in a few queries.

    *entries* by (source id, key). *by_comparable* and *by_text* give article uids. *recent* are each source's newest
    entries, for sources whose ids move. *refused* holds the tombstones met: (source id, key) pairs, comparable
    URLs and text hashes that must never come back as new.
    """

    entries: Mapping[tuple[int, str], KnownEntry] = field(default_factory=dict)
    by_comparable: Mapping[str, str] = field(default_factory=dict)
    by_text: Mapping[int, str] = field(default_factory=dict)
    recent: Mapping[int, tuple[KnownEntry, ...]] = field(default_factory=dict)
    refused: frozenset[tuple[int, str] | str | int] = frozenset()


DecisionKind = Literal["seen", "updated", "copy", "new", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one entry. *article_uid* is the article's, made here for a new one.

    ``seen``: nothing changed. ``updated``: the entry's text changed (*significant* moves `updated`).
    ``copy``: another entry already brought this article. ``refused``: a tombstone forbids it.
    *known_key* is the stored entry's key where it differs from the entry's own (ids that change at every fetch).
    *signature* is a sketch of title and text, to be kept with the entry: near copies are found by it after a restart.
    *parts* are articles whose text stands in the entry's, *wholes* those that the entry's stands in; copies of none.
    *apart* are articles of which the entry's was a part or the whole, and is no more.
    """

    kind: DecisionKind
    entry: Entry
    article_uid: str
    source_id: int
    known_key: str | None = None
    significant: bool = False
    story_uid: str | None = None
    signature: bytes = b""
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Containment:
    """What is kept of two articles, of which one contains the other: the signatures of their entries, by source id and
    key; empty where none was kept."""

    whole_uid: str
    part_uid: str
    wholes: Mapping[tuple[int, str], bytes]
    parts: Mapping[tuple[int, str], bytes]


# --------------------------------------------------------------------------- file: where, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A section that an entry belongs in, and why. *by*: rule, breadcrumb, source, category, path, learned, child.

    *by* `DROPPED` or `DROPPED_AT_SOURCE` it belongs in none; its *section* is `UNFILED` then.
    """

    section: str
    by: str
    reason: str
    probability: float | None = None


WHOLE_DESK = Placement(section="", by="child", reason="the whole desk")
"""Where everything that is published belongs."""
DROPPED, DROPPED_AT_SOURCE = "drop", "source-drop"
"""`Placement.by` of what a `drop:` rule keeps from being published, everywhere or of one source."""


def dropped(placements: Iterable[Placement]) -> Placement | None:
    """The placement that keeps an article with all these from being published; None where none does.

    What the whole desk drops is published nowhere, whoever has a copy; what one source's rule drops may come from
    another source.
    """
    of_a_source = None
    elsewhere = False
    for placement in placements:
        if placement.by == DROPPED:
            return placement
        if placement.by == DROPPED_AT_SOURCE:
            of_a_source = of_a_source or placement
        else:
            elsewhere = True
    return None if elsewhere else of_a_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """An article put in a section, as stored. *sequence* is the section's counter when it last changed there.

    *number* is its place in the order of filing, by which archive pages are cut.
    """

    section: str
    article_uid: str
    by: str
    reason: str
    probability: float | None = None
    rank_at: datetime
    sequence: int
    number: int = 0
    filed_at: datetime


# --------------------------------------------------------------------------- what is published


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyNote:
    """One copy of an article, as readers may see it."""

    source_name: str
    link: str | None
    title: str
    first_seen: datetime
    original: bool = False
    why: str = ""  # how it was recognised, or why it is the original


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another article that one contains, or is contained in, as readers may see it."""

    uid: str
    link: str | None
    title: str

    @property
    def id(self) -> str:
        """The bare UUID, as it stands in `/article/ID`."""
        return self.uid.removeprefix("urn:uuid:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The thing published: what one or more entries say. Everything that render needs, rights already applied.

    *uid* is ``urn:uuid:…`` and never changes. *link* is the permalink, None for a document without address (then
    `/article/ID` is linked). *published* is the date shown; *updated* the last significant change.
    *summary* and *content* are sanitised HTML, already cut down to what the rights of its source allow, *full_text*;
    so are picture and episode. *source_site* is given where the source's address may hold a secret, and *source_url* is
    none. *series*, of a story as one entry: one source alone tells it.
    """

    uid: str
    link: str | None
    title: str
    summary: str = ""
    content: str = ""
    language: str | None = None
    authors: tuple[Person, ...] = ()
    contributors: tuple[Person, ...] = ()
    published: datetime
    updated: datetime
    rank_at: datetime
    categories: tuple[Category, ...] = ()
    source_name: str = ""
    source_url: str | None = None
    source_site: str | None = None
    source_key: str = ""
    source_updated: datetime | None = None
    full_text: FullText = "full"
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
    copies: tuple[CopyNote, ...] = ()
    contains: tuple[Related, ...] = ()
    contained_in: tuple[Related, ...] = ()
    story_uid: str | None = None
    series: bool = False
    sections: tuple[str, ...] = ()
    sequence: int = 0
    revision: int = 0  # counts what changed of all this; a fragment of another revision is out of date

    @property
    def id(self) -> str:
        """The bare UUID, as it stands in `/article/ID`."""
        return self.uid.removeprefix("urn:uuid:")


Format = Literal["rss", "atom", "json"]
FORMATS: tuple[Format, ...] = ("rss", "atom", "json")
MEDIA_TYPES: dict[Format, str] = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The bytes of a feed around its entries: head + separator.join(fragments) + tail. See `feeds.frames`.

    The placeholders that `frames.assemble` fills stand in *head* and *tail*.
    """

    format: Format
    head: bytes
    tail: bytes
    separator: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One article in one format: the bytes that feedgen made of it once.

    *version* is render's own, *revision* the article's that it was made of; None: the one that is stored now.
    """

    article_uid: str
    format: Format
    version: int
    body: bytes
    updated: datetime
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The finished bytes of one section in one format, with its validators.

    *etag* is the opaque part without quotes, ``<sequence>-<hash>``; coded variants append ``.gz`` or ``.br``.
    *last_modified* is when these bytes last changed. *gzip* and *brotli* are None where coding does not pay.
    """

    path: str
    format: Format
    media_type: str
    sequence: int
    etag: str
    last_modified: datetime
    body: bytes
    gzip: bytes | None = None
    brotli: bytes | None = None
    article_uids: tuple[str, ...] = field(default=())
