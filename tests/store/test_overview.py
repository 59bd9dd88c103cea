"""How the desk does, counted by the database: the words, the counts and the orders that Python gives one by one."""

import random
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, bindparam, event, update

from feeds.condition import WORDS, condition
from feeds.configuration import Source
from feeds.store.overview import SORTS, day_of
from feeds.store.schema import entries
from feeds.store.schema import sources as table

from .conftest import NOW, copy, new, save, source

COUNT = 300
CHANCES = {
    "enabled": (0, 1, 1, 1),
    "kind": ("feed", "feed", "files"),
    "gone_at": (None, None, None, NOW),
    "failures": (0, 0, 0, 2, 3),
    "first_poll_done": (0, 1),
    "retry_after_until": (None, None, NOW - timedelta(hours=1), NOW + timedelta(hours=1)),
    "last_outcome": ("", "new", "same", "failed"),
    "last_poll_at": (None, NOW - timedelta(hours=2), NOW - timedelta(hours=1), NOW - timedelta(hours=1)),
    "next_poll_at": (NOW - timedelta(hours=3), NOW + timedelta(hours=1)),
    "due_at": (NOW - timedelta(hours=3), NOW + timedelta(minutes=10)),
    "claim_id": (None, None, "x"),
    "adopted_url": (None, None, None, "https://b.example/"),
    "last_new_at": (None, NOW - timedelta(days=3), NOW - timedelta(days=60), NOW - timedelta(days=61)),
    "fixed_interval_s": (None, 0.0, 90.0),
    "interval_s": (None, 300.0, 7200.5),
}


