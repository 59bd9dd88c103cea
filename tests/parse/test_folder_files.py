"""Documents of the other kinds: Markdown, letters, saved pages, saved feeds."""

import pytest

from feeds.errors import ParseError
from feeds.parse import parse_document
from feeds.parsed import Origin, ParsedEntry, Person

PARAGRAPHS = [
    "The new wall keeps the old town dry at the highest spring tides, and it cost less than was feared at first.",
    "Engineers handed over the last section on Monday, a month ahead of plan, and the gates were closed for a test.",
    "The region carries half of the cost and the port the rest. A toll for large ships was dropped in the spring.",
    "Work on the eastern quay begins in May, when the last of the winter storms has gone over the bay and the islands.",
]


def entry_of(text: str | bytes, name: str) -> ParsedEntry:
    feed = parse_document(text.encode() if isinstance(text, str) else text, name=name)
    assert len(feed.entries) == 1
    return feed.entries[0]


# --------------------------------------------------------------------------- Markdown

MARKDOWN = """---
title: "Harbour wall opens: at last"
date: 2024-06-19T10:00:00+02:00
updated: 2024-06-20
author: [Jane Doe, 'John Roe']
tags:
  - walls
  - "tides"   # both
breadcrumb: News > World
source: Shore Times (https://shoretimes.example/a)
publisher: Coast Mirror
description: >
  The wall keeps the town dry,
  and cost little.
url: https://shore.example/wall
lang: en-GB
image: https://shore.example/wall.jpg
nested:
  key: ignored
---

The wall *keeps* the town [dry](https://x.example/).

## What it can do

1. Hold back water
2. Close

> Nobody will sleep less soundly.

| a | b |
|---|---|
| 1 | 2 |
"""


def test_front_matter_states_the_article_and_markdown_its_text() -> None:
    entry = entry_of(MARKDOWN, "wall.md")
    assert entry.title is not None
    assert entry.title.value == "Harbour wall opens: at last"
    assert (entry.published, entry.updated) == ("2024-06-19T10:00:00+02:00", "2024-06-20")
    assert entry.authors == (Person(name="Jane Doe"), Person(name="John Roe"))
    assert [category.term for category in entry.categories] == ["walls", "tides"]
    assert entry.breadcrumb == ("News", "World")
    assert entry.origin == Origin(name="Shore Times", url="https://shoretimes.example/a")
    assert (entry.publisher, entry.link, entry.language) == ("Coast Mirror", "https://shore.example/wall", "en-GB")
    assert entry.summary is not None
    assert entry.summary.value == "The wall keeps the town dry, and cost little."
    assert entry.image is not None
    assert entry.content is not None
    html = entry.content.value
    link = '<a href="https://x.example/">dry</a>'
    for part in ("<em>keeps</em>", link, "<h2>What it can do</h2>", "<ol>", "<td>1</td>", "<blockquote>\n<p>Nobody"):
        assert part in html
    assert entry.entry_id == "file:wall.md"


def test_toml_front_matter_is_read_too() -> None:
    entry = entry_of('+++\ntitle = "Tide"\ndate = 2024-06-19T10:00:00Z\ntags = ["a"]\n+++\nText of it.\n', "t.md")
    assert entry.title is not None
    assert (entry.title.value, entry.published) == ("Tide", "2024-06-19T10:00:00+00:00")


def test_without_front_matter_lines_and_the_first_heading_say_the_same() -> None:
    entry = entry_of(
        "# Harbour *wall* opens\n\nBy Jane Doe\n\nText of it.\n\n## Part\n\nMore of it.\n\nSource: X Times\n", "a.md"
    )
    assert entry.title is not None
    assert entry.title.value == "Harbour wall opens"
    assert entry.authors == (Person(name="Jane Doe"),)
    assert entry.origin == Origin(name="X Times")
    assert entry.content is not None
    assert entry.content.value == "<p>Text of it.</p>\n<h2>Part</h2>\n<p>More of it.</p>"


def test_a_breadcrumb_over_the_heading_is_one_in_markdown_too() -> None:
    entry = entry_of("News > World\n\n# Harbour wall opens\n\nText of it.\n", "a.md")
    assert entry.title is not None
    assert (entry.title.value, entry.breadcrumb) == ("Harbour wall opens", ("News", "World"))


def test_a_draft_is_left_out() -> None:
    feed = parse_document(b"---\ntitle: A\ndraft: true\n---\nText.\n", name="a.md")
    assert (feed.entries, feed.warnings) == ((), ("a.md is a draft and left out",))


@pytest.mark.parametrize(
    "text", ["---\nno: end\n\nText of it.\n", "---\njust a line\n---\nText of it here.\n", "+++\n= = =\n+++\nText.\n"]
)
def test_broken_front_matter_is_text(text: str) -> None:
    assert entry_of(text, "a.md").content is not None


