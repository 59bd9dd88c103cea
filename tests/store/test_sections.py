"""The tree taken over, and what is in a section."""

import pytest
from sqlalchemy import Engine, event

from feeds.configuration import Section
from feeds.errors import SectionNotFound
from feeds.model import Document
from feeds.store.selections import Wanted
from feeds.store.values import Replacement

from .conftest import NOW, copy, later, new, read, save, section, uid_of


def sync(store, *sections):
    with store.write() as tx:
        tx.sections.sync(sections, NOW)


def paths(store):
    return [state.path for state in read(store, lambda tx: tx.sections.all())]


def uids(*keys):
    return [uid_of(key) for key in keys]


def test_the_whole_desk_and_unfiled_are_always_there(store):
    sync(store)
    assert paths(store) == ["", "unfiled"]


def test_sections_keep_the_order_of_the_tree(store):
    sync(store, section("b"), section("a"), section("a/x"))
    assert paths(store) == ["", "b", "a", "a/x", "unfiled"]
    sync(store, section("a"), section("a/x"), section("b"))
    assert paths(store) == ["", "a", "a/x", "b", "unfiled"]


def test_a_new_section_waits_to_be_rendered_and_a_rendered_one_does_not(desk):
    assert [stale.state.path for stale in read(desk, lambda tx: tx.sections.changed())] == paths(desk)
    with desk.write() as tx:
        states = [stale.state for stale in tx.sections.changed()]
        tx.documents.replace([Replacement(path=each.path, sequence=each.sequence) for each in states])
        assert tx.sections.changed() == []
        tx.sections.mark_dirty(["sport"])
        assert [(stale.state.path, stale.state.stale) for stale in tx.sections.changed()] == [("sport", True)]
        tx.sections.mark_dirty()
        assert len(tx.sections.changed()) == 5


def test_what_changes_while_a_section_is_rendered_is_rendered_again(desk):
    with desk.read() as tx:
        before = tx.sections.get("news")
    with desk.write() as tx:
        tx.sections.mark_dirty(["news"])
        tx.documents.replace([Replacement(path="news", sequence=before.sequence, touched=before.touched)])
        assert tx.sections.get("news").stale


def test_a_removed_section_is_gone_and_comes_back_with_what_it_had(desk):
    save(desk, [new("x")], "news", "sport")
    sync(desk, section("news"), section("news/world"))
    assert read(desk, lambda tx: (tx.sections.get("sport"), tx.sections.former().get("sport"))) == (None, "gone")
    assert read(desk, lambda tx: tx.articles.get(uid_of("x"))).sections == ("news",)
    with pytest.raises(SectionNotFound):
        read(desk, lambda tx: tx.sections.top("sport", 5))
    sync(desk, section("news"), section("news/world"), section("sport"))
    assert read(desk, lambda tx: tx.sections.former().get("sport")) is None
    assert [each.uid for each in read(desk, lambda tx: tx.sections.top("sport", 5))] == uids("x")


def test_a_removed_section_takes_its_documents_along(desk):
    made = Document(path="sport", format="rss", media_type="t", sequence=1, etag="e", last_modified=NOW, body=b"b")
    with desk.write() as tx:
        tx.documents.replace([Replacement(path="sport", documents=[made], sequence=1)])
        before = tx.documents.publication()
    sync(desk, section("news"), section("news/world"))
    with desk.read() as tx:
        assert tx.documents.get("sport", "rss") is None
        assert tx.documents.keys() == set()
        assert tx.documents.publication() > before


def test_a_moved_section_keeps_filings_numbers_and_is_found_under_its_old_path(desk):
    save(desk, [new("x"), new("y")], "news/world")
    was = read(desk, lambda tx: tx.sections.get("news/world"))
    sync(desk, section("news"), section("sport"), Section(path="world", title="W", moved_from=("news/world",)))
    now = read(desk, lambda tx: tx.sections.get("world"))
    assert (now.sequence, now.created_at) == (was.sequence, was.created_at)
    assert now.stale
    assert [each.uid for each in read(desk, lambda tx: tx.sections.top("world", 5))] == uids("y", "x")
    assert read(desk, lambda tx: tx.sections.former().get("news/world")) == "world"
    assert read(desk, lambda tx: tx.sections.former().get("world")) is None


def test_a_section_that_moved_twice_is_found_in_one_step(desk):
    sync(desk, Section(path="world", title="W", moved_from=("news/world",)))
    sync(desk, Section(path="planet", title="P", moved_from=("world",)))
    assert read(desk, lambda tx: [tx.sections.former().get(path) for path in ("news/world", "world")]) == ["planet"] * 2
    sync(desk)
    assert read(desk, lambda tx: tx.sections.former().get("news/world")) == "gone"


def test_moving_in_a_circle_ends(desk):
    sync(desk, Section(path="world", title="W", moved_from=("news/world",)))
    sync(desk, Section(path="news/world", title="W", moved_from=("world",)))
    assert read(desk, lambda tx: tx.sections.former().get("world")) == "news/world"
    assert read(desk, lambda tx: tx.sections.former().get("news/world")) is None


def test_a_path_that_never_was_is_not_gone(desk):
    assert read(desk, lambda tx: (tx.sections.former().get("x"), tx.sections.get("x"))) == (None, None)
    with pytest.raises(SectionNotFound):
        read(desk, lambda tx: tx.sections.top("x", 1))


