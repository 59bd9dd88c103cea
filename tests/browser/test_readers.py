"""A reader in a real browser: finds a section and its feed, searches, reads on a phone and in the dark."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
LOOKS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block", "target-size"]}}
LAYOUT = """() => new Promise(done => {
  let shift = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) shift += e.value; })
    .observe({type: 'layout-shift', buffered: true});
  new PerformanceObserver(list => setTimeout(() => done({shift, paint: list.getEntries()[0].startTime}), 200))
    .observe({type: 'paint', buffered: true});
})"""


def article_path(page) -> str:
    return (
        page.locator("article.story h2 a, article.story h3 a").filter(has_text="Storm gate").first.get_attribute("href")
    )


def address_of(visit, path: str) -> str:
    """*path*, or that of an article or its story where it says so."""
    if path in ("ARTICLE", "STORY"):
        page = visit("/news/harbour")
        article = article_path(page)
        if path == "ARTICLE":
            return article
        page.goto(page.url.removesuffix("/news/harbour") + article)
        return page.get_by_role("link", name="The whole story").get_attribute("href")
    return path


def test_a_reader_finds_a_section_and_its_feed(visit, desk):
    page = visit("/", script=False)
    page.get_by_role("navigation", name="Sections", exact=True).get_by_role("link", name="News").click()
    page.get_by_role("navigation", name="In this section").get_by_role("link", name="Harbour").click()
    page.wait_for_url("**/news/harbour")
    assert page.locator("h1").inner_text() == "Harbour"
    page.get_by_text("Subscribe", exact=True).click()
    assert page.get_by_text("without an account").is_visible()
    address = page.locator(".offer code").first.inner_text()
    assert address == f"{desk.base_url}/news/harbour.rss"
    assert page.request.get(address).headers["content-type"].startswith("application/rss+xml")


def test_who_follows_a_link_to_a_feed_is_told_what_it_is_and_programs_get_the_feed(visit, desk):
    page = visit("/news/harbour", script=False)
    page.get_by_text("Subscribe", exact=True).click()
    page.locator(".offer").get_by_role("link", name="Atom").click()
    page.wait_for_url("**/news/harbour.atom")
    address = page.locator(".offer code").inner_text()
    assert address == f"{desk.base_url}/news/harbour.atom" and page.locator("article.story").count() > 0
    assert page.get_by_role("link", name="a reader app").get_attribute("href") == f"feed:{address}"
    assert page.request.get(address).headers["content-type"].startswith("application/atom+xml")


def test_autodiscovery_is_in_every_head_and_leads_to_feeds(visit, desk):
    page = visit("/")
    for path in ("/", "/news/harbour", article_path(page), "/search?q=gate"):
        page = visit(path)
        links = page.locator('link[rel="alternate"][type*="atom"]')
        assert links.count() >= 1
        answer = page.request.get(links.first.get_attribute("href"))
        assert answer.status == 200 and "atom+xml" in answer.headers["content-type"]


def test_search_finds_what_was_published_and_offers_it_as_a_feed(visit):
    page = visit("/", script=False)
    page.get_by_role("searchbox").fill("seagrass")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=seagrass")
    assert page.locator("article.story").count() == 1
    assert "Seagrass" in page.locator("article.story h2").inner_text()
    feed = page.request.get(page.locator('link[rel="alternate"]').get_attribute("href"))
    assert "Seagrass" in feed.text() and feed.headers["etag"]
    assert page.request.get(feed.url, headers={"If-None-Match": feed.headers["etag"]}).status == 304
    assert "Nothing was found" in visit("/search?q=zeppelin").content()


def test_search_is_narrowed_and_sorted_from_the_keyboard(visit):
    page = visit("/search?q=gate", script=False)
    page.get_by_text("Narrow and sort").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Section", exact=True).select_option(label="News › Harbour")
    page.get_by_label("Order").select_option("date")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**section=news%2Fharbour**")
    assert page.locator("details.narrow").get_attribute("open") is not None
    assert page.get_by_label("Order").input_value() == "date"
    assert "article" in page.get_by_role("status").inner_text()
    assert page.locator("article.story").count() >= 1


def test_an_article_says_where_it_is_from_and_what_else_there_is(visit):
    path = article_path(visit("/news/harbour"))
    page = visit(path)
    told = json.loads(page.locator('script[type="application/ld+json"]').inner_text())
    assert told["@type"] == "NewsArticle" and told["headline"] == page.locator("h1").inner_text()
    assert page.locator('link[rel="canonical"]').get_attribute("href") == told["mainEntityOfPage"]
    assert "Coast Gazette" in page.locator(".also").last.inner_text() or page.get_by_text("Also in").count() == 1
    assert page.complaints == []


def test_the_page_follows_the_reader_into_the_dark(visit):
    colour = "() => getComputedStyle(document.body).backgroundColor"
    light, dark = (visit("/news", dark=dark).evaluate(colour) for dark in (False, True))
    bright = [sum(int(part) for part in value[4:-1].split(", ")) for value in (light, dark)]
    assert bright[0] > 600 > 150 > bright[1]


LONG_WORDS = """() => document.querySelectorAll('h1, h2 a, h3 a, .teaser, .byline span, .others a, td, code')
  .forEach(node => { node.textContent = 'Rindfleischetikettierungsaufgaben'.repeat(6) })"""


WIDTHS = (320, 360, 768, 1280, 1920)


def test_nothing_stands_out_of_the_window_whatever_words_there_are(visit, desk):
    paths = ["/", "/news", "/news.atom", "/search?q=tide", "/status", "/status/source/post", "/nowhere"]
    paths += [address_of(visit, "ARTICLE"), address_of(visit, "STORY")]
    page = visit("/")
    for each in paths:
        page.goto(desk.base_url + each)
        for words in ("its own", "long"):
            if words == "long":
                page.evaluate(LONG_WORDS)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{each} is {wide} px too wide at {width} with {words} words"


def test_a_story_is_told_as_a_timeline_and_can_be_subscribed_to(visit):
    page = visit(address_of(visit, "STORY"), script=False)
    assert page.locator("article.story").count() >= 2
    assert "articles: Harbour Post" in page.locator(".motto").inner_text()
    stamps = [node.get_attribute("datetime") for node in page.locator("article.story time").all()]
    assert stamps == sorted(stamps, reverse=True)
    page.get_by_text("Subscribe", exact=True).click()
    feed = page.request.get(page.locator(".offer code").nth(1).inner_text())
    assert "atom+xml" in feed.headers["content-type"]
    assert feed.text().count("</entry>") == page.locator("article.story").count()


def test_arabic_is_read_from_the_right(visit):
    page = visit("/arabic")
    story = page.locator("article.story").first
    assert story.get_attribute("dir") == "rtl" and story.get_attribute("lang") == "ar"
    assert story.locator("h3").evaluate("node => getComputedStyle(node).direction") == "rtl"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sections",
        "/news",
        "ARTICLE",
        "STORY",
        "/arabic",
        "/search?q=gate&section=news",
        "/archive/1",
        "/status",
        "/status/source/post",
        "/nowhere",
    ],
)
def test_everybody_can_use_the_pages(visit, path):
    page = visit(address_of(visit, path))
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    # On a phone in the dark colours and sizes are others, the rest is as it was.
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 800})
    found = Axe().run(page, options=LOOKS)
    assert found.violations_count == 0, found.generate_report()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit):
    page = visit("/")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.get_by_text("Subscribe", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.locator("details.subscribe").get_attribute("open") is not None
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_who_wants_no_motion_gets_none(visit):
    page = visit("/", reduced_motion="reduce")
    moving = (
        "() => [...document.querySelectorAll('*')].filter(n => getComputedStyle(n).transitionDuration !== '0s').length"
    )
    assert page.evaluate(moving) == 0


@pytest.mark.parametrize("path", ["/", "/news", "ARTICLE", "STORY", "/search?q=gate", "/status", "/status/source/post"])
def test_pages_stay_within_their_budget(visit, desk, path):
    asked = []
    path = address_of(visit, path)
    page = visit("/healthz")
    page.on("response", lambda response: asked.append(response) if desk.base_url in response.url else None)
    page.goto(desk.base_url + path, wait_until="load")
    sizes = {response.url: len(response.body()) for response in asked}
    assert len(asked) <= 3, sizes  # the page, its style, its icon
    assert sum(sizes.values()) < 50_000, sizes
    measured = page.evaluate(LAYOUT)
    assert measured["shift"] == 0
    assert 0 < measured["paint"] < 3000
    assert page.complaints == []


def test_pictures_are_lazy_and_have_their_size_before_they_come(visit):
    page = visit("/news")
    pictures = page.locator("img.picture")
    assert pictures.count() >= 3
    for at in range(pictures.count()):
        picture = pictures.nth(at)
        assert picture.get_attribute("width") and picture.get_attribute("loading") == "lazy"
        assert picture.evaluate("node => getComputedStyle(node).aspectRatio") == "3 / 2"
