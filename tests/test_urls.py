"""URLs: what is let through, and what is starred."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.urls import absolute, followed, host_of, masked, misleading, public_address, site_of


@pytest.mark.parametrize(
    ("base", "ref", "whole"),
    [
        ("https://example.org/a/b", "c", "https://example.org/a/c"),
        ("https://example.org/a/b", "../c?x=1#y", "https://example.org/c?x=1#y"),
        ("https://example.org/a", "//other.example/b", "https://other.example/b"),
        ("https://example.org/a", "?page=2", "https://example.org/a?page=2"),
        ("", "https://Example.ORG", "https://example.org/"),
        ("https://example.org", " \n/a\tb c ", "https://example.org/ab%20c"),
        ("https://example.org", "/100%/é", "https://example.org/100%25/%C3%A9"),
        ("https://example.org", "https://me:pw@example.org:443/a", "https://example.org/a"),
        ("https://example.org", "http://good.example\\@evil.example/", "http://good.example/@evil.example/"),
        ("https://example.org", "http://[2001:db8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
        ("https://example.org", "java\nscript:alert(1)", None),
        ("https://example.org", "data:text/html,x", None),
        ("https://example.org", "", None),
        ("", "/only/a/path", None),
        ("https://example.org", "https://" + "a" * 9000, None),
        ("https://example.org", "http://exa mple.org/", None),
    ],
)
def test_a_reference_is_resolved_to_a_clean_http_address_or_none(base, ref, whole):
    assert absolute(base, ref) == whole


@given(st.text(max_size=80))
def test_what_absolute_lets_through_is_ascii_http_without_blanks_or_user(ref):
    found = absolute("https://example.org/dir/", ref)
    if found is not None:
        assert found.startswith(("http://", "https://"))
        assert found.isascii() and not any(char <= " " or char in '<>"`' for char in found)
        assert "@" not in found.split("/")[2]
        assert absolute("", found) == found


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@example.org/f?token=abc&x=1#f", "https://***@example.org/f?token=***&x=1#f"),
        ("https://u:p@q@example.org/", "https://***@example.org/"),
        ("//u:p@example.org/", "//***@example.org/"),
        ("https://me:se/cret@example.org/feed", "https://***@example.org/feed"),
        ("https://me:12/34@example.org/feed", "https://***@example.org/feed"),
        ("https://me:a?b#c@example.org/feed", "https://***@example.org/feed"),
        ("https://me:p%40ss%2Fw@example.org/x", "https://***@example.org/x"),
        ("me:pw@example.org/feed", "***@example.org/feed"),
        ("https:me:pw@example.org/", "https:***@example.org/"),
        ("https://x.org/?session=a&user_key=b&sid=c&sig=d", "https://x.org/?session=***&user_key=***&sid=***&sig=***"),
        ("https://x.org/?api%5Fkey=a&accessToken=b", "https://x.org/?api%5Fkey=***&accessToken=***"),
        ("https://x.org/f;jsessionid=4F2?x=1", "https://x.org/f;jsessionid=***?x=1"),
        ("https://x.org/?a=1#access_token=b", "https://x.org/?a=1#access_token=***"),
        ("https://x.org/f?r=8f3a9c1e55d0b7426a1c", "https://x.org/f?r=***"),
        ("https://x.org/f?mail=me@example.org", "https://x.org/f?mail=***"),
        ("https://x.org/f?u=https%3A%2F%2Fme%3Apw%40h.org%2F", "https://x.org/f?u=***"),
        ("https://x.org/token/abc123def456/feed", "https://x.org/token/***/feed"),
        ("https://x.org/ical/private-0123456789abcdef/basic.ics", "https://x.org/ical/private-***/basic.ics"),
        ("https://me:${PW}@x.org/?key=${K}", "https://***:${PW}@x.org/?key=${K}"),
        ("see 'https://x.org/?token=abc', and so on", "see 'https://x.org/?token=***', and so on"),
        ("headers: {Authorization: 'Bearer abc'}", "headers: {Authorization: ***"),
        ("//<me=x#c![r:pw@example.org/", "//***@example.org/"),
    ],
)
def test_what_may_be_a_secret_is_starred(url, shown):
    assert masked(url) == shown
    assert masked(shown) == shown
    assert public_address(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/f?page=1&monkey=2&author=me&keyword=x",
        "https://example.org/@me",
        "https://example.org:8080/@me@social.example",
        "http://[::1]:80/@x",
        "https://www.youtube.com/feeds/videos.xml?channel_id=UCupvZG-5ko_eiXAupbDfxWw",
        "https://news.google.com/rss/topics/CAAqJggKIiBDQkFTRWdvSUwyMHZNRGRqTVhZU0FtVnVHZ0pWVXlnQVAB?hl=en&ceid=US:en",
        "https://example.org/d/playlist/3b241101-e2bb-4255-8caf-4136c566a962/podcast.rss?id=d41d8cd98f00b204e9800998ecf8",
        "https://example.org/private/what-2026-brings/feed",
    ],
)
def test_addresses_without_secrets_stay_as_they_are(url):
    assert masked(url) == url
    assert public_address(url) == url


@pytest.mark.parametrize(
    "piece", ["//a:b", "//", "a=", "?token=", "/key/", "https:me:", "@", "%40", ";a=%3D", "eyJaaaaaaaa."]
)
def test_long_hostile_text_is_masked_in_linear_time(piece):
    def cost(times: int) -> float:
        text = piece * times
        began = time.process_time()
        masked(text)
        return time.process_time() - began

    cost(10)
    assert cost(20_000) < 40 * cost(1_000) + 0.05


@given(st.text(max_size=200))
def test_masking_takes_any_text_and_is_done_once(text):
    assert masked(masked(text)) == masked(text)


def test_what_identifies_a_source_in_public_is_its_site():
    assert site_of("https://me:pw@news.example.org:8443/f?token=x") == "https://news.example.org:8443/"
    assert site_of("https://me:12/34@example.org/f") is None or "me" not in str(
        site_of("https://me:12/34@example.org/f")
    )
    assert site_of("https://${HOST}/feed") is None
    assert public_address("https://example.org/feed/${PART}") is None


def test_host_of_gives_the_bare_host_or_nothing():
    assert host_of("https://User@WWW.Example.org:8443/a") == "www.example.org"
    assert host_of("no address") == ""


@pytest.mark.parametrize(
    ("base_url", "port", "followed_to"),
    [
        ("http://127.0.0.1:8080", "8090", "http://127.0.0.1:8090"),
        ("http://[::1]:8080", "8090", "http://[::1]:8090"),
        ("http://localhost", "8090", "http://localhost:8090"),
        ("http://localhost:8080", "80", "http://localhost"),
        ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:9000/wire", "8090", "http://127.0.0.1:9000/wire"),
        ("https://localhost:8443", "8090", "https://localhost:8443"),
        ("http://wire.example.org:8080", "8090", "http://wire.example.org:8080"),
    ],
)
def test_a_loopback_address_follows_the_port(base_url, port, followed_to):
    assert followed(base_url, port) == followed_to


@pytest.mark.parametrize(
    ("base_url", "bind", "told"),
    [
        ("http://127.0.0.1:8090", "127.0.0.1", None),
        ("http://127.0.0.1:8080", "127.0.0.1", "listens on port 8090"),
        ("http://127.0.0.1:9000/wire", "127.0.0.1", None),
        ("http://127.0.0.1:8090", "0.0.0.0", "leads nowhere from other machines"),
        ("http://127.0.0.1:8080", "", None),
        ("https://wire.example.org", "127.0.0.1", None),
        ("https://wire.example.org", "0.0.0.0", None),
        ("http://desk.lan:8090", "192.168.1.5", None),
        ("http://desk.lan:8090", "9.9.9.9", "known only inside"),
        ("http://desk:8090", "9.9.9.9", "known only inside"),
        ("http://10.0.0.5:8090", "2606:4700::1", "known only inside"),
        ("http://[2606:4700::1]:8090", "2606:4700::1", None),
    ],
)
def test_an_address_that_cannot_be_right_is_told(base_url, bind, told):
    wrong = misleading(base_url, bind, "8090")
    assert (wrong is None) if told is None else (wrong is not None and told in wrong[0])


def test_http_behind_tls_is_told():
    assert misleading("https://wire.example.org", "127.0.0.1", "8090", behind_tls=True) is None
    wrong = misleading("http://wire.example.org", "127.0.0.1", "8090", behind_tls=True)
    assert wrong is not None and "come by https" in wrong[0]
