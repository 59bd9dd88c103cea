"""What is found, and in which order, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from feeds.model import Fragment

from .conftest import NOW, new, save, section, source, uid_of


@pytest.fixture
def shelf(store):
    with store.write() as tx:
        tx.sections.sync([section("news")], NOW)
        tx.sources.sync([source("a")], "full", NOW)
    told = {
        "flood": ("Floods reach the harbour", "The tide gauge at the old pier stood at four metres."),
        "tide": ("A gauge for every tide", "Instruments, and who reads them; no flood is mentioned."),
        "tokyo": ("東京の天気", "Regen über Köln; café closes."),
    }
    for name, (title, text) in told.items():
        decision = new(name)
        entry = replace(decision.entry, title=title, text=text)
        save(store, [replace(decision, entry=entry)], "news")
    return store


def found(store, query, **more):
    with store.read() as tx:
        return [article.title for article in tx.search.find(query, more.pop("limit", 10), **more).articles]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("flood", ["A gauge for every tide", "Floods reach the harbour"]),  # newest first, longer words too
        ("FLOOD harbour", ["Floods reach the harbour"]),
        ('"tide gauge"', ["Floods reach the harbour"]),
        ("tide -pier", ["A gauge for every tide"]),
        ("koln CAFE", ["東京の天気"]),
        ("東京", ["東京の天気"]),
        ("nothing", []),
        ("", []),
        ("-flood", []),
        ("\"'); DROP TABLE articles; -- * OR ^ : (", []),
        ("AND OR NOT NEAR", []),
        ("\x00 \ud800 '", []),
    ],
)
def test_a_question_finds_what_it_means(shelf, query, titles):
    assert found(shelf, query) == titles


def test_what_is_retracted_is_not_found_until_it_is_back(shelf):
    with shelf.write() as tx:
        tx.articles.retract(uid_of("flood"), "wrong", NOW)
    assert found(shelf, "harbour") == []
    with shelf.write() as tx:
        tx.articles.unretract(uid_of("flood"), NOW)
    assert found(shelf, "harbour") == ["Floods reach the harbour"]


def test_what_retention_took_leaves_nothing_to_find(shelf):
    with shelf.write() as tx:
        tx.retention.sweep(NOW + timedelta(days=100), keep_days=10, keep_articles=0)
    assert found(shelf, "flood") == []


def test_pages_go_on_where_the_last_ended(shelf):
    with shelf.read() as tx:
        first = tx.search.find("flood", 1)
        second = tx.search.find("flood", 1, before=first.next)
    assert [article.title for article in first.articles + second.articles] == found(shelf, "flood")
    assert second.next is None


def test_fragments_come_in_the_order_of_what_is_found(shelf):
    with shelf.write() as tx:
        tx.documents.put_fragments(
            [Fragment(article_uid=uid_of(name), format="atom", version=1, body=name.encode(), updated=NOW, revision=0)
             for name in ("flood", "tide")]
        )  # fmt: skip
    with shelf.read() as tx:
        assert [fragment.body for fragment in tx.search.fragments("flood", "atom", 10)] == [b"tide", b"flood"]
        assert tx.search.fragments("flood", "rss", 10) == ()


def test_the_overview_counts_what_there_is(shelf):
    with shelf.read() as tx:
        [line] = tx.overview.lines(tx.overview.source_ids(NOW, limit=5))
        day = tx.overview.days([line.id], NOW - timedelta(days=14))
        assert sum(count for count, _ in day[line.id].values()) == 3
        assert sum(tx.overview.section_days(NOW - timedelta(days=14))["news"].values()) == 3
        numbers = tx.overview.numbers(NOW + timedelta(hours=1))
        assert (sum(numbers.states.values()), numbers.articles, numbers.entries, numbers.due) == (1, 3, 3, 1)
        assert numbers.lag_s == 3600 and numbers.database_bytes > 0
        assert tx.overview.saved([line.id]) == {}
