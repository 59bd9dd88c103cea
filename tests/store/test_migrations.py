"""The schema as migrations make it, and databases of other releases."""

import shutil
import sqlite3
import threading
from datetime import timedelta
from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from feeds.codec import deflate, inflate
from feeds.condition import SourceState
from feeds.errors import StoreError
from feeds.model import Document
from feeds.parsed import Validators
from feeds.store import migrations, open_store
from feeds.store.dialect import database_url
from feeds.store.schema import SEARCH, metadata
from feeds.store.values import PollResult, Replacement

from .conftest import NOW, new, save, section, source, uid_of


def test_the_names_of_modules_are_the_revisions_that_alembic_knows():
    known = ScriptDirectory(str(migrations.FOLDER)).walk_revisions()
    assert migrations.revisions() == [script.revision for script in known][::-1]


def _described(engine):
    """Everything that an inspector sees of the tables of an engine's database."""
    seen = inspect(engine)
    described = {}
    tables = [table for table in seen.get_table_names() if table == SEARCH or not table.startswith(SEARCH)]
    for table in sorted(set(tables) - {migrations.VERSION_TABLE}):
        columns = [
            (each["name"], str(each["type"]), each["nullable"], str(each["default"]))
            for each in seen.get_columns(table)
        ]
        described[table] = {
            "columns": columns,
            "key": seen.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (tuple(key["constrained_columns"]), key["referred_table"]) for key in seen.get_foreign_keys(table)
            ),
            "unique": sorted((key["name"], tuple(key["column_names"])) for key in seen.get_unique_constraints(table)),
            "indexes": sorted(
                (
                    index["name"],
                    tuple(index["column_names"]),
                    bool(index["unique"]),
                    str(index.get("dialect_options", {}).get("sqlite_where")),
                    str(index.get("dialect_options", {}).get("postgresql_where")),
                )
                for index in seen.get_indexes(table)
            ),
        }
    return described


def test_migrations_make_the_schema_that_is_declared(empty_url, tmp_path, request):
    open_store(empty_url).close()
    migrated = create_engine(database_url(empty_url))
    with migrated.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_server_default": True,
                "include_name": lambda name, kind, parents: (
                    name != migrations.VERSION_TABLE and not (kind == "table" and name.startswith(SEARCH))
                ),
            },
        )
        differences = compare_metadata(context, metadata)
    described = _described(migrated)
    with migrated.begin() as connection:
        if migrated.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    declared = migrated
    if migrated.dialect.name == "sqlite":
        declared = create_engine(f"sqlite:///{tmp_path}/declared.db")
    metadata.create_all(declared)
    wanted = _described(declared)
    tables = {}
    if migrated.dialect.name == "sqlite":
        tables = {engine: _options(engine) for engine in (migrated, declared)}
    migrated.dispose()
    declared.dispose()

    assert differences == []
    assert described == wanted
    assert set(described) == {*metadata.tables, SEARCH}
    assert len({str(each) for each in tables.values()}) <= 1


def _options(engine):
    """Per table of a SQLite file whether it numbers rows for ever, and whether it is kept in key order."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        ).all()
    return sorted(
        (name, "AUTOINCREMENT" in made.upper(), "WITHOUT ROWID" in made.upper())
        for name, made in rows
        if name != migrations.VERSION_TABLE
    )


def test_opening_twice_changes_nothing(empty_url):
    with open_store(empty_url) as store:
        assert not store.pending()
        assert store.migrate() is False
    with open_store(empty_url, create=False) as store:
        assert not store.empty()


SHIPPED, HEAD = migrations.FOLDER, migrations.revisions()[-1]
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    op.add_column("articles", sa.Column("more", sa.Text(), server_default="x"))
    op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
    {last}
"""


@pytest.fixture
def release(tmp_path, monkeypatch):
    """Makes this the release after the present one: one migration more, which ends in the line given."""

    def make(last="pass"):
        folder = tmp_path / "migrations"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SHIPPED, folder)
        (folder / "versions" / "r9999_next.py").write_text(NEXT.format(head=HEAD, last=last))
        monkeypatch.setattr(migrations, "FOLDER", folder)

    return make


def test_a_database_of_a_newer_release_is_refused_with_the_remedy(own_url, release, monkeypatch):
    with monkeypatch.context():
        release()
        with open_store(own_url) as store:
            store.migrate()
    monkeypatch.undo()
    with pytest.raises(StoreError, match="newer release .*9999.*; install that release"):
        open_store(own_url)
    with pytest.raises(StoreError, match="newer release"):
        open_store(own_url, create=False)


def test_an_upgrade_keeps_ids_validators_and_etags(own_url, release, tmp_path):
    with open_store(own_url) as store:
        before = _furnish(store)
    release()
    with open_store(own_url) as store:
        assert store.pending()
        assert store.migrate(tmp_path / "before.db") is True
        assert not store.pending()
        assert store.migrate(tmp_path / "again.db") is False
        assert _seen(store) == before
    assert not (tmp_path / "again.db").exists()


