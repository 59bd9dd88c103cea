"""Pages for people, lists for crawlers, errors for everybody: what they say, and what they must not."""

from __future__ import annotations

import gzip
import json
import re
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from feeds.configuration import PublishSettings, Section
from feeds.errors import StoreError
from feeds.model import CopyNote
from feeds.parsed import Image, Origin, Person
from feeds.serve.app import create_app
from feeds.serve.store_reader import SourceName
from feeds.store.hydrate import Edit
from tests.serve.conftest import NOW, SECTIONS, MemoryReader, application, make_article, uid_of
from tests.serve.wsgi import ask

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ARTICLE = f"/article/{uid_of(1).removeprefix('urn:uuid:')}"
HOSTILE = "<script>alert(1)</script>\"'>"


def put(reader: MemoryReader, **more: object) -> None:
    reader.counter += 1
    reader.articles[uid_of(1)] = make_article(1, **more)


def test_the_front_page_shows_sections_with_feeds_and_the_latest_headlines(desk):
    page = ask(desk, "/").text
    for link in ("/news", "/news/world", "/sport", "/news.rss", "/news.json", "/sections"):
        assert f'href="{link}"' in page
    assert "Its latest articles are at the top of this page." in page
    assert page.count("Tide &amp; time 1</a>") == 1  # what stands among the latest is not told again below
    assert 'type="application/rss+xml" title="The Wire (RSS)" href="https://wire.example.org/index.rss"' in page


def test_the_tree_with_all_feeds_is_a_page(desk):
    page = ask(desk, "/sections").text
    for link in ("/news", "/news/world", "/news/world/asia", "/sport", "/news/world/asia.rss", "/sport.json"):
        assert f'href="{link}"' in page
    assert 'href="/sections.opml"' in page


def test_a_front_page_of_a_thousand_sections_shows_those_that_have_something_within_60_kb(make_reader):
    reader = make_reader()
    sections = [Section(path=f"s{number}", title=f"Section number {number}") for number in range(1000)]
    reader.accepted = replace(reader.accepted, sections=tuple(sections), version=2)
    title = "A headline of the length that headlines have, and some words more"
    picture = Image(url="https://example.org/pictures/of/the/tide.jpg", alt="The tide", width=1200, height=800)
    for number in range(500, 600):
        articles = [make_article(number * 20 + at, title=f"{title} {at}", image=picture, summary="tide " * 60)
                    for at in range(6)]  # fmt: skip
        reader.publish(f"s{number}", articles, 6)
    reader.publish("", [make_article(at, title=title, image=picture, summary="tide " * 60) for at in range(12)], 12)
    page = ask(application(reader), "/").text
    assert len(page.encode()) < 60_000
    assert page.count('<section class="desk"') == 12 and 'aria-label="Section number 500"' in page
    assert len(ask(application(reader), "/sections").body) < 120_000


def test_no_article_stands_twice_on_a_front_page_and_desks_keep_the_order_of_the_tree(reader, desk):
    articles = [make_article(number) for number in range(1, 30)]
    for path in ("sport", "news", ""):
        reader.publish(path, articles, 40)
    page = ask(desk, "/").text
    links = re.findall(r'<h[23]><a href="(https://example.org/[^"]*)"', page)
    assert len(links) == len(set(links)) == 11 + 5  # sixteen of a section are read
    assert re.findall(r'<section class="desk" aria-label="(\w+)"', page) == ["News", "Sport"]


def test_a_byline_has_one_time(reader, desk):
    page = ask(desk, "/news").text
    assert page.count("<time datetime") == 7 + 1  # one an article, one for the day
    desk.extensions["feeds.site"].now = lambda: NOW
    reader.accept(title="The Other Wire")
    page = ask(desk, "/news").text
    assert 'title="23 Nov 2026, 11:00" dir="ltr">1 h ago</time>' in page and ">details<" not in page


def test_a_section_page_leads_above_below_and_beside(desk):
    page = ask(desk, "/news/world").text
    trail, around = page.split('<nav class="trail"')[1].split("</nav>")[0], page.split('<div class="around">')[1]
    assert 'href="/news"' in trail and 'href="/news/world/asia"' in around.split("</nav>")[0]
    beside = ask(desk, "/sport").text.split('<div class="around">')[1]
    assert 'href="/news"' in beside and 'href="/sport" aria-current="page"' in beside and 'href="/sections"' in beside


