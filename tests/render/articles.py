"""Articles for the tests of render: one with everything, and hypothesis strategies for wild ones."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from feeds.model import Article, CopyNote
from feeds.parsed import Category, Discussion, Enclosure, Episode, Image, Origin, Participant, Person, Place, Transcript
from feeds.render import DeskContext, SectionContext

# A busy machine makes drawing slow; that says nothing about what is tested.
few = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
many = settings(few, max_examples=40)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DESK = DeskContext(base_url="https://wire.example.org", title="The Wire")
SECTION = SectionContext(
    path="news/world",
    title="World",
    description="All of it",
    base_url="https://wire.example.org",
    desk_title="The Wire",
)
FEED_ID = "urn:uuid:6f1d5f39-6c1b-5b5c-8f5e-0f1c9b1f3a10"


def make_article(number: int = 1, **changes: Any) -> Article:
    values: dict[str, Any] = {
        "uid": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        "link": f"https://example.org/{number}",
        "title": "Tide & time",
        "summary": "<p>They wait for no one.</p>",
        "content": "<p>They wait for no one, <b>ever</b>.</p>",
        "published": NOW,
        "updated": NOW,
        "rank_at": NOW,
        "source_name": "Example World",
        "source_url": "https://example.org/feed",
        "source_key": "example",
    }
    return Article(**(values | changes))


def full_article(number: int = 1, **changes: Any) -> Article:
    """An article in which every field says something."""
    values: dict[str, Any] = {
        "language": "de-AT",
        "authors": (Person(name="Ann Ä", email="ann@example.org", url="https://example.org/ann"), Person(name="Bob")),
        "contributors": (Person(name="Cy", url="https://example.org/cy"),),
        "categories": (
            Category(term="World", scheme="https://example.org/terms", label="The World"),
            Category(term="x"),
        ),
        "source_updated": NOW,
        "origin": Origin(
            name="Agency",
            url="https://agency.example",
            feed_url="https://agency.example/f",
            feed_id="tag:agency,2020:f",
        ),
        "publisher": "Example Ltd",
        "enclosures": (
            Enclosure(
                url="https://example.org/a.mp3", type="audio/mpeg", length_bytes=77, title="Talk", duration_s=61.0
            ),
            Enclosure(url="https://example.org/b.mp4", length_bytes=78),
        ),
        "image": Image(url="https://example.org/i.jpg", width=640, height=480, alt="A tide"),
        "discussion": Discussion(url="https://example.org/c", feed_url="https://example.org/cf", count=3),
        "rights": "© Example",
        "via": ("https://via.example/1",),
        "related": ("https://related.example/1",),
        "noindex": True,
        "copies": (
            CopyNote(source_name="Orig", link="https://orig.example/1", title="T", first_seen=NOW, original=True),
            CopyNote(source_name="Copy", link="https://copy.example/1", title="T", first_seen=NOW),
        ),
        "story_uid": "urn:uuid:00000000-0000-4000-9000-000000000001",
    }
    return make_article(number, **(values | changes))


# Characters that break feeds: markup, what XML forbids, what readers mistake, other scripts, our own slots.
NASTY = (
    "]]>", "<b>", "</item>", "</entry>", "<entry>", "<item>", "&", "&amp;", "&amp;amp;", "&lt;", "&#60;", '"', "'",
    "\n", "\t", "\r\n", "\x00", "\x0b", "\x1b", "\x85", "\ufffe", "\uffff", "\ufdd0title\ufdd1", "\ufdd1",
    "\u2028", "\u200f",
    "שלום", "مرحبا", "日本語", "😀", "👩‍👩‍👧", "é", "é", "\\", "\\u0000", "{", "}", "%", "%s", "\ud800", "\udfff",
    "<!--", "-->", "<![CDATA[", "<?xml?>", "x", "y z", " ",
)  # fmt: skip
wild_text = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=5)), max_size=6).map("".join)
wild_html = wild_text.map(lambda text: f"<p>{html.escape(text)}</p>") | wild_text | st.just("")
wild_url = st.one_of(
    wild_text.map(lambda text: f"https://example.org/{text}"),
    st.sampled_from(
        [
            "",
            "/relative",
            "javascript:alert(1)",
            "https://",
            "http://[::1",
            "https://user:pw@example.org/x",
            "ftp://a/b",
        ]
    ),
)
moments = st.integers(631152000, 4102444800).map(lambda second: datetime.fromtimestamp(second, UTC))
people = st.builds(Person, name=wild_text, url=st.none() | wild_url, email=st.none() | wild_text)
wild_episodes = st.builds(
    Episode,
    number=st.none() | st.integers(0, 9999).map(float) | st.sampled_from([1.5, 99999.25]),
    label=wild_text,
    season=st.none() | st.integers(1, 9999),
    season_name=wild_text,
    kind=st.sampled_from(["", "full", "trailer", "bonus"]),
    explicit=st.none() | st.booleans(),
    title=wild_text,
    subtitle=wild_text,
    summary=wild_text,
    image_url=st.none() | wild_url,
    transcripts=st.lists(
        st.builds(
            Transcript, url=wild_url, type=st.sampled_from(["", "text/vtt", "x"]), captions=st.booleans()
        ),
        max_size=2,
    ).map(tuple),
    chapters_url=st.none() | wild_url,
    chapters_type=st.sampled_from(["", "application/json+chapters"]),
    people=st.lists(
        st.builds(Participant, name=wild_text, role=wild_text, url=st.none() | wild_url), max_size=2
    ).map(tuple),
)  # fmt: skip
latitudes, longitudes = st.floats(-90, 90).map(lambda n: round(n, 7)), st.floats(-180, 180).map(lambda n: round(n, 7))
points = st.tuples(latitudes, longitudes)
places = st.one_of(
    st.builds(Place, shape=st.just("point"), points=st.tuples(points), name=wild_text),
    st.builds(Place, shape=st.just("line"), points=st.lists(points, min_size=2, max_size=4).map(tuple)),
    st.builds(
        Place,
        shape=st.just("polygon"),
        points=st.lists(points, min_size=3, max_size=4).map(lambda ring: (*ring, ring[0])),
    ),
    st.builds(
        Place,
        shape=st.just("box"),
        points=st.tuples(points, points).map(lambda two: tuple(sorted(two))),
    ),
)
uids = st.uuids().map(lambda value: f"urn:uuid:{value}")
wild_articles = st.builds(
    Article,
    uid=uids,
    link=st.none() | wild_url,
    title=wild_text,
    summary=wild_html,
    content=wild_html,
    language=st.none() | st.sampled_from(["en", "zh-Hant", "x y", ""]),
    authors=st.lists(people, max_size=2).map(tuple),
    contributors=st.lists(people, max_size=2).map(tuple),
    published=moments,
    updated=moments,
    rank_at=moments,
    categories=st.lists(
        st.builds(Category, term=wild_text, scheme=st.none() | wild_url, label=st.none() | wild_text), max_size=3
    ).map(tuple),
    source_name=wild_text,
    source_url=st.none() | wild_url,
    source_key=wild_text,
    source_updated=st.none() | moments,
    origin=st.none()
    | st.builds(
        Origin, name=wild_text, url=st.none() | wild_url, feed_url=st.none() | wild_url, feed_id=st.none() | wild_text
    ),
    publisher=st.none() | wild_text,
    enclosures=st.lists(
        st.builds(
            Enclosure,
            url=wild_url,
            type=st.sampled_from(["", "audio/mpeg", "nonsense"]),
            length_bytes=st.none() | st.integers(-1, 2**40),
            title=wild_text,
            duration_s=st.none() | st.floats(0.1, 1e6),
            width=st.none() | st.integers(1, 4000),
            bitrate_kbps=st.none() | st.floats(0.1, 1e5),
            language=st.none() | wild_text,
            description=wild_text,
            credit=wild_text,
            group=st.integers(0, 2),
        ),
        max_size=3,
    ).map(tuple),
    image=st.none()
    | st.builds(
        Image,
        url=wild_url,
        width=st.none() | st.integers(0, 4000),
        alt=wild_text,
        caption=wild_text,
        credit=wild_text,
    ),
    episode=st.none() | wild_episodes,
    place=st.none() | places,
    discussion=st.none()
    | st.builds(
        Discussion, url=st.none() | wild_url, feed_url=st.none() | wild_url, count=st.none() | st.integers(-1, 9)
    ),
    rights=st.none() | wild_text | wild_url,
    via=st.lists(wild_url, max_size=2).map(tuple),
    related=st.lists(wild_url, max_size=2).map(tuple),
    noindex=st.booleans(),
    copies=st.lists(
        st.builds(
            CopyNote,
            source_name=wild_text,
            link=st.none() | wild_url,
            title=wild_text,
            first_seen=moments,
            original=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    story_uid=st.none() | uids,
)
wild_sections = st.builds(
    SectionContext,
    path=st.sampled_from(["", "news", "news/world"]),
    title=wild_text,
    description=wild_text,
    language=st.sampled_from(["en", "de", ""]),
    base_url=st.just("https://wire.example.org"),
    max_age_s=st.integers(0, 10**6),
    image_url=st.none() | wild_url,
    icon_url=st.none() | wild_url,
    colour=st.sampled_from(["", "#0a5c36"]),
    rights=wild_text,
    desk_title=wild_text,
)
