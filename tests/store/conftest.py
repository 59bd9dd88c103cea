"""Every test of the store that takes `url` or `store` runs on SQLite and on PostgreSQL; neither is ever skipped.

That PostgreSQL is the oldest that the system has (Debian's, .ci/run installs it); migrations run on the newest as well,
as whole desks do in tests/e2e.
"""

import os
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from feeds.configuration import Section, Source
from feeds.model import Decision, Entry, Placement
from feeds.store import open_store
from feeds.store.schema import metadata
from tests.databases import database

from . import postgres

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def later(**units):
    return NOW + timedelta(**units)


def read(store, ask):
    with store.read() as tx:
        return ask(tx)


@pytest.fixture(scope="session")
def postgres_url():
    given = os.environ.get("WIREDESK_TEST_POSTGRES")
    if given:
        yield given
        return
    with postgres.running(oldest=True) as url:
        yield url


@pytest.fixture(scope="session")
def newest_url():
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="session")
def shared(postgres_url):
    """A PostgreSQL database with its tables, emptied before each test: far quicker than a database for each."""
    with database_on(postgres_url) as url:
        open_store(url).close()
        yield url


@pytest.fixture(params=["sqlite", "postgresql", "newest"])
def empty_url(request, tmp_path):
    """The URL of a database of the test's own that has nothing in it yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/desk.db"
        return
    with database_on(request.getfixturevalue("newest_url" if request.param == "newest" else "postgres_url")) as url:
        yield url


@contextmanager
def database_on(server):
    """The URL of a new database on the PostgreSQL *server*, dropped at the end."""
    name = f"wd_{uuid.uuid4().hex}"
    _command(server, "CREATE DATABASE {}", name)
    yield _with_name(server, name)
    _command(server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def own_url(empty_url):
    """The URL of a database with its tables that the test may change as it likes."""
    open_store(empty_url).close()
    return empty_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of a database with its tables and nothing in them."""
    if request.param == "sqlite":
        return database(tmp_path / "desk.db")
    made = request.getfixturevalue("shared")
    _command(made, "TRUNCATE {} RESTART IDENTITY CASCADE", *metadata.tables)
    return made


@pytest.fixture
def store(url):
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def desk(store):
    """A store with the sections news, news/world, sport and the sources a, b, c (ids by key in `desk_ids`)."""
    with store.write() as tx:
        tx.sections.sync([section("news"), section("news/world"), section("sport")], NOW)
        tx.sources.sync([source("a"), source("b"), source("c")], "full", NOW)
    return store


def _command(server, statement, *names):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.SQL(", ").join(map(sql.Identifier, names))))


def _with_name(server, name):
    head, mark, tail = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{mark}{tail}"


# --------------------------------------------------------------------------- makers


def section(path, **more):
    return Section(path=path, title=path.title(), **more)


def source(key, **more):
    return Source(**{"key": key, "name": key.upper(), "kind": "feed", "target": f"https://{key}.example/feed"} | more)


def entry(key, **more):
    words = {"title": f"Title {key}", "link": f"https://a.example/{key}", "comparable": f"a.example/{key}"}
    return Entry(
        **words | {"key": key, "content": f"<p>Text {key}</p>", "text": f"Text {key}", "content_hash": 1} | more
    )


def new(key, source_id=1, uid=None, **more):
    return Decision(kind="new", entry=entry(key, **more), article_uid=uid or uid_of(key), source_id=source_id)


def copy(key, source_id, of, **more):
    made = entry(key, **{"comparable": f"copy.example/{key}"} | more)
    return Decision(kind="copy", entry=made, article_uid=uid_of(of), source_id=source_id)


def uid_of(key):
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, key)}"


def placed(*paths, by="rule", reason="because"):
    return tuple(Placement(section=path, by=by, reason=reason) for path in paths)


def save(store, decisions, *paths, now=NOW, **placements):
    """Save *decisions* with all of their articles in *paths*, or by key in what *placements* say."""
    where = {decision.article_uid: placed(*paths) for decision in decisions}
    where |= {uid_of(key): placed(*each) for key, each in placements.items()}
    with store.write() as tx:
        return tx.articles.save(decisions, now, where)
