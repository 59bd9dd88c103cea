"""Every entry of the real feeds in the development data, published in every format: valid, and read back as it was."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

from feeds.configuration import Source
from feeds.model import FORMATS, Article, Entry
from feeds.normalise import normalise
from feeds.parse import parse
from feeds.render.mediarss import describes
from tests.development import archived
from tests.render.articles import DESK, SECTION
from tests.render.documents import render_document, render_fragment, whole_document
from tests.validator import check

NOW = datetime(2026, 11, 20, tzinfo=UTC)
URL = "https://source.example/feed"
MOST = 10
"""Entries of one feed: what a feed does, its first entries do."""


def published(entry: Entry, number: int, source: Source) -> Article:
    """*entry* as an article of its own, with full rights."""
    moment = entry.published or entry.updated or NOW
    same = ("link", "title", "summary", "content", "language", "authors", "contributors", "categories", "origin")
    also = ("publisher", "enclosures", "image", "episode", "place", "discussion", "rights", "via", "related", "noindex")
    return Article(
        uid=f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        published=moment,
        updated=entry.updated or moment,
        rank_at=moment,
        source_name=source.name,
        source_url=source.target,
        source_key=source.key,
        **{name: getattr(entry, name) for name in (*same, *also)},
    )


def sections(archive: Path) -> Iterator[list[Article]]:
    for name, body in archived(archive):
        if not name.endswith(".xml"):
            continue
        feed = parse(body, url=URL)
        source = Source(key=name, name=feed.title or "Untitled", kind="feed", target=URL, id=1)
        found = normalise(feed, source=source, url=URL, received_at=NOW, desk_language="en", desk_timezone="UTC")
        yield [published(entry, number, source) for number, entry in enumerate(found.entries)]


@pytest.mark.shared_data
def test_entries_of_all_real_feeds_are_published_valid_and_read_back(shared_data: Path) -> None:
    entries = 0
    for whole in sections(shared_data / "feeds" / "realworld_2026_dev.tar.gz"):
        articles = whole[:MOST]
        entries += len(articles)
        for format in FORMATS:
            body = render_document(SECTION, articles, format)
            assert check(body, format) == ()
            assert body == whole_document(SECTION, articles, format)
            if format == "json":
                read = [(item["id"], item["title"], item["url"]) for item in json.loads(body)["items"]]
            else:
                parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
                assert not parsed.bozo
                read = [(e.id, html.unescape(e.title) if e.title_detail.type != "text/plain" else e.title, e.link)
                        for e in parsed.entries]  # fmt: skip
                contents = [e.content[0].value for e in parsed.entries if "content" in e]
                summed = (a.summary if format == "atom" or describes(a, DESK) else "" for a in articles)
                told = [a.content or summary for a, summary in zip(articles, summed, strict=True)]
                assert contents == [text for text in told if text]
            assert read == [(a.uid, a.title, a.link or f"https://wire.example.org/article/{a.id}") for a in articles]
    assert entries > 600


@pytest.mark.shared_data
def test_pictures_of_real_texts_are_their_articles_in_every_format(shared_data: Path) -> None:
    shown = named = 0
    for archive in ("realworld_2026_dev.tar.gz", "fastfeedparser_integration.tar.gz"):
        for articles in sections(shared_data / "feeds" / archive):
            for article in articles:
                if "<img " not in article.content + article.summary:
                    continue
                shown += 1
                fragments = [render_fragment(article, format).decode() for format in FORMATS]
                signs = ("<media:", "<media:", '"image":')
                named += all(sign in body for sign, body in zip(signs, fragments, strict=True))
                if article.image is not None:
                    # Counters, faces and signs in a text are no pictures of what it tells.
                    assert not re.search(
                        r"pixel|feedburner|emoji|smil(?:ey|ies)|gravatar|shields\.io|/ads?/", article.image.url
                    )
    assert named / shown >= 0.95
