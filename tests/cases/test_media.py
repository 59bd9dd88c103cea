"""Pictures, films and episodes: what a source says of them is in every format and on the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.desk import Seen

ITUNES = {"itunes_duration": ("30:12", "00:30:12", "1812"), "itunes_episode": ("7",)}


def test_31_a_player_that_nobody_has_any_more_is_no_file_and_its_still_is_kept(seen: Callable[..., Seen]) -> None:
    all_ = seen("31-flash-enclosure", "feed.xml")
    assert not any("shockwave" in raw or "/v/abcdefghijk" in raw for raw in (*all_.raw.values(), all_.page))
    rss, atom, item = all_.titled("Harbour in November")
    still = "https://img.example.org/vi/abcdefghijk/hqdefault.jpg"
    assert item["image"] == rss.media_thumbnail[0]["url"] == atom.media_thumbnail[0]["url"] == still
    assert "attachments" not in item
    assert still in all_.page


def test_32_an_episode_has_its_facts_in_every_format(seen: Callable[..., Seen]) -> None:
    all_ = seen("32-podcast-facts")
    rss, atom, item = all_.titled("Episode seven")
    for entry in (rss, atom):
        assert entry.enclosures[0].href == "https://m.example.org/7.mp3"
        for name, forms in ITUNES.items():
            assert entry[name] in forms
        assert entry.image.href == "https://img.example.org/cover7.jpg"
        assert entry.podcast_transcript == {"url": "https://m.example.org/7.vtt", "type": "text/vtt"}
        assert entry.podcast_chapters == {"url": "https://m.example.org/7.json", "type": "application/json+chapters"}
    for format in ("rss", "atom"):
        assert "<itunes:explicit>true</itunes:explicit>" in all_.raw[format]
    assert item["attachments"][0]["duration_in_seconds"] == 1812
    assert item["_wiredesk"]["episode"] == {
        "number": 7,
        "explicit": True,
        "image": "https://img.example.org/cover7.jpg",
        "transcripts": [{"url": "https://m.example.org/7.vtt", "type": "text/vtt"}],
        "chapters": {"url": "https://m.example.org/7.json", "type": "application/json+chapters"},
    }


@pytest.mark.parametrize(("title", "image"), [("Item 1", "i.jpg"), ("Item 2", "l.jpg")])
def test_74_the_picture_of_media_rss_is_the_larger_one(seen: Callable[..., Seen], title: str, image: str) -> None:
    rss, atom, item = seen("74-media-and-toots").titled(title)
    url = f"https://example.org/{image}"
    assert item["image"] == rss.media_thumbnail[0]["url"] == atom.media_thumbnail[0]["url"] == url
    if title == "Item 1":
        assert "toot" in rss.content[0].value and "toot" in atom.content[0].value and "toot" in item["content_html"]
        assert item["_wiredesk"]["picture"] == {"caption": "Alt text"}
