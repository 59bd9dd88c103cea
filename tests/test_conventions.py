# ruff: noqa: E501 - addresses as they are typed
"""Addresses of well-known pages and the feeds that they stand for."""

from __future__ import annotations

import pytest
from lxml import html

from feeds.conventions import TELEGRAM, convention_of, xpath_of

YOUTUBE = "https://www.youtube.com/feeds/videos.xml?"
FEEDS = [
    ("https://www.youtube.com/channel/UCabc-_123", YOUTUBE + "channel_id=UCabc-_123"),
    ("https://m.youtube.com/channel/UCabc/videos", YOUTUBE + "channel_id=UCabc"),
    ("https://www.youtube.com/playlist?list=PLx_y-z", YOUTUBE + "playlist_id=PLx_y-z"),
    ("https://www.youtube.com/watch?v=abc&list=PLx&index=3", YOUTUBE + "playlist_id=PLx"),
    ("https://www.youtube.com/user/name", YOUTUBE + "user=name"),
    ("https://www.reddit.com/r/python", "https://www.reddit.com/r/python/.rss"),
    ("https://old.reddit.com/r/python+rust/", "https://www.reddit.com/r/python+rust/.rss"),
    ("https://www.reddit.com/r/python/top/", "https://www.reddit.com/r/python/top/.rss"),
    ("https://www.reddit.com/r/python/comments/abc12/a_title_of_it/", "https://www.reddit.com/r/python/comments/abc12/.rss"),
    ("https://reddit.com/u/ada", "https://www.reddit.com/user/ada/.rss"),
    ("https://www.reddit.com/search/?q=tide+gate", "https://www.reddit.com/search.rss?q=tide+gate"),
    ("https://mastodon.example/@ada", "https://mastodon.example/@ada.rss"),
    ("https://social.coop.example/tags/tide", "https://social.coop.example/tags/tide.rss"),
    ("https://bsky.app/profile/ada.bsky.social", "https://bsky.app/profile/ada.bsky.social/rss"),
    ("https://bsky.app/profile/did:plc:abc123", "https://bsky.app/profile/did:plc:abc123/rss"),
    ("https://github.com/pallets/flask", "https://github.com/pallets/flask/releases.atom"),
    ("https://github.com/pallets/flask/", "https://github.com/pallets/flask/releases.atom"),
    ("https://github.com/pallets/flask/releases", "https://github.com/pallets/flask/releases.atom"),
    ("https://github.com/pallets/flask/tags", "https://github.com/pallets/flask/tags.atom"),
    ("https://github.com/pallets/flask/commits/main", "https://github.com/pallets/flask/commits/main.atom"),
    ("https://gitlab.com/group/sub/project/-/releases", "https://gitlab.com/group/sub/project/-/releases.atom"),
    ("https://codeberg.org/ada/tide", "https://codeberg.org/ada/tide/releases.rss"),
    ("https://pypi.org/project/lxml/", "https://pypi.org/rss/project/lxml/releases.xml"),
    ("https://ada.substack.com", "https://ada.substack.com/feed"),
    ("https://ada.substack.com/archive", "https://ada.substack.com/feed"),
    ("https://substack.com/pub/ada/", "https://ada.substack.com/feed"),
    ("https://medium.com/@ada", "https://medium.com/feed/@ada"),
    ("https://medium.com/the-tide", "https://medium.com/feed/the-tide"),
    ("https://medium.com/tag/tide/latest", "https://medium.com/feed/tag/tide"),
    ("https://ada.medium.com/", "https://ada.medium.com/feed"),
    ("https://ada.tumblr.com/", "https://ada.tumblr.com/rss"),
    ("https://ada.wordpress.com", "https://ada.wordpress.com/feed/"),
    ("https://ada.blogspot.com/", "https://ada.blogspot.com/feeds/posts/default"),
    ("https://t.me/tidetable", "https://t.me/s/tidetable"),
    ("https://t.me/s/tidetable", "https://t.me/s/tidetable"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "feed"), FEEDS, ids=[page for page, _ in FEEDS])
def test_the_address_of_a_page_tells_its_feed(page: str, feed: str) -> None:
    found = convention_of(page)
    assert found is not None and found.what
    assert (found.url, found.select) == (feed, TELEGRAM if "t.me" in page else None)
    # A feed is no page of which the feed is looked for, or asked for again.
    again = convention_of(feed)
    assert again is None or again.url == feed


@pytest.mark.parametrize(
    ("page", "ask"),
    [
        ("https://www.youtube.com/@ada", "https://www.youtube.com/@ada"),
        ("https://www.youtube.com/c/ada/videos", "https://www.youtube.com/c/ada/videos"),
        (
            "https://podcasts.apple.com/gb/podcast/the-tide/id1234567?i=9",
            "https://itunes.apple.com/lookup?id=1234567&entity=podcast",
        ),
    ],
)
def test_what_the_address_alone_does_not_tell_says_whom_to_ask(page: str, ask: str) -> None:
    found = convention_of(page)
    assert found is not None and (found.url, found.ask) == ("", ask)


@pytest.mark.parametrize(
    "page",
    ["https://example.org/", "https://example.org/news/feed", "https://www.youtube.com/", "https://www.youtube.com/watch?v=abc",
     "https://github.com/", "https://github.com/topics/rss", "https://github.com/pallets/flask/issues/12", "https://www.reddit.com/",
     "https://medium.com/", "https://medium.com/@ada/an-article-0a1b2c", "https://www.tiktok.com/@ada", "https://t.me/",
     "https://mastodon.example/@ada/1234", "https://mastodon.example/@ada.rss", "ftp://github.com/a/b", "https://[", "",
     "https://me:secret@github.com/a/b", "https://github.com:8443/a/b", "https://notgithub.com/a/b", "https://github.com.evil.example/a/b"],
)  # fmt: skip
def test_other_addresses_are_left_alone(page: str) -> None:
    assert convention_of(page) is None


PAGE = html.document_fromstring(
    '<div id=top class="card a"><a href=/0></a><div class=in><a HREF=/1 data-x=y>one</a></div><p>two</p><p lang=de>drei</p></div>'
)
CARD = next(PAGE.iter("div"))


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("div", ["one"]),  # below it, and not the element itself
        ("p", ["two", "drei"]),
        (".in > a, p:nth-child(4)", ["one", "drei"]),
        (":scope > p", ["two", "drei"]),
        ("p:not([lang])", ["two"]),
        ("div:has(a)", ["one"]),
        ("a@href", ["/0", "/1"]),
        (".in a@data-x", ["y"]),
        ("a[href='/1']@HREF", ["/1"]),
        ("@id", ["top"]),
        (" xpath:./p[2] ", ["drei"]),
        ("xpath:string(p)", ["two"]),
    ],
)
def test_what_a_selector_finds(selector: str, found: list[str]) -> None:
    result = CARD.xpath(xpath_of(selector))
    nodes = result if isinstance(result, list) else [result]
    assert [node if isinstance(node, str) else node.text_content() for node in nodes] == found


@pytest.mark.parametrize(
    ("selector", "said"),
    [("a::text", "for an attribute write a@href"), ("//a", "an XPath begins with xpath:"), ("./a", "begins with xpath:"),
     ("a >", "Expected selector"), ("", "Expected selector"), ("a[", "Expected"), ("a:nope(", "Expected")],
)  # fmt: skip
def test_what_is_no_selector_is_told_in_words(selector: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        xpath_of(selector)
