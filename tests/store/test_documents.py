"""Finished bytes: replaced only when they differ, and told to those who wait."""

import time
from datetime import timedelta

import pytest
from msgspec import structs
from sqlalchemy import event, insert, select, text

from feeds.codec import deflate
from feeds.model import FORMATS, Document, Fragment, Frame
from feeds.store import dialect, open_store
from feeds.store import store as store_module
from feeds.store.schema import ALL_FORMATS
from feeds.store.schema import fragments as fragment_rows
from feeds.store.values import Replacement

from .conftest import NOW, copy, new, read, save, uid_of

LATER = NOW + timedelta(hours=1)


def document(path="news", format="rss", body=b"body", **more):
    words = {"media_type": "text/xml", "sequence": 1, "etag": "1-a", "last_modified": NOW, "article_uids": ("u1", "u2")}
    return Document(**{"path": path, "format": format, "body": body, "gzip": b"g", "brotli": None} | words | more)


def replace(store, *documents, frames=(), path="news", sequence=1, **more):
    with store.write() as tx:
        made = Replacement(path=path, documents=documents, frames=frames, sequence=sequence, **more)
        return tx.documents.replace([made])


def test_a_document_comes_back_whole(desk):
    assert replace(desk, document()) is not None
    assert read(desk, lambda tx: tx.documents.get("news", "rss")) == document()
    assert read(desk, lambda tx: tx.documents.get("news", "atom")) is None


def test_documents_that_stay_are_not_published_again(desk):
    before = replace(desk, document())
    assert replace(desk, sequence=7) == before
    assert read(desk, lambda tx: tx.documents.get("news", "rss")) == document()
    assert read(desk, lambda tx: tx.documents.publication()) == before
    assert read(desk, lambda tx: tx.sections.get("news")).rendered_sequence == 7


def test_each_section_that_is_published_moves_the_number_by_one(desk):
    before = desk.publication()
    with desk.write() as tx:
        made = [Replacement(path="news", documents=[document()], sequence=1), Replacement(path="sport", sequence=1)]
        made.append(Replacement(path="", documents=[document("")], sequence=1))
        assert tx.documents.replace(made) == before + 2
    some, now = read(desk, lambda tx: tx.documents.all_since(before + 1))
    assert ([each.path for each in some], now) == ([""], before + 2)


def test_other_bytes_take_their_place(desk):
    before = replace(desk, document())
    other = document(body=b"other", etag="2-b", sequence=2, last_modified=LATER, brotli=b"br")
    assert replace(desk, other, sequence=2) == before + 1
    assert read(desk, lambda tx: tx.documents.get("news", "rss")) == other


def test_only_what_was_replaced_since_is_read_again(desk):
    first = replace(desk, document(), document(format="atom"))
    replace(desk, document("sport"), path="sport")
    everything, now = read(desk, lambda tx: tx.documents.all_since(0))
    assert {(each.path, each.format) for each in everything} == {("news", "rss"), ("news", "atom"), ("sport", "rss")}
    some, same = read(desk, lambda tx: tx.documents.all_since(first))
    assert ([each.path for each in some], same) == (["sport"], now)
    assert read(desk, lambda tx: tx.documents.all_since(now)) == ([], now)


def test_removed_documents_are_told_by_the_keys(desk):
    replace(desk, document())
    before = read(desk, lambda tx: tx.documents.publication())
    with desk.write() as tx:
        tx.sections.sync([], NOW)
    assert read(desk, lambda tx: (tx.documents.keys(), tx.documents.publication() > before)) == (set(), True)


def test_frames_are_kept_beside(desk):
    frame = Frame(format="rss", head=b"h", tail=b"t", separator=b"s")
    replace(desk, document(), frames=[frame])
    replace(desk, document(), frames=[structs.replace(frame, head=b"new")])
    assert read(desk, lambda tx: tx.documents.frame("news", "rss")) == structs.replace(frame, head=b"new")
    assert read(desk, lambda tx: tx.documents.frame("news", "atom")) is None


# --------------------------------------------------------------------------- fragments


def in_every_format(key, version=1, **more):
    same = {"article_uid": uid_of(key), "version": version, "updated": NOW} | more
    return {format: Fragment(format=format, body=f"<{format}/>".encode(), **same) for format in FORMATS}


def fragments(store, *keys, version=1):
    return read(store, lambda tx: tx.documents.fragments([uid_of(key) for key in keys], version))


def put(store, *made):
    with store.write() as tx:
        tx.documents.put_fragments([fragment for each in made for fragment in each.values()])


def test_a_fragment_is_current_for_its_version_and_revision(desk):
    save(desk, [new("x"), new("y")], "news")
    put(desk, in_every_format("x"), in_every_format("y", revision=0))
    found = fragments(desk, "x", "y", "z")
    assert found == {uid_of(key): in_every_format(key, revision=0) for key in "xy"}
    assert fragments(desk, "x", version=2) == {}
    save(desk, [copy("cx", 2, "x")], "news")
    assert set(fragments(desk, "x", "y")) == {uid_of("y")}


