"""A folder of documents of every kind, on a running desk: each becomes what its author meant, halves wait."""

from __future__ import annotations

import time

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


def test_documents_of_every_kind_on_a_running_desk(desk: Desk) -> None:
    folder = desk.config / "documents"
    folder.mkdir()
    for name, text in {"engine.md": MARKDOWN, "gulls.eml": LETTER, "saved.xml": SAVED, "mill.html": PAGE}.items():
        (folder / name).write_text(text)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    desk.write(sources=[{"name": "Documents", "files": "documents/*", "section": "news", "full_text": "full"}])
    desk.start()
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
    until(lambda: len(desk.items("/news.json")) == 7, what="the slow document and the mended one")
    assert "picture.png is no text" not in desk.get("/status").body.decode()
    until(lambda: any("flowers" in str(item["content_html"]) for item in desk.items("/news.json")), what="the update")
    now = {str(item["title"]): item for item in desk.items("/news.json")}
    assert now["Notes on the engine"]["id"] == notes["id"]
    slow = now["Half a title and the rest"]
    assert "after its beginning" in str(slow["content_html"])
    assert "date_modified" not in slow or slow["date_modified"] == slow["date_published"]