def test_a_section_page_can_be_subscribed_to_from_its_head_and_in_words(desk):
    page = ask(desk, "/news/world").text
    for suffix, kind in (("rss", "rss+xml"), ("atom", "atom+xml"), ("json", "feed+json")):
        found = re.search(rf'<link rel="alternate" type="application/{re.escape(kind)}"[^>]* href="([^"]+)">', page)
        assert found is not None and found[1] == f"https://wire.example.org/news/world.{suffix}"
        assert f"<code>https://wire.example.org/news/world.{suffix}</code>" in page
    assert '<link rel="canonical" href="https://wire.example.org/news/world">' in page
    assert page.count('<article class="story"') == 7
    assert 'href="/news"' in page and 'href="/news/world/asia"' in page and "Abroad." in page


def test_what_no_rule_files_can_be_looked_at_and_is_not_for_crawlers(reader, desk):
    reader.publish("unfiled", [make_article(50)], 1)
    assert "Tide &amp; time 50" in ask(desk, "/unfiled").text and "noindex" in ask(desk, "/unfiled").text
    assert ask(desk, "/unfiled.rss").status == 200


def test_an_article_page_shows_text_credit_copies_and_sections(reader, desk):
    put(
        reader,
        content="<h2>What is known</h2><p>Water &amp; wind.</p>",
        authors=(Person(name="Ada Brook"),),
        origin=Origin(name="Coast Agency", url="https://agency.example/"),
        copies=(CopyNote(source_name="Ledger", link="https://ledger.example/1", title="Tides", first_seen=NOW),),
        rights="© Harbour Post",
    )
    page = ask(desk, ARTICLE).text
    for part in ("<h2>What is known</h2><p>Water &amp; wind.</p>", "Ada Brook", "Coast Agency", "© Harbour Post",
                 'href="https://ledger.example/1"', 'href="/news/world"',
                 '<link rel="canonical" href="https://example.org/story/1">'):  # fmt: skip
        assert part in page


def test_an_article_without_an_address_is_its_own_original(reader, desk):
    put(reader, link=None)
    assert f'<link rel="canonical" href="https://wire.example.org{ARTICLE}">' in ask(desk, ARTICLE).text
    assert f'href="{ARTICLE}"' in ask(desk, "/news").text


def test_a_film_is_a_still_that_leads_to_where_it_plays_and_lists_say_so(reader, desk):
    still = Image(url="https://i3.ytimg.com/vi/x/hqdefault.jpg", width=480, height=360)
    put(reader, link="https://www.youtube.com/watch?v=x", image=still)
    page = ask(desk, ARTICLE).text
    film = page.split('<a class="film" href="https://www.youtube.com/watch?v=x"')[1].split("</a>")[0]
    assert still.url in film and "Watch it where it was published" in film and "<video" not in page
    assert '<span class="plays">Video</span>' in ask(desk, "/news/world").text
    put(reader, link="https://example.org/story", image=still, revision=1)  # its own host would not be told of readers
    assert "ytimg" not in ask(desk, ARTICLE).text


def test_an_edited_article_shows_what_changed_as_far_as_its_rights_allow(reader, desk):
    edit = Edit(at=NOW, old_title="Three <b>ships</b>", old_text="Three sank.", title="Two ships", text="Two sank.")
    reader.edits[uid_of(1)] = edit
    put(reader, content="<p>Two sank.</p>", full_text="full")
    page = ask(desk, ARTICLE).text
    assert "<del>Three &lt;b&gt;ships&lt;/b&gt;</del> <ins>Two ships</ins>" in page
    assert "<del>Three</del> <ins>Two</ins> sank.</p>" in page and "23 Nov 2026, 12:00" in page
    put(reader, content="", full_text="summary", revision=1)
    page = ask(desk, ARTICLE).text
    assert "<ins>Two ships</ins>" in page and "<ins>Two</ins>" not in page
    reader.edits.clear()
    put(reader, revision=2)
    assert "<del>" not in ask(desk, ARTICLE).text