@pytest.fixture
def shelf(store):
    """Sources in every state, a third of them with an open alarm of silence, one that has gone from config."""
    chance = random.Random(7)
    told = [
        Source(
            key=f"k{number}",
            name=f"{chance.choice('aBäÉz')} {number}",
            kind="feed",
            target=f"https://me:pass{number}@h{number}.example/feed",
            line=chance.randrange(50),
        )
        for number in range(COUNT + 1)
    ]
    with store.write() as tx:
        tx.sources.sync(told, "full", NOW)
        tx.sources.sync(told[:-1], "full", NOW)
        rows = [
            {"the_key": source.key} | {name: chance.choice(values) for name, values in CHANCES.items()}
            for source in told[:-1]
        ]
        change = {name: bindparam(name, type_=table.c[name].type) for name in CHANCES}
        tx.overview._connection.execute(update(table).where(table.c.key == bindparam("the_key")).values(change), rows)
        for source in chance.sample(told, COUNT // 3):
            tx.events.add("silent", source.key, text=f"{source.name} is quiet", now=NOW)
        tx.events.add("silent", "k1", text="", now=NOW)
    return store


def judged(tx):
    """Every source with its condition, in the order of the file."""
    lines = tx.overview.lines(tx.overview.source_ids(NOW, limit=10_000))
    quiet = tx.events.texts("silent", [line.source.key for line in lines])
    found = [
        (line, condition(line.source, line.state, now=NOW, quiet=quiet.get(line.source.key, ""))) for line in lines
    ]
    return sorted(found, key=lambda one: (one[0].source.line, one[0].id))


def test_the_database_counts_and_chooses_states_as_their_words_are_given(shelf):
    with shelf.read() as tx:
        every, numbers = judged(tx), tx.overview.numbers(NOW)
        assert len(every) == COUNT
        words = Counter(state.word for _, state in every)
        assert set(words) == set(WORDS)  # the sample has them all
        assert numbers.states == {word: words[word] for word in WORDS}
        assert numbers.trouble == sum(state.trouble for _, state in every)
        for word in WORDS:
            ids = {line.id for line, state in every if state.word == word}
            assert set(tx.overview.source_ids(NOW, word=word, limit=COUNT)) == ids, word
        ids = {line.id for line, state in every if state.trouble}
        assert set(tx.overview.source_ids(NOW, word="trouble", limit=COUNT)) == ids


def _interval_s(line):
    known = line.state
    if known.last_poll_at is not None and known.next_poll_at > known.last_poll_at:
        return (known.next_poll_at - known.last_poll_at).total_seconds()
    return line.source.interval_s or known.interval_s or 0.0


ORDERS = {
    "config": lambda line, state: not state.trouble,
    "name": lambda line, state: line.source.name.casefold(),
    "state": lambda line, state: (not state.trouble, -WORDS.index(state.word)),
    "poll": lambda line, state: -(line.state.last_poll_at or line.added_at).timestamp(),
    "news": lambda line, state: -(line.state.last_new_at or line.added_at).timestamp(),
    "interval": lambda line, state: _interval_s(line),
}


@pytest.mark.parametrize("sort", SORTS)
def test_the_database_orders_sources_page_by_page(shelf, sort):
    with shelf.read() as tx:
        wanted = [line.id for line, _ in sorted(judged(tx), key=lambda one: ORDERS[sort](*one))]
        assert tx.overview.source_ids(NOW, sort=sort, limit=COUNT) == wanted
        assert tx.overview.source_ids(NOW, sort=sort, limit=20, offset=40) == wanted[40:60]


def test_names_and_addresses_are_searched_as_people_see_them(shelf):
    def found(sought):
        with shelf.read() as tx:
            return [line.source.name for line in tx.overview.lines(tx.overview.source_ids(NOW, sought=sought, limit=9))]

    assert len(found("h17.example")) == 1 and len(found(" H17.EXAMPLE ")) == 1
    assert found("pass17") == []  # a secret is not searched
    assert found("ÄÉ") == [] and all(name.startswith("É") for name in found("é 1"))
    assert len(found("***")) == 9


def test_a_name_is_found_by_plain_letters_that_only_python_folds_it_to(store):
    with store.write() as tx:
        tx.sources.sync([source("a", name="Große Zeitung"), source("b", name="The 100%"), source("c")], "full", NOW)
    with store.read() as tx:
        assert [tx.overview.source_ids(NOW, sought=each, limit=9) for each in ("GROSSE", "100%", "0_%")] == [
            [1],
            [2],
            [],
        ]


def test_failing_counts_those_that_were_asked(shelf):
    with shelf.read() as tx:
        asked = [line for line, _ in judged(tx) if line.source.enabled and line.state.last_poll_at is not None]
        down = [
            line
            for line in asked
            if line.state.gone_at is None and (line.state.failures or line.state.last_outcome == "failed")
        ]
        assert tx.overview.failing() == (len(asked), len(down)) and down


def test_open_events_are_counted_by_kind_and_listed_up_to_a_limit(shelf):
    with shelf.write() as tx:
        tx.events.add("gone", "k2", text="gone", now=NOW)
    with shelf.read() as tx:
        counts = tx.events.open_counts()
        assert counts["gone"] == 1 and counts["silent"] >= COUNT // 3
        listed = tx.events.open_of(["gone", "silent", "none"], 5)
        assert [event.kind for event in listed] == ["gone"] + ["silent"] * 5
        assert listed[1:] == [event for event in tx.events.open() if event.kind == "silent"][:5]


def test_an_article_that_nobody_else_brought_is_no_copy_though_it_credits_its_origin(desk):
    save(desk, [new("own"), new("shared"), copy("again", 2, "shared")], "news")
    with desk.write() as tx:
        # As lineage leaves it for an entry that says "Source: Town Council".
        tx.overview._connection.execute(update(entries).where(entries.c.key == "own").values(copy=1))
        day = day_of(NOW)
        assert tx.overview.days([1, 2], NOW - timedelta(days=1)) == {1: {day: (2, 0)}, 2: {day: (1, 1)}}


@contextmanager
def plans(desk, word):
    """Of the statements meanwhile that hold *word*, how SQLite goes about them; of PostgreSQL none."""
    asked, found = [], []

    def note(connection, cursor, statement, parameters, *rest):
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    with desk.unfenced() as connection:
        for words, values in asked if desk.file is not None else ():
            if word in words:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values)
                found.append([row.detail for row in rows])


def test_what_was_filed_lately_is_counted_without_a_look_at_what_came_before(desk):
    save(desk, [new("old")], "news", "sport", now=NOW - timedelta(days=30))
    save(desk, [new("a"), new("b")], "news", "")
    day, long_ago = day_of(NOW), NOW - timedelta(days=40)
    with plans(desk, "seen_at") as found, desk.read() as tx:
        assert tx.overview.section_days(NOW - timedelta(days=14)) == {"news": {day: 2}, "": {day: 2}}
        assert tx.overview.section_days(long_ago, quiet_since=NOW - timedelta(days=1)) == {"sport": {day - 30: 1}}
    for plan in found:
        assert plan[0].startswith("SEARCH articles") and "ix_articles_seen_at" in plan[0], plan


def test_a_sources_entries_are_counted_without_a_look_at_those_that_came_before(desk):
    save(desk, [new("old")], "news", now=NOW - timedelta(days=30))
    save(desk, [new("a"), new("b", 2)], "news")
    day = day_of(NOW)
    with plans(desk, "first_seen") as found, desk.read() as tx:
        assert tx.overview.days([1, 2], NOW - timedelta(days=14)) == {1: {day: (1, 0)}, 2: {day: (1, 0)}}
        assert tx.overview.days([1], NOW - timedelta(days=40)) == {1: {day: (1, 0), day - 30: (1, 0)}}
    for plan in found:
        assert any("ix_entries_newest (source_id=? AND id>?)" in line for line in plan), plan
