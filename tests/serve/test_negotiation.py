"""A section has a page and feeds: who gets which at which address, and what caches and scripts may make of it."""

from __future__ import annotations

import pytest

from feeds.serve import documents
from tests.serve.wsgi import ask

BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "sec_fetch_dest": "document",
    "sec_fetch_mode": "navigate",
}
FEED = "/news/world.atom"
PUBLIC = "https://wire.example.org/news/world"


def test_a_browser_that_navigates_to_a_feed_gets_its_section_with_the_feed_explained(desk):
    got = ask(desk, FEED, **BROWSER)
    assert (got.status, got.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f"<code>{PUBLIC}.atom</code>" in got.text and f'href="feed:{PUBLIC}.atom"' in got.text
    assert "https://www.inoreader.com/?add_feed=https%3A%2F%2Fwire.example.org%2Fnews%2Fworld.atom" in got.text
    assert f'<link rel="canonical" href="{PUBLIC}">' in got.text and got.text.count('<article class="story"') == 7
    assert "script" not in got.headers["content-security-policy"]
    assert ask(desk, FEED, **BROWSER, if_none_match=got.headers["etag"]).status == 304
    assert ask(desk, "/index.rss", **BROWSER).text.count("<h1>The Wire</h1>") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept": "*/*"},
        {"accept": BROWSER["accept"]},  # readers that pretend to be a browser
        {"accept": BROWSER["accept"], "sec_fetch_dest": "empty"},  # a reader within a browser
        {"accept": "application/rss+xml, text/html;q=0.5", "sec_fetch_dest": "document"},
        {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)", "accept": "text/html,*/*;q=0.8"},
    ],
)
def test_everybody_else_gets_the_feed(reader, desk, headers):
    got = ask(desk, FEED, **headers)
    assert got.body == reader.document("news/world", "atom").body
    assert "Sec-Fetch-Dest" in got.headers["vary"]


def test_no_cache_gives_the_page_to_a_reader_or_the_feed_to_a_browser(desk):
    feed, page = ask(desk, FEED), ask(desk, FEED, **BROWSER)
    assert feed.headers["etag"] != page.headers["etag"]
    for got in (feed, page, ask(desk, FEED, if_none_match=feed.headers["etag"])):
        assert {"Accept-Encoding", "Sec-Fetch-Dest"} <= set(got.headers["vary"].split(", "))
    assert "Accept" in page.headers["vary"].split(", ") and "Accept" not in feed.headers["vary"].split(", ")
    # Caches that know no Vary keep the feed alone, and at a section's own address the page.
    again = ask(desk, FEED, **BROWSER, if_none_match=page.headers["etag"])
    at_page = ask(desk, "/news/world", accept="application/atom+xml")
    assert feed.headers["cache-control"].startswith("public")
    assert ask(desk, "/news/world", accept="text/html").headers["cache-control"].startswith("public")
    for got in (page, again, at_page, ask(desk, "/news/world", accept="application/atom+xml",
                                          if_none_match=at_page.headers["etag"])):  # fmt: skip
        assert got.headers["cache-control"].startswith("private")
    # Neither has the other's validator taken for its own.
    assert ask(desk, FEED, if_none_match=page.headers["etag"]).status == 200
    assert ask(desk, FEED, **BROWSER, if_none_match=feed.headers["etag"]).status == 200


def test_the_feed_itself_can_be_looked_at(reader, desk):
    assert 'href="?raw"' in ask(desk, FEED, **BROWSER).text
    assert ask(desk, FEED, query="raw", **BROWSER).body == reader.document("news/world", "atom").body