def test_a_fragment_of_what_has_changed_meanwhile_is_not_current(desk):
    save(desk, [new("x")], "news")
    revision = read(desk, lambda tx: tx.articles.get(uid_of("x"))).revision
    save(desk, [copy("cx", 2, "x")], "news")
    put(desk, in_every_format("x", revision=revision))
    assert fragments(desk, "x") == {}
    put(desk, in_every_format("x", revision=revision + 1))
    assert set(fragments(desk, "x")) == {uid_of("x")}


def test_fragments_of_what_is_retracted_or_unknown_are_left_out(desk):
    save(desk, [new("x")], "news")
    put(desk, in_every_format("x"))
    with desk.write() as tx:
        tx.articles.retract(uid_of("x"), "", NOW)
    put(desk, in_every_format("x"), in_every_format("nobody"))
    assert fragments(desk, "x", "nobody") == {}


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_rows_of_single_formats_are_read_until_the_article_is_rendered_again(desk):
    """As release 0.1.0 writes them, which may run beside this one there; SQLite's are joined by a migration."""
    save(desk, [new("x")], "news")
    before = in_every_format("x", revision=0)
    with desk.unfenced() as connection:
        for format, one in before.items():
            row = {"article_id": 1, "format": format, "version": 1, "revision": 0, "updated_at": NOW}
            connection.execute(insert(fragment_rows).values(row | {"body": deflate(one.body)}))
    assert fragments(desk, "x") == {uid_of("x"): before}
    page = read(desk, lambda tx: tx.sections.archive_page("news", 1, 1, "atom"))
    assert [each.body for each in page.fragments] == [b"<atom/>"]

    put(desk, in_every_format("x", version=2, revision=0))
    assert fragments(desk, "x") == {}
    assert fragments(desk, "x", version=2) == {uid_of("x"): in_every_format("x", version=2, revision=0)}
    with desk.unfenced() as connection:
        assert connection.scalars(select(fragment_rows.c.format)).all() == [ALL_FORMATS]


# --------------------------------------------------------------------------- who waits


def test_whoever_looks_sees_what_another_process_published(url, desk):
    with open_store(url, create=False) as web:
        assert web.moved() is True
        assert web.moved() is False
        replace(desk, document())
        until_moved(web)
        assert web.moved() is False
        with desk.write() as tx:
            tx.sections.mark_dirty()  # nothing that is served
        assert web.moved() is False


@pytest.mark.parametrize("what", ["config", "retraction", "document"])
def test_whatever_is_served_moves_the_counter(desk, what):
    save(desk, [new("x")], "news")
    before = desk.publication()
    with desk.write() as tx:
        if what == "config":
            tx.configs.accept("{}", "d", NOW)
        elif what == "retraction":
            tx.articles.retract(uid_of("x"), "", NOW)
        else:
            tx.documents.replace([Replacement(path="news", documents=[document()], sequence=1)])
    assert desk.publication() > before


def until_moved(web):
    """On PostgreSQL it is told, a moment later."""
    end = time.monotonic() + 60
    while not web.moved():
        assert time.monotonic() < end
        time.sleep(0.01)


def sql_of(store):
    """Counts the statements of a store's connections."""
    seen = []
    event.listen(store._writer, "before_cursor_execute", lambda *about: seen.append(about[2]))
    return seen


def test_who_listens_asks_the_database_nothing_until_it_is_told(shared, monkeypatch):
    monkeypatch.setattr(store_module, "NET_S", 1000.0)
    with open_store(shared) as web, open_store(shared) as desk:
        until_moved(web)
        until_listening(web)
        seen = sql_of(web)
        for _ in range(50):
            assert web.moved() is False
        assert seen == []
        replace(desk, document("told", body=str(time.monotonic()).encode()))
        until_moved(web)


def until_listening(web):
    end = time.monotonic() + 60
    while web._publications.may_have_moved():
        web._publications.asked()
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_not_told_is_found_by_the_net(shared, monkeypatch):
    monkeypatch.setattr(store_module, "NET_S", 0.05)
    monkeypatch.setattr(dialect, "notify", lambda *_: None)
    with open_store(shared) as web, open_store(shared) as desk:
        until_listening(web)
        web.moved()
        replace(desk, document("untold", body=str(time.monotonic()).encode()))
        until_moved(web)


def test_a_listener_that_lost_its_connection_listens_again(shared, monkeypatch):
    monkeypatch.setattr(store_module, "NET_S", 1000.0)
    with open_store(shared) as web, open_store(shared) as desk:
        until_listening(web)
        with desk.write() as tx:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            assert tx._connection.execute(text(others)).all() == [(True,)]
        replace(desk, document("again", body=str(time.monotonic()).encode()))
        until_moved(web)
        until_listening(web)
        replace(desk, document("again", body=str(time.monotonic()).encode()))
        until_moved(web)
