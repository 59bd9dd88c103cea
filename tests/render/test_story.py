"""A story is one entry with a lasting id that grows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feeds.model import FORMATS, Article
from feeds.parsed import Category, Image
from feeds.render.story import MOST_LISTED, as_story
from tests.render.articles import DESK, NOW, SECTION, few, make_article, wild_articles
from tests.render.documents import render_document
from tests.validator import check

STORY = "urn:uuid:00000000-0000-4000-9000-000000000007"


def member(number: int, hours: int, **changes: Any) -> Article:
    moment = NOW + timedelta(hours=hours)
    return make_article(number, **({"published": moment, "updated": moment, "rank_at": moment} | changes))


def story(*members: Article) -> Article:
    return as_story(members, story_uid=STORY, desk=DESK)


def test_a_story_keeps_its_id_and_its_beginning_while_it_grows() -> None:
    first = story(member(1, 0, title="Ferry late"))
    later = story(member(1, 0, title="Ferry late"), member(2, 5, title="Ferry in"))
    assert (first.uid, later.uid) == (STORY, STORY)
    assert first.published == later.published == NOW
    assert (first.updated, later.updated) == (NOW, NOW + timedelta(hours=5))
    assert (first.title, later.title) == ("Ferry late", "Ferry in")
    assert later.link == "https://example.org/2"


def test_its_articles_are_listed_newest_first_with_their_sources() -> None:
    told = story(
        member(1, 0, title="Ferry <late>", source_name="A & B"),
        member(2, 5, title="Ferry in", source_name="C", link=None),
    )
    assert told.content == (
        f'<ul><li><a href="https://wire.example.org/article/{make_article(2).id}">Ferry in</a> (C, 2026-03-04)</li>'
        '<li><a href="https://example.org/1">Ferry &lt;late&gt;</a> (A &amp; B, 2026-03-04)</li></ul>'
    )
    assert told.source_name == ""


def test_the_order_in_which_members_come_does_not_matter() -> None:
    members = [member(n, n) for n in range(4)]
    assert story(*members) == story(*reversed(members))


def test_full_text_is_not_repeated_and_wishes_are_kept() -> None:
    told = story(
        member(1, 0, content="<p>secret of the source</p>", noindex=True, image=Image(url="https://example.org/i.jpg")),
        member(2, 1, categories=(Category(term="Sea"),)),
        member(3, 0, categories=(Category(term="Sea"),)),
    )
    assert "secret" not in told.content
    assert told.noindex
    assert told.image == Image(url="https://example.org/i.jpg")
    assert told.categories == (Category(term="Sea"),)
    assert told.source_name == "Example World"


def test_a_story_of_hundreds_stays_readable() -> None:
    told = story(*(member(n, n) for n in range(MOST_LISTED + 3)))
    assert told.content.count("<li>") == MOST_LISTED
    assert told.content.endswith("<p>+ 3</p>")


@given(st.lists(wild_articles, min_size=1, max_size=3))
@few
def test_a_story_of_any_articles_makes_valid_documents(members: list[Article]) -> None:
    told = story(*members)
    for format in FORMATS:
        body = render_document(SECTION, [told], format)
        assert {problem.rule for problem in check(body, format)} <= {"title-html"}
