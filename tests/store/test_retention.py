"""What is past its time goes in small steps, and never comes back as new."""

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from feeds.model import FORMATS, Decision, Fragment
from feeds.store import stories as made_stories
from feeds.store.retention import TOMBSTONE_DAYS
from feeds.store.schema import story_fragments, story_moves

from .conftest import NOW, copy, entry, later, new, read, save, source, uid_of


def sweep(store, now, days=0, articles=0, limit=1000):
    with store.write() as tx:
        return tx.retention.sweep(now, days, articles, limit)


def top(store, path="news"):
    return [each.uid for each in read(store, lambda tx: tx.sections.top(path, 1000))]


def test_articles_past_their_days_go_with_all_that_hangs_on_them(desk):
    save(desk, [new("x", text_hash=5), copy("cx", 2, "x")], "news")
    save(desk, [new("y")], "news", now=later(days=5))
    before = read(desk, lambda tx: tx.sections.get("news").touched)
    assert sweep(desk, later(days=10), days=10) == 0
    assert sweep(desk, later(days=11), days=10) == 1
    assert top(desk) == [uid_of("y")]
    with desk.read() as tx:
        assert tx.articles.get(uid_of("x")) is None
        assert tx.articles.state(uid_of("x")).kind == "gone"
        assert tx.articles.entries_of(uid_of("x")) == []
        assert tx.articles.find("https://a.example/x") is None
        assert tx.sections.get("news").touched > before


def test_stories_go_with_their_articles_and_their_moves_after_years(desk):
    save(desk, [replace(new("x"), story_uid="urn:uuid:story")], "news")
    same = {"article_uid": "urn:uuid:story", "version": 1, "revision": 0, "body": b"<item/>", "updated": NOW}
    made = [Fragment(format=format, **same) for format in FORMATS]
    with desk.write() as tx:
        made_stories.put(tx._connection, made, {"urn:uuid:story": "x"})
        tx.stories.merge({"urn:uuid:older": "urn:uuid:story"}, NOW)

    def rows(table):
        with desk._reader.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    sweep(desk, later(days=9), days=10)
    assert (rows(story_fragments), rows(story_moves)) == (1, 1)
    sweep(desk, later(days=11), days=10)
    assert (rows(story_fragments), rows(story_moves)) == (0, 1)
    sweep(desk, later(days=TOMBSTONE_DAYS + 1), days=10)
    assert rows(story_moves) == 0


def test_a_document_that_was_never_mended_is_no_alarm_for_ever(desk):
    with desk.write() as tx:
        tx.events.add("document", "a:file:x.pdf", text="no text", now=NOW)
    sweep(desk, later(days=29))
    assert len(read(desk, lambda tx: tx.events.open())) == 1
    sweep(desk, later(days=31))
    assert read(desk, lambda tx: tx.events.open()) == []


def test_old_tombstones_are_found_without_reading_all(desk):
    if desk.file is None:
        return  # PostgreSQL chooses by statistics, which a test does not have
    with desk._reader.connect() as connection:
        asked = "EXPLAIN QUERY PLAN SELECT mark FROM tombstones WHERE met_at < 1 AND forever = 0"
        assert "ix_tombstones_mortal" in str(connection.exec_driver_sql(asked).all())


def test_what_went_is_refused_when_its_source_still_lists_it(desk):
    save(desk, [new("x", text_hash=5), copy("cx", 2, "x")], "news")
    sweep(desk, later(days=11), days=10)
    asked = [(1, [entry("x", text_hash=5)]), (2, [entry("cx", comparable="copy.example/cx")]), (3, [entry("new")])]
    known = read(desk, lambda tx: tx.articles.known(asked))
    assert known.entries == {}
    assert known.refused == {(1, "x"), "a.example/x", 5, (2, "cx"), "copy.example/cx"}


def test_steps_are_small_and_end(desk):
    save(desk, [new(f"k{number}") for number in range(25)], "news")
    steps = [sweep(desk, later(days=11), days=10, limit=10) for _ in range(5)]
    assert steps == [10, 10, 5, 0, 0]


