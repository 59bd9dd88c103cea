"""What is found, and in which order, on both databases."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import text as sql

from feeds.model import FORMATS, Fragment
from feeds.parsed import Category, Person
from feeds.store.relations import Settled
from feeds.store.schema import SEARCH
from feeds.store.search import FEW_OF_SEVERAL, Question
from feeds.store.search_index import words_of

from .conftest import NOW, copy, new, save, section, source, uid_of


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


def found(store, query, limit=10, offset=0, by_date=False, **more):
    with store.read() as tx:
        hits = tx.search.find(Question(words=query, **more), limit, offset, by_date=by_date)
        return [article.title for article in hits.articles]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("flood", ["Floods reach the harbour", "A gauge for every tide"]),  # in the title first, longer words too
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
    assert indexed(shelf, "flood") == []


def indexed(store, word):
    """The rows that the index itself has for *word*, whatever became of their articles."""
    row, match = ("rowid", f"{SEARCH} MATCH :word")
    if store.file is None:
        row, match = ("article_id", "words @@ CAST(:word AS tsquery)")
    with store.unfenced() as connection:
        statement = sql(f"SELECT {row} FROM {SEARCH} WHERE {match} ORDER BY {row}")
        return connection.scalars(statement, {"word": word}).all()


def test_an_article_is_found_by_the_words_that_are_shown_and_by_no_others(store):
    with store.write() as tx:
        tx.sections.sync([section("news")], NOW)
        tx.sources.sync([source("a"), source("b", priority=5), source("c", priority=9)], "full", NOW)
    save(store, [new("x", title="Flood")], "news")
    changed = replace(new("x", title="Storm"), kind="updated", significant=True)
    save(store, [changed], "news")
    assert (indexed(store, "flood"), indexed(store, "storm")) == ([], [1])

    # Changed, and outranked, in the same batch.
    changed = replace(changed, entry=replace(changed.entry, title="Gale", content_hash=3))
    save(store, [copy("y", 2, "x", title="Wind"), changed], "news")
    assert [indexed(store, word) for word in ("storm", "gale", "wind")] == [[], [], [1]]

    with store.read() as tx:
        lines = tx.relations.lines([uid_of("x")])[uid_of("x")]
    other = [Settled(line=line, shown=not line.shown, copy=line.copy, evidence=()) for line in lines]
    with store.write() as tx:
        tx.relations.settle({uid_of("x"): other})
    assert [indexed(store, word) for word in ("gale", "wind")] == [[1], []]


def test_the_words_of_an_entry_stay_what_they_are():
    """The index forgets an article by the words that its entry has now: others need a migration that makes it anew."""
    entry = new("x", title="Überflutet: 5,500 Häuser", text="Łódź, 東京 и Київ; naïve ﬁnd.").entry
    entry = replace(entry, authors=(Person(name="José O’Neil"),), categories=(Category(term="w", label="Welt"),))
    assert words_of(entry) == "uberflutet 5 500 hauser \n jose oneil \n welt \n łodz 東 京 и киів naive find"


def test_pages_go_on_where_the_last_ended(shelf):
    assert found(shelf, "flood", limit=1) + found(shelf, "flood", limit=1, offset=1) == found(shelf, "flood")
    assert found(shelf, "flood", offset=2) == []
    with shelf.read() as tx:
        assert tx.search.find(Question(words="flood"), 1, 5).count == 2


def have_none_be_few(monkeypatch):
    monkeypatch.setattr("feeds.store.search.FEW_FILINGS", 0)
    monkeypatch.setattr("feeds.store.search.FEW_OF_SEVERAL", dict.fromkeys(FEW_OF_SEVERAL, 0))


@pytest.fixture(params=["few", "many"])
def library(store, request, monkeypatch):
    """Articles that came in another order than they are dated, of two sources, in two sections; which are thought to
    hold few articles, or many.
    """
    if request.param == "many":
        have_none_be_few(monkeypatch)
    with store.write() as tx:
        tx.sections.sync([section("news"), section("sport")], NOW)
        tx.sources.sync([source("a"), source("b")], "full", NOW)
    told = [("Boats race", 1, "sport", 3), ("Old boats", 2, "news", 90), ("The tide, and boats", 1, "news", 1)]
    for at, (title, source_id, path, days) in enumerate(told):
        decision = new(title, source_id)
        text = "Boats. " if at else "Nothing but the headline."
        entry = replace(decision.entry, title=title, text=text, published=NOW - timedelta(days=days))
        save(store, [replace(decision, entry=entry)], path, now=NOW + timedelta(hours=at))
    return store


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ({"by_date": True}, ["The tide, and boats", "Boats race", "Old boats"]),
        ({"query": '"old boats"'}, ["Old boats"]),
        ({"query": "boats tide", "by_date": True}, ["The tide, and boats"]),
        ({"section": "news"}, ["The tide, and boats", "Old boats"]),
        ({"section": "sport"}, ["Boats race"]),
        ({"section": "nowhere"}, []),
        ({"source": "b"}, ["Old boats"]),
        ({"source": "nobody"}, []),
        ({"source": "a", "section": "news"}, ["The tide, and boats"]),
        ({"since": NOW - timedelta(days=7)}, ["The tide, and boats", "Boats race"]),
        ({"since": NOW - timedelta(days=2), "section": "news"}, ["The tide, and boats"]),
        ({"since": NOW + timedelta(days=1)}, []),
    ],
)
def test_what_is_found_goes_by_relevance_or_date_and_within_what_is_asked_for(library, asked, titles):
    assert found(library, **{"query": "boats"} | asked) == titles


def test_of_very_many_hits_those_that_came_last_are_looked_at(library, monkeypatch):
    have_none_be_few(monkeypatch)
    monkeypatch.setattr("feeds.store.search.MOST_HITS", 2)
    assert found(library, "boats", section="sport") == []  # it came before the other two
    monkeypatch.setattr("feeds.store.search.MOST_HITS", 3)
    assert found(library, "boats", section="sport") == ["Boats race"]


def test_of_a_source_what_it_brought_last_is_searched(library, monkeypatch):
    monkeypatch.setattr("feeds.store.search.MOST_OF_SOURCE", 1)
    assert found(library, "boats", source="a") == ["The tide, and boats"]
    assert found(library, "boats", source="b") == ["Old boats"]


def test_the_more_of_the_question_a_title_has_the_higher_it_stands(library):
    save(library, [new("z", title="Weather", text="Boats in the tide race.", published=NOW)], "news", now=NOW)
    assert found(library, "boats race tide")[:1] == ["Weather"]  # alone has all three
    assert found(library, "boats")[-1] == "Weather"


def test_how_often_a_text_says_a_word_does_not_count(library):
    save(library, [new("z", title="Weather", text="Boats. " * 9, published=NOW)], "news", now=NOW)
    assert found(library, "boats") == ["The tide, and boats", "Boats race", "Old boats", "Weather"]


def test_fragments_come_in_the_order_of_what_is_found(shelf):
    with shelf.write() as tx:
        tx.documents.put_fragments(
            [Fragment(article_uid=uid_of(name), format=format, version=1, body=f"{name} {format}".encode(), updated=NOW)
             for name in ("flood", "tide") for format in FORMATS]
        )  # fmt: skip
    with shelf.read() as tx:
        assert [fragment.body for fragment in tx.search.fragments(Question(words="flood"), "atom", 10)] == [
            b"tide atom",
            b"flood atom",
        ]


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


def test_where_enough_have_the_word_itself_longer_ones_are_not_looked_for(shelf, monkeypatch):
    """Of each word alone, whatever stands beside it."""
    monkeypatch.setattr("feeds.store.search.MOST_FOUND", 1)
    assert found(shelf, "flood") == ["A gauge for every tide"]  # it has "flood"; "floods" came before
    assert found(shelf, "floo") == ["A gauge for every tide"]
    monkeypatch.setattr("feeds.store.search.MOST_FOUND", 2)
    assert found(shelf, "flood") == ["Floods reach the harbour", "A gauge for every tide"]
    monkeypatch.setattr("feeds.store.search.MOST_FOUND", 1)
    assert found(shelf, "flood instrum") == ["A gauge for every tide"]
    assert found(shelf, "flood harb") == []
