# ruff: noqa: E501 - lines as they are printed
"""`select:` says where the articles of a page or of JSON stand; what does not compile is told at its place."""

from __future__ import annotations

import pytest

from feeds.configuration import Select
from feeds.conventions import TELEGRAM
from feeds.settings import resolve_secrets
from feeds.settings.config import config_from_json, config_to_json
from tests.settings.conftest import Folder

PAGE = "- name: A\n  page: https://a.example/\n  select:\n"
JSON = "- name: A\n  json: https://a.example/\n  select:\n"

MISTAKES = [
    (PAGE + "    item: ul > \n    title: a\n", "4:11: item: 'ul >' is no selector: Expected selector, got <EOF at 4>; write CSS such as h2 > a, with @href for an attribute, or xpath: and an XPath"),
    (PAGE + "    {item: li, title: 'a::text'}\n", "4:23: title: 'a::text' is no selector: for an attribute write a@href, for the text of an element the element alone; write CSS such as h2 > a, with @href for an attribute, or xpath: and an XPath"),
    (PAGE + "    item: //li\n    title: a\n", "4:11: item: '//li' is no selector: an XPath begins with xpath:; write CSS such as h2 > a, with @href for an attribute, or xpath: and an XPath"),
    (PAGE + "    item: li\n    title: 'xpath://a['\n", "5:12: title: 'xpath://a[' is no selector: Invalid expression; write CSS such as h2 > a, with @href for an attribute, or xpath: and an XPath"),
    (PAGE + "    item: li\n    title: 'xpath:re:test(a)'\n", "5:12: title: 'xpath:re:test(a)' is no selector: Undefined namespace prefix; write CSS such as h2 > a, with @href for an attribute, or xpath: and an XPath"),
    (PAGE + "    title: a\n", "4:5: no `item:`; add it: each article on the page, or the list of them in JSON"),
    (PAGE + "    item: li\n", "4:5: select: neither `title:` nor `text:`; say where the headline of an article stands"),
    (PAGE + "    item: li\n    titel: a\n", "5:5: unknown key 'titel'; did you mean 'title'?"),
    (PAGE + "    item: li\n    title: a\n    date_format: day\n", "6:18: date_format: 'day' has no part of a date; write such as %d.%m.%Y or %b %d, %Y"),
    (PAGE + "    item: li\n    title: a\n    date_format: '%d.%Q'\n", "6:18: date_format: '%d.%Q' is no format of dates; write such as %d.%m.%Y or %b %d, %Y"),
    (PAGE + "    item: li\n    title: a\n    next: a.next\n    pages: 50\n", "7:12: pages: '50' is out of range; write a whole number of pages from 1 to 20"),
    (JSON + "    items: a[?\n    title: t\n", "4:12: items: 'a[?' is no path: incomplete expression; write a JMESPath such as data.articles or author.name (jmespath.org)"),
    (JSON + "    item: a\n    title: t\n", "4:5: unknown key 'item'; did you mean 'items'?"),
    ("- name: A\n  json: https://a.example/\n", "1:3: json without `select:`; write select: {items: …, title: …, link: …}"),
    ("- name: A\n  url: https://a.example/\n  select: {item: li, title: a}\n", "3:11: select: means nothing beside feed; it goes with `page:` or `json:`"),
    ("- name: A\n  page: https://a.example/\n  select: li\n", "3:11: select: 'li' where `key: value` lines belong; write one key a line, indented"),
    ("- name: A\n  json: https://a.example/\n  post: '{\"key\": \"${NOT_SET}\"}'\n  select: {items: a, title: t}\n", "3:9: post: no environment variable NOT_SET; set it where the desk is started, or take this out"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[said.split(";")[0][:60] for _, said in MISTAKES])
def test_a_selector_that_does_not_hold_is_told_at_its_place(folder: Folder, text: str, said: str) -> None:
    folder.write("sources.yaml", text)
    assert said in [error.removeprefix("sources.yaml:") for error in folder.errors()]


def test_selectors_are_kept_as_written_and_come_back_from_the_stored_config(folder: Folder) -> None:
    folder.write("sources.yaml", PAGE + "    {item: 'ul.minutes > li', title: a, link: 'a@href', next: 'xpath://a[@rel]', pages: 5}\n"
                 + JSON.replace("A\n", "B\n").replace("json: https://a", "post: '{\"q\": \"${KEY}\"}'\n  json: https://b")
                 + "    {items: data.alerts, title: 'name || head', script: script#x}\n")  # fmt: skip
    folder.environ = {"KEY": "hushhush"}
    config = folder.load()
    page, told = config.sources
    assert page.select == Select(item="ul.minutes > li", title="a", link="a@href", next="xpath://a[@rel]", pages=5)
    assert told.select == Select(item="data.alerts", title="name || head", script="script#x")
    assert (page.kind, told.kind) == ("page", "json")
    stored = config_to_json(config)
    assert "hushhush" not in stored
    assert config_from_json(stored).sources == config.sources
    assert resolve_secrets(told, folder.environ).post == '{"q": "hushhush"}'


def test_the_page_of_a_well_known_site_stands_for_its_feed_and_is_told(folder: Folder) -> None:
    folder.write(
        "sources.yaml",
        "- {name: A, url: 'https://github.com/pallets/flask', section: news/world}\n"
        "- {name: B, url: 'https://t.me/tidetable', section: news/world}\n"
        "- {name: C, page: 'https://t.me/s/tideclock', section: news/world}\n"
        "- {name: D, url: 'https://www.youtube.com/@ada', section: news/world}\n"
        "- {name: E, page: 'https://github.com/pallets/jinja', section: news/world}\n",
    )
    sources = folder.load().sources
    assert [(one.kind, one.target, one.select) for one in sources] == [
        ("feed", "https://github.com/pallets/flask/releases.atom", None),
        ("page", "https://t.me/s/tidetable", TELEGRAM),
        ("page", "https://t.me/s/tideclock", TELEGRAM),
        ("feed", "https://www.youtube.com/@ada", None),
        ("page", "https://github.com/pallets/jinja", None),
    ]
    assert folder.warnings() == [
        "sources.yaml:1:18: the page of releases on GitHub: its feed is asked, https://github.com/pallets/flask/releases.atom; write that address",
        "sources.yaml:2:18: the page of a channel of Telegram: it is read by selectors of the desk's own, https://t.me/s/tidetable; write that address",
        "sources.yaml:4:18: the page of a YouTube channel, which is no feed; `wiredesk discover https://www.youtube.com/@ada` prints its feed",
    ]
