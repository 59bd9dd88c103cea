# ruff: noqa: E501 - pages as they are sent
"""Pages and JSON by selectors: each part of each article, what pages say themselves, and what a redesign breaks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from feeds.configuration import Select, Source
from feeds.conventions import TELEGRAM
from feeds.dates import rfc3339
from feeds.errors import ParseError
from feeds.model import Entry
from feeds.normalise import normalise
from feeds.parse import parse_listing, parse_selected
from tests.parse.listed_pages import PAGES, TEXTS, TITLES, URL, ListedPage, each, page

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def selected(body: str | bytes, select: Select, *, is_json: bool = False, content_type: str | None = None) -> Any:
    raw = body.encode() if isinstance(body, str) else body
    return parse_selected(raw, select=select, is_json=is_json, url=URL, content_type=content_type, now=NOW, zone=UTC)


def entries(feed: Any) -> tuple[Entry, ...]:
    source = Source(key="s", name="S", kind="page", target=URL)
    return normalise(feed, source=source, url=URL, received_at=NOW, desk_language="en", desk_timezone="UTC").entries


@pytest.mark.parametrize("name", PAGES)
def test_each_kind_of_page_gives_its_articles(name: str) -> None:
    listed = PAGES[name]
    feed = selected(listed.body, listed.select, is_json=listed.is_json)
    found = entries(feed)
    assert len(found) == listed.count
    one, wanted = found[0], listed.first
    if wanted["title"] is not None:
        assert [entry.title for entry in found] == list(TITLES)
    assert one.link == wanted["link"]
    assert (rfc3339(one.published) if one.published else None) == wanted.get("published")
    assert " ".join(one.text.split()) == wanted.get("text", "")
    assert (one.image.url if one.image else None) == wanted.get("picture")
    assert tuple(person.name for person in one.authors) == wanted.get("authors", ())
    assert tuple(category.term for category in one.categories) == wanted.get("categories", ())
    assert one.entry_id == wanted.get("id")
    assert not [warning for entry in found for warning in entry.warnings if "date" in warning or "published" in warning]


CARDS = PAGES["cards of a newspaper"]


@pytest.mark.parametrize(
    ("body", "select", "said"),
    [
        (page("<p>We moved!"), CARDS.select, "item 'article.card' finds nothing"),
        (CARDS.body, replace(CARDS.select, title="h2"), "title 'h2' finds nothing in any of 4 articles"),
        (CARDS.body, replace(CARDS.select, link=".more@href"), "link '.more@href' finds nothing"),
        (CARDS.body, replace(CARDS.select, text=".dek"), "text '.dek' finds nothing"),
        (page(each("<li><b>{title}</b></li>")), Select(item="li", title="h3", link="a"), "title 'h3' finds nothing in any of 8"),
        (CARDS.body, Select(item="*", title="xpath:.", link="@href"), "finds everything"),
        (page("<p><a href=x>y</a></p>" * 600), Select(item="p", title="a"), "finds everything: more than 500"),
        (page(each("<p><a href=/a/{n}>Read more</a>")), Select(item="p", title="a", link="a"), "the same words in all 4"),
    ],
)  # fmt: skip
def test_a_redesign_is_told_by_the_selector_that_it_broke(body: str, select: Select, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        selected(body, select)
    assert said in caught.value.cause
    assert "preview" in caught.value.remedy


def test_a_part_that_only_adorns_is_a_warning() -> None:
    feed = selected(CARDS.body, replace(CARDS.select, picture=".hero img", date=".when"))
    assert feed.warnings == (
        "select: date '.when' finds nothing in any article",
        "select: picture '.hero img' finds nothing in any article",
    )


def test_json_that_changed_its_form_is_told_too() -> None:
    select = PAGES["an answer for programs"].select
    for value in ({"data": {}}, {"data": {"alerts": []}}, [], "x", 5, {"data": {"alerts": {"headline": 1}}}):
        with pytest.raises(ParseError):
            selected(json.dumps(value), replace(select, link="missing"), is_json=True)
    with pytest.raises(ParseError, match=r"script#x.*finds nothing"):
        selected(page("<script id=y>{}</script>"), replace(select, script="script#x"), is_json=True)


def test_the_next_page_is_the_address_of_a_link_or_of_json() -> None:
    select = replace(CARDS.select, next="a.next")
    assert selected(CARDS.body, select).next_archive is None
    assert selected(CARDS.body + "<a class=next href='?p=2'>", select).next_archive == URL + "?p=2"
    told = json.dumps({"list": [{"t": "x", "u": "/x"}], "more": "/list/2"})
    feed = selected(told, Select(item="list", title="t", link="u", next="more"), is_json=True)
    assert feed.next_archive == "https://www.coast.example/list/2"


H_ENTRY = """<div class="h-entry"><a class="p-author h-card" href="/"><span class="p-name">Ada</span></a>
<h2 class="p-name"><a class="u-url" href="/a/{n}">{title}</a></h2><time class="dt-published" datetime="2026-11-{day}">x</time>
<div class="e-content"><p>{text}</p></div><a class="p-category">sea</a>
<div class="u-comment h-cite"><p class="p-name">A reply</p><div class="e-content">So it is.</div></div></div>"""


def test_posts_that_a_page_marks_are_read_without_selectors() -> None:
    feed = parse_listing(page("<div class=h-feed>" + each(H_ENTRY) + "</div>").encode(), url=URL)
    found = entries(feed)
    assert [entry.title for entry in found] == list(TITLES)
    assert [entry.text for entry in found] == list(TEXTS)
    assert found[0].link == "https://www.coast.example/a/1"
    assert [person.name for person in found[0].authors] == ["Ada"]
    assert (found[0].published, found[0].categories[0].term) == (datetime(2026, 11, 19, tzinfo=UTC), "sea")
    assert feed.links == ()


def test_marked_headlines_alone_are_followed_as_today() -> None:
    marked = each(
        '<article class="h-entry"><h2><a class="u-url p-name" href="/a/2026/11/{title}-{n}">{title}</a></h2></article>'
    )
    feed = parse_listing(page(marked).encode(), url=URL)
    assert (len(feed.links), feed.entries) == (4, ())


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_list_in_json_ld_is_read_where_no_links_are_learnt(wrapped: bool) -> None:
    things = [
        {"@type": "Event", "name": title, "url": f"/a/{n}", "startDate": f"2026-11-{20 - n}", "description": text,
         "image": {"url": "/p.png"}}
        for n, (title, text) in enumerate(zip(TITLES, TEXTS, strict=True), start=1)
    ]  # fmt: skip
    members: list[Any] = [{"@type": "ListItem", "position": 1, "item": one} for one in things] if wrapped else things
    told = json.dumps({"@context": "https://schema.org", "@type": "ItemList", "itemListElement": members})
    feed = parse_listing(page(f"<script type=application/ld+json>{told}</script>").encode(), url=URL)
    found = entries(feed)
    assert [(entry.title, entry.text) for entry in found] == list(zip(TITLES, TEXTS, strict=True))
    assert (found[0].link, found[0].image.url) == ("https://www.coast.example/a/1", "https://www.coast.example/p.png")


HOSTILE: dict[str, tuple[str | bytes, ListedPage]] = {
    "a script alone": ("<html><head><script>fill()</script></head><body><div id=app></div></body></html>", CARDS),
    "nothing": ("", CARDS),
    "zeros": (b"\0" * 10_000, CARDS),
    "deep": ("<div>" * 50_000 + CARDS.body, CARDS),
    "huge": ("<p>x</p>" * 800_000, CARDS),
    "many elements": ("<b></b>" * 70_000 + CARDS.body, CARDS),
    "deep JSON": ("[" * 100_000, PAGES["an answer for programs"]),
    "no JSON": ("<html>", PAGES["an answer for programs"]),
    "a number without end": ('{"data": ' + "9" * 100_000, PAGES["an answer for programs"]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused_in_words(name: str) -> None:
    body, listed = HOSTILE[name]
    with pytest.raises(ParseError):
        selected(body, listed.select, is_json=listed.is_json)


def test_the_charset_that_a_page_means_is_read() -> None:
    body = CARDS.body.replace(TITLES[0], "Höhere Mauern für Büsum")
    for charset, declared in (
        ("windows-1252", "text/html; charset=iso-8859-1"),
        ("utf-8", "text/html; charset=latin-1"),
    ):
        feed = selected(body.encode(charset), CARDS.select, content_type=declared)
        assert feed.entries[0].title.value == "Höhere Mauern für Büsum"


def test_what_is_selected_is_as_safe_as_any_article() -> None:
    evil = '<p onclick="x()">Fine<script>x()</script><img src=x onerror=x()></p>'
    body = page(
        f'<article class=card><h3><a href="javascript:x()">{TITLES[0]}</a></h3><div class=t>{evil}</div></article>'
    )
    (one,) = entries(selected(body, Select(item=".card", title="h3", link="a@href", text=".t")))
    assert one.link is None
    assert "Fine" in one.content
    assert not any(word in one.content for word in ("script", "onclick", "onerror"))


def test_posts_of_a_telegram_channel_are_read_by_selectors_of_ours() -> None:
    post = """<div class="tgme_widget_message_wrap"><div class="tgme_widget_message js-widget_message" data-post="tide/{n}">
    <a class="tgme_widget_message_photo_wrap" href="x" style="width:8px;background-image:url('https://cdn.example/{n}.jpg')"></a>
    <div class="tgme_widget_message_text js-message_text" dir="auto">{title}<br/>{text}</div><time class="message_video_duration">0:12</time>
    <a class="tgme_widget_message_date" href="https://t.me/tide/{n}"><time datetime="2026-11-{day}T08:00:00+00:00">08:00</time></a></div></div>"""
    found = entries(selected(page(each(post)), TELEGRAM))
    assert [entry.entry_id for entry in found] == ["tide/1", "tide/2", "tide/3", "tide/4"]
    assert (found[0].link, found[0].image.url) == ("https://t.me/tide/1", "https://cdn.example/1.jpg")
    assert found[0].published == datetime(2026, 11, 19, 8, tzinfo=UTC)
    assert found[0].title.startswith(TITLES[0]) and TEXTS[0] in found[0].text
