"""Short entries get the text of their pages, and keep it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from feeds.ingest.full_text import completed, kept, refusal
from feeds.model import Entry
from feeds.store import open_store
from tests.cases.desk import CaseDesk
from tests.fetch.origin import Origin

SUMMARY = "The harbour council wants a second ferry before winter, its chair said on Monday."
PARAGRAPHS = [
    f"The ferry number {number} would leave the harbour at {number} in the morning and be back before the tide turns, "
    f"said the chair of the council, who had asked the yard for an offer in spring and got one by the autumn."
    for number in range(1, 9)
]
ITEM = (
    "<item><title>{title}</title><link>{link}</link><guid>urn:x:{number}</guid><description>{text}</description></item>"
)


def feed(*items: str) -> bytes:
    channel = "<title>Short</title><link>https://short.example/</link><description>-</description>"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{"".join(items)}</channel></rss>'.encode()


def page(title: str, *paragraphs: str, head: str = "") -> bytes:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<html><head><title>{title}</title>{head}</head><body><nav>Home About</nav><article><h1>{title}</h1>{text}"
        "</article></body></html>"
    ).encode()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[CaseDesk]:
    with CaseDesk(tmp_path) as case:
        yield case


def test_a_short_feed_gets_the_text_of_its_pages_once_and_keeps_it(desk: CaseDesk) -> None:
    pages = {
        "ferry": page("Council wants a second ferry", SUMMARY, *PARAGRAPHS),
        "wall": page("Lighthouse is sold", *PARAGRAPHS, head='<script type="application/ld+json">'
                     '{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'),
        "other": page("We have moved", *["This site has moved to another place, where all is being rebuilt."] * 9),
        "closed/pier": page("Pier reopens", *PARAGRAPHS),
    }  # fmt: skip
    links = {name: desk.show(f"/{name}.html", body) for name, body in pages.items()}
    desk.show("/robots.txt", b"User-agent: *\nDisallow: /closed/\n", Content_Type="text/plain")
    titles = {"ferry": "Council wants a second ferry", "wall": "Lighthouse is sold", "other": "Mill turns again",
              "closed/pier": "Pier reopens"}  # fmt: skip
    items = [
        ITEM.format(title=titles[name], link=link, number=name, text=f"{titles[name]}. {SUMMARY}")
        for name, link in links.items()
    ]
    url = desk.show("/feed.xml", feed(*items))
    desk.write({"name": "Short", "url": url, "full_text": "fetch"}, full_text="summary")
    desk.poll()
    shown = {item["title"]: item for item in desk.items()}
    assert "ferry number 8" in shown["Council wants a second ferry"]["content_html"]
    assert SUMMARY in shown["Council wants a second ferry"]["summary"]
    for short in ("Lighthouse is sold", "Mill turns again", "Pier reopens"):
        assert "ferry number" not in shown[short].get("content_html", "")
    assert desk.origin.seen("/closed/pier.html") == []
    with open_store(desk.url) as store, store.read() as tx:
        assert [(event.kind, event.subject) for event in tx.events.open()] == [("robots", "Short")]

    # The feed changes around it, and shows the same entry again; then it changes its words.
    desk.show("/feed.xml", feed(ITEM.format(title="New", link=desk.origin.url("/none"), number=9, text="New."), *items))
    desk.poll()
    again = {item["title"]: item for item in desk.items()}["Council wants a second ferry"]
    assert again == shown["Council wants a second ferry"]
    renamed = [item.replace("a second ferry<", "a third ferry<") for item in items]
    desk.show("/feed.xml", feed(*renamed))
    desk.poll()
    third = {item["title"]: item for item in desk.items()}["Council wants a third ferry"]
    assert third["id"] == again["id"]
    assert "ferry number 8" in third["content_html"]
    assert len(desk.origin.seen("/ferry.html")) == 1


def test_a_page_that_fails_is_asked_for_once_more_after_the_next_poll(desk: CaseDesk) -> None:
    answers = iter([(503, b""), (200, page("Council wants a second ferry", *PARAGRAPHS))])
    desk.origin.add("/late.html", lambda exchange: exchange.answer(*next(answers), Content_Type="text/html"))
    link = desk.origin.url("/late.html")
    item = ITEM.format(title="Council wants a second ferry", link=link, number=1, text=SUMMARY)
    desk.write({"name": "Short", "url": desk.show("/feed.xml", feed(item)), "full_text": "fetch"})
    desk.poll()
    assert "ferry number" not in desk.items()[0].get("content_html", "")
    desk.poll(timedelta(hours=2))
    assert "ferry number 8" in desk.items()[0]["content_html"]


SHORT = Entry(key="id:1", title="Council wants a second ferry", text=SUMMARY, content_hash=5)
LONG = Entry(
    key="url:1", title="Council wants a second ferry", text=" ".join(PARAGRAPHS), content="<p>…</p>", content_hash=9
)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (LONG, ""),
        (Entry(key="x", title="T", text=SUMMARY, content="<p>…</p>"), "no longer than"),
        (Entry(key="x", title="Shop", text="Shoes and hats at half the price. " * 20, content="<p>…</p>"), "shares"),
        (Entry(key="x", title="Council wants a second ferry", text=LONG.text), "no longer than"),
    ],
)  # fmt: skip
def test_a_page_must_be_longer_and_about_the_same(found: Entry, why: str) -> None:
    assert why in refusal(SHORT, found) and bool(why) == bool(refusal(SHORT, found))


def test_the_long_text_stays_while_the_feed_shows_the_short_one() -> None:
    whole = completed(SHORT, LONG)
    assert kept(SHORT, whole) == whole
    edited = kept(Entry(key="id:1", title="Council wants two ferries", text=SUMMARY, content_hash=6), whole)
    assert (edited.title, edited.text, edited.feed_hash) == ("Council wants two ferries", LONG.text, 6)
    assert edited.content_hash != whole.content_hash
    full_now = Entry(key="id:1", title="T", text="word " * 1000, content_hash=7)
    assert kept(full_now, whole) is full_now
    assert kept(SHORT, None) is SHORT


def test_hostile_pages_cost_the_entry_nothing(desk: CaseDesk) -> None:
    title, loop = "Council wants a second ferry", desk.origin.url("/loop.html")
    desk.origin.add("/loop.html", lambda exchange: exchange.answer(302, Location=loop))
    whole = page(title, *PARAGRAPHS)
    shown = {
        "huge": page(title, "x" * 6_000_000),
        "deep": b"<html><body>" + b"<div>" * 100_000 + SUMMARY.encode(),
        "script": b"<html><head><title>x</title></head><body><div id=root></div><script>show()</script></body></html>",
        "charset": whole.replace(b"<head>", b'<head><meta charset="no-such-charset">'),
        "empty": b"",
    }
    links = {name: desk.show(f"/{name}.html", body) for name, body in shown.items()} | {"loop": loop}
    with Origin("127.0.0.2") as large:
        large.add("/robots.txt", lambda exchange: exchange.answer(200, b"# " + b"x" * 11_000_000))
        large.add("/behind.html", lambda exchange: exchange.answer(200, whole, Content_Type="text/html"))
        links["robots"] = large.url("/behind.html")
        items = [
            ITEM.format(title=name, link=at, number=name, text=f"{title}. {SUMMARY}") for name, at in links.items()
        ]
        desk.write({"name": "Short", "url": desk.show("/feed.xml", feed(*items)), "full_text": "fetch"})
        desk.poll()
        assert not [result for result in desk.ended if result.error]
        long = {item["title"]: "ferry number 8" in item.get("content_html", "") for item in desk.items()}
        assert long == dict.fromkeys(links, False) | {"charset": True}
        assert large.seen("/behind.html") == []
    assert desk.origin.seen("/huge.html") and desk.origin.seen("/script.html")
