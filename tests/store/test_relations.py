"""Which articles contain which: kept once, bounded, and gone with the articles."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from feeds.model import Containment
from feeds.store import relations
from feeds.store.relations import MOST_RELATED

from .conftest import NOW, new, save, section, source, uid_of


@pytest.fixture
def desk(store):
    with store.write() as tx:
        tx.sections.sync([section("news")], NOW)
        tx.sources.sync([source("a"), source("b")], "full", NOW)
    return store


def whole(key, *parts, **more):
    return replace(new(key, **more), parts=tuple(map(uid_of, parts)))


def around(store, key):
    with store.read() as tx:
        article = tx.articles.get(uid_of(key))
    return [one.title for one in article.contains], [one.title for one in article.contained_in]


def revision(store, key):
    with store.read() as tx:
        return tx.articles.get(uid_of(key)).revision


def test_both_sides_tell_of_it_and_only_the_older_one_is_made_anew(desk):
    save(desk, [new("part")], "news")
    save(desk, [new("other")], "news")
    before = revision(desk, "part"), revision(desk, "other")
    save(desk, [whole("digest", "part", "digest-that-never-was")], "news")
    assert around(desk, "digest") == (["Title part"], [])
    assert around(desk, "part") == ([], ["Title digest"])
    assert (revision(desk, "part"), revision(desk, "other")) == (before[0] + 1, before[1])
    save(desk, [replace(new("late"), wholes=(uid_of("digest"),))], "news")
    assert around(desk, "digest") == (["Title part", "Title late"], [])


def test_the_same_again_and_the_reverse_add_nothing(desk):
    save(desk, [new("part")], "news")
    save(desk, [whole("digest", "part")], "news")
    before = revision(desk, "part")
    save(desk, [whole("digest", "part"), whole("part", "digest")], "news")
    with desk.read() as tx:
        assert relations.count(tx.articles._connection) == 1
    assert revision(desk, "part") == before


def test_what_is_apart_is_forgotten_and_both_are_made_anew(desk):
    save(desk, [new("part"), new("other")], "news")
    save(desk, [whole("digest", "part", "other")], "news")
    before = revision(desk, "part"), revision(desk, "other")
    edited = replace(new("digest", text="Edited."), kind="updated", apart=(uid_of("part"), uid_of("never-was")))
    save(desk, [edited], "news")
    assert around(desk, "digest") == (["Title other"], [])
    assert around(desk, "part") == ([], [])
    assert (revision(desk, "part"), revision(desk, "other")) == (before[0] + 1, before[1])


def test_what_is_kept_of_articles_is_told_with_the_signatures_of_their_entries(desk):
    save(desk, [replace(new("part"), signature=b"part")], "news")
    save(desk, [replace(whole("digest", "part"), signature=b"whole")], "news")
    told = Containment(uid_of("digest"), uid_of("part"), {(1, "digest"): b"whole"}, {(1, "part"): b"part"})
    with desk.read() as tx:
        assert tx.relations.containments([uid_of("part")]) == [told]
        assert tx.relations.containments([uid_of("digest"), uid_of("part")]) == [told]
        assert tx.relations.containments([uid_of("another")]) == []


def test_no_article_names_more_than_so_many(desk):
    parts = [f"part{number}" for number in range(MOST_RELATED + 5)]
    save(desk, [new(part) for part in parts], "news")
    save(desk, [whole("digest", *parts)], "news")
    assert len(around(desk, "digest")[0]) == MOST_RELATED


def test_what_is_retracted_or_gone_is_named_no_more(desk):
    save(desk, [new("part"), new("other")], "news")
    save(desk, [whole("digest", "part", "other")], "news", now=NOW + timedelta(days=9))
    before = revision(desk, "digest")
    with desk.write() as tx:
        tx.articles.retract(uid_of("part"), "wrong", NOW)
    assert around(desk, "digest") == (["Title other"], [])
    assert revision(desk, "digest") == before + 1
    with desk.write() as tx:
        tx.articles.unretract(uid_of("part"), NOW)
    assert around(desk, "digest") == (["Title part", "Title other"], [])
    with desk.write() as tx:
        while tx.retention.sweep(NOW + timedelta(days=12), keep_days=10, keep_articles=0):
            pass
        assert relations.count(tx.articles._connection) == 0
    assert around(desk, "digest") == ([], [])
