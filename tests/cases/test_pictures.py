"""Pictures, films, formulas and links of texts, as a source's readers saw them: end to end, in every format."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from lxml import html as lxml_html

from tests.cases.desk import CaseDesk, Seen


def bodies(all_: Seen, words: str) -> list[str]:
    """The text of one article in RSS, Atom and JSON Feed."""
    rss, atom, item = all_.titled(words)
    return [rss.content[0].value, atom.content[0].value, item["content_html"]]


def pictures(all_: Seen, words: str) -> set[str]:
    """The picture that each format states for an article; one where all agree."""
    rss, atom, item = all_.titled(words)
    return {
        rss.media_thumbnail[0]["url"] if "media_thumbnail" in rss else rss.media_content[0]["url"],
        atom.media_thumbnail[0]["url"] if "media_thumbnail" in atom else atom.media_content[0]["url"],
        item["image"],
    }


def sources(html: str, tag: str = "img") -> list[str | None]:
    return [node.get("src") for node in lxml_html.fragment_fromstring(html, create_parent="div").iter(tag)]


def links(html: str) -> list[str | None]:
    return [node.get("href") for node in lxml_html.fragment_fromstring(html, create_parent="div").iter("a")]


def test_03_noscript_is_markup_not_text(seen: Callable[..., Seen]) -> None:
    all_ = seen("03-noscript-shown-as-text")
    for raw in (*all_.raw.values(), all_.page):
        assert "t.example.org" not in raw and "tags.example.org" not in raw
    for entry in bodies(all_, "Item 1"):
        assert sources(entry) == ["https://img.example.org/1.jpg"]
    for entry in bodies(all_, "Item 2"):
        assert sources(entry) == ["https://img.example.org/2.jpg"]
    for number in range(1, 6):
        for entry in bodies(all_, f"Item {number}"):
            assert "&lt;" not in entry
    for entry in bodies(all_, "Item 5"):
        assert '<p>See <a href="https://example.org/poll" rel="noopener noreferrer">the poll</a>.</p>' in entry


def test_04_lazy_pictures_have_their_real_address(seen: Callable[..., Seen]) -> None:
    all_ = seen("04-lazy-pictures")
    for item in all_.items:
        for entry in bodies(all_, item["title"]):
            shown = sources(entry) + sources(entry, "video") + sources(entry, "source")
            real = [address for address in shown if address]
            assert real and all(address.startswith("https://img.example.org/") for address in real), item["title"]
    for entry in bodies(all_, "data-srcset"):
        assert sources(entry) == ["https://img.example.org/z2.jpg"]
    for entry in bodies(all_, "grey"):
        assert sources(entry) == ["https://img.example.org/real.jpg"]


def test_06_srcset_and_picture(seen: Callable[..., Seen]) -> None:
    all_ = seen("06-srcset-and-picture")
    for words, real in (("Item 1", "a-960"), ("Item 2", "b"), ("Item 3", "c")):
        for entry in bodies(all_, words):
            assert sources(entry) == [f"https://img.example.org/{real}.jpg"]
            assert "<source" not in entry


@pytest.mark.parametrize("name", ["feed.xml", "atom.xml", "feed.json"])
def test_07_what_is_relative_is_relative_to_the_article(seen: Callable[..., Seen], name: str) -> None:
    all_ = seen("07-relative-to-the-article", name)
    for entry in bodies(all_, ""):
        assert links(entry)[0] == "https://blog.example.org/2026/post/#fn1"
        assert "127.0.0.1" not in entry
        found = sources(entry)
        assert found[0] in ("https://blog.example.org/2026/post/wheels.png", "https://blog.example.org/2026/post/w.png")
        if name == "feed.xml":
            assert links(entry)[1:] == [
                "https://blog.example.org/2026/post/?p=2",
                "https://blog.example.org/2026/other/",
            ]
            assert found[1] == "https://blog.example.org/root.png"


def test_12_formulas_and_drawings_keep_their_words(seen: Callable[..., Seen]) -> None:
    all_ = seen("12-mathml")
    for entry in bodies(all_, "Item 1"):
        assert "<msup><mi>c</mi><mn>2</mn></msup>" in entry
    for entry in bodies(all_, "Item 2"):
        assert "North 40 %" in entry and "<svg" not in entry


def test_13_what_was_embedded_is_led_to(seen: Callable[..., Seen]) -> None:
    all_ = seen("13-frames-and-objects")
    for words, link in (
        ("Item 1", "https://player.example.org/video/123"),
        ("Item 4", "https://www.youtube.com/watch?v=abcdefghijk"),
        ("Item 6", "https://example.org/widgets/poll?id=3"),
    ):
        for entry in bodies(all_, words):
            assert link in links(entry)
    for entry in bodies(all_, "Item 7"):
        assert sources(entry) == ["https://img.example.org/amp.jpg"]


@pytest.mark.parametrize("name", ["feed.xml", "atom.xml"])
@pytest.mark.parametrize("full_text", ["full", None])
def test_29_a_post_that_is_a_picture_keeps_it(
    seen: Callable[..., Seen], desk: CaseDesk, name: str, full_text: str | None
) -> None:
    all_ = seen("29-picture-only-post", name, full_text=full_text)
    for item in all_.items:
        (picture,) = pictures(all_, item["title"])
        assert picture.startswith("https://img.example.org/page")
        rss, atom, _ = all_.titled(item["title"])
        assert picture in rss.summary and picture in (atom.content[0].value if "content" in atom else atom.summary)
        assert picture in all_.page
        assert picture in desk.get(f"/article/{item['id'].removeprefix('urn:uuid:')}").text


def test_29_a_source_that_gives_links_alone_gives_no_picture(seen: Callable[..., Seen], desk: CaseDesk) -> None:
    all_ = seen("29-picture-only-post", full_text="link")
    for raw in (*all_.raw.values(), all_.page):
        assert "img.example.org" not in raw
    page = desk.get(f"/article/{all_.items[0]['id'].removeprefix('urn:uuid:')}").text
    assert "img.example.org" not in page
    assert "only a headline and a link" in page


@pytest.mark.parametrize(("name", "full_text"), [("summary.xml", None), ("full.xml", "full")])
def test_30_the_first_true_picture_of_a_text_is_the_articles(
    seen: Callable[..., Seen], name: str, full_text: str | None
) -> None:
    all_ = seen("30-first-picture-of-the-text", name, full_text=full_text)
    expected = {
        "https://img.example.org/boats.jpg",
        "https://img.example.org/trains.jpg",
        "https://img.example.org/thumb.jpg",
    }
    found = [pictures(all_, item["title"]) for item in all_.items]
    assert all(len(each) == 1 for each in found)
    assert set.union(*found) == expected
    assert expected <= set(re.findall(r'<img[^>]* src="([^"]*)"', all_.page))


def test_39_markup_in_an_attribute_is_none(seen: Callable[..., Seen]) -> None:
    all_ = seen("39-quoted-markup-in-an-attribute")
    assert len(all_.rss) == len(all_.atom) == len(all_.items) == 2
    for words in ("quoted markup", "alt texts"):
        for entry in bodies(all_, words):
            for node in lxml_html.fragment_fromstring(entry, create_parent="div").iter():
                assert "onerror" not in node.attrib


def test_75_a_film_is_a_still_with_a_link(seen: Callable[..., Seen], desk: CaseDesk) -> None:
    all_ = seen("75-youtube-frame")
    for item in all_.items:
        for entry in bodies(all_, item["title"]):
            assert "https://www.youtube.com/watch?v=abcdefghijk" in links(entry)
            assert sources(entry) == ["https://i.ytimg.com/vi/abcdefghijk/hqdefault.jpg"]
        assert pictures(all_, item["title"]) == {"https://i.ytimg.com/vi/abcdefghijk/hqdefault.jpg"}
        page = desk.get(f"/article/{item['id'].removeprefix('urn:uuid:')}").text
        assert 'href="https://www.youtube.com/watch?v=abcdefghijk"' in page
        assert_calls_no_player(page)
    assert_calls_no_player(all_.page)


def assert_calls_no_player(page: str) -> None:
    """Nothing that a browser loads by itself is at a player's host."""
    loaded = [
        value
        for node in lxml_html.document_fromstring(page).iter(
            "img", "source", "video", "audio", "iframe", "script", "link"
        )
        for name, value in node.attrib.items()
        if name in ("src", "srcset", "poster")
        or (name == "href" and node.get("rel") in ("stylesheet", "preload", "icon"))
    ]
    assert not [value for value in loaded if re.search(r"ytimg|youtube|vimeo|dmcdn|dailymotion", value)]
