"""Where SQLite and PostgreSQL differ, all in one place, and the columns that both agree on. I/O: opens connections.

SQLite: one engine for reading, which cannot write, and one for writing with a single connection, so that the threads
of a process queue in order and only processes meet the file's lock. PostgreSQL: one pool; readers get a snapshot.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Engine,
    Integer,
    Row,
    Select,
    Table,
    Text,
    TextClause,
    Update,
    bindparam,
    create_engine,
    event,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from feeds.codec import EPOCH, micros, moment
from feeds.errors import StoreError

BUSY_TIMEOUT_MS = 15_000
PUBLISHED, CHANGED, READ, WRITTEN = "wiredesk_publication", "wiredesk_changed", "wiredesk_read", "wiredesk_written"
"""What is told to who listens: documents were replaced; something is to be published; a hand has read a body; somebody
wrote (SQLite)."""
DEDUPE_LOCK, MIGRATE_LOCK, LEADER_LOCK = 0x57444544, 0x57444D49, 0x57444C44
"""Numbers that nothing else on the server is likely to use."""

SOON_GONE = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A server that is gone without a word is noticed after so many seconds (the last one: milliseconds), not hours."""

READ_KIB, WRITTEN_KIB = 16_384, 4_096
"""Pages that a connection of SQLite keeps. What one reads is forgotten at the next write of another; the one that
writes keeps all it may. Of 1,000 feeds all new it reads 77,000 pages more with 4 MB than with 16: under 1 % of the CPU.
"""

RESTED_S = 1.0
"""With each use of a connection the question whether it is still there would be a tenth of what a batch costs."""

MOST_PARAMETERS = 50
"""Of one statement for PostgreSQL: up to so many psycopg remembers how it was taken apart."""

T = TypeVar("T")
V = TypeVar("V", bound=Struct)
AnyRow = Row[*tuple[Any, ...]]
"""A row of whatever columns."""


class Verbs:
    """What can be asked and done about one subject within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._execute = connection.execute


def database_url(url: str) -> URL:
    """*url* with the driver that the desk uses; a bare path is a SQLite file. StoreError for anything else."""
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        made = make_url(url)
    except ArgumentError as error:
        raise StoreError("WIREDESK_DATABASE is no database URL", remedy="postgresql://user@host/name") from error
    backend = made.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return made.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and made.database and made.database != ":memory:":
        return made.set(drivername="sqlite")
    raise StoreError(f"no database of kind {made.drivername!r}", remedy="sqlite:///file or postgresql://user@host/name")


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite database, None for PostgreSQL."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def engines(url: URL, name: str) -> tuple[Engine, Engine]:
    """The engine to read with and the engine to write with, known to a server as *name*. Nothing is opened yet."""
    if url.get_backend_name() == "sqlite":
        reader = create_engine(url, pool_size=8, max_overflow=56, pool_timeout=30)
        writer = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=60)
        _prepare_sqlite(reader, begin="BEGIN", query_only=True)
        _prepare_sqlite(writer, begin="BEGIN IMMEDIATE", query_only=False)
        return reader, writer
    try:
        engine = create_engine(
            url,
            pool_size=4,
            max_overflow=28,
            pool_timeout=30,
            connect_args={"application_name": name, **SOON_GONE},
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            "the driver for PostgreSQL is not installed",
            remedy="`bin/install postgres` brings it",
        ) from error
    _ping_after_a_rest(engine)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), engine


def _ping_after_a_rest(engine: Engine) -> None:
    """Have a connection that was not used for `RESTED_S` asked whether it is still there, and replaced where not."""

    @event.listens_for(engine, "checkin")
    def on_checkin(connection: Any, record: Any) -> None:
        record.info["rested_at"] = time.monotonic() + RESTED_S

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() > record.info.get("rested_at", math.inf):
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error


def _hinting(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """*compiler*, that of SQLite's statements, which leaves out hints (`with_hint`) without a word; this has them."""
    return type("Hinting", (compiler,), {"get_from_hint_text": lambda self, table, hint: hint})


