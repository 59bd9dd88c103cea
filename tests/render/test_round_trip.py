"""What a common reader reads back is what the article says: feedparser for RSS and Atom, json for JSON Feed."""

from __future__ import annotations

import html
import io
import json
import time
from calendar import timegm
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.configuration import Source
from feeds.frames import legal
from feeds.model import FORMATS, Article, Entry, Format
from feeds.normalise import normalise
from feeds.normalise.entry_media import place_of
from feeds.parse import parse as parse_feed
from feeds.parsed import Category, Enclosure, Episode, Image, Participant, Person, Place, Transcript
from feeds.render.printable import line
from tests.render.articles import NASTY, NOW, SECTION, full_article, make_article, many, moments, places
from tests.render.documents import render_document
from tests.validator import check


def once_encoded(text: str) -> bool:
    """Whether feedparser leaves *text* alone: it decodes again what looks like UTF-8 read as Latin-1."""
    try:
        return text.encode("iso-8859-1").decode() == text
    except UnicodeError:
        return True


# Words as they leave normalise: legal, one line, something in it; and HTML that is such words, escaped.
words = (
    st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=6)), min_size=1, max_size=6)
    .map("".join)
    .map(line)
    .filter(bool)
    .filter(once_encoded)
)
markup = words.map(lambda text: f"<p>{html.escape(text)}</p>")
articles = st.builds(
    make_article,
    number=st.integers(1, 999),
    title=words,
    summary=markup,
    content=markup,
    published=moments,
    updated=moments,
    authors=st.lists(st.builds(Person, name=words), min_size=1, max_size=3, unique_by=lambda p: p.name).map(tuple),
    categories=st.lists(st.builds(Category, term=words), max_size=3, unique_by=lambda c: c.term).map(tuple),
    enclosures=st.lists(
        st.builds(
            Enclosure,
            url=st.integers(1, 99).map("https://example.org/{}.mp3".format),
            type=st.just("audio/mpeg"),
            length_bytes=st.integers(1, 2**40),
        ),
        max_size=1,
    ).map(tuple),
)


def parse(format: Format, *given: Article) -> Any:
    body = render_document(SECTION, given, format)
    if format == "json":
        return json.loads(body)
    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo
    assert parsed.version == {"rss": "rss20", "atom": "atom10"}[format]
    return parsed


def moment(parsed: time.struct_time) -> datetime:
    return datetime.fromtimestamp(timegm(parsed), UTC)


def text(detail: Any) -> str:
    """What a reader shows of a text: HTML, or what was sniffed to be HTML, without its escapes."""
    return html.unescape(detail.value) if detail.type != "text/plain" else str(detail.value)


@pytest.mark.parametrize("format", ["rss", "atom"])
@given(article=articles)
@many
def test_feedparser_reads_every_field_back(format: Format, article: Article) -> None:
    (entry,) = parse(format, article).entries
    assert entry.id == article.uid
    assert entry.link == article.link
    assert text(entry.title_detail) == article.title
    assert moment(entry.published_parsed) == article.published
    assert [author.name for author in entry.authors] == [author.name for author in article.authors]
    assert [tag.term for tag in entry.get("tags", [])] == [category.term for category in article.categories]
    assert entry.summary == article.summary
    assert [content.value for content in entry.content] == [article.content]
    assert [content.type for content in entry.content] == ["text/html"]
    found = [(file.href, file.type, int(file.length)) for file in entry.enclosures]
    assert found == [(file.url, file.type, file.length_bytes) for file in article.enclosures]
    if format == "atom" or article.updated > article.published:
        assert moment(entry.updated_parsed) == article.updated


@given(article=articles)
@many
def test_json_is_read_back_in_every_field(article: Article) -> None:
    (item,) = parse("json", article)["items"]
    assert item["id"] == article.uid
    assert item["url"] == article.link
    assert item["title"] == article.title
    assert datetime.fromisoformat(item["date_published"]) == article.published
    assert datetime.fromisoformat(item["date_modified"]) == article.updated
    assert [author["name"] for author in item["authors"]] == [author.name for author in article.authors]
    assert item.get("tags", []) == [category.term for category in article.categories]
    assert item["content_html"] == article.content
    found = [(file["url"], file["mime_type"], file["size_in_bytes"]) for file in item.get("attachments", [])]
    assert found == [(file.url, file.type, file.length_bytes) for file in article.enclosures]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("title", ["Tide & time", "AT&amp;T", "5 < 6", "a ]]> b", "&amp;amp;"])
