"""What may be shown of an entry."""

import pytest

from feeds.parsed import Enclosure, Episode, Image, Participant
from feeds.store.hydrate import (
    SUMMARY_CHARS,
    allowed,
    allowed_episode,
    allowed_files,
    allowed_image,
    cut,
    strictest,
)
from feeds.text import plain
from feeds.urls import public_address

from .conftest import entry

LONG = "word " * 200


def test_full_shows_everything():
    assert allowed(entry("k", summary="<p>s</p>", content="<p>c</p>"), "full") == ("<p>s</p>", "<p>c</p>")


def test_link_shows_no_text():
    assert allowed(entry("k", summary="<p>s</p>", content="<p>c</p>"), "link") == ("", "")


def test_summary_shows_the_summary_and_no_content():
    assert allowed(entry("k", summary="<p>s</p>", content="<p>c</p>"), "summary") == ("<p>s</p>", "")


@pytest.mark.parametrize(
    "made",
    [
        entry("k", summary="", content=f"<p>{LONG}</p>", text=LONG),
        entry("k", summary="", content=f"<p>{LONG}</p>", text=""),
        entry("k", summary=f"<p>{LONG}</p>", content="", text=LONG),
    ],
    ids=["only content", "only content, no text", "a whole article called summary"],
)
def test_without_a_real_summary_one_is_cut_from_the_text(made):
    summary, content = allowed(made, "summary")
    assert content == ""
    assert summary.endswith("word…")
    assert SUMMARY_CHARS // 2 < len(plain(summary)) <= SUMMARY_CHARS + 1


def test_a_cut_summary_is_safe_html():
    assert cut("a <b> & c") == "a &lt;b&gt; &amp; c"


def test_text_without_blanks_is_cut_too():
    assert len(cut("字" * 1000)) == SUMMARY_CHARS + 1


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ('<p><a href="https://x.example/a"><img src="https://x.example/1.png" alt=""></a></p><img src="https://x.example/2">',
         '<img src="https://x.example/1.png" alt="">'),
        ('<p> </p><video src="https://x.example/v.mp4" controls=""></video>',
         '<video src="https://x.example/v.mp4" controls=""></video>'),
        ('<div><p><a href="https://vimeo.com/7" rel="noopener noreferrer">https://vimeo.com/7</a></p></div>',
         '<p><a href="https://vimeo.com/7" rel="noopener noreferrer">https://vimeo.com/7</a></p>'),
        ('<figure><a href="https://y.example/w"><img src="https://y.example/s.jpg" alt="T"></a><figcaption>'
         '<a href="https://y.example/w">T</a></figcaption></figure><p></p>',
         '<figure><a href="https://y.example/w"><img src="https://y.example/s.jpg" alt="T"></a><figcaption>'
         '<a href="https://y.example/w">T</a></figcaption></figure>'),
    ],
)  # fmt: skip
def test_an_entry_without_words_shows_what_it_is(content, shown):
    assert allowed(entry("k", content=content, text=""), "summary") == (shown, "")
    assert allowed(entry("k", summary=content, content="", text=""), "link") == ("", "")


def test_nothing_to_say_is_nothing():
    assert allowed(entry("k", summary="", content="", text=""), "summary") == ("", "")


def test_the_stricter_right_wins():
    assert strictest("full", "link") == "link"
    assert strictest("summary", "full") == "summary"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/feed?page=1", True),
        ("https://me:secret@a.example/feed", False),
        ("https://a.example/feed?api_key=secret", False),
        ("articles/*.txt", False),
    ],
)
def test_addresses_with_secrets_are_not_published(url, shown):
    assert public_address(url) == (url if shown else None)


FILES = (
    Enclosure(url="https://a.example/1.mp3", type="audio/mpeg", title="Talk", description="All of it", credit="Ann"),
    Enclosure(url="https://a.example/1.JPG", description="Boats"),
    Enclosure(url="https://a.example/v/1", type="application/x-shockwave-flash"),
)
EPISODE = Episode(
    number=7,
    subtitle="In short",
    summary=LONG,
    image_url="https://a.example/c.jpg",
    people=(Participant(name="Ann", image_url="https://a.example/ann.jpg"),),
)


def test_a_file_can_be_had_whatever_may_be_shown_of_it():
    made = entry("k", enclosures=FILES)
    assert allowed_files(made, "full") == allowed_files(made, "summary") == FILES[:2]
    assert allowed_files(made, "link") == (Enclosure(url="https://a.example/1.mp3", type="audio/mpeg"),)


def test_an_episode_and_a_picture_give_no_more_away_than_a_text():
    made = entry("k", episode=EPISODE, image=Image(url="https://a.example/i.jpg"))
    assert allowed_episode(made, "full") == EPISODE
    summary = allowed_episode(made, "summary")
    assert summary is not None and len(summary.summary) <= SUMMARY_CHARS + 1 and summary.subtitle == "In short"
    assert allowed_episode(made, "link") == Episode(number=7, people=(Participant(name="Ann"),))
    assert (allowed_image(made, "summary"), allowed_image(made, "link")) == (made.image, None)
