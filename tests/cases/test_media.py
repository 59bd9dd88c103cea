"""Pictures, films and episodes: what a source says of them is in every format and on the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.desk import CaseDesk, Seen

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


SPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:georss="http://www.georss.org/georss"'
)
EPISODE = """<item><title>The storm gate</title><link>https://example.org/a/1</link><guid>1</guid>
<pubDate>Sat, 28 Nov 2026 10:00:00 GMT</pubDate><description>Ann &amp;lt;walks&amp;gt; along the wall.</description>
<enclosure url="https://m.example.org/1.mp3?a=1&amp;b=2" length="62447386" type="audio/mpeg"/>
<itunes:duration>30:12</itunes:duration><itunes:season>2</itunes:season><itunes:episode>7</itunes:episode>
<itunes:explicit>true</itunes:explicit><itunes:summary>All that was said in the storm.</itunes:summary>
<media:content url="https://img.example.org/gate.jpg" medium="image" width="960" height="640">
<media:description>The gate at dawn &lt;script src="x"&gt;x()&lt;/script&gt;</media:description>
<media:credit>Ada Lund</media:credit></media:content>
<podcast:transcript url="https://m.example.org/7.html" type="text/html"/>
<podcast:transcript url="javascript:x()" type="text/html"/>
<podcast:chapters url="https://m.example.org/7.json" type="application/json+chapters"/>
<podcast:person role="host" href="javascript:x()">Ann Berg</podcast:person>
<georss:point>54.32 10.14</georss:point><georss:featurename>Kiel</georss:featurename></item>"""
FILM = """<item><title>A film</title><link>https://example.org/a/2</link><guid>2</guid>
<pubDate>Sat, 28 Nov 2026 09:00:00 GMT</pubDate><description>Nine hectares.</description><media:group>
<media:content url="https://m.example.org/s.mp4" type="video/mp4" width="640" height="360"/>
<media:content url="https://m.example.org/l.mp4" type="video/mp4" width="1920" height="1080"/>
</media:group><media:thumbnail url="https://img.example.org/still.jpg" width="480" height="320"/></item>"""


def taken(desk: CaseDesk, full_text: str, **publish: bool) -> tuple[Seen, str, str]:
    """What is seen of the two above, and the pages of the first and of the second."""
    desk.write(
        {"name": "Radio", "url": desk.origin.url("/f.xml")},
        full_text=None,
        publish={"full_text": full_text, "first_import": 50} | publish,
    )
    feed = f'<rss version="2.0" {SPACES}><channel><title>R</title>{EPISODE}{FILM}</channel></rss>'
    desk.show("/f.xml", feed.encode())
    desk.poll()
    all_ = desk.see()
    first, second = (desk.get(f"/article/{item['id'].rpartition(':')[2]}").text for item in all_.items)
    return all_, first, second


@pytest.mark.parametrize("full_text", ["full", "summary"])
def test_an_article_page_shows_picture_player_and_particulars_once(desk: CaseDesk, full_text: str) -> None:
    all_, page, film = taken(desk, full_text)
    assert page.count('src="https://img.example.org/gate.jpg"') == 1
    assert "<figcaption>The gate at dawn · Ada Lund</figcaption>" in page
    assert '<audio controls preload="none">' in page
    assert page.count('<source src="https://m.example.org/1.mp3?a=1&amp;b=2" type="audio/mpeg">') == 1
    for told in (
        "Season 2 · Episode 7 · Explicit",
        '"creditText":"Ada Lund"',
        '"@type":"AudioObject"',
        "30 min · 62.4 MB",
        "Ann Berg",
        "Kiel",
        "54.32° N, 10.14° E",
    ):
        assert told in page
    assert '"creditText":"Ada Lund"' in page and '"@type":"AudioObject"' in page
    assert 'href="https://m.example.org/7.html"' in page and 'href="https://m.example.org/7.json"' in page
    assert "javascript:" not in page and "x()" not in page
    assert film.count("<video ") == 1 and film.count("<source ") == 2
    assert film.index("l.mp4") < film.index("s.mp4"), "the best rendition first"
    assert film.count("still.jpg") == 3, "as poster, and in the head for those who link here"
    assert 'alt="The gate at dawn"' in all_.page and "Audio, 30 min" in all_.page
    assert "All that was said in the storm." in all_.raw["rss"]


def test_of_a_link_source_neither_picture_nor_words_are_shown_and_the_file_is(desk: CaseDesk) -> None:
    all_, page, _ = taken(desk, "link")
    for raw in (*all_.raw.values(), all_.page, page):
        assert not any(word in raw for word in ("gate.jpg", "still.jpg", "said in the storm", "at dawn", "Ada Lund"))
    rss, _, item = all_.titled("The storm gate")
    assert rss.enclosures[0].href == item["attachments"][0]["url"] == "https://m.example.org/1.mp3?a=1&b=2"
    assert item["_wiredesk"]["episode"]["number"] == 7


def test_a_desk_without_pictures_embeds_nothing_of_others(desk: CaseDesk) -> None:
    all_, page, film = taken(desk, "full", images=False)
    for raw in (page, film, all_.page):
        assert not any(tag in raw for tag in ("<audio", "<video", "img.example.org"))
    assert '<a href="https://m.example.org/1.mp3?a=1&amp;b=2"' in page
    assert "img.example.org" not in "".join(all_.raw.values())
