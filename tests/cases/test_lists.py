# ruff: noqa: E501 - pages as they are sent
"""Sources without a feed, on a whole desk: a page by selectors through its pages and its redesign, JSON by POST."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from feeds.store import open_store
from tests.cases.desk import CaseDesk
from tests.fetch.origin import Exchange

SELECT = {"item": "li.post", "title": "a", "link": "a", "date": "time", "text": "p", "next": "a.next", "pages": 2}


def listed(*numbers: int, after: str = "") -> bytes:
    posts = "".join(
        f"<li class=post><a href=/a/{n}>The tide of day {n} in words</a><time datetime=2026-11-{n:02}></time><p>It was {n} feet."
        for n in numbers
    )
    return f"<title>Tides</title><ul>{posts}</ul>{after}".encode()


def titles(desk: CaseDesk) -> list[str]:
    return [item["title"].removeprefix("The tide of day ").removesuffix(" in words") for item in desk.items()]


def alarms(desk: CaseDesk) -> list[str]:
    """The texts of the open alarms that nothing can be read of a page."""
    with open_store(desk.url) as store, store.read() as tx:
        return [event.text for event in tx.events.open() if event.kind == "unread"]


def asked(desk: CaseDesk, path: str) -> int:
    return len(desk.origin.seen(path))


def test_a_page_is_read_by_selectors_and_keeps_what_it_had_when_it_is_redesigned(desk: CaseDesk) -> None:
    onward = "<a class=next href='/list2.html'>older</a>"
    page = desk.show("/list.html", listed(9, 8, 7, after=onward))
    desk.show("/list2.html", listed(6, 5, 4, after="<a class=next href='/list3.html'>older</a>"))
    desk.show("/list3.html", listed(3, 2, 1))
    desk.write({"name": "Tides", "page": page, "select": SELECT})
    desk.poll()
    assert titles(desk) == ["9", "8", "7", "6", "5", "4"]  # two pages, as config says
    first = desk.items()[0]
    assert (first["url"], first["date_published"][:10]) == (desk.origin.url("/a/9"), "2026-11-09")
    assert "It was 9 feet." in first["content_html"]
    assert (asked(desk, "/list2.html"), asked(desk, "/list3.html"), asked(desk, "/a/9")) == (1, 0, 0)

    desk.show("/list.html", listed(10, 9, 8, after=onward))
    desk.poll()
    assert titles(desk)[:2] == ["10", "9"]
    assert asked(desk, "/list2.html") == 1  # something was known on the first page

    desk.show("/list.html", listed(11, 10, 9).replace(b"class=post", b"class=card"))
    desk.poll()
    (told,) = alarms(desk)
    assert "select: item 'li.post' finds nothing" in told
    assert titles(desk)[0] == "10"

    desk.write({"name": "Tides", "page": page, "select": SELECT | {"item": "li.card"}})
    desk.poll()
    assert titles(desk)[:2] == ["11", "10"]
    assert alarms(desk) == []

    # The page stays as it is, selectors change: it is read again all the same, and nothing is new.
    desk.write({"name": "Tides", "page": page, "select": SELECT | {"item": "li.card", "text": "time@datetime"}})
    desk.poll()
    assert "2026-11-11" in desk.items()[0]["content_html"]
    assert len(titles(desk)) == 8


def test_the_text_of_a_listed_article_comes_from_its_page_where_config_says_so(desk: CaseDesk) -> None:
    text = "".join(
        f"<p>The tide of day 9 in words came in at dawn, was {n} feet high, and went out again.</p>" for n in range(9)
    )
    desk.show(
        "/a/9",
        f"<title>x</title><article><h1>The tide of day 9 in words</h1>{text}</article>".encode(),
        Content_Type="text/html",
    )
    for n in (8, 7):
        desk.show(f"/a/{n}", b"Gone", status=404)
    page = desk.show("/list.html", listed(9, 8, 7))
    desk.write({"name": "Tides", "page": page, "select": SELECT, "full_text": "fetch"})
    desk.poll()
    assert ["8 feet high" in item["content_html"] for item in desk.items()] == [True, False, False]
    desk.show("/list.html", listed(10, 9, 8))
    desk.poll()
    assert "8 feet high" in desk.items()[1]["content_html"]  # the list goes on to show the short one


def test_a_list_that_leads_on_to_itself_is_asked_as_often_as_config_says(desk: CaseDesk) -> None:
    page = desk.show("/list.html", listed(9, 8, after="<a class=next href='/list.html'>older</a>"))
    desk.write({"name": "Tides", "page": page, "select": SELECT | {"pages": 4}})
    desk.poll()
    assert (titles(desk), asked(desk, "/list.html")) == (["9", "8"], 4)


def test_json_is_asked_for_by_post_with_its_secrets(desk: CaseDesk) -> None:
    taken: list[tuple[str, bytes]] = []

    def answer(exchange: Exchange) -> None:
        body = exchange.seen.raw.partition(b"\r\n\r\n")[2]
        while len(body) < int(exchange.seen.header("content-length") or 0):
            body += exchange.connection.recv(65536)
        taken.append(
            (f"{exchange.seen.method} {exchange.seen.header('content-type')} {exchange.seen.header('x-key')}", body)
        )
        alerts = [
            {"id": "x1", "head": "Storm from the west", "url": "/x/1", "at": 1795953600, "body": "It <b>blows</b>."}
        ]
        exchange.answer(
            200, json.dumps({"data": {"alerts": alerts}}).encode(), Content_Type="application/json", ETag='"1"'
        )

    desk.origin.add("/api", answer)
    desk.environ = {"KEY": "hushhush"}
    desk.write(
        {
            "name": "Alerts",
            "json": desk.origin.url("/api"),
            "post": '{"first": 5, "key": "${KEY}"}',
            "headers": {"X-Key": "${KEY}"},
            "select": {
                "items": "data.alerts",
                "id": "id",
                "title": "head",
                "link": "url",
                "date": "at",
                "text": "body",
            },
        }
    )
    desk.poll()
    desk.poll(after=timedelta(hours=2))
    assert taken == [("POST application/json hushhush", b'{"first": 5, "key": "hushhush"}')] * 2
    (item,) = desk.items()
    assert (item["title"], item["url"]) == ("Storm from the west", desk.origin.url("/x/1"))
    assert item["date_published"].startswith("2026-11-29") or item["date_published"].startswith("2026-11-28")
    assert "<b>blows</b>" in item["content_html"]
    with open_store(desk.url) as store, store.read() as tx:
        found = tx.sources.by_key("Alerts")
    assert found is not None and found[0].post == "" and "hushhush" not in repr(found)


def sitemap(desk: CaseDesk, *numbers: int) -> bytes:
    urls = "".join(f"<url><loc>{desk.origin.url(f'/2026/tide-of-day-{n}.html')}</loc></url>" for n in numbers)
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>".encode()


def index(desk: CaseDesk, **days: str) -> bytes:
    parts = "".join(
        f"<sitemap><loc>{desk.origin.url(f'/{name}.xml')}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</sitemap>"
        for name, day in days.items()
    )
    return f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{parts}</sitemapindex>".encode()


def tides(desk: CaseDesk, *numbers: int) -> None:
    for n in numbers:
        text = f"<p>On day {n} the water stood {n * 7} feet high at the mole, and {n * 3} boats stayed in the harbour of Varn {n}.</p>"
        page = (
            f"<title>The tide of day {n} in words</title><article><h1>The tide of day {n} in words</h1>{text}</article>"
        )
        desk.show(f"/2026/tide-of-day-{n}.html", page.encode())


def test_an_index_of_sitemaps_brings_the_articles_of_its_parts(desk: CaseDesk) -> None:
    desk.show("/robots.txt", b"", Content_Type="text/plain")
    tides(desk, 1, 2, 3, 4)
    desk.show("/old.xml", sitemap(desk, 1))
    desk.show("/new.xml", sitemap(desk, 2))
    url = desk.show("/index.xml", index(desk, old="2026-01-01", new="2026-11-20"))
    desk.write({"name": "Tides", "sitemap": url})
    desk.poll()
    desk.poll()
    assert sorted(titles(desk)) == ["1", "2"]

    desk.show("/new.xml", sitemap(desk, 3, 2))
    desk.poll()
    assert (asked(desk, "/old.xml"), asked(desk, "/new.xml")) == (1, 1)
    desk.show("/index.xml", index(desk, old="2026-01-01", new="2026-11-21"))
    desk.poll()
    desk.poll()
    assert sorted(titles(desk)) == ["1", "2", "3"]
    assert (asked(desk, "/old.xml"), asked(desk, "/new.xml")) == (1, 2)
    assert all(asked(desk, f"/2026/tide-of-day-{n}.html") == 1 for n in (1, 2, 3))
    shown = desk.command("preview", "Tides").output
    assert "links to 2 sitemaps:" in shown and "links to 2 articles:" in shown and "The tide of day 3" in shown


def test_a_part_without_a_day_is_asked_for_once_a_day_and_an_index_of_indexes_ends(desk: CaseDesk) -> None:
    desk.show("/robots.txt", b"", Content_Type="text/plain")
    tides(desk, 1, 2)
    desk.show("/part.xml", sitemap(desk, 1))
    desk.show("/inner.xml", index(desk, part="", inner=""))
    url = desk.show("/index.xml", index(desk, inner="", index=""))
    desk.write({"name": "Tides", "sitemap": url})
    for _ in range(5):
        desk.poll()
    assert titles(desk) == ["1"]
    assert (asked(desk, "/part.xml"), asked(desk, "/inner.xml"), asked(desk, "/index.xml")) == (1, 1, 6)


def news(desk: CaseDesk, **titles: str) -> bytes:
    urls = "".join(
        f"<url><loc>{desk.origin.url(f'/2026/{name}.html')}</loc><n:news><n:publication_date>2026-11-22T10:00:00Z</n:publication_date>"
        f"<n:title>{title}</n:title><n:keywords>tides</n:keywords></n:news></url>"
        for name, title in titles.items()
    )
    spaces = (
        "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'"
    )
    return f"<urlset {spaces}>{urls}</urlset>".encode()


@pytest.mark.parametrize("title", ["The tide of day 1 in words", "High water at the mole of Varn"])
def test_what_a_news_sitemap_says_and_its_page_are_one_article(desk: CaseDesk, title: str) -> None:
    desk.show("/robots.txt", b"", Content_Type="text/plain")
    tides(desk, 1, 2)
    names = {"tide-of-day-1": title, "tide-of-day-2": "The tide of day 2 in words"}
    url = desk.show("/news.xml", news(desk, **{"tide-of-day-1": title}))
    desk.write({"name": "Tides", "sitemap": url})
    desk.poll()
    desk.poll()
    [first] = desk.items()
    desk.show("/news.xml", news(desk, **names))  # the headline alone comes again
    desk.poll()
    desk.poll()
    _, again = sorted(desk.items(), key=lambda item: item["id"] == first["id"])
    assert len(desk.items()) == 2
    assert (again["id"], again["title"], again["date_published"]) == (first["id"], title, "2026-11-22T10:00:00Z")
    assert "7 feet high" in again["content_html"] and again["tags"] == ["tides"]
    assert again.get("date_modified", again["date_published"]) == again["date_published"]


def test_a_page_that_was_followed_is_known_by_its_address(desk: CaseDesk) -> None:
    desk.show("/robots.txt", b"", Content_Type="text/plain")
    tides(desk, 1)
    link = desk.origin.url("/2026/tide-of-day-1.html")
    feed = f"<rss version='2.0'><channel><title>F</title><item><title>High water</title><link>{link}</link><description>Boats stay.</description></item></channel></rss>"
    desk.write(
        {"name": "Map", "sitemap": desk.show("/sitemap.xml", sitemap(desk, 1))},
        {"name": "Feed", "url": desk.show("/feed.xml", feed.encode())},
    )
    desk.poll()
    desk.poll()
    assert len(desk.items()) == 1
    assert desk.command("explain", link).exit_code == 0


@pytest.mark.parametrize("canonical", ["/front.html", "/news", "/news?view=all"])
def test_one_canonical_address_for_all_pages_of_a_site_is_believed_of_none(desk: CaseDesk, canonical: str) -> None:
    desk.show("/robots.txt", b"", Content_Type="text/plain")
    heads = {"ferry": "Ferry stuck on a rock off Ven", "mill": "Old mill burns down", "tram": "No trams on Sunday"}
    for number, (name, head) in enumerate(heads.items()):
        text = f"<p>{head}, said the {name} master of Varn on day {number}, and {number * 3 + 2} people had to walk home from the mole.</p>"
        page = f"<head><title>{head}</title><link rel=canonical href='{canonical}'></head><article><h1>{head}</h1>{text}</article>"
        desk.show(f"/2026/11/{name}-of-the-day.html", page.encode())
    listed = "".join(
        f"<h2><a href='/2026/11/{name}-of-the-day.html'>{head} as we know</a></h2>" for name, head in heads.items()
    )
    desk.write({"name": "Front", "page": desk.show("/front.html", f"<main>{listed}</main>".encode())})
    for _ in range(3):
        desk.poll()
    assert {item["title"] for item in desk.items()} == set(heads.values())
