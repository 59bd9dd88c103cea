"""What a request joins is what rendering it whole would give, byte for byte."""

from __future__ import annotations

import random
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import frames
from feeds.frames import cut, delta_body
from feeds.model import FORMATS, MEDIA_TYPES, Article, Document, Format
from feeds.publish.rendering import desk_context, section_context
from feeds.render import render_frame
from tests.publish.desk import WORLD, Desk
from tests.render.articles import FEED_ID, NOW, SECTION, few, many, moments, wild_articles, wild_text
from tests.render.documents import render_document, render_fragment, whole_document
from tests.validator import errors

EXTRA = {
    "atom": frames.archive_links(
        "atom",
        archive=True,
        prev_url="https://w.example/1",
        next_url="https://w.example/3",
        current_url="https://w.example/",
    ),
    "rss": frames.archive_links("rss", archive=True, prev_url="https://w.example/1", current_url="https://w.example"),
    "json": frames.archive_links("json", archive=True, prev_url="https://w.example/1"),
}


@pytest.mark.parametrize("format", FORMATS)
@given(articles=st.lists(wild_articles, max_size=3, unique_by=lambda article: article.uid))
@many
def test_a_page_is_the_whole_document_with_its_links_and_nothing_else(format: Format, articles: list[Article]) -> None:
    page = render_document(SECTION, articles, format, extra=[EXTRA[format]])
    whole = whole_document(SECTION, articles, format)
    assert page.replace(EXTRA[format], b"", 1) == whole
    assert errors(page, format) == []


@pytest.mark.parametrize("format", FORMATS)
@given(
    articles=st.lists(wild_articles, min_size=1, max_size=4, unique_by=lambda article: article.uid),
    order=st.randoms(use_true_random=False),
    title=wild_text,
    description=wild_text,
    gone=st.lists(
        st.tuples(st.uuids().map(lambda each: each.urn), moments), max_size=3, unique_by=lambda each: each[0]
    ),
)
@few
def test_whatever_is_joined_of_fragments_that_check_checks_too(
    format: Format,
    articles: list[Article],
    order: random.Random,
    title: str,
    description: str,
    gone: list[tuple[str, datetime]],
) -> None:
    """A narrowed feed, an archive page, and a delta, of any of the articles and with any words around them."""
    fragments = [render_fragment(article, format) for article in articles]
    chosen = order.sample(range(len(articles)), order.randint(0, len(articles)))
    told = [(uid, at) for uid, at in gone if uid not in {article.uid for article in articles}]
    extra = [
        frames.hub_links(format, ["https://hub.example/?a=1&b=2"]),
        EXTRA[format],
        frames.deleted_entries(format, told),
    ]
    joined = frames.assemble(
        render_frame(SECTION, format),
        [fragments[number] for number in chosen],
        self_url="https://wire.example.org/news/world?source=a%26b&limit=3",
        alternate_url="https://wire.example.org/news/world",
        title=title,
        description=description,
        updated=NOW,
        feed_id=FEED_ID,
        extra=extra,
    )
    whole = Document(
        path=SECTION.path,
        format=format,
        media_type=MEDIA_TYPES[format],
        sequence=1,
        etag="1-0",
        last_modified=NOW,
        body=render_document(SECTION, articles, format),
        article_uids=tuple(article.uid for article in articles),
    )
    delta = delta_body(whole, cut(whole), {articles[number].uid for number in chosen}, told)
    for body in (joined, delta):
        assert errors(body, format) == []


@pytest.mark.parametrize("format", FORMATS)
def test_served_pages_and_narrowed_feeds_are_byte_identical_to_rendering_their_articles_whole(
    desk: Desk, format: Format
) -> None:
    desk.bring(range(150))
    desk.retract(20)
    desk.render(most_archived=None)
    context = section_context(desk.tree[1], desk.settings)
    for path, query in (
        (f"/{WORLD}/archive/100.{format}", ""),
        (f"/{WORLD}/archive/100.{format}", "utm_source=x"),
        (f"/{WORLD}.{format}", "lang=en&limit=7"),
        (f"/{WORLD}.{format}", ""),
    ):
        served = desk.get(path, query=query).body
        uids = list(dict.fromkeys(re.findall(rb"urn:uuid:00000000-0000-4000-8000-\d{12}", _entries(served, format))))
        with desk.store.read() as tx:
            found = tx.articles.several([uid.decode() for uid in uids])
        whole = render_document(
            context,
            [found[uid.decode()] for uid in uids],
            format,
            desk=desk_context(desk.settings),
        )
        assert _entries(served, format) == _entries(whole, format)


def _entries(body: bytes, format: Format) -> bytes:
    begin = {"rss": b"<item>", "atom": b"<entry", "json": b'"items":['}[format]
    return body[body.index(begin) :]
