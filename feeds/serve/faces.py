"""Articles and sections as pages show them: links, times in the desk's zone, short plain texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from feeds.dates import rfc3339, zone_of
from feeds.model import FORMATS, MEDIA_TYPES, Article, Image, Section
from feeds.players import informs_a_player
from feeds.serve.addresses import Addresses, document_path, story_path
from feeds.serve.playing import what_plays
from feeds.serve.reader import Desk
from feeds.store.values import StorySize
from feeds.text import plain

FORMAT_NAMES = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}
REDRAWN_MIN = 5
"""How long a page with relative times stands, in minutes; they are rounded to as much."""
_TEASER_CHARS = 260
_RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "ha-arab", "he", "iw", "khw", "ks", "ku-arab", "nqo", "pa-arab", "ps", "sd", "syr",
     "ug", "ur", "yi")
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A document as a link: *url* is the public address, to copy into a reader."""

    name: str
    media_type: str
    href: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """An article in a list."""

    title: str
    href: str
    page: str
    teaser: str
    when: str
    stamp: str
    source: str
    language: str | None
    direction: str
    copies: int
    elsewhere: bool
    image: Image | None = None
    plays: str = ""
    since: str = ""
    first_in: str = ""
    story: str | None = None
    story_href: str = ""
    story_size: int = 0
    series: bool = False
    others: tuple[Headline, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A section in the tree; *told_above*: it has articles, all of which stand higher up on the page."""

    title: str
    description: str
    href: str
    path: str
    feeds: tuple[Feed, ...]
    language: str | None
    direction: str = "ltr"
    children: tuple[Node, ...] = ()
    headlines: tuple[Headline, ...] = field(default=())
    told_above: bool = False


def direction(language: str | None) -> str:
    """Return how *language* (BCP 47) is written: "rtl" or "ltr".

    >>> direction("ar-EG"), direction("pa-Arab-PK"), direction("en"), direction(None)
    ('rtl', 'rtl', 'ltr', 'ltr')
    """
    parts = (language or "").lower().replace("_", "-").split("-")
    return "rtl" if parts[0] in _RIGHT_TO_LEFT or "-".join(parts[:2]) in _RIGHT_TO_LEFT else "ltr"


def in_words(moment: datetime, zone: tzinfo) -> str:
    """Return *moment* for people, in *zone*; absolute, so that a page stays true however long a cache keeps it."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def day_in_words(moment: datetime, zone: tzinfo) -> str:
    """Return the day of *moment* in *zone*, for people."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%B %Y}"


def in_relation(moment: datetime, now: datetime) -> str:
    """Return how long before *now* that was, in steps as coarse as pages are redrawn; "" for what is past a day.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> [in_relation(noon - timedelta(minutes=minutes), noon) for minutes in (-5, 4, 14, 59, 61, 1500)]
    ['', 'just in', '10 min ago', '55 min ago', '1 h ago', '']
    """
    minutes = int((now - moment).total_seconds() // 60)
    if not 0 <= minutes < 24 * 60:
        return ""
    step = minutes // REDRAWN_MIN * REDRAWN_MIN
    return f"{minutes // 60} h ago" if minutes >= 60 else f"{step} min ago" if step else "just in"


def feeds_of(path: str, addresses: Addresses) -> tuple[Feed, ...]:
    """Return the documents of a section, as links."""
    return tuple(
        Feed(
            name=FORMAT_NAMES[format],
            media_type=MEDIA_TYPES[format].partition(";")[0],
            href=addresses.local(document_path(path, format)),
            url=addresses.public(document_path(path, format)),
        )
        for format in FORMATS
    )


def picture_of(article: Article, desk: Desk) -> Image | None:
    """Return the picture of *article* that a page may show: none that calls a player's host which is not its source."""
    picture = article.image if desk.settings.publish.images else None
    return picture if picture is not None and not informs_a_player(picture.url, article.link) else None


def headline(
    article: Article,
    desk: Desk,
    addresses: Addresses,
    *,
    now: datetime | None = None,
    sizes: Mapping[str, StorySize] | None = None,
) -> Headline:
    """Return *article* as a line of a list: it links to its text here where there is one, else to where it is from.

    With *now* it says how long ago that was, too; *sizes* are those of stories, and one of several has a page.
    """
    size = (sizes or {}).get(article.story_uid or "", StorySize(0, 0))
    page = addresses.local(f"/article/{article.id}")
    elsewhere = bool(article.link) and not article.content
    return Headline(
        title=article.title or "Untitled",
        href=article.link if elsewhere and article.link else page,
        page=page,
        teaser=shortened(plain(article.summary or article.content), _TEASER_CHARS),
        when=in_words(article.published, zone_of(desk.settings.timezone)),
        stamp=rfc3339(article.published),
        source=article.source_name,
        language=article.language,
        direction=direction(article.language or desk.settings.language),
        copies=sum(not copy.original for copy in article.copies),
        elsewhere=elsewhere,
        image=picture_of(article, desk),
        plays=what_plays(article),
        since=in_relation(article.published, now) if now is not None else "",
        story=article.story_uid,
        story_href=addresses.local(story_path(article.story_uid)) if article.story_uid and size.articles > 1 else "",
        story_size=size.articles,
        series=size.series,
        first_in=next((copy.source_name for copy in article.copies if copy.original), ""),
    )


def grouped(headlines: Sequence[Headline], most: int = 4) -> list[Headline]:
    """Return *headlines* with those of one story below the first of them, at most *most*; the order stays else."""
    first: dict[str, int] = {}
    kept: list[Headline] = []
    for one in headlines:
        at = first.get(one.story) if one.story else None
        if at is None:
            if one.story:
                first[one.story] = len(kept)
            kept.append(one)
        elif len(kept[at].others) < most:
            kept[at] = replace(kept[at], others=(*kept[at].others, one))
    return kept


def shortened(text: str, most: int) -> str:
    """Return *text* in one line of at most *most* characters, cut between words where it has any.

    >>> shortened("one two three", 9)
    'one two …'
    """
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,.;:–-") + " …"


def tree(desk: Desk, addresses: Addresses) -> tuple[Node, ...]:
    """Return the top sections with all below them, in the order of config."""
    below: dict[str, list[Section]] = {}
    for section in desk.sections:
        if section.path:
            below.setdefault(section.parent or "", []).append(section)

    def grow(section: Section) -> Node:
        return node(section, addresses, children=tuple(grow(child) for child in below.get(section.path, ())))

    return tuple(grow(section) for section in below.get("", ()))


def node(
    section: Section,
    addresses: Addresses,
    *,
    children: tuple[Node, ...] = (),
    headlines: Sequence[Headline] = (),
) -> Node:
    """Return *section* as a node, with what is given of it."""
    return Node(
        title=section.title,
        description=section.description,
        href=addresses.local("/" + section.path),
        path=section.path,
        feeds=feeds_of(section.path, addresses),
        language=section.language,
        direction=direction(section.language),
        children=children,
        headlines=tuple(headlines),
    )
