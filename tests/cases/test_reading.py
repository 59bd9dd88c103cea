"""Documents that say what they mean in an unusual way: each is read as it was meant, in all that is published."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from feeds.settings.opml_lists import read_opml
from tests.cases.desk import INPUTS, CaseDesk, Seen, content
from tests.fetch.origin import Exchange

See = Callable[..., Seen]


def dates(seen: Seen) -> dict[str, str]:
    """Of each title when it was published, the same in all formats."""
    found = {item["title"]: item["date_published"] for item in seen.items}
    for entries in (seen.rss, seen.atom):
        for entry in entries:
            year, month, day, hour, minute, second = entry.published_parsed[:6]
            stated = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
            assert stated == found[entry.title]
    return found


def titles(seen: Seen) -> list[str]:
    """The titles of all entries, the same in all formats."""
    found = sorted(item["title"] for item in seen.items)
    assert found == sorted(entry.title for entry in seen.rss) == sorted(entry.title for entry in seen.atom)
    return found


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("hex.xml", "Party 😀 time"),
        ("surrogates.xml", "Party 😀 time"),
        ("lone.xml", "Party time"),
        ("too-large.xml", "Party time"),
    ],
)
def test_02_a_reference_to_no_character(seen: See, name: str, title: str) -> None:
    assert titles(seen("02-bad-number-reference", name)) == ["Calm day", title]


def test_08_halves_of_the_day(seen: See) -> None:
    found = dates(seen("08-am-pm"))
    clocks = [found[f"Clock {number}"][11:19] for number in range(1, 7)]
    assert clocks == ["15:15:00", "21:30:00", "15:15:20", "00:15:00", "21:30:00", "15:15:00"]


def test_09_days_in_numbers(seen: See) -> None:
    found = dates(seen("09-day-month-year-dashed"))
    days = [found[f"Item {number}"][:16] for number in range(1, 5)]
    assert days == ["2026-11-03T10:00", "2026-11-13T10:00", "2026-06-05T00:00", "2026-11-01T10:00"]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cp-1251.xml", "Паром опаздывает"),
        ("koi8r.xml", "Паром опаздывает"),
        ("windows-949.xml", "서울 날씨"),
        ("x-windows-1251.xml", "Паром опаздывает"),
    ],
)
def test_14_labels_of_charsets(seen: See, name: str, title: str) -> None:
    assert titles(seen("14-charset-labels", name)) == [title]


def test_15_a_label_that_the_bytes_deny(desk: CaseDesk) -> None:
    case = "15-multibyte-label-over-utf8"
    url = desk.show(f"/{case}", content(case, "feed.xml"), Content_Type="text/xml; charset=gbk")
    desk.write({"name": "Cases", "url": url})
    desk.poll()
    assert titles(desk.see()) == ["Паром опаздывает на час сегодня"]


def test_19_a_sitemap_with_an_undeclared_prefix(desk: CaseDesk) -> None:
    url = desk.show("/sitemap.xml", content("19-news-prefix-undeclared", "sitemap.xml"))
    desk.write({"name": "Cases", "sitemap": url})
    desk.poll()
    assert titles(desk.see()) == ["News title one here"]


def test_23_authors_in_json(seen: See) -> None:
    found = seen("23-json-authors", "feed.json")
    names = {item["title"]: [author["name"] for author in item["authors"]] for item in found.items}
    assert names == {"one": ["Ann"], "two": ["Ann", "Bob"], "three": ["Ann"], "four": ["Ann"]}
    assert all(entry.authors[0].name == "Ann" for entry in found.rss + found.atom)


def test_51_named_zones(seen: See) -> None:
    found = dates(seen("51-named-zones"))
    clocks = [found[f"Item {number}"][11:19] for number in range(1, 8)]
    assert clocks == ["21:03:47", "21:18:00", "04:01:15", "12:00:00", "06:03:47", "11:03:47", "17:00:00"]


def test_52_sloppy_dates(seen: See) -> None:
    found = dates(seen("52-sloppy-dates"))
    stated = [found[f"Item {number}"][:16] for number in range(1, 11)]
    assert stated == [
        "2026-11-05T09:01",
        "2026-11-11T02:23",
        "2026-11-02T04:45",
        "2026-11-10T19:59",
        "2026-11-03T10:00",
        "2026-11-03T09:00",
        "2026-11-03T21:05",
        "2026-11-03T10:00",
        "2026-11-03T09:00",
        "2026-11-03T10:00",
    ]


def test_53_a_date_without_a_zone(seen: See) -> None:
    assert dates(seen("53-no-zone", source={"timezone": "Asia/Shanghai"})) == {"Item 1": "2026-05-30T04:00:33Z"}


def test_54_a_date_that_lies_ahead(desk: CaseDesk) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    stated = format_datetime(began + timedelta(days=20)).encode()
    feed = content("54-future-date", "feed.xml").replace(b"Sat, 19 Dec 2026 10:00:00 GMT", stated)
    assert stated in feed
    desk.write({"name": "Cases", "url": desk.show("/feed.xml", feed)})
    desk.poll()
    before = dates(desk.see())
    assert began <= datetime.fromisoformat(before["Item 1"]) <= datetime.now(UTC)
    desk.poll()
    assert dates(desk.see()) == before


def test_55_no_title(seen: See) -> None:
    assert titles(seen("55-no-title")) == ["Short post with bold words."]


def test_56_html_in_titles(seen: See) -> None:
    found = sorted(item["title"] for item in seen("56-html-in-titles").items)
    assert found == ["A & B", "Bold news", "Browser 23 without <blink>", "I <3 feeds", "List<String> in Java"]


@pytest.mark.parametrize("name", ["feed.xml", "reference.xml"])
def test_58_control_characters(seen: See, name: str) -> None:
    [item] = seen("58-control-characters", name).items
    assert item["title"] == "Item 1"
    assert not [character for character in item["content_html"] if ord(character) < 32]


def test_59_undeclared_entities(seen: See) -> None:
    [item] = seen("59-undeclared-entities").items
    assert item["title"] == "Café — late"
    assert "&amp;foo; &amp; &amp;bar" in item["content_html"]


@pytest.mark.parametrize(
    ("case", "title"), [("60-cp1251-after-blank-lines", "Паром"), ("61-php-warning-before", "Item 1")]
)
def test_60_61_what_stands_before_a_feed(seen: See, case: str, title: str) -> None:
    assert titles(seen(case)) == [title]


def test_62_an_undeclared_prefix(seen: See) -> None:
    [item] = seen("62-prefix-undeclared").items
    assert item["content_html"] == "<p>Long text paragraph here</p>"


def test_63_bases_of_entries(seen: See) -> None:
    [item] = seen("63-xml-base").items
    assert item["url"] == "https://ongo.example.org/ongoing/When/2026/08/14/FC2"


def test_70_many_creators(seen: See) -> None:
    [item] = seen("70-many-creators").items
    assert [author["name"] for author in item["authors"]] == ["Ann", "Bob"]


def test_76_numbers_in_json(seen: See) -> None:
    [item] = seen("76-json-numbers", "feed.json").items
    assert item["title"] == "A short note about ferries."
    assert item["date_published"][:10] == "2026-11-03"
    assert item["authors"] == [{"name": "Ann"}]


def test_an_atom_document_may_be_one_entry(desk: CaseDesk) -> None:
    entry = (
        '<?xml version="1.0"?><entry xmlns="http://www.w3.org/2005/Atom"><id>urn:x:1</id><title>Alone</title>'
        '<updated>2026-11-20T10:00:00Z</updated><link rel="http://www.iana.org/assignments/relation/alternate" '
        'href="https://example.org/1"/><content type="text/html; charset=utf-8">&lt;p&gt;Words.&lt;/p&gt;</content>'
        "</entry>"
    )
    desk.write({"name": "Cases", "url": desk.show("/entry.atom", entry.encode())})
    desk.poll()
    found = desk.see()
    assert titles(found) == ["Alone"]
    item: dict[str, Any] = found.items[0]
    assert (item["url"], item["content_html"]) == ("https://example.org/1", "<p>Words.</p>")


@pytest.mark.parametrize("coding", ["utf-8", "none", "aws-chunked", "gzip, utf-8", "identity", ""])
def test_16_content_encodings_that_are_none(desk: CaseDesk, coding: str) -> None:
    body = content("16-content-encoding-that-is-none", "feed.xml")
    url = desk.show("/feed", gzip.compress(body) if "gzip" in coding else body, Content_Encoding=coding)
    desk.write({"name": "Cases", "url": url})
    desk.poll()
    assert titles(desk.see()) == ["Item 1"]


@pytest.mark.parametrize("check", ["/check", "/feed"])
def test_17_a_cookie_between_redirects(desk: CaseDesk, check: str) -> None:
    def feed(exchange: Exchange) -> None:
        if exchange.seen.header("cookie") == "seen=1":
            exchange.answer(200, content("17-cookie-between-redirects", "feed.xml"))
        elif check == "/feed":
            set_cookie(exchange)
        else:
            exchange.answer(302, Location=check)

    def set_cookie(exchange: Exchange) -> None:
        exchange.answer(302, Location="/feed", Set_Cookie="seen=1; Path=/")

    desk.origin.add("/check", set_cookie)
    desk.origin.add("/feed", feed)
    desk.write({"name": "Cases", "url": desk.origin.url("/feed")})
    desk.poll()
    assert titles(desk.see()) == ["Item 1"]


@pytest.mark.parametrize("kind", ["application/gzip", "application/x-gzip", "text/xml"])
def test_18_gzip_files(desk: CaseDesk, kind: str) -> None:
    case = "18-gzip-files"
    feed = desk.show("/feed.xml.gz", content(case, "feed.xml.gz"), Content_Type=kind)
    twice = desk.show("/twice", gzip.compress(content(case, "feed.xml.gz")), Content_Encoding="gzip")
    desk.write({"name": "Once", "url": feed}, {"name": "Twice", "url": twice})
    desk.poll()
    assert [result.outcome for result in desk.ended] == ["new", "new"]
    assert len(desk.see().items) == 1


def test_18_a_gzip_file_as_sitemap(desk: CaseDesk) -> None:
    url = desk.show("/sitemap.xml.gz", content("18-gzip-files", "sitemap.xml.gz"), Content_Type="application/gzip")
    desk.write({"name": "Cases", "sitemap": url})
    desk.poll()
    assert [(result.state.last_error, len(result.state.item_hashes)) for result in desk.ended] == [("", 0)]


def test_11_titles_that_name_an_element(seen: See) -> None:
    assert titles(seen("11-title-names-an-element")) == [
        "Use of ‹script› in pages",
        "Why the ‹script› tag is slow to load",
        "‹style› guide for writers",
    ]


def test_11_in_atom(seen: See) -> None:
    assert titles(seen("11-title-names-an-element", "atom.xml")) == ["Using ‹script› well today"]


def test_22_escaped_names(desk: CaseDesk) -> None:
    case = "22-escaped-names"
    rules = yaml.safe_load(content(case, "sections.yaml"))
    desk.write({"name": "Cases", "url": desk.show("/feed.xml", content(case, "feed.xml"))}, sections=rules)
    desk.poll()
    found = desk.see("arts")
    assert titles(found) == ["Item 1", "Item 2"]
    assert {name for item in found.items for name in item["tags"]} >= {"Arts & Crafts"}
    assert {entry.author for entry in found.rss} == {"Staff Writer", "'Ibn Writer"}
    assert {author["name"] for item in found.items for author in item["authors"]} == {"Staff Writer", "'Ibn Writer"}


def test_33_a_byline_that_hides_an_address(seen: See) -> None:
    found = seen("33-byline-hidden")
    names = {item["title"]: [author["name"] for author in item["authors"]] for item in found.items}
    assert names == {
        "Notes on ferries": ["Marit Lund"],
        "Notes on trains": ["Ann Doe"],
        "Notes on roads": ["Jo Berg (chair)"],
    }
    assert "hidden (" not in found.page + found.raw["rss"] + found.raw["atom"]


def test_35_unknown_xml_in_a_folder(desk: CaseDesk, tmp_path: Path) -> None:
    folder = desk.config / "articles"
    folder.mkdir(parents=True)
    for file in (INPUTS / "35-unknown-xml-in-a-folder").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    desk.write({"name": "Cases", "files": "articles/*"})
    desk.now = datetime.now(UTC)  # a file that was just written is left alone for a while
    desk.poll()
    found = desk.see()
    assert titles(found) == ["A letter about lamps", "Flood in the valley", "Harbour gets two boats"]
    assert all("&lt;" not in item["content_html"] for item in found.items)


def test_39_markup_quoted_in_an_attribute(seen: See) -> None:
    found = seen("39-quoted-markup-in-an-attribute")
    assert titles(found) == ["On alt texts", "On quoted markup"]
    for item in found.items:
        assert "<img src=x" not in item["content_html"]


def test_71_oddities_in_opml() -> None:
    feeds = read_opml(content("71-opml-oddities", "list.opml"), file="list.opml").outlines
    assert [outline.url for outline in feeds] == [
        "https://example.org/a",
        "https://example.org/b",
        "https://example.org/c?x=1&y=2",
    ]
    assert feeds[0].folders == ("News",)


def test_numbers_mean_the_same_when_their_neighbours_are_left_out(desk: CaseDesk) -> None:
    head, *items = content("09-day-month-year-dashed", "feed.xml").split(b"<item>")
    body = head + b"<item>" + b"<item>".join(items)
    url = desk.show("/feed", body)
    desk.write({"name": "Cases", "url": url})
    desk.poll()
    added = b"<item><title>Item 5</title><link>https://example.org/a/5</link><pubDate>04-11-2026 10:00</pubDate></item>"
    desk.show("/feed", head + added + body[len(head) :])
    desk.poll()
    assert dates(desk.see())["Item 5"] == "2026-11-04T10:00:00Z"


ALTERNATES = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="%s"><title>T</title><id>urn:x:f</id>
<updated>2026-11-20T10:00:00Z</updated><entry><title>One</title><id>urn:x:1</id><updated>2026-11-20T10:00:00Z</updated>
<link rel="alternate" type="application/json" href="https://example.org/1.json"/>
<link rel="http://www.iana.org/assignments/relation/alternate" hreflang="de" href="https://example.org/de/1"/>
<link rel="alternate" type="text/html" hreflang="en-GB" href="https://example.org/en/1"/>
<content type="%s">%s</content></entry></feed>"""


