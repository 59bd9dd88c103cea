"""What admins configure: the desk's settings, its sections and its sources, with what each key may say. Pure.

`settings/` reads, checks and explains the keys by these declarations alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from msgspec import Struct

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


class Limits(Struct, frozen=True):
    """What config may say for a number: from *least* to *most* of *unit*."""

    least: float
    most: float
    unit: str = ""


class Words(Struct, frozen=True):
    """What config may say for a text: at most *longest* characters, in one line, not empty unless said here."""

    longest: int
    empty: bool = False
    lines: bool = False


class Several(Struct, frozen=True):
    """How many values config may give for a list."""

    least: int = 0
    most: int = 10_000


class OrWord(Struct, frozen=True):
    """A *word* that config may say in the place of a value, and what it *means*."""

    word: str
    means: str | None = None


# A field that config gives says what it takes, then what it does: `settings` reads, checks and explains keys by that.
# A name in the place of limits is that of a form, such as an address or a time zone (`settings.forms.FORMS`).


class PollSettings(Struct, frozen=True, kw_only=True):
    """How often sources are asked; *per_host* transfers at once, *gap_s* between starts, over all of a host."""

    first_s: Annotated[float, Limits(1, WEEK_S, "seconds"), "how often a source of unknown rhythm is asked"] = 3600
    floor_s: Annotated[float, Limits(1, WEEK_S, "seconds"), "never ask a source more often than this"] = 300
    ceiling_s: Annotated[float, Limits(1, 30 * 86400, "seconds"), "never ask a healthy source more rarely"] = 86400
    per_host: Annotated[int, Limits(1, 100), "transfers from one host at the same time"] = 2
    gap_s: Annotated[float, Limits(0, 3600, "seconds"), "time between two starts at one host"] = 1
    retry_after_scope: Annotated[RateScope, "what waits when an origin answers with Retry-After"] = "host"


class FetchSettings(Struct, frozen=True, kw_only=True):
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


class DedupeSettings(Struct, frozen=True, kw_only=True):
    """What a new article is compared with: the newest of what came before, in memory of the deciding process."""

    days: Annotated[int, Limits(10, 400, "days"), "how old an article may be that a new one is compared with"] = 14
    articles: Annotated[int, Limits(1000, 10**8), "articles in memory at most, some 0.6 kB each"] = 1_000_000
    stories: Annotated[int, Limits(1000, 10**7), "stories in memory at most, 0.4 kB an article, eight of each"] = 50_000


class PublishSettings(Struct, frozen=True, kw_only=True):
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


class LicenceSettings(Struct, frozen=True, kw_only=True):
    """What machines may do with what is published (RSL 1.0); nothing is said where neither list has anything."""

    permits: Annotated[tuple[Usage, ...], "what everybody's programs may do with the desk's contents"] = ()
    prohibits: Annotated[tuple[Usage, ...], "what they may not do"] = ()
    payment: Annotated[Payment, "what is wanted for what is permitted"] = "free"
    terms: Annotated[str, "published address", "a page that says the same to people"] = ""

    def __bool__(self) -> bool:
        return bool(self.permits or self.prohibits)


class Notify(Struct, frozen=True, kw_only=True):
    """A webhook: *url* and *secret* as written, with `${NAME}` in them (see `settings.config.resolve_notify`)."""

    url: Annotated[str, "secret address", "where articles are sent to by POST, each as JSON; may hold ${NAME}"]
    sections: Annotated[
        tuple[str, ...], "path", "the sections whose articles are sent, instead of the whole desk's"
    ] = ()
    secret: Annotated[str, "secret", "what deliveries are signed with (HMAC-SHA256), such as ${NAME}"] = ""


class KeepRaw(Struct, frozen=True, kw_only=True):
    """Answers as they came, for `wiredesk replay`: those of *days*, beside the last one of each source."""

    days: Annotated[int, Limits(0, 365, "days"), "how long all answers are kept; 0: the last one of each source"] = 0
    bytes: Annotated[int, Limits(0, 2**40, "bytes"), "how much of them is kept in all, compressed"] = 268_435_456


class DigestSettings(Struct, frozen=True, kw_only=True):
    """The digest by mail: none is sent while *to* names nobody. *server* is as written, with `${NAME}` in it."""

    at: Annotated[str, "time of day", "when it is sent each day, by the desk's time zone"] = "07:00"
    to: Annotated[tuple[str, ...], "e-mail", Several(most=1000), "who gets it"] = ()
    sections: Annotated[tuple[str, ...], "path", "the sections that it tells of, instead of the whole desk"] = ()
    sender: Annotated[str, "e-mail", "from whom it is; `contact` where that is an e-mail address"] = ""
    server: Annotated[str, "mail server", "such as smtps://user:${PASSWORD}@smtp.example.org"] = ""


class Settings(Struct, frozen=True, kw_only=True):
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
        desk_hub = self.own_hub
        return (desk_hub,) if desk_hub else self.publish.hubs if self.publish.websub else ()


TermField = Literal[
    "source", "category", "breadcrumb", "path", "keywords", "title", "author", "language", "origin", "regex"
]


class Term(Struct, frozen=True, kw_only=True):
    """One condition: *field* of an entry is, or holds, one of *values*. *line* is where the admin wrote it."""

    field: TermField
    values: tuple[str, ...]
    line: int = 0


class Match(Struct, frozen=True, kw_only=True):
    """A rule: at least one of *any* (where there is one), each of *all*, and none of *none*. Nests."""

    any: tuple[Term | Match, ...] = ()
    all: tuple[Term | Match, ...] = ()
    none: tuple[Term | Match, ...] = ()


def terms_of(*rules: Term | Match) -> Iterator[Term]:
    """Every condition of *rules*, however deep; the last one first."""
    waiting = list(rules)
    while waiting:
        rule = waiting.pop()
        if isinstance(rule, Term):
            yield rule
        else:
            waiting += (*rule.any, *rule.all, *rule.none)


class Drop(Struct, frozen=True, kw_only=True):
    """What must never be published: *match*, of the source with the key *source* alone, or of all."""

    match: Match
    source: str | None = None
    line: int = 0


class Section(Struct, frozen=True, kw_only=True):
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


class Select(Struct, frozen=True, kw_only=True):
    """Where the articles of a page stand (CSS or XPath, see `feeds.conventions`), or those of JSON (JMESPath), and each
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


class Source(Struct, frozen=True, kw_only=True):
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