def _prepare_sqlite(engine: Engine, *, begin: str, query_only: bool) -> None:
    engine.dialect.statement_compiler = _hinting(engine.dialect.statement_compiler)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; on_begin does
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if not query_only:
            cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")  # holds only while the file is still empty
            cursor.execute("PRAGMA journal_mode = WAL").fetchall()
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_size_limit = 67108864").fetchall()
        cursor.execute(f"PRAGMA cache_size = -{READ_KIB if query_only else WRITTEN_KIB}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def rows_in(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], values: Iterable[Any], **bound: Any
) -> Iterator[AnyRow]:
    """The rows of *statement* whose *column* is one of *values*, asked for in pieces that both databases take.

    *bound* are the values of its other parameters. One that is made once, as a constant, runs in a fourth of the time.
    """
    for some in chunks(list(values)):
        yield from connection.execute(_within(statement, column), {"in_those": some, **bound})


def change_in(
    connection: Connection, statement: Update | Delete, column: ColumnElement[Any], values: Iterable[Any]
) -> int:
    """Carry out *statement* where *column* is one of *values*; how many rows it was. As for `rows_in`, of constants."""
    within = (connection.execute(_within(statement, column), {"in_those": some}) for some in chunks(list(values)))
    return sum(changed.rowcount for changed in within)


@lru_cache(maxsize=256)
def _within(statement: Any, column: ColumnElement[Any]) -> Any:
    return statement.where(one_of(column, "in_those"))


def how_many(connection: Connection, table: Table, *where: ColumnElement[bool] | TextClause) -> int:
    """How many rows of *table* there are for which all of *where* holds."""
    return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def value_of(kind: type[V], row: Any, **other: Any) -> V:
    """The Struct *kind* of a *row*: its fields are the columns of the same names, but for *other*."""
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__ if name not in other}, **other)


def row_of(value: Any, **other: Any) -> dict[str, Any]:
    """The columns for a Struct *value*, which are its fields, but for *other*."""
    return {name: getattr(value, name) for name in value.__struct_fields__ if name not in other} | other


def is_postgres(connection: Connection) -> bool:
    """Whether *connection* speaks to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    *,
    change: Sequence[str] = (),
    replace: bool = False,
    more: Sequence[str] = (),
) -> None:
    """Insert *rows*; where one with the same *keys* exists, *replace* it, or take over the columns *change* alone and
    add to those named *more*, or leave it as it is.
    """
    if not rows:
        return
    if replace:
        change = [name for name in rows[0] if name not in keys]
    if not change and not more:
        insert_many(connection, table, rows, unless=keys)
        return
    statement = _upsert(is_postgres(connection), table, tuple(keys), tuple(change), tuple(more))
    connection.execute(statement, list(rows))


def upsert_selected(
    connection: Connection,
    table: Table,
    selected: Select[Any],
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    *,
    change: Sequence[str],
) -> None:
    """As `upsert`, of what *selected* gives for each of *rows*, its bound values: the columns *keys* and *change*."""
    statement = _upsert(is_postgres(connection), table, tuple(keys), tuple(change), selected=selected)
    connection.execute(statement, list(rows))


def update_many(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str] = ("id",),
    *where: ColumnElement[bool],
) -> None:
    """Set the columns of *rows*, which all have those of the first, where *keys* are the same and *where* holds.

    There a row's keys are the parameters ``of_…``, its other columns ``new_…``.
    """
    if not rows:
        return
    here = [table.c[key] == bindparam(f"of_{key}") for key in keys]
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in rows[0] if name not in keys}
    bound = [{("of_" if name in keys else "new_") + name: value for name, value in row.items()} for row in rows]
    connection.execute(update(table).where(*here, *where).values(values), bound)


def execute_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a *statement*, with `?` for each value, for all *rows* of values as a driver takes them (`plain`).

    For what every poll writes: SQLAlchemy's own way with parameters costs more than the database does.
    """
    if not rows:
        return
    if is_postgres(connection):
        statement = statement.replace("?", "%s")
    connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def insert_many(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, unless: Sequence[str] = ()
) -> None:
    """Insert *rows*, which all have the columns of the first. A row for which there is one with the same columns
    *unless* is left out.
    """
    names = list(rows[0]) if rows else []
    more = f" ON CONFLICT ({', '.join(unless)}) DO NOTHING" if unless else ""
    insert_values(connection, table.name, names, [[plain(row[name]) for name in names] for row in rows], more)