def test_a_page_is_shown_for_no_feed_that_is_not_there(desk):
    assert [ask(desk, path, **BROWSER).status for path in ("/sport.rss", "/nowhere.atom")] == [404, 404]
    assert ask(desk, FEED, query="limit=nine", **BROWSER).status == 400
    got = ask(desk, FEED, query="limit=5", **BROWSER)
    assert f"<code>{PUBLIC}.atom?limit=5</code>" in got.text and "?raw" not in got.text


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/atom+xml", "application/atom+xml"),
        ("application/rss+xml, application/atom+xml;q=0.8, text/html;q=0.5, */*;q=0.1", "application/rss+xml"),
        ("application/rss+xml, application/atom+xml", "application/atom+xml"),
        ("application/json, */*", "application/feed+json"),
        ("text/html, application/rss+xml", "text/html"),
        ("*/*", "text/html"),
        ("application/atom+xml;q=0", "text/html"),
        (BROWSER["accept"], "text/html"),
        ("", "text/html"),
    ],
)
def test_the_section_s_own_address_gives_what_accept_prefers(desk, accept, kind):
    for path in ("/", "/news/world"):
        got = ask(desk, path, accept=accept)
        assert (got.status, got.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert "Accept" in got.headers["vary"].split(", ")
        assert ("content-location" in got.headers) == (kind != "text/html")
        again = ask(desk, path, accept=accept, if_none_match=got.headers["etag"])
        assert again.status == 304 and "Accept" in again.headers["vary"].split(", ")


def test_a_section_without_a_feed_yet_has_its_page(desk):
    assert ask(desk, "/sport", accept="application/atom+xml").headers["content-type"].startswith("text/html")


def test_format_leads_to_the_feed_and_takes_along_what_narrows(desk):
    for path, query, location in [
        ("/news/world", "format=atom", f"{PUBLIC}.atom"),
        ("/news/world", "limit=5&format=JSON", f"{PUBLIC}.json?limit=5"),
        ("/", "format=rss", "https://wire.example.org/index.rss"),
    ]:
        got = ask(desk, path, query=query)
        assert (got.status, got.headers["location"]) == (301, location)
    assert (
        ask(desk, "/news/world", query="format=html", accept="application/atom+xml")
        .headers["content-type"]
        .startswith("text/html")
    )
    refused = ask(desk, "/news/world", query="format=<b>")
    assert refused.status == 400 and b"html, rss, atom, json" in refused.body and b"<b>" not in refused.body
    assert ask(desk, "/nowhere", query="format=atom").status == 404


def test_pages_name_their_feeds_in_link_too(desk):
    for path in ("/news/world", "/news/world.rss"):
        link = ask(desk, path, **BROWSER).headers["link"]
        assert f'<{PUBLIC}.atom>; rel="alternate"; type="application/atom+xml"' in link and link.count("alternate") == 3
    assert 'rel="alternate"' not in ask(desk, "/news/world", accept="application/atom+xml").headers["link"]


def test_scripts_of_other_sites_may_ask_conditionally_and_read_what_they_need(desk):
    asked = {"origin": "https://reader.example", "access_control_request_method": "GET",
             "access_control_request_headers": "if-none-match"}  # fmt: skip
    for path in (FEED, "/news/world", "/sections.opml", "/news/world/archive/100.json"):
        got = ask(desk, path, method="OPTIONS", **asked)
        assert (got.status, got.body) == (200, b"") and got.headers["access-control-allow-origin"] == "*"
        assert "If-None-Match" in got.headers["access-control-allow-headers"]
        assert "GET" in got.headers["access-control-allow-methods"]
    feed = ask(desk, FEED)
    for got in (feed, ask(desk, FEED, if_none_match=feed.headers["etag"]), ask(desk, "/nowhere.rss")):
        assert got.headers["access-control-allow-origin"] == "*"
        assert {"ETag", "Link", "Retry-After"} <= set(got.headers["access-control-expose-headers"].split(", "))


def test_what_is_negotiated_is_there(desk):
    endpoints = {rule.endpoint for rule in desk.url_map.iter_rules()}
    assert documents.FEEDS | documents.PAGES <= endpoints and documents.PUBLIC <= desk.blueprints.keys()


def test_scripts_of_other_sites_read_nothing_of_the_admins_pages(desk):
    for path in ("/status", "/metrics"):
        assert "access-control-allow-methods" not in ask(desk, path, method="OPTIONS").headers
