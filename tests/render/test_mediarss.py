"""A section of episodes is a podcast: as gPodder's parser takes it, and with what directories ask of a channel."""

from __future__ import annotations

import io
from typing import Any

import podcastparser
import pytest
from lxml import etree

from feeds.model import Article
from feeds.parsed import Enclosure, Episode, Image, Participant, Transcript
from feeds.render import SectionContext
from feeds.render.mediarss import CATEGORIES, category_of
from tests.render.articles import DESK, SECTION, make_article
from tests.render.documents import render_document
from tests.validator import check

DESCRIBED = b"https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md"
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"


def episode(number: int, **changes: Any) -> Article:
    values: dict[str, Any] = {
        "title": f"Tides, part {number}",
        "enclosures": (
            Enclosure(
                url=f"https://m.example.org/{number}.mp3",
                type="audio/mpeg",
                length_bytes=1000 * number,
                duration_s=60.0 * number,
            ),
        ),
        "episode": Episode(
            number=number,
            season=2,
            kind="full",
            explicit=number == 2,
            subtitle="In short",
            image_url=f"https://img.example.org/{number}.jpg",
            transcripts=(
                Transcript(url=f"https://m.example.org/{number}.vtt", type="text/vtt", language="en", captions=True),
            ),
            chapters_url=f"https://m.example.org/{number}.json",
            chapters_type="application/json+chapters",
            people=(Participant(name="Ann", role="host"),),
        ),
    }
    return make_article(number, **(values | changes))


def published(*articles: Article, section: SectionContext = SECTION) -> bytes:
    body = render_document(section, articles, "rss")
    assert check(body, "rss") == ()
    return body


def test_a_parser_made_for_podcasts_takes_the_section_and_every_episode_whole() -> None:
    body = published(*[episode(number) for number in (1, 2, 3)])
    # It knows the podcast namespace by the address of the page that describes it alone.
    told = body.replace(b"https://podcastindex.org/namespace/1.0", DESCRIBED)
    show = podcastparser.parse(SECTION.url("rss"), io.BytesIO(told))
    assert (show["title"], show["link"]) == ("World", "https://wire.example.org/news/world")
    assert (show["itunes_author"], show["type"], show["explicit"]) == ("The Wire", "episodic", True)
    assert show["cover_url"] == "https://img.example.org/1.jpg"
    assert len(show["episodes"]) == 3
    for found in show["episodes"]:
        number = found["number"]
        assert found["title"] == f"Tides, part {number}"
        assert found["enclosures"] == [
            {"url": f"https://m.example.org/{number}.mp3", "file_size": 1000 * number, "mime_type": "audio/mpeg"}
        ]
        assert (found["total_time"], found["season"], found["type"]) == (60 * number, 2, "full")
        assert found["explicit"] == (number == 2)
        assert found["episode_art_url"] == f"https://img.example.org/{number}.jpg"
        assert found["transcript_url"] == f"https://m.example.org/{number}.vtt"
        assert found["chapters_json_url"] == f"https://m.example.org/{number}.json"
        assert [person["name"] for person in found["persons"]] == ["Ann"]
        assert found["guid"] == make_article(number).uid


def channel(*articles: Article, section: SectionContext = SECTION) -> etree._Element:
    (found,) = etree.fromstring(published(*articles, section=section)).iter("channel")
    return found


def test_a_channel_has_what_directories_ask_for() -> None:
    told = channel(episode(1), section=SectionContext(path="s", title="Sport", base_url=DESK.base_url, desk_title="W"))
    said = [child for child in told if ITUNES in child.tag]
    assert [(child.tag.removeprefix(ITUNES), child.text or dict(child.attrib)) for child in said] == [
        ("author", "W"),
        ("type", "episodic"),
        ("category", {"text": "Sports"}),
        ("explicit", "false"),
        ("image", {"href": "https://img.example.org/1.jpg"}),
    ]


def test_the_picture_of_the_desk_is_the_cover_where_there_is_one() -> None:
    section = SectionContext(path="s", title="S", base_url=DESK.base_url, image_url="https://wire.example.org/i.png")
    cover = channel(episode(1), section=section).find(f"{ITUNES}image")
    assert cover is not None and cover.get("href") == "https://wire.example.org/i.png"


@pytest.mark.parametrize(("episodes", "others", "podcast"), [(1, 0, True), (2, 1, True), (1, 1, False), (0, 2, False)])
def test_more_than_half_of_a_podcast_can_be_played(episodes: int, others: int, podcast: bool) -> None:
    articles = [episode(number) for number in range(episodes)]
    articles += [make_article(100 + number) for number in range(others)]
    assert (channel(*articles).find(f"{ITUNES}author") is not None) == podcast


def test_a_feed_without_media_is_what_it_always_was() -> None:
    body = published(make_article(1), make_article(2, image=Image(url="https://example.org/i.jpg")))
    assert not any(prefix in body for prefix in (b"itunes", b"podcast", b"georss"))
    for format in ("rss", "atom"):
        empty = render_document(SECTION, [], format)
        assert not any(prefix in empty for prefix in (b"itunes", b"podcast", b"georss"))


def test_every_category_of_the_list_is_found_by_its_own_name() -> None:
    assert [category_of(name.upper()) for name in CATEGORIES] == list(CATEGORIES)
