# ruff: noqa: E501 - documents as they are sent
"""What `discover` proposes for a page without a feed: selectors of what repeats on it, and none for what does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from feeds.configuration import Select
from feeds.parse import parse_selected, propose, propose_json
from tests.development import archived
from tests.parse.listed_pages import FOOT, MENU, PAGES, TITLES, URL, each, page
from tests.parse.test_selected import HOSTILE, entries

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PROPOSED = [name for name, listed in PAGES.items() if listed.proposed]


def proposed(body: str | bytes) -> Select | None:
    raw = body.encode() if isinstance(body, str) else body
    return propose(raw, content_type=None, now=NOW)


@pytest.mark.parametrize("name", PROPOSED)
def test_what_is_proposed_takes_what_a_person_would_have(name: str) -> None:
    listed = PAGES[name]
    select = proposed(listed.body)
    assert select is not None
    feed = parse_selected(
        listed.body.encode(), select=select, is_json=False, url=URL, content_type=None, now=NOW, zone=UTC
    )
    found = entries(feed)
    assert [entry.title for entry in found] == list(TITLES)
    assert found[0].link == listed.first["link"]
    if listed.select.date and not listed.select.date_format:
        by_hand = parse_selected(
            listed.body.encode(), select=listed.select, is_json=False, url=URL, content_type=None, now=NOW, zone=UTC
        )
        assert [entry.published for entry in found] == [entry.published for entry in entries(by_hand)]
    if listed.select.text:
        assert listed.first["text"] in found[0].text


@pytest.mark.parametrize(
    "body",
    [
        page("<p>Nothing repeats here, it is one article of a few words.</p>"),
        MENU + FOOT,
        page("<ul>" + "<li><a href=/x>More</a></li>" * 9 + "</ul>"),
        page(each("<p class=x>{text}</p>")[:200]),
    ],
)
def test_menus_and_articles_alone_give_none(body: str) -> None:
    assert proposed(body) is None


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_looked_at_within_bounds(name: str) -> None:
    body, listed = HOSTILE[name]
    if not listed.is_json:
        proposed(body)


def test_class_names_that_a_program_made_are_no_selectors() -> None:
    body = page(
        "<div id=news>" + each("<div class='sc-4f8a91b x92'><h3><a href=/a/{n}>{title}</a></h3></div>") + "</div>"
    )
    select = proposed(body)
    assert select == Select(item="#news > div", title="h3", link="h3 a@href")


@pytest.mark.parametrize(
    ("value", "select"),
    [
        (
            {"meta": {"n": 4}, "data": {"the-list": [
                {"ID": n, "Title": title, "permalink": f"/a/{n}", "publishedAt": "2026-11-19", "author": {"name": "Ada"}, "tags": ["x"]}
                for n, title in enumerate(TITLES, 1)]}},
            Select(item='data."the-list"', id="ID", title="Title", link="permalink", date="publishedAt", author="author.name"),
        ),
        (
            [{"id": n, "title": {"rendered": title}, "link": f"/a/{n}", "date": "2026-11-19", "content": {"rendered": "x"}}
             for n, title in enumerate(TITLES, 1)],
            Select(item="@", id="id", title="title.rendered", link="link", date="date", text="content.rendered"),
        ),
        ({"menu": [{"name": "Home", "url": "/"}] * 9}, None),
        ({"list": [1, 2, 3, 4]}, None),
        ("x", None),
    ],
)  # fmt: skip
def test_json_of_a_form_of_its_own_has_its_longest_list_proposed(value: Any, select: Select | None) -> None:
    body = json.dumps(value).encode()
    assert propose_json(body) == select
    if select is not None:
        feed = parse_selected(body, select=select, is_json=True, url=URL, content_type=None, now=NOW, zone=UTC)
        assert [entry.title for entry in entries(feed)] == list(TITLES)


@pytest.mark.shared_data
def test_what_is_proposed_for_real_pages_reads_them(shared_data: Path) -> None:
    read = 0
    for _, body in islice(archived(shared_data / "extraction" / "fundus_html.tar.xz"), 0, None, 8):
        select = proposed(body)
        if select is not None:  # else ParseError
            parse_selected(body, select=select, is_json=False, url=URL, content_type=None, now=NOW, zone=UTC)
            read += 1
    assert read >= 5