@pytest.mark.parametrize(("language", "url"), [("de-AT", "de/1"), ("en", "en/1"), ("fr", "de/1")])
def test_the_link_of_an_entry_is_the_one_in_its_language(desk: CaseDesk, language: str, url: str) -> None:
    body = ALTERNATES % (language, "text", "words")
    desk.write({"name": "Cases", "url": desk.show("/feed.atom", body.encode())})
    desk.poll()
    assert desk.see().items[0]["url"] == f"https://example.org/{url}"


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("text/html; charset=utf-8", "&lt;p&gt;Words &lt;b&gt;here&lt;/b&gt;&lt;/p&gt;", "<p>Words <b>here</b></p>"),
        ("text/plain; format=flowed", "Words here", "Words here"),
        ("TEXT/HTML;charset=UTF-8", "&lt;p&gt;Words here&lt;/p&gt;", "<p>Words here</p>"),
        ("text/markdown", "Words *here*", "Words *here*"),
        (
            "application/xhtml+xml; charset=utf-8",
            '<div xmlns="http://www.w3.org/1999/xhtml"><p>Words</p></div>',
            "<p>Words</p>",
        ),
    ],
)
def test_a_type_with_parameters_is_that_type(desk: CaseDesk, kind: str, text: str, shown: str) -> None:
    desk.write({"name": "Cases", "url": desk.show("/feed.atom", (ALTERNATES % ("en", kind, text)).encode())})
    desk.poll()
    assert desk.see().items[0]["content_html"] == shown


