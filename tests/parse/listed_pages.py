# ruff: noqa: E501 - pages as they are sent
"""Kinds of pages that list articles and have no feed, after well-known layouts; each with its selectors and what is in it.

Used by `test_selected.py`, and by the tests of what `discover` proposes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from feeds.configuration import Select

URL = "https://www.coast.example/list/"
MENU = '<nav><ul class="menu"><li><a href="/">Home</a></li><li><a href="/about">About us</a></li></ul></nav>'
FOOT = '<footer><ul><li><a href="/privacy">Privacy</a></li><li><a href="/terms">Terms</a></li></ul></footer>'
TITLES = (
    "Harbour wall opens after nine years of work",
    "Ferries stop for a day of autumn storms",
    "Council votes for a second tide gate at the mill",
    "Fishing quota rises for the first time since 2019",
)
TEXTS = (
    "The wall is two miles long and has cost more than was said.",
    "Waves of nine metres were measured at the outer light.",
    "Eleven members were for it, four against, and one was ill.",
    "Boats may land a fifth more herring until the spring.",
)


@dataclass(frozen=True)
class ListedPage:
    """A *body* that *select* reads: what its first article is, and how many there are."""

    body: str
    select: Select
    first: dict[str, Any]
    count: int = 4
    is_json: bool = False
    proposed: bool = True  # whether `discover` is to find selectors for it


def page(items: str, before: str = "", after: str = "") -> str:
    return f"<!doctype html><html lang=en><head><title>Coast</title></head><body>{MENU}{before}{items}{after}{FOOT}"


def each(pattern: str) -> str:
    """*pattern* for each article: {n} its number, {title}, {text}, {day}."""
    return "".join(
        pattern.format(n=n, title=title, text=text, day=20 - n)
        for n, (title, text) in enumerate(zip(TITLES, TEXTS, strict=True), start=1)
    )


def address(n: int = 1) -> str:
    return f"https://www.coast.example/a/{n}"


PAGES = {
    "cards of a newspaper": ListedPage(
        page(
            '<main class="grid">'
            + each(
                '<article class="card"><a href="/a/{n}"><img data-src="/p/{n}.jpg" src="data:image/gif;base64,R0"></a>'
                '<h3 class="card__title"><a href="/a/{n}">{title}</a></h3><p class="card__dek">{text}</p>'
                '<span class="by">Ada Lovelace</span><time datetime="2026-11-{day}T08:00:00Z">{day} Nov</time></article>'
            )
            + "</main>"
        ),
        Select(item="article.card", title="h3", link="h3 a@href", date="time@datetime", text=".card__dek", picture="img",
               author=".by"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-19T08:00:00Z", "text": TEXTS[0],
         "picture": "https://www.coast.example/p/1.jpg", "authors": ("Ada Lovelace",)},
    ),
    "minutes of a council": ListedPage(
        page('<ul class="minutes">' + each(
            '<li><a href="../a/{n}">{title}</a> <time datetime="2026-11-{day}">{day} November</time>'
            '<div class="abstract">{text}</div></li>') + "</ul>"),
        Select(item="ul.minutes > li", title="a", link="a@href", date="time@datetime", text=".abstract"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-19T00:00:00Z", "text": TEXTS[0]},
    ),
    "a table with a head": ListedPage(
        page("<table class=decisions><thead><tr><th>Date<th>Subject<th>Kind</tr></thead><tbody>" + each(
            "<tr><td>{day}.11.2026</td><td><a href=/a/{n}>{title}</a></td><td>Decision</td></tr>") + "</tbody></table>"),
        Select(item="table.decisions tr", title="td:nth-child(2)", link="td:nth-child(2) a", date="td:nth-child(1)",
               category="td:nth-child(3)"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-19T00:00:00Z", "categories": ("Decision",)},
    ),
    "rows in pairs, as on a page of links": ListedPage(
        page("<table>" + each(
            "<tr class=athing id=i{n}><td class=title><a href=/a/{n}>{title}</a></td></tr>"
            "<tr><td class=subtext>12 points by <a class=hnuser href=u>ada</a> <span class=age>{n} hours ago</span></td></tr>"
            "<tr class=spacer></tr>") + "</table>"),
        Select(item="tr.athing", id="@id", title=".title a", link=".title a", date="xpath:following-sibling::tr[1]//*[@class='age']",
               author="xpath:following-sibling::tr[1]//*[@class='hnuser']"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-29T11:00:00Z", "authors": ("ada",), "id": "i1"},
        proposed=False,
    ),
    "cards that are links, dates in German": ListedPage(
        page("<div class=presse>" + each(
            '<a class="teaser box" href="/a/{n}"><span class="datum">{day}. November 2026, 9:30 Uhr</span>'
            "<strong>{title}</strong><p>{text}</p></a>") + "</div>"),
        Select(item="a.teaser", title="strong", link="@href", date=".datum", text="p"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-19T09:30:00Z", "text": TEXTS[0]},
    ),
    "a list of changes": ListedPage(
        page("<dl class=changes>" + each("<dt id=v{n}>{title}<dd><p>{text}<p>More about it.</dd>") + "</dl>"),
        Select(item="dl.changes dt", title="xpath:.", link="xpath:concat('#', @id)", text="xpath:following-sibling::dd[1]"),
        {"title": TITLES[0], "link": URL + "#v1", "text": f"{TEXTS[0]} More about it."},
        proposed=False,
    ),
    "events with a day in pieces": ListedPage(
        page("<section>" + each(
            '<div class="event row"><div class=when><b>{day}</b><i>Nov</i></div><h4><a href="/a/{n}">{title}</a></h4>'
            "<div class=where>{text}</div></div>") + "</section>"),
        Select(item=".event", title="h4", link="h4 a", date="xpath:concat(.//b, ' ', .//i)", date_format="%d %b", text=".where"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-19T00:00:00Z", "text": TEXTS[0]},
    ),
    "topics of a forum": ListedPage(
        page("<div class=topics>" + each(
            '<div class="topic-row"><a class="t" href="/a/{n}">{title}</a><span class="who">by eve</span>'
            "<span class=when>{n} days ago</span></div>") + "</div>"),
        Select(item=".topic-row", title="a.t", link="a.t@href", date=".when", author=".who"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-28T12:00:00Z", "authors": ("eve",)},
    ),
    "posts of a channel": ListedPage(
        page("<section class=history>" + each(
            '<div class="message" data-post="coast/{n}"><div class="message_text">{title}<br>{text}</div>'
            '<a class="message_date" href="/a/{n}"><time datetime="2026-11-{day}T08:00:00+02:00">08:00</time></a></div>')
            + "</section>"),
        Select(item=".message", id="@data-post", link="a.message_date", date="time", text=".message_text"),
        {"title": None, "link": address(), "published": "2026-11-19T06:00:00Z", "text": f"{TITLES[0]} {TEXTS[0]}", "id": "coast/1"},
        proposed=False,
    ),
    "a page that a script would fill": ListedPage(
        page("<div id=__next></div><script id=__NEXT_DATA__ type=application/json>"
             + json.dumps({"props": {"posts": [
                 {"slug": f"/a/{n}", "head": {"text": title}, "at": 1763539200 - n, "body": f"<p>{text}</p>", "tags": ["x", "y"]}
                 for n, (title, text) in enumerate(zip(TITLES, TEXTS, strict=True), start=1)]}}) + "</script>"),
        Select(script="script#__NEXT_DATA__", item="props.posts", title="head.text", link="slug", date="at", text="body",
               category="tags"),
        {"title": TITLES[0], "link": address(), "published": "2025-11-19T07:59:59Z", "text": TEXTS[0], "categories": ("x", "y")},
        is_json=True,
        proposed=False,
    ),
    "a script that gives its data a name": ListedPage(
        page("<script>window.__STATE__ = {\"list\":[" + ",".join(
            json.dumps({"id": n, "t": title, "u": f"/a/{n}"}) for n, title in enumerate(TITLES, start=1)) + "]};\nstart();</script>"),
        Select(script="xpath://script[contains(., '__STATE__')]", item="list", id="id", title="t", link="u"),
        {"title": TITLES[0], "link": address(), "id": "1"},
        is_json=True,
        proposed=False,
    ),
    "an answer for programs": ListedPage(
        json.dumps({"data": {"alerts": [
            {"id": f"x{n}", "headline": title, "url": f"https://www.coast.example/a/{n}", "issued": f"2026-11-{20 - n}T08:00:00+00:00",
             "body": text, "by": [{"name": "Ada"}, {"name": "Eve"}], "pic": {"src": "/p.png"}}
            for n, (title, text) in enumerate(zip(TITLES, TEXTS, strict=True), start=1)]}}),
        Select(item="data.alerts", id="id", title="headline", link="url", date="issued", text="body", author="by[].name",
               picture="pic.src"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-19T08:00:00Z", "text": TEXTS[0], "id": "x1",
         "authors": ("Ada", "Eve"), "picture": "https://www.coast.example/p.png"},
        is_json=True,
        proposed=False,
    ),
    "links in paragraphs": ListedPage(
        page("<div id=content>" + each("<p class=entry><b>{day} Nov 2026</b> <a href=/a/{n}>{title}</a></p>") + "</div>"),
        Select(item="#content > p", title="a", link="a@href", date="b"),
        {"title": TITLES[0], "link": address(), "published": "2026-11-19T00:00:00Z"},
    ),
}  # fmt: skip