def test_zero_days_and_articles_mean_for_ever(desk):
    save(desk, [new("x")], "news")
    assert sweep(desk, later(days=10_000)) == 0
    assert top(desk) == [uid_of("x")]


def test_the_newest_articles_of_each_section_stay(desk):
    save(desk, [new(f"k{number}", published=later(hours=-number)) for number in range(10)], "news")
    save(desk, [new(f"s{number}", published=later(hours=-number)) for number in range(3)], "sport")
    save(desk, [copy("c9", 2, "k9")], "sport")
    while sweep(desk, NOW, articles=4, limit=3):
        pass
    assert top(desk) == [uid_of(f"k{number}") for number in range(4)]
    assert top(desk, "sport") == [uid_of(key) for key in ("s0", "s1", "s2", "k9")]
    with desk.read() as tx:
        assert tx.articles.get(uid_of("k9")).sections == ("sport",)
        assert tx.articles.state(uid_of("k8")).kind == "gone"
        assert tx.articles.count() == 8


def test_a_tombstone_stays_while_its_entry_is_listed_and_goes_years_after(desk):
    save(desk, [new("x")], "news")
    sweep(desk, later(days=11), days=10)
    listed = Decision(kind="refused", entry=entry("x"), article_uid="", source_id=1)
    with desk.write() as tx:
        tx.articles.save([listed], later(days=TOMBSTONE_DAYS), {})
    refused = {(1, "x"), "a.example/x"}

    def known():
        return read(desk, lambda tx: tx.articles.known([(1, [entry("x")])])).refused

    sweep(desk, later(days=TOMBSTONE_DAYS + 20), days=10)
    assert known() == refused
    while sweep(desk, later(days=2 * TOMBSTONE_DAYS + 20), days=10):
        pass
    assert known() == frozenset()


def test_a_retraction_outlives_everything(desk):
    save(desk, [new("x")], "news")
    with desk.write() as tx:
        tx.articles.retract(uid_of("x"), "wrong", NOW)
    for year in (1, 10, 20):
        sweep(desk, later(days=400 * year), days=10)
    known = read(desk, lambda tx: tx.articles.known([(1, [entry("x")])]))
    assert known.refused == {(1, "x"), "a.example/x"}


def test_a_source_that_was_removed_goes_with_its_last_article(desk):
    save(desk, [new("x")], "news")
    with desk.write() as tx:
        tx.sources.sync([source("b")], "full", NOW)
    sweep(desk, later(days=35), days=400)
    assert set(read(desk, lambda tx: tx.sources.by_ids([1, 2, 3]))) == {1, 2}  # c had nothing, a still has x
    sweep(desk, later(days=500), days=400)
    assert set(read(desk, lambda tx: tx.sources.by_ids([1, 2, 3]))) == {2}


def test_a_swept_article_that_is_refiled_or_saved_again_breaks_nothing(desk):
    save(desk, [new("x")], "news")
    sweep(desk, later(days=11), days=10)
    with desk.write() as tx:
        assert tx.articles.refile_all({uid_of("x"): ()}, NOW) == frozenset()
        assert tx.articles.retract(uid_of("x"), "", NOW) == frozenset()


def test_the_file_gives_its_room_back(tmp_path):
    from feeds.store import open_store

    with open_store(f"sqlite:///{tmp_path}/desk.db") as store:
        with store.write() as tx:
            tx.sections.sync([], NOW)
            tx.sources.sync([source("a")], "full", NOW)
        import random

        noise = random.Random(1)
        for batch in range(6):
            save(store, [new(f"k{batch}-{number}", content=noise.randbytes(4000).hex()) for number in range(100)], "")
        with store._writer.connect() as connection:
            full = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        steps = 0
        while sweep(store, later(days=11), days=10, limit=100):
            steps += 1
        for _ in range(5):
            sweep(store, later(days=11), days=10)
        with store._writer.connect() as connection:
            rest = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    assert steps == 6
    assert rest < full / 4
    assert free < 100


@pytest.mark.parametrize("keep", [0, 10])
def test_sweeping_an_empty_desk_does_nothing(desk, keep):
    assert sweep(desk, NOW, keep, keep) == 0