def insert_values(
    connection: Connection, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]], more: str = ""
) -> None:
    """Insert *rows* of values as a driver takes them (`plain`), for the columns *names*, with *more* behind the
    statement. As `execute_many` for what every poll and every new entry writes.
    """
    insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES "
    if not is_postgres(connection):
        # Row by row: of each statement the driver keeps the values that it was given last, 12 MB where there was one
        # for each number of rows, and SQLite takes longer to read such a statement than to insert its rows.
        execute_many(connection, f"{insert}({', '.join('?' * len(names))}){more}", rows)
        return
    of_row = f"({', '.join(['%s'] * len(names))})"
    for some in chunks(rows, max(1, MOST_PARAMETERS // max(1, len(names)))):  # half of what they cost one by one
        values = tuple(chain.from_iterable(some))
        connection.exec_driver_sql(f"{insert}{', '.join([of_row] * len(some))}{more}", values)


@cache
def _upsert(
    postgres: bool,
    table: Table,
    keys: tuple[str, ...],
    change: tuple[str, ...],
    more: tuple[str, ...] = (),
    selected: Select[Any] | None = None,
) -> Any:
    """The statement of an upsert, of *selected* where given. Kept: it takes longer to make than to carry out."""
    # Each database's part of SQLAlchemy is loaded where it is used: the other's would cost every start of a desk.
    name = "postgresql" if postgres else "sqlite"
    statement: Any = import_module(f"sqlalchemy.dialects.{name}").insert(table)
    if selected is not None:
        statement = statement.from_select([*keys, *change], selected)
    taken = {name: statement.excluded[name] for name in change}
    taken |= {name: table.c[name] + statement.excluded[name] for name in more}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=taken)


_LOCK = text("SELECT pg_advisory_xact_lock(:number)")
_NOTIFY = text("SELECT pg_notify(:channel, '')")


def lock(connection: Connection, number: int) -> None:
    """Wait until this transaction alone holds *number*. SQLite: BEGIN IMMEDIATE has seen to it already."""
    if is_postgres(connection):
        connection.execute(_LOCK, {"number": number})


def clock(connection: Connection) -> int:
    """The database's own time in microseconds: one clock for all machines that share it."""
    if is_postgres(connection):
        statement = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    else:
        statement = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000"
    return int(connection.execute(text(statement)).scalar_one())


def notify(connection: Connection, channel: str) -> None:
    """Tell who listens to *channel*, once this is committed. On SQLite other processes look by themselves."""
    if is_postgres(connection):
        connection.execute(_NOTIFY, {"channel": channel})


def give_back(connection: Connection, pages: int) -> None:
    """Return up to *pages* free pages of a SQLite file to the disk; PostgreSQL's autovacuum does so by itself."""
    if is_postgres(connection):
        return
    free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
    # The driver takes one step of a statement without columns, which here is one page.
    driver: Any = connection.connection.driver_connection
    for _ in range(min(pages, free)):
        driver.execute("PRAGMA incremental_vacuum(1)")


# --------------------------------------------------------------------------- columns


Id = BigInteger().with_variant(Integer, "sqlite")
"""A row's number: SQLite only numbers rows by itself where the type is spelled INTEGER."""
LONGEST = 600
"""Characters of an indexed text: PostgreSQL refuses index rows past some 2,700 bytes."""


def plain(value: Any) -> Any:
    """*value* as a driver takes it: a time becomes its `micros`."""
    return micros(value) if value.__class__ is datetime else value


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes, kept as integer microseconds: no database gets to interpret or drop a zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)

    # Neither driver needs what the decorated type would do besides, and there are a thousand times in a poll.
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], int | None]:
        return lambda value: None if value is None else micros(value)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], datetime | None]:
        return lambda value: None if value is None else EPOCH + timedelta(0, 0, value)