def test_taking_over_the_same_tree_moves_nothing(desk):
    before = read(desk, lambda tx: (tx.sections.all(), tx.documents.publication()))
    sync(desk, section("news"), section("news/world"), section("sport"))
    assert read(desk, lambda tx: (tx.sections.all(), tx.documents.publication())) == before


# --------------------------------------------------------------------------- what is in a section


def test_the_top_is_by_rank_then_by_arrival(desk):
    save(
        desk, [new("old", published=later(days=-1)), new("x"), new("y"), new("older", published=later(days=-2))], "news"
    )
    top = read(desk, lambda tx: tx.sections.top("news", 3))
    assert [each.uid for each in top] == uids("y", "x", "old")


def test_pages_walk_through_everything_once(desk):
    save(desk, [new(f"k{number}", published=later(hours=-(number % 3))) for number in range(10)], "news")
    seen, before = [], None
    for _ in range(10):
        page = read(desk, lambda tx, before=before: tx.sections.page("news", before, 3))
        assert len(page.articles) <= 3
        seen += [each.uid for each in page.articles]
        before = page.next
        if before is None:
            break
    assert seen == [each.uid for each in read(desk, lambda tx: tx.sections.top("news", 100))]
    assert len(set(seen)) == 10


def test_archive_pages_keep_their_members(desk):
    save(desk, [new("a1"), new("a2"), new("a3", published=later(days=-9))], "news")
    page = read(desk, lambda tx: tx.sections.archive("news", 1, 2))
    save(desk, [new("a4", published=later(days=-20))], "news")
    assert [each.uid for each in page] == uids("a1", "a2")
    assert read(desk, lambda tx: tx.sections.archive("news", 1, 2)) == page
    assert read(desk, lambda tx: tx.sections.get("news")).filed == 4
    assert [each.uid for each in read(desk, lambda tx: tx.sections.archive("news", 3, 4))] == uids("a3", "a4")
    with desk.write() as tx:
        tx.articles.retract(uid_of("a1"), "", NOW)
    assert [each.uid for each in read(desk, lambda tx: tx.sections.archive("news", 1, 2))] == uids("a2")


def test_changes_since_a_number(desk):
    save(desk, [new("x"), new("y")], "news")
    save(desk, [new("z"), copy("cx", 2, "x")], "news", "sport")
    changes = read(desk, lambda tx: tx.sections.since("news", 2, 10))
    assert ([each.uid for each in changes.articles], changes.withdrawn, changes.complete) == (uids("z"), (), True)
    assert [each.sequence for each in changes.articles] == [3]
    cut = read(desk, lambda tx: tx.sections.since("news", 0, 2))
    assert ([each.uid for each in cut.articles], cut.complete) == (uids("z", "y"), False)
    assert read(desk, lambda tx: tx.sections.since("news", 3, 10)).articles == ()


def test_counts_are_of_what_is_filed_now(desk):
    save(desk, [new("x"), new("y")], "news")
    with desk.write() as tx:
        tx.articles.retract(uid_of("x"), "", NOW)
    assert read(desk, lambda tx: tx.sections.counts()["news"]) == 1
    assert read(desk, lambda tx: tx.sections.counts()) == {"": 0, "news": 1, "news/world": 0, "sport": 0, "unfiled": 0}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_is_newest_in_a_section_comes_out_of_its_index(desk):
    """However much is filed: nothing is sorted. PostgreSQL sees that for itself, and takes no hints."""
    save(desk, [new(name) for name in "abcd"], "news", "")
    with desk.write() as tx:
        tx.stories.move({uid_of("a"): "urn:s", uid_of("b"): "urn:s"})
        tx.documents.replace([Replacement(path="news", sequence=tx.sections.get("news").sequence)])
    asked = []

    def note(connection, cursor, statement, parameters, *rest):
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with desk.read() as tx:
            assert tx.sections.stale_stories(["news", ""], 10, 1).keys() == {"urn:s"}
            assert len(tx.sections.outlines("news", 10)) == 4
            tx.sections.by_story("news", "atom", limit=3, among=10)
            tx.sections.narrowed("news", "atom", sources=(), language="en", fallback="en", limit=3, scan=10)
            tx.sections.newest([Wanted(section_id=tx.sections._id("news"), listed=2, many=3, after=0)])
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    by_rank = [(words, values) for words, values in asked if "ORDER BY filings.rank_at DESC" in words]
    assert len(by_rank) >= 5
    with desk.unfenced() as connection:
        for words, values in by_rank:
            plan = " ".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values))
            assert plan.count("INDEX ix_filings_top") == words.count("ORDER BY filings.rank_at DESC"), (words, plan)


def test_a_section_in_outline_tells_of_stories_whose_independent_sources_are_counted_without_copies(desk):
    told = [new("a", 1), new("b", 2), copy("c", 3, of="a"), new("d", 3)]
    save(desk, told, "news")
    with desk.write() as tx:
        tx.stories.move({uid_of("a"): "urn:s", uid_of("b"): "urn:s"})
        tx.documents.replace([Replacement(path="news", sequence=tx.sections.get("news").sequence)])
    with desk.read() as tx:
        outlines = {one.uid: one.story_uid for one in tx.sections.outlines("news", 10)}
        size = tx.stories.sizes(["urn:s"])["urn:s"]
    assert outlines[uid_of("a")] == outlines[uid_of("b")] == "urn:s" and outlines[uid_of("d")] == ""
    assert (size.articles, size.sources, size.independent) == (2, 3, 2)
