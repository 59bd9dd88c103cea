"""What a database can do to us, said in our words with a remedy; and copies of it."""

import os
import resource
import sqlite3
import subprocess
import sys

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from feeds.errors import StoreError
from feeds.store import dialect, open_store
from feeds.store.values import InboxItem

from .conftest import NOW, new, save, section, source, uid_of


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "desk.db"
    open_store(str(path)).close()
    return path


def accept(store, text="{}"):
    with store.write() as tx:
        return tx.configs.accept(text, str(len(text)), NOW)


def test_a_bare_path_is_a_sqlite_file(tmp_path):
    with open_store(str(tmp_path / "new" / "desk.db")) as store:
        assert accept(store) == 1
    assert (tmp_path / "new" / "desk.db").exists()


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg"),
        ("sqlite:///x.db", "sqlite"),
    ],
)
def test_urls_get_the_driver_that_is_installed(given, driver):
    assert dialect.database_url(given).drivername == driver


@pytest.mark.parametrize("given", ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "://x"])
def test_other_databases_are_refused_with_an_example(given):
    with pytest.raises(StoreError, match="postgresql://user@host/name"):
        open_store(given)


def test_a_locked_file_is_told(file, monkeypatch):
    monkeypatch.setattr(dialect, "BUSY_TIMEOUT_MS", 50)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with open_store(str(file)) as store, pytest.raises(StoreError, match="locked by another program; end the"):
            accept(store)
    finally:
        other.close()


def test_what_keeps_a_database_from_being_written_is_told_when_it_is_tried(own_url, monkeypatch):
    monkeypatch.setattr(dialect, "BUSY_TIMEOUT_MS", 50)
    with open_store(own_url) as store:
        before = store.publication()
        store.try_to_write()
        assert store.publication() == before
        if store.file is not None:
            other = sqlite3.connect(store.file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            url, said = own_url, "locked by another program; end"
        else:
            with psycopg.connect(own_url, autocommit=True) as other:
                role = f"reads_{other.info.dbname}"  # type: ignore[attr-defined]
                other.execute(f'CREATE ROLE "{role}" LOGIN IN ROLE pg_read_all_data')
            url = own_url.replace("//postgres@", f"//{role}@")
            said = "may not do this: permission denied.*; grant it"
    with open_store(url, create=False) as store, pytest.raises(StoreError, match=said):
        store.try_to_write()
    other.close()


def test_readers_do_not_wait_for_a_writer_even_to_open(file, monkeypatch):
    monkeypatch.setattr(dialect, "BUSY_TIMEOUT_MS", 50)
    with open_store(str(file)) as store:
        accept(store)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with open_store(str(file), create=False) as store, store.read() as tx:
            assert tx.configs.current() is not None
            assert store.moved()
    finally:
        other.close()


def test_a_full_disk_is_told_and_over_when_there_is_room(file):
    with open_store(str(file)) as store:
        with store._writer.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="the disk is full; free space"):
            accept(store, "x" * 1_000_000)
        with store._writer.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert accept(store, "x" * 1_000_000) == 1