def test_nothing_of_a_source_is_shown_as_markup_but_its_sanitised_text(reader, desk):
    put(
        reader,
        title=HOSTILE,
        summary="",
        source_name=HOSTILE,
        authors=(Person(name=HOSTILE),),
        origin=Origin(name=HOSTILE),
        publisher=HOSTILE + "p",
        rights=HOSTILE,
        language='en" onload="x',
        copies=(CopyNote(source_name=HOSTILE, link=None, title=HOSTILE, first_seen=NOW),),
    )
    for path in (ARTICLE, "/", "/news/world"):
        page = ask(desk, path).text
        told = re.findall(r'<script type="application/ld\+json">([^<]*)</script>', page)
        assert page.count("<script") == len(told) == (path == ARTICLE) and 'onload="x' not in page
        assert all(json.loads(each)["headline"] == HOSTILE for each in told)


def test_pages_carry_their_language_and_direction(reader, desk):
    reader.publish("sport", [make_article(60, language="ar", title="خبر")], 1)
    assert '<html lang="en" dir="ltr">' in ask(desk, "/sport").text
    assert '<article class="story" lang="ar" dir="rtl">' in ask(desk, "/sport").text


def test_times_on_pages_are_in_the_zone_of_the_desk(make_reader):
    desk = application(make_reader(timezone="Asia/Tokyo"))
    assert '<time datetime="2026-11-23T11:00:00Z" dir="ltr">23 Nov 2026, 20:00</time>' in ask(desk, ARTICLE).text


def test_pages_are_safe_at_home(make_reader):
    for path in ("/", "/sections", "/news/world", ARTICLE, "/nowhere"):
        got = ask(application(make_reader()), path, **BROWSER)
        policy = got.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["referrer-policy"]
        assert "style=" not in got.text and "<style" not in got.text
        assert got.text.count("<script") == got.text.count('<script type="application/ld+json">')
        loaded = re.findall(
            r'<(?:link rel="(?:stylesheet|icon|alternate icon)"|img)[^>]*?(?:href|src)="([^"]+)"', got.text
        )
        assert loaded and all(address.startswith("/") for address in loaded)
        assert "set-cookie" not in got.headers
    no_pictures = application(make_reader(publish=PublishSettings(images=False)))
    assert "img-src 'self';" in ask(no_pictures, "/").headers["content-security-policy"]


def test_pages_are_conditional_and_drawn_once_a_publication(reader, desk):
    first = ask(desk, "/news/world", accept_encoding="gzip")
    assert first.headers["content-encoding"] == "gzip" and first.headers["vary"] == "Accept-Encoding, Accept"
    reader.asked.clear()
    assert ask(desk, "/news/world", if_none_match=first.headers["etag"]).status == 304
    assert "latest" not in reader.asked
    reader.publish("news/world", [make_article(70)], 8)
    assert ask(desk, "/news/world", if_none_match=first.headers["etag"]).status == 200


def test_a_publication_has_only_the_changed_section_read_again(reader, desk):
    ask(desk, "/"), ask(desk, "/sport"), ask(desk, "/sections.opml"), ask(desk, "/sitemap-news.xml")
    reader.asked.clear()
    reader.publish("sport", [make_article(80)], 3)
    assert "Tide &amp; time 80" in ask(desk, "/").text
    assert reader.asked.count("latest") == 1
    assert "Tide &amp; time 80" in ask(desk, "/sport").text
    ask(desk, "/news"), ask(desk, "/news")
    assert reader.asked.count("latest") == 3
    ask(desk, "/sections.opml"), ask(desk, "/sitemap-news.xml")
    assert "published_after" not in reader.asked


def test_a_retraction_among_publications_has_everything_read_again(reader, desk):
    assert "Tide &amp; time 1<" in ask(desk, "/").text + ask(desk, "/news/world").text
    reader.retract(uid_of(1))
    reader.publish("sport", [make_article(80)], 3)
    assert "Tide &amp; time 1<" not in ask(desk, "/").text + ask(desk, "/news").text + ask(desk, "/news/world").text


def test_a_retracted_article_is_gone_at_once_from_its_page_and_the_lists(reader, desk):
    assert ask(desk, ARTICLE).status == 200 and "Tide &amp; time 1<" in ask(desk, "/news").text
    reader.retract(uid_of(1))
    assert ask(desk, ARTICLE).status == 410
    assert "Tide &amp; time 1<" not in ask(desk, "/news").text