def test_a_file_is_copied_before_it_is_upgraded(tmp_path, release):
    url = f"sqlite:///{tmp_path}/desk.db"
    with open_store(url) as store:
        before = _furnish(store)
    release()
    with open_store(url) as store:
        store.migrate(tmp_path / "backups" / "before.db")
    release_now = sqlite3.connect(tmp_path / "backups" / "before.db")
    assert release_now.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}").fetchall() == [(HEAD,)]
    release_now.close()
    with open_store(f"sqlite:///{tmp_path}/backups/before.db") as copied:
        assert _seen(copied) == before


def test_an_interrupted_upgrade_has_not_happened(own_url, release):
    with open_store(own_url) as store:
        before = _furnish(store)
    release("raise KeyboardInterrupt")
    with open_store(own_url) as store, pytest.raises(KeyboardInterrupt):
        store.migrate()
    engine = create_engine(database_url(own_url))
    assert "extra" not in inspect(engine).get_table_names()
    assert "more" not in {column["name"] for column in inspect(engine).get_columns("articles")}
    engine.dispose()
    release()
    with open_store(own_url) as store:
        assert store.pending()
        store.migrate()
        assert _seen(store) == before


def test_two_that_upgrade_at_once_both_end_well(own_url, release):
    release()
    failures = []

    def upgrade_it():
        try:
            with open_store(own_url) as store:
                store.migrate()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_older_database_is_refused_by_those_who_only_read(own_url, release):
    release()
    with pytest.raises(StoreError, match="older release; upgrade it"):
        open_store(own_url, create=False)


def _furnish(store):
    with store.write() as tx:
        tx.sections.sync([section("news")], NOW)
        tx.sources.sync([source("a")], "full", NOW)
        [claim] = tx.sources.claim_due(NOW, 60, 5)
        state = SourceState(validators=Validators(etag='W/"x"', last_modified="yesterday"), item_hashes=(1, 2**64 - 1))
        later = NOW + timedelta(hours=1)
        tx.sources.finish(
            [PollResult(source_id=1, claim_id=claim.claim_id, at=NOW, outcome="new", state=state, next_poll_at=later)]
        )
        made = Document(path="news", format="rss", media_type="t", sequence=1, etag="1-a", last_modified=NOW, body=b"b")
        tx.documents.replace([Replacement(path="news", documents=[made], sequence=1)])
    save(store, [new("x")], "news")
    return _seen(store)


def _seen(store):
    with store.read() as tx:
        return tx.sources.all_states(), tx.documents.get("news", "rss"), tx.articles.get(uid_of("x"))


def test_a_reader_refuses_a_database_that_is_not_there(tmp_path):
    with pytest.raises(StoreError, match="there is no database at .*; `wiredesk run` makes it"):
        open_store(f"sqlite:///{tmp_path}/none/desk.db", create=False)
    assert not (tmp_path / "none").exists()


def test_a_reader_refuses_a_database_without_tables(empty_url, tmp_path):
    if empty_url.startswith("sqlite"):
        sqlite3.connect(tmp_path / "desk.db").close()
        (tmp_path / "desk.db").touch()
    with pytest.raises(StoreError, match="older release"):
        open_store(empty_url, create=False)


@pytest.mark.parametrize("at_once", [4, 5, 6, 3000])
def test_an_article_s_fragments_become_one_row_where_all_are_there(at_once, monkeypatch):
    """As release 0.1.0 kept them in SQLite: a row for each format. What is not whole is rendered again."""
    joining = import_module("feeds.store.migrations.versions.r0017_fragments_in_rows")
    monkeypatch.setattr(joining, "AT_ONCE", at_once)
    rows = [(number, name, 7, 2, 5) for number in (1, 2, 3, 4, 5, 6) for name in ("atom", "json", "rss")]
    rows.remove((2, "json", 7, 2, 5))
    rows[rows.index((5, "rss", 7, 2, 5))] = (5, "rss", 7, 1, 5)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE articles (id INTEGER PRIMARY KEY)"))
        for table, of in (("fragments", "article_id INTEGER"), ("story_fragments", "story_uid TEXT")):
            more = "revision INTEGER" if table == "fragments" else "made_of TEXT"
            columns = f"{of}, format TEXT, version INTEGER, {more}, updated_at INTEGER, body BLOB"
            connection.execute(text(f"CREATE TABLE {table} ({columns})"))
        for row in rows:
            values = dict(zip("abcde", row, strict=True)) | {"f": deflate(f"{row[1]} {row[0]}".encode())}
            connection.execute(text("INSERT INTO fragments VALUES (:a, :b, :c, :d, :e, :f)"), values)
        with Operations.context(MigrationContext.configure(connection)):
            joining.upgrade()
        made = connection.execute(text("SELECT * FROM fragments ORDER BY article_id")).all()
    assert [tuple(row[:5]) for row in made] == [(number, "", 7, 2, 5) for number in (1, 3, 4, 6)]
    assert [inflate(row[5]).split(b"\0")[1:] for row in made] == [
        [f"atom {number}".encode(), f"json {number}".encode()] for number in (1, 3, 4, 6)
    ]