def test_a_message_shows_no_binary_junk(desk: CaseDesk) -> None:
    junk = desk.show("/junk", bytes(range(128, 256)) * 3)
    packed = desk.show("/packed", b"PK\x03\x04" + bytes(100))
    desk.write({"name": "Junk", "url": junk}, {"name": "Packed", "url": packed})
    desk.poll()
    said = [result.state.last_error for result in desk.ended]
    assert all(message.isascii() and message.isprintable() for message in said)
    assert sorted("ZIP" in message for message in said) == [False, True]


ODD_FACTS = """<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>t</title>
<link>https://example.org/</link>
<item><title>Host alone</title><link>www.example.org/news/1</link><author>noreply@blogger.com (Unknown)</author>
<description>&lt;a href="www.example.org/tide"&gt;The tide&lt;/a&gt; is high today.</description></item>
<item><itunes:title>Only for players</itunes:title><guid isPermaLink="false">p</guid><author>By Ann Lee</author>
<description>An hour about the harbour.</description></item></channel></rss>"""


def test_addresses_that_begin_with_www_titles_for_players_and_authors_that_are_none(desk: CaseDesk) -> None:
    desk.write({"name": "Cases", "url": desk.show("/feed.xml", ODD_FACTS.encode())})
    desk.poll()
    found = {item["title"]: item for item in desk.items()}
    assert set(found) == {"Host alone", "Only for players"}
    assert found["Host alone"]["url"] == "http://www.example.org/news/1"
    assert 'href="http://www.example.org/tide"' in found["Host alone"]["content_html"]
    assert "authors" not in found["Host alone"]
    assert found["Only for players"]["authors"] == [{"name": "Ann Lee"}]