@pytest.mark.parametrize("path", ["/article/1", "/article/", "/article/x/y", f"/article/{uid_of(999)}", ARTICLE[:-1]])
def test_an_article_that_never_was_is_not_found(desk, path):
    assert ask(desk, path).status == 404


def test_sections_opml_holds_the_tree_in_the_form_that_readers_know(desk):
    got = ask(desk, "/sections.opml")
    assert got.headers["content-type"] == "text/x-opml; charset=utf-8"
    root = ElementTree.fromstring(got.body)
    assert (root.tag, root.get("version"), root.findtext("head/title")) == ("opml", "2.0", "The Wire")
    outlines = list(root.iter("outline"))
    assert all(outline.get("text") for outline in outlines)
    feeds = [outline.get("xmlUrl") for outline in outlines if outline.get("type") == "rss"]
    assert feeds == [f"https://wire.example.org/{path}.rss" for path in
                     ("index", "news", "news/world", "news/world/asia", "sport")]  # fmt: skip
    assert root.find("body/outline[@text='News']/outline[@text='World']/outline[@text='Asia']") is not None
    # What the W3C's validator knows: of the head, and of outlines without a type.
    assert {one.tag for one in root.find("head") or ()} <= {"title", "dateModified", "ownerId"}
    assert all(outline.attrib.keys() == {"text"} for outline in outlines if outline.get("type") is None)
    assert ask(desk, "/sections.opml", if_none_match=got.headers["etag"]).status == 304


def test_a_section_s_icon_and_colour_are_on_its_page_and_in_the_list(make_reader):
    reader = make_reader()
    looks = Section(path="sport", title="Sport", icon="https://wire.example.org/s.png", colour="#0a5c36")
    reader.accepted = replace(reader.accepted, sections=(*SECTIONS[:4], looks))
    desk = application(reader)
    page = ask(desk, "/sport").text
    assert '<meta name="theme-color" content="#0a5c36">' in page and 'src="https://wire.example.org/s.png"' in page
    assert (
        b'webfeeds:icon="https://wire.example.org/s.png" webfeeds:accentColor="0a5c36"'
        in ask(desk, "/sections.opml").body
    )
    reader.accept(publish=PublishSettings(images=False))
    assert "s.png" not in ask(desk, "/sport").text


def test_the_news_sitemap_holds_two_days_of_the_desk_s_own_pages(reader, desk):
    desk.extensions["feeds.site"].now = lambda: NOW
    reader.articles[uid_of(3)] = make_article(3, noindex=True)
    reader.articles[uid_of(40)] = make_article(49)
    got = ask(desk, "/sitemap-news.xml")
    root = ElementTree.fromstring(got.body)
    spaces = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}
    places = [one.text for one in root.findall("s:url/s:loc", spaces)]
    assert len(places) == 6 and places[0] == f"https://wire.example.org{ARTICLE}"
    first = root.find("s:url/n:news", spaces)
    assert first is not None
    assert first.findtext("n:publication/n:name", "", spaces) == "The Wire"
    assert first.findtext("n:publication/n:language", "", spaces) == "en"
    assert first.findtext("n:publication_date", "", spaces) == "2026-11-23T11:00:00Z"
    assert first.findtext("n:title", "", spaces) == "Tide & time 1"


def test_crawlers_are_welcome_and_told_where_the_sitemap_is(make_reader):
    text = ask(application(make_reader(base_url="https://example.org/wire")), "/robots.txt").text
    assert "Disallow: /wire/status\n" in text and text.count("Sitemap: https://example.org/wire/sitemap") == 2


