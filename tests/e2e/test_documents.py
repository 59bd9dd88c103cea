"""A folder of documents of every kind, on a running desk: each becomes what its author meant, halves wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import Desk, until

MARKDOWN = """---
title: Notes on the engine
date: 2026-11-20
author: Ada Lovelace
tags: [engines]
---
It *weaves* algebraic patterns.<script>alert(1)</script>
"""
LETTER = """From: =?utf-8?q?Jos=C3=A9?= <jose@example.org>
Subject: =?utf-8?q?Gulls_=E2=80=93_again?=
Date: Mon, 23 Nov 2026 09:00:00 +0100
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Dear desk, gulls are =C3=A9verywhere near the pier.
"""
SAVED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Saved</title><link>https://saved.example/</link>
<description>-</description><item><title>Saved one</title><link>https://saved.example/1</link><description>On lanterns
</description></item><item><title>Saved two</title><link>https://saved.example/2</link><description>On ferries
</description></item></channel></rss>"""
PAGE = """<html lang="en"><head><title>The mill turns | Site</title><meta name="author" content="Bob">
<meta property="article:published_time" content="2026-11-19T10:00:00Z"></head><body><nav>Home About</nav><article>
<h1>The mill turns</h1><p>The mill at the weir turns again, says the miller, after the flood of last spring took its
wheel. The new wheel is of oak, and was made by hand over the winter by three apprentices of the yard.</p></article>
</body></html>"""

PIE = (
    "Fair to have a pie\n\nThe fair will have a pie this year, its makers say, and it is six feet wide.\n\n"
    "It was baked in three ovens and put together by a crane on the quay.\n"
)


def put(path: Path, text: str) -> None:
    """Write as careful writers do, in one go."""
    half = path.with_name(f".{path.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of two empty folders, each with a section of its own."""
    with Desk(tmp_path_factory.mktemp("documents")) as desk:
        for name in ("documents", "letters"):
            (desk.config / name).mkdir()
        desk.write(
            sections={"news": {"title": "News"}, "letters": {"title": "Letters"}},
            sources=[
                {"name": "Documents", "files": "documents/*", "section": "news", "interval_s": 1},
                {"name": "Letters", "files": "letters/*.txt", "section": "letters", "interval_s": 1},
            ],
            desk={"publish": {"full_text": "full", "first_import": 0}},
        )
        yield desk.start()


def test_documents_of_every_kind_on_a_running_desk(running: Desk) -> None:
    desk, folder = running, running.config / "documents"
    for name, text in {"engine.md": MARKDOWN, "gulls.eml": LETTER, "saved.xml": SAVED, "mill.html": PAGE}.items():
        (folder / name).write_text(text)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    until(lambda: len(desk.items("/news.json")) == 5, what="five articles")
    told = {str(item["title"]): item for item in desk.items("/news.json")}
    assert set(told) == {"Notes on the engine", "Gulls – again", "Saved one", "Saved two", "The mill turns"}
    notes, gulls, mill = told["Notes on the engine"], told["Gulls – again"], told["The mill turns"]
    assert (notes["authors"], notes["tags"]) == ([{"name": "Ada Lovelace"}], ["engines"])
    assert "<em>weaves</em>" in str(notes["content_html"]) and "script" not in str(notes["content_html"])
    assert (gulls["authors"], gulls["date_published"]) == ([{"name": "José"}], "2026-11-23T08:00:00Z")
    assert "éverywhere" in str(gulls["content_html"])
    assert (mill["authors"], mill["date_published"]) == ([{"name": "Bob"}], "2026-11-19T10:00:00Z")
    assert "Home" not in str(mill["content_html"])
    assert told["Saved one"]["url"] == "https://saved.example/1"
    assert "picture.png is no text" in desk.log.read_text()
    assert "picture.png is no text" in desk.get("/status").body.decode()
    (folder / "picture.png").write_text("A picture told\n\nIn words, of a boat on the slip.\n")

    # A renamed and changed one stays the same article; one that is still being written waits until it is whole.
    (folder / "engine.md").rename(folder / "analytical-engine.md")
    (folder / "analytical-engine.md").write_text(MARKDOWN.replace("patterns", "patterns and flowers"))
    with (folder / "half.txt").open("w") as half:
        for part in ("Half a title", " and the rest\n\nThe body comes", " after its beginning.\n"):
            half.write(part)
            half.flush()
            time.sleep(0.9)
            assert "Half a title" not in str([item["title"] for item in desk.items("/news.json")])
    until(lambda: len(desk.items("/news.json")) == 7, what="the slow document and the mended one")
    assert "picture.png is no text" not in desk.get("/status").body.decode()
    until(lambda: any("flowers" in str(item["content_html"]) for item in desk.items("/news.json")), what="the update")
    now = {str(item["title"]): item for item in desk.items("/news.json")}
    assert now["Notes on the engine"]["id"] == notes["id"]
    slow = now["Half a title and the rest"]
    assert "after its beginning" in str(slow["content_html"])
    assert "date_modified" not in slow or slow["date_modified"] == slow["date_published"]


def test_a_document_stays_one_article_when_it_changes_or_is_renamed(running: Desk) -> None:
    desk, folder = running, running.config / "letters"
    put(folder / "pie.txt", PIE)
    put(folder / "empty.txt", "")
    until(lambda: desk.items("/letters.json"), what="the document")
    first = desk.items("/letters.json")[0]["id"]

    (folder / "pie.txt").rename(folder / "a-pie-for-the-fair.txt")
    put(
        folder / "other.txt",
        "Harbour bell cast anew\n\nThe bell of the harbour chapel was cast anew in the old yard.\n",
    )
    until(lambda: len(desk.items("/letters.json")) > 1, what="the other document")
    assert sorted(str(item["title"]) for item in desk.items("/letters.json")) == [
        "Fair to have a pie",
        "Harbour bell cast anew",
    ]

    put(folder / "a-pie-for-the-fair.txt", PIE.replace("six feet", "seven feet"))
    until(
        lambda: any("seven feet" in str(item.get("content_html")) for item in desk.items("/letters.json")),
        what="the changed document",
    )
    assert [item["id"] for item in desk.items("/letters.json") if "pie" in str(item["title"])] == [first]

    put(folder / "twin.txt", PIE.replace("six feet", "seven feet"))
    put(
        folder / "empty.txt",
        "Ferry to sail at night\n\nThe ferry will sail at night from spring on, the line said here.\n",
    )
    until(lambda: len(desk.items("/letters.json")) > 2, what="the filled document")
    titles = sorted(str(item["title"]) for item in desk.items("/letters.json"))
    assert titles == ["Fair to have a pie", "Ferry to sail at night", "Harbour bell cast anew"]