def test_another_desk_reads_an_article_as_this_one_published_it(format: Format, title: str) -> None:
    article = full_article(title=title, summary="", updated=NOW + timedelta(hours=1))
    body = render_document(SECTION, [article], format)
    source = Source(key="wire", name="The Wire", kind="feed", target=SECTION.url(format), id=1)
    parsed = parse_feed(body, url=source.target)
    (entry,) = normalise(
        parsed,
        source=source,
        url=source.target,
        received_at=NOW + timedelta(days=1),
        desk_language="en",
        desk_timezone="UTC",
    ).entries
    alike = ("link", "title", "language", "published", "updated")
    assert {name: getattr(entry, name) for name in alike} == {name: getattr(article, name) for name in alike}
    assert entry.entry_id == article.uid
    assert article.content in (entry.content, entry.summary)
    assert [author.name for author in entry.authors] == [author.name for author in article.authors]
    assert [category.term for category in entry.categories] == [category.term for category in article.categories]
    assert [file.url for file in entry.enclosures] == [file.url for file in article.enclosures]
    assert entry.image is not None and article.image is not None and entry.image.url == article.image.url
    if format != "json":
        assert entry.origin is not None and entry.origin.name == "Agency"
        assert (entry.discussion, entry.rights, entry.noindex) == (article.discussion, article.rights, True)