def test_a_copy_that_the_disk_has_no_room_for_leaves_nothing_behind(file, tmp_path):
    with open_store(str(file)) as store:
        for size in (1_000_000, 1_000_001, 1_000_002):
            accept(store, "x" * size)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
        try:
            with pytest.raises(StoreError, match="no copy could be made"):
                store.backup(tmp_path / "copies" / "copy.db")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "desk.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="no SQLite database; name another"):
        open_store(str(tmp_path / "desk.db"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be (made|opened)"):
        open_store(str(tmp_path / "file" / "desk.db"))


def test_a_server_that_is_gone_is_told(tmp_path):
    with pytest.raises(StoreError, match="server is gone: .*; start it"):
        open_store(f"postgresql://nobody@/none?host={tmp_path}")


def test_a_database_that_does_not_exist_is_told(postgres_url):
    from .conftest import _with_name

    with pytest.raises(StoreError, match="does not exist"):
        open_store(_with_name(postgres_url, "no_such_desk"))


def test_an_error_of_our_own_keeps_its_name(store):
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.inbox.put([InboxItem(source_id=999, received_at=NOW, final_url="u")])


def test_opening_and_closing_leaves_no_file_open(file):
    script = f"""
import os
from feeds.store import open_store
for _ in range(3):
    with open_store({str(file)!r}) as store:
        store.moved()
        with store.read() as tx:
            tx.configs.current()
links = [f"/proc/self/fd/{{fd}}" for fd in os.listdir("/proc/self/fd")]
print([os.readlink(link) for link in links if os.path.exists(link)])
"""
    if not os.path.exists("/proc/self/fd"):
        pytest.skip("no /proc here")
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert "desk.db" not in done.stdout


# --------------------------------------------------------------------------- copies


def test_a_copy_made_while_writing_is_of_one_moment(file, tmp_path):
    import threading

    target = tmp_path / "copies" / "desk.db"
    with open_store(str(file)) as store:
        with store.write() as tx:
            tx.sections.sync([section("news"), section("sport")], NOW)
            tx.sources.sync([source("a")], "full", NOW)
        save(store, [new("first")], "news", "sport")
        stop, failures = threading.Event(), []

        def write():
            number = 0
            try:
                while not stop.is_set():
                    save(store, [new(f"k{number}-{each}") for each in range(10)], "news", "sport")
                    number += 1
            except Exception as error:
                failures.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(3):
                store.backup(target)
        finally:
            stop.set()
            writer.join()
    assert failures == []
    assert [path.name for path in target.parent.iterdir()] == ["desk.db"]
    with open_store(str(target), create=False) as copied, copied.read() as tx:
        assert tx.articles.get(uid_of("first")) is not None
        assert tx.sections.counts()["news"] == tx.sections.counts()["sport"] == tx.sections.get("news").sequence
    with sqlite3.connect(target) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    plain.close()


def test_a_copy_that_cannot_be_made_is_told(file, tmp_path):
    (tmp_path / "taken").write_text("")
    with open_store(str(file)) as store, pytest.raises(StoreError, match="no copy could be made"):
        store.backup(tmp_path / "taken" / "desk.db")


def test_a_postgresql_is_copied_by_its_own_tools(shared, tmp_path):
    with open_store(shared) as store, pytest.raises(StoreError, match="use pg_dump"):
        store.backup(tmp_path / "x.db")


# --------------------------------------------------------------------------- several at once


def test_two_workers_with_one_new_article_end_with_one(url):
    """Each decides under the lock from what is known then: the second finds the first's article."""
    import threading

    from feeds.model import Decision

    with open_store(url) as store, store.write() as tx:
        tx.sections.sync([section("news")], NOW)
        tx.sources.sync([source(key) for key in "abcd"], "full", NOW)
    start, failures = threading.Barrier(4), []

    def work(source_id):
        from .conftest import entry, placed

        try:
            with open_store(url) as own:
                for number in range(5):
                    mine = entry(f"s{source_id}-{number}", comparable=f"same.example/{number}", text_hash=number + 1)
                    start.wait()
                    with own.write() as tx:
                        tx.lock_dedupe()
                        known = tx.articles.known([(source_id, [mine])])
                        owner = known.by_comparable.get(mine.comparable)
                        decision = Decision(
                            kind="copy" if owner else "new",
                            entry=mine,
                            article_uid=owner or uid_of(f"{source_id}-{number}"),
                            source_id=source_id,
                        )
                        tx.articles.save([decision], NOW, {decision.article_uid: placed("news")})
        except Exception as error:
            failures.append(error)
            start.abort()

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with open_store(url) as store, store.read() as tx:
        top = tx.sections.top("news", 100)
        assert tx.articles.count() == 5
    assert [len(article.copies) for article in top] == [3] * 5


BRIDGE = (
    "The council of Ellan voted on Tuesday to replace the iron footbridge over the harbour mouth, which has been "
    "closed since a barge struck it in March. The new crossing will carry bicycles as well, cost four million, and "
    "open before winter if the steel arrives on time."
)


def test_two_workers_with_nearly_the_same_text_end_with_one_article(url):
    """Nothing but memory could tell: each decides before the other has saved, and the second decides again."""
    import threading

    from feeds.ingest.memory import Memory
    from feeds.text import text_hash

    with open_store(url) as store, store.write() as tx:
        tx.sections.sync([section("news")], NOW)
        tx.sources.sync([source(key) for key in "ab"], "full", NOW)
    decided, failures, again = threading.Barrier(2), [], []

    def work(source_id):
        from .conftest import entry, placed

        text = f"{BRIDGE} Seen by reader number {source_id}."
        mine = entry(f"s{source_id}", title=f"Footbridge, take {source_id}", text=text, text_hash=text_hash(text))
        batch, memory = [(source_id, [mine])], Memory()
        try:
            with open_store(url) as own:
                with own.read() as tx:
                    found = memory.decide(tx, batch, now=NOW, language="en")
                decided.wait()
                with own.write() as tx:
                    tx.lock_dedupe()
                    if not memory.is_current(tx):
                        found.undo()
                        again.append(source_id)
                        found = memory.decide(tx, batch, now=NOW, language="en")
                    ((decision,),) = found.decisions
                    tx.articles.save([decision], NOW, {decision.article_uid: placed("news")})
                    newest = tx.articles.newest_entry()
            memory.saved(newest)
        except Exception as error:
            failures.append(error)
            decided.abort()

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(again) == 1
    with open_store(url) as store, store.read() as tx:
        (article,) = tx.sections.top("news", 100)
    assert len(article.copies) == 1