def test_files_of_the_pages_have_names_that_change_with_them(desk):
    style = re.search(r'<link rel="stylesheet" href="([^"]+)">', ask(desk, "/").text)
    assert style is not None and re.fullmatch(r"/static/desk\.[0-9a-f]{12}\.css", style[1])
    got = ask(desk, style[1])
    assert (got.status, got.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in got.headers["cache-control"]
    assert b"url(" not in got.body and b"@import" not in got.body
    coded = ask(desk, style[1], accept_encoding="gzip")
    assert gzip.decompress(coded.body) == got.body and len(coded.body) * 3 < len(got.body)
    assert ask(desk, style[1], accept_encoding="gzip", if_none_match=coded.headers["etag"]).status == 304
    icon = ask(desk, "/favicon.ico")
    assert icon.headers["content-type"] == "image/x-icon" and icon.body[:4] == b"\0\0\1\0"
    for path in ("/static/", "/static/desk.css", "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert ask(desk, path).status == 404


# ---------------------------------------------------------------------------- errors and redirects


def test_errors_are_short_text_or_a_page_and_repeat_nothing_of_the_request(desk):
    for path in (
        "/<script>alert(1)</script>",
        "/nowhere",
        "/news/world.xml",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc",
    ):
        plain, page = ask(desk, path), ask(desk, path, **BROWSER)
        assert (plain.status, page.status) == (404, 404)
        assert plain.headers["content-type"] == "text/plain; charset=utf-8"
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert plain.headers["vary"] == "Accept"
        for got in (plain, page):
            assert "alert(1)" not in got.text and "passwd" not in got.text and "feeds/" not in got.text
    assert ask(desk, "/nowhere").text == "404 Not Found\nThere is nothing at this address.\n"


@pytest.mark.parametrize("path", ["/", "/news/world", "/news/world.rss", "/sections.opml", "/healthz", ARTICLE])
def test_other_methods_are_refused_with_what_is_allowed(desk, path):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        got = ask(desk, path, method=method)
        assert (got.status, got.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    options = ask(desk, path, method="OPTIONS")
    assert options.status == 200 and set(options.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    head, get = ask(desk, path, method="HEAD"), ask(desk, path)
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")


@pytest.mark.parametrize(
    ("asked", "query", "location"),
    [
        ("/News/World/", "", "https://wire.example.org/news/world"),
        ("/intl.rss", "limit=5", "https://wire.example.org/news/world.rss?limit=5"),
        ("/news//world.atom", "a=\r\nX-Evil: 1", "https://wire.example.org/news/world.atom?a=%0D%0AX-Evil:%201"),
        ("//news/world", "", "https://wire.example.org/news/world"),
    ],
)
def test_redirects_lead_to_the_desk_s_own_address_whatever_host_was_asked(desk, asked, query, location):
    got = ask(
        desk, asked, query=query, host="evil.example", x_forwarded_host="evil.example", x_forwarded_proto="gopher"
    )
    assert (got.status, got.headers["location"]) == (301, location)


def test_no_address_and_no_host_of_the_request_makes_an_open_redirect(desk):
    for path in (
        "//evil.example",
        "//evil.example/",
        "/\\evil.example/",
        "/https://evil.example/",
        "///evil.example/..",
    ):
        assert ask(desk, path, host="evil.example").status == 404
    for path in ("/", "/news/world", ARTICLE, "/sections.opml", "/robots.txt", "/news/world.rss"):
        got = ask(desk, path, host="evil.example", x_forwarded_host="evil.example", forwarded="host=evil.example")
        assert "evil.example" not in got.body.decode() + str(got.headers)


def test_a_removed_section_is_gone_and_a_moved_one_redirects_by_what_the_store_remembers(reader, desk):
    reader.removed.add("politics")
    reader.moves["old/world"] = "news/world"
    assert [ask(desk, path).status for path in ("/politics", "/politics.rss", "/politics.json")] == [410] * 3
    assert ask(desk, "/old/world.json").headers["location"] == "https://wire.example.org/news/world.json"


def test_a_section_without_documents_yet_is_not_found_as_a_feed_and_has_a_page(desk):
    assert (ask(desk, "/sport.rss").status, ask(desk, "/sport").status) == (404, 200)


def test_our_own_faults_are_noted_and_not_told(reader, desk, caplog):
    reader.latest = lambda path, limit: 1 / 0
    got = ask(desk, "/news", **BROWSER)
    assert got.status == 500 and "ZeroDivision" not in got.text and "Traceback" not in got.text
    assert "ZeroDivisionError" in caplog.text


def test_health_is_said_to_supervisors(reader, desk):
    assert (ask(desk, "/healthz").text, ask(desk, "/readyz").text) == ("alive\n", "ready\n")
    assert ask(desk, "/readyz").headers["cache-control"] == "no-store"
    reader.fails = StoreError("database is locked")
    assert (ask(desk, "/healthz").status, ask(desk, "/readyz").status) == (200, 503)
    assert "locked" not in ask(desk, "/readyz").text


def test_a_desk_without_config_is_alive_and_not_ready():
    desk = create_app(reader=MemoryReader(None))
    assert [ask(desk, path).status for path in ("/healthz", "/readyz", "/", "/index.rss")] == [200, 503, 200, 404]


def test_a_store_that_is_not_there_yet_says_503_and_is_found_when_it_comes(tmp_path):
    desk = create_app(f"sqlite:///{tmp_path}/desk.sqlite3")
    assert [ask(desk, path).status for path in ("/healthz", "/readyz", "/", "/index.rss")] == [200, 503, 503, 503]
    page = ask(desk, "/", **BROWSER)
    assert (page.status, page.headers["retry-after"]) == (503, "5") and "<h1>Service Unavailable</h1>" in page.text


def test_changing_the_config_changes_the_pages(reader, desk):
    assert "The Wire" in ask(desk, "/").text
    reader.accept(title="The Tide")
    assert "<title>The Tide</title>" in ask(desk, "/").text
    reader.accepted = replace(reader.accepted, sections=reader.accepted.sections[:1], version=9)
    reader.counter += 1
    assert ask(desk, "/sport").status == 404


def test_an_empty_desk_says_what_to_do_next(make_reader):
    accepted = make_reader().accepted
    page = ask(application(MemoryReader(accepted)), "/").text
    assert "Nothing has been published yet" in page and "wiredesk discover" in page
    fed = replace(accepted, sources=(SourceName("a", "A"),))
    page = ask(application(MemoryReader(fed)), "/").text
    assert "1 source will be asked" in page and "wiredesk doctor" in page


def test_articles_of_one_story_stand_together(reader, desk):
    told = [make_article(number, story_uid="urn:uuid:s" if number in (70, 72) else None) for number in (70, 71, 72)]
    reader.publish("sport", told, 1)
    page = ask(desk, "/sport").text
    assert page.count('<article class="story') == 2
    first, second = page.split('<article class="story')[1:]
    assert "Tide &amp; time 72</a>" in first and "Tide &amp; time 71</a>" in second


def test_a_feed_that_cannot_be_is_refused_in_words_and_browsers_get_a_page(desk):
    plain, page = ask(desk, "/news.rss", query="limit=x"), ask(desk, "/news.rss", query="limit=x", **BROWSER)
    assert (plain.status, plain.text) == (400, "400 Bad Request\nlimit is a whole number from 1 to 200\n")
    assert page.status == 400 and "<p>limit is a whole number from 1 to 200</p>" in page.text
    assert plain.headers["cache-control"] == page.headers["cache-control"] == "no-store"


def test_a_section_in_another_language_says_so_and_reads_from_its_side(make_reader):
    accepted = make_reader().accepted
    arabic = Section(path="arabic", title="العربية", description="أخبار", language="ar")
    reader = MemoryReader(replace(accepted, sections=(*accepted.sections, arabic)))
    reader.publish("arabic", [make_article(60, language="ar")], 1)
    web = application(reader)
    page = ask(web, "/arabic").text
    assert '<header class="heading" dir="rtl">' in page
    assert '<h1 lang="ar" dir="rtl">العربية</h1>' in page and '<p class="motto" lang="ar" dir="rtl">' in page
    assert '<section class="desk" aria-label="العربية" lang="ar" dir="rtl">' in ask(web, "/").text


def test_a_data_block_cannot_be_left(reader, desk):
    put(reader, title="</script><script>alert(1)</script><!--")
    page = ask(desk, ARTICLE).text
    assert page.count("<script") == page.count("</script>") == 1 and "<!--" not in page


def test_pictures_can_be_turned_off(make_reader):
    for images in (True, False):
        reader = make_reader(publish=PublishSettings(images=images))
        put(
            reader,
            content='<p>a <img src="https://x.example/a.png" alt="1 > 0"> b</p>',
            image=Image(url="https://x.example/b.png"),
        )
        page = ask(application(reader), ARTICLE).text
        assert ("x.example" in page) is images and "a " in page