whole = st.integers(1, 9999)
addresses = st.integers(1, 99).map("https://example.org/file/{}".format)
sentences = words.map(lambda text: f"Facts: {text}"[:200].strip())
episodes = st.builds(
    Episode,
    number=whole.map(float) | st.sampled_from([0.0, 1.5, 12.25]),
    season=st.none() | whole,
    kind=st.sampled_from(["", "full", "trailer", "bonus"]),
    explicit=st.none() | st.booleans(),
    image_url=st.none() | addresses,
    transcripts=st.lists(
        st.builds(
            Transcript,
            url=addresses,
            type=st.sampled_from(["text/vtt", "application/x-subrip"]),
            language=st.none() | st.sampled_from(["en", "de-AT"]),
            captions=st.booleans(),
        ),
        max_size=3,
        unique_by=lambda each: (each.url, each.type),
    ).map(tuple),
    chapters_url=st.just("https://example.org/chapters.json"),
    chapters_type=st.just("application/json+chapters"),
    people=st.lists(
        st.builds(
            Participant,
            name=st.sampled_from(["Ann", "Bo Ä", "李"]),
            role=st.sampled_from(["", "Guest", "host"]),
            group=st.sampled_from(["", "cast"]),
            url=st.none() | addresses,
            image_url=st.none() | addresses,
        ),
        max_size=3,
        unique_by=lambda each: each.name,
    ).map(tuple),
)
episodic = st.builds(
    make_article,
    episode=episodes,
    place=st.none() | places.map(lambda place: replace(place, name="The Bay" if place.name else "")),
    image=st.none()
    | st.builds(
        Image,
        url=addresses,
        width=st.none() | st.integers(2, 4000),
        caption=st.just("What it shows"),
        credit=st.sampled_from(["", "Ann & Bo"]),
    ),
    enclosures=st.lists(
        st.builds(
            Enclosure,
            url=st.integers(1, 99).map("https://example.org/{}.mp4".format),
            type=st.just("video/mp4"),
            length_bytes=st.none() | st.integers(1, 2**40),
            width=st.none() | whole,
            height=st.none() | whole,
            bitrate_kbps=st.none() | st.integers(1, 9999).map(float),
            language=st.none() | st.just("de"),
            description=st.sampled_from(["", "A film & more"]),
            credit=st.sampled_from(["", "Cy"]),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda file: file.url,
    ).map(tuple),
)


def read_by_another_desk(format: Format, article: Article) -> Entry:
    body = render_document(SECTION, [article], format)
    assert check(body, format) == ()
    source = Source(key="wire", name="The Wire", kind="feed", target=SECTION.url(format), id=1)
    (entry,) = normalise(
        parse_feed(body, url=source.target),
        source=source,
        url=source.target,
        received_at=NOW + timedelta(days=1),
        desk_language="en",
        desk_timezone="UTC",
    ).entries
    return entry


@pytest.mark.parametrize("format", FORMATS)
@given(article=episodic, renditions=st.booleans())
@many
def test_another_desk_reads_the_facts_of_media_as_this_one_published_them(
    format: Format, article: Article, renditions: bool
) -> None:
    if renditions and len(article.enclosures) > 1:
        article = replace(article, enclosures=tuple(replace(file, group=1) for file in article.enclosures))
    entry = read_by_another_desk(format, article)
    place = place_of(article.place)
    assert entry.place == place
    # What a show says of all its episodes is each one's: feeds of a desk's sections say it too.
    assert article.episode is not None and entry.episode is not None
    assert entry.episode == replace(
        article.episode,
        explicit=entry.episode.explicit if article.episode.explicit is None else article.episode.explicit,
        image_url=article.episode.image_url,
    )
    # Of several renditions the best goes first.
    assert (set if renditions else tuple)(entry.enclosures) == (set if renditions else tuple)(article.enclosures)
    if article.image is not None:
        assert entry.image is not None
        kept = entry.image if format != "json" else replace(entry.image, width=article.image.width)
        assert kept == article.image


@given(number=whole, captions=st.booleans())
@many
def test_feedparser_sees_the_facts_of_an_episode(number: int, captions: bool) -> None:
    episode = Episode(
        number=number,
        season=number,
        kind="bonus",
        image_url="https://example.org/c.jpg",
        transcripts=(Transcript(url="https://example.org/t.vtt", type="text/vtt", captions=captions),),
    )
    article = make_article(
        episode=episode,
        place=Place(shape="point", points=((1.5, -2.25),)),
        enclosures=(Enclosure(url="https://example.org/1.mp3", type="audio/mpeg", duration_s=3723.4),),
        image=Image(url="https://example.org/i.jpg", alt="Boats", caption="Boats at noon", credit="Ann"),
    )
    for format in ("rss", "atom"):
        (entry,) = parse(format, article).entries
        assert (entry.itunes_episode, entry.itunes_season) == (str(number), str(number))
        assert (entry.itunes_episodetype, entry.itunes_duration) == ("bonus", "01:02:03")
        assert entry.image.href == "https://example.org/c.jpg"
        rel = {"rel": "captions"} if captions else {}
        assert entry.podcast_transcript == {"url": "https://example.org/t.vtt", "type": "text/vtt"} | rel
        assert entry.where == {"type": "Point", "coordinates": (-2.25, 1.5)}
        assert entry.media_credit[0]["content"] == "Ann"
        assert (entry.title, entry.summary) == (article.title, article.summary), (
            "nothing that feedparser knows is upset"
        )
        assert entry.content[0].value == article.content


SCRIPTS = [
    "Gezeiten & Zeit",
    "AT&T",
    "5 < 6 > 4",
    "a ]]> b",
    "&amp;amp;",
    "שלום עולם",
    "日本語の題",
    "😀👩‍👩‍👧",
    "\\n",
    '"quoted"',
    "It's",
]


@pytest.mark.parametrize("title", SCRIPTS)
def test_a_title_in_any_script_is_read_back_by_every_format(title: str) -> None:
    article = make_article(title=title)
    for format in ("rss", "atom"):
        assert text(parse(format, article).entries[0].title_detail) == title
    assert parse("json", article)["items"][0]["title"] == title


@pytest.mark.parametrize("format", ["rss", "atom"])
def test_feedparser_sees_what_else_an_entry_tells(format: Format) -> None:
    parsed = parse(format, full_article())
    (entry,) = parsed.entries
    assert (entry.source.title, entry.contributors[0].name) == ("Agency", "Cy")
    assert entry.source.get("id") == "tag:agency,2020:f" or entry.source.href == "https://agency.example/f"
    assert entry.media_content[-1]["url"] == "https://example.org/i.jpg"
    assert entry.media_thumbnail[0]["url"] == "https://example.org/i.jpg"
    assert parsed.feed.title == "World"
    assert parsed.feed.subtitle == "All of it"
    assert parsed.feed.link == "https://wire.example.org/news/world"
    assert parsed.feed.language == "en"
    assert moment(parsed.feed.updated_parsed) == NOW
    assert {(link.rel, link.href) for link in parsed.feed.links} >= {
        ("self", f"https://wire.example.org/news/world.{format}")
    }


@given(values=st.lists(words, min_size=3, max_size=3))
@many
def test_text_that_is_legal_passes_unchanged(values: list[str]) -> None:
    assert [legal(value) for value in values] == values