class _Many(TypeDecorator[Sequence[Any]]):
    """Any number of values, of a type that JSON has, in one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, each: TypeEngine[Any]) -> None:
        super().__init__()
        self.each = each

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.each) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class _OneOf(FunctionElement[Any]):
    type = NullType()  # of a Boolean SQLite would be asked whether it is 1, without an index
    inherit_cache = True


@compiles(_OneOf)
def _one_of_sqlite(element: _OneOf, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, values = (compiler.process(each, **kwargs) for each in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"


@compiles(_OneOf, "postgresql")
def _one_of_postgres(element: _OneOf, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, values = (compiler.process(each, **kwargs) for each in element.clauses)
    return f"({column} = ANY({values}))"


def one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether *column* is one of the values of the parameter *name*: one statement for any number of them. With a
    parameter for each value SQLAlchemy writes the statement anew each time, which costs a third of a small one.
    """
    return _OneOf(column, bindparam(name, type_=_Many(column.type)))


class _Octets(FunctionElement[int]):
    type = Integer()
    inherit_cache = True


@compiles(_Octets)
def _octets_sqlite(element: _Octets, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"length(CAST({compiler.process(element.clauses, **kwargs)} AS BLOB))"


@compiles(_Octets, "postgresql")
def _octets_postgres(element: _Octets, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"octet_length({compiler.process(element.clauses, **kwargs)})"


def may_hold(column: ColumnElement[str], folded: str) -> ColumnElement[bool]:
    """Whether a text may hold *folded* ASCII however its case is folded: any may that has more than ASCII itself."""
    return or_(func.lower(column).contains(folded, autoescape=True), _Octets(column) != func.length(column))


def signed(value: int) -> int:
    """An unsigned 64 bit hash as both databases can keep it."""
    return value - (1 << 64) if value >= 1 << 63 else value


def unsigned(value: int) -> int:
    """The hash that `signed` was given."""
    return value + (1 << 64) if value < 0 else value


def storable(text: str) -> str:
    """*text* without what a database refuses: NUL (PostgreSQL) and lone surrogates (both)."""
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def indexable(text: str) -> str:
    """*text* as an index can hold it, cut behind a hash where it is too long; twice is the same as once."""
    text = storable(text)
    if len(text) <= LONGEST:
        return text
    digest = blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{text[: LONGEST - 33]}#{digest}"


def entry_mark(source_id: int, key: str) -> int:
    """The tombstone of an entry; marks of entries, URLs, texts and articles never mean each other."""
    return _mark(f"entry\0{source_id}\0{indexable(key)}")


def url_mark(comparable: str) -> int:
    """The tombstone of a comparable URL."""
    return _mark(f"url\0{indexable(comparable)}")


def text_mark(text_hash: int) -> int:
    """The tombstone of an unsigned text hash."""
    return _mark(f"text\0{text_hash}")


def article_mark(uid: str) -> int:
    """The tombstone of an article."""
    return _mark(f"article\0{uid}")


def _mark(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)


def chunks(items: Sequence[T], most: int = 400) -> Iterator[Sequence[T]]:
    """*items* in pieces that an IN list takes on both databases."""
    for start in range(0, len(items), most):
        yield items[start : start + most]