# --------------------------------------------------------------------------- letters

LETTER = """\
Received: by mx.example
From: =?utf-8?q?Zo=C3=AB_Doe?= <zoe@shore.example>
To: desk@example.org
Subject: Fwd: Harbour wall opens
Date: Wed, 19 Jun 2024 09:30:00 +0200
Message-ID: <17@shore.example>
MIME-Version: 1.0
"""


def test_a_letter_is_an_article() -> None:
    text = "\n\n".join(PARAGRAPHS)
    entry = entry_of(
        f"{LETTER}Content-Type: text/plain; charset=utf-8\n\n{text}\n\n-- \nZoë Doe\nShore House\n", "a.eml"
    )
    assert entry.title is not None
    assert entry.title.value == "Harbour wall opens"
    assert entry.authors == (Person(name="Zoë Doe"),)
    assert (entry.published, entry.entry_id) == ("Wed, 19 Jun 2024 09:30:00 +0200", "17@shore.example")
    assert entry.content is not None
    assert entry.content.value.count("<p>") == 4
    assert "Shore House" not in entry.content.value
    assert "zoe@" not in repr(entry)


def test_the_html_part_of_a_letter_counts_before_the_plain_one() -> None:
    body = (
        f"{LETTER}Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain text\n"
        "--b\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
        "<p>Caf=E9 <b>text</b></p>\n--b--\n"
    )
    entry = entry_of(body.replace("\n", "\r\n"), "no-suffix")
    assert entry.content is not None
    assert entry.content.value.strip() == "<p>Café <b>text</b></p>"


def test_a_letter_without_text_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ParseError, match="letter without text; save"):
        parse_document(f"{LETTER}Content-Type: image/png\n\nx".encode(), name="a.eml")


def test_a_text_about_letters_is_no_letter() -> None:
    entry = entry_of("Subject: closed\n\nThe matter of the wall is closed, says the mayor.\n", "a.txt")
    assert entry.content is not None


# --------------------------------------------------------------------------- saved pages and feeds

PAGE = f"""<!DOCTYPE html>
<html lang="en"><head><title>Harbour wall opens | Coast Mirror</title><meta charset="utf-8"></head>
<body>
<nav><a href="/">Home</a> <a href="/news">News</a></nav>
<div class="path">News &gt; World</div>
<h1>Harbour wall opens</h1>
<p>{PARAGRAPHS[0]}</p>
<p>{PARAGRAPHS[1]}</p>
<h2>What the wall can do</h2>
<ul><li>Hold back four metres of water at the gates</li><li>Close within eleven minutes of an alarm</li></ul>
<p>{PARAGRAPHS[2]}</p>
<blockquote><p>Nobody who lives by the water will sleep less soundly because of it.</p></blockquote>
<p>{PARAGRAPHS[3]}</p>
<p>Source: shoretimes</p>
<p>coast mirror</p>
<h3>Article comments</h3>
<div id="comments"><p>Jo says: I doubt that this wall holds what it promises to all of us.</p></div>
<h3>Leave a Reply</h3>
<form><textarea></textarea></form>
</body></html>
"""


def test_a_saved_page_says_what_its_plain_document_would() -> None:
    entry = entry_of(PAGE, "wall.html")
    assert entry.title is not None
    assert entry.title.value == "Harbour wall opens"
    assert entry.breadcrumb == ("News", "World")
    assert entry.origin == Origin(name="shoretimes")
    assert entry.credits == ("Source: shoretimes",)
    assert entry.publisher == "coast mirror"
    assert entry.entry_id == "file:wall.html"
    assert entry.content is not None
    html = entry.content.value
    for paragraph in PARAGRAPHS:
        assert f"<p>{paragraph}</p>" in html
    for part in ("<h2>What the wall can do</h2>", "<ul><li>Hold back four", "<blockquote>"):
        assert part in html.replace("\n", "")
    for gone in ("shoretimes", "coast mirror", "omments", "I doubt", "Leave a Reply", "News"):
        assert gone not in html


def test_a_saved_page_is_known_without_its_suffix() -> None:
    assert entry_of(PAGE, "wall").title == entry_of(PAGE, "wall.html").title


def test_a_saved_feed_brings_its_own_entries() -> None:
    rss = b"<rss version='2.0'><channel><title>T</title><item><guid>1</guid><title>A</title></item></channel></rss>"
    feed = parse_document(rss, name="saved.xml")
    assert (feed.kind, [entry.entry_id for entry in feed.entries]) == ("rss20", ["1"])
    jsonfeed = b'{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","content_text":"x"}]}'
    assert parse_document(jsonfeed, name="saved.json").entries[0].entry_id == "1"


def test_a_page_without_an_article_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ParseError, match="no article text on the page; "):
        parse_document(b"<html><body><script>render()</script></body></html>", name="a.html")
