"""One run of a desk with one fault in it, and the row that the books give. `ordeal` is the whole desk at work; the
others are what is done with its database: a copy, a restore, an upgrade, retention.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from feeds.configuration import Section, Source
from feeds.errors import DeskError
from feeds.model import Decision, Entry, Placement
from feeds.store import Store, open_store
from feeds.store.database import restore as put_back
from feeds.store.migrations import VERSION_TABLE
from tests.databases import database
from tests.faults.injecting import Faults
from tests.faults.stand import STEP, Stand, standing

ROUNDS = 3
LONG = timedelta(minutes=10)
STEPS, LONG_STEPS = 6, 9
"""How long everything is waited for after the last thing was shown: two minutes, then an hour and a half."""


@dataclass
class Row:
    """What one fault did. *times* it struck; *total* operations of its kind there were."""

    kind: str
    at: int
    lasts: int
    times: int = 0
    total: int = 0
    lost: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unconditional: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    recovered_s: float | None = 0.0

    @property
    def faulty(self) -> dict[str, list[str]]:
        """What must never be."""
        named = ("lost", "untold", "doubled", "changed", "unconditional", "errors", "bugs", "damage")
        return {name: found for name in named if (found := getattr(self, name))}


def damage(database: Path) -> list[str]:
    """What SQLite finds wrong with *database*."""
    with closing(sqlite3.connect(database)) as opened:
        wrong = [row[0] for row in opened.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return wrong + [f"foreign key of {row[0]}" for row in opened.execute("PRAGMA foreign_key_check")]


def ordeal(faults: Faults, kind: str, at: int, lasts: int = 1, template: Path | None = None) -> Row:
    """Ingest, publish and hub delivery while the *at*-th operation of *kind*, and the next *lasts* - 1, fail."""
    folder = Path(tempfile.mkdtemp(dir=faults.folder))
    try:
        faults.plan(kind, at, lasts)
        with standing(folder, faults) as stand:
            row = Row(kind, at, lasts)
            _rounds(stand, row)
            row.total = faults.total(kind)
            row.times = faults.struck
            books = stand.books
            row.lost, row.untold, row.doubled = sorted(books.lost), sorted(books.untold), sorted(books.doubled)
            row.changed, row.unconditional = sorted(books.changed), books.unconditional
            row.errors, row.bugs = books.errors, books.bugs
            with stand.store.read() as tx:
                if left := len(tx.inbox.waiting(100)):  # what was put off has its time
                    row.damage.append(f"{left} bodies left in the inbox")
        row.damage += damage(folder / "data" / "desk.sqlite3")
        return row
    finally:
        shutil.rmtree(folder)


def _rounds(stand: Stand, row: Row) -> None:
    over_at = whole_at = None
    for after in _times(stand):
        stand.step(after)
        if over_at is None and stand.faults.over:
            over_at = stand.clock.now
        if not stand.books.complete:
            whole_at = None
        elif whole_at is None and over_at is not None:
            whole_at = stand.clock.now
        if stand.round > ROUNDS and whole_at is not None and over_at is not None:
            row.recovered_s = (whole_at - over_at).total_seconds()
            return
    # Where there were fewer operations than were to fail, the fault is not over, and nothing has recovered from it.
    row.recovered_s = None if stand.faults.over else 0.0


def _times(stand: Stand) -> Iterator[timedelta]:
    for _ in range(ROUNDS + 1):
        stand.publish()
        yield STEP
    yield from [STEP] * STEPS
    if not stand.books.complete:
        yield from [LONG] * LONG_STEPS


def every(run: Callable[[int], Row], step: int = 1, most: int = 100_000) -> Iterator[Row]:
    """Rows for the first operation, the next …, by *step*, until one run ends without a fault."""
    at = 1
    while at <= most:
        row = run(at)
        yield row
        if not row.times:
            return
        at += step


# --------------------------------------------------------------------------- what is done with a database as a whole


def copying(faults: Faults, kind: str, at: int, lasts: int = 1, template: Path | None = None) -> Row:
    """A copy over an older copy, while the *at*-th operation fails: the old one or the new one is there, whole."""

    def work(folder: Path, row: Row) -> None:
        database, target = _furnished(folder), folder / "copies" / "desk.sqlite3"
        with open_store(f"sqlite:///{database}") as store:
            store.backup(target)
            old = target.read_bytes()
            _file_more(store)
            _refused(faults, row, lambda: store.backup(target))
            new = _titles(target) == _titles(database)
            if row.times and target.read_bytes() != old and not new:
                row.damage.append("neither the old copy nor the new one")
            row.damage += _strays(target.parent, {target.name})
            store.backup(target)
        row.damage += damage(target)
        row.lost = sorted(_titles(database) - _titles(target))

    return _alone(faults, kind, at, lasts, work)


def restoring(faults: Faults, kind: str, at: int, lasts: int = 1, template: Path | None = None) -> Row:
    """A copy put in the place of the database: the one or the other is there, whole, and what was there is kept."""

    def work(folder: Path, row: Row) -> None:
        database, kept, aside = _furnished(folder), folder / "kept.sqlite3", folder / "aside.sqlite3"
        with open_store(f"sqlite:///{database}") as store:
            store.backup(kept)
            _file_more(store)
        before = _titles(database)

        def restore() -> None:
            put_back(kept, database, aside)

        _refused(faults, row, restore)
        present = _titles(database)
        if present not in (before, _titles(kept)):
            row.damage.append("neither the old database nor the copy")
        if present != before and (not aside.exists() or _titles(aside) != before):
            row.lost = sorted(before - present)
        aside.unlink(missing_ok=True)
        restore()
        row.damage += damage(database)
        row.damage += [] if _titles(database) == _titles(kept) else ["not restored the second time"]

    return _alone(faults, kind, at, lasts, work)


def upgrading(faults: Faults, kind: str, at: int, lasts: int = 1, template: Path | None = None) -> Row:
    """A database of the first release brought to this one: all of it or nothing, and by the next try all of it."""
    assert template is not None

    def work(folder: Path, row: Row) -> None:
        database = folder / "desk.sqlite3"
        shutil.copy(template, database)
        before = _titles(database)

        def upgrade() -> None:
            with open_store(f"sqlite:///{database}") as store:
                store.migrate(folder / "before.sqlite3")

        first = _revision(database)
        _refused(faults, row, upgrade)
        if row.times and not row.bugs and _revision(database) == first:
            row.damage += [] if _titles(database) == before else ["changed, and not upgraded"]
        upgrade()
        with open_store(f"sqlite:///{database}", create=False):
            pass
        row.damage += damage(database)
        row.lost = sorted(before - _titles(database))

    return _alone(faults, kind, at, lasts, work)


def forgetting(faults: Faults, kind: str, at: int, lasts: int = 1, template: Path | None = None) -> Row:
    """Retention in its small steps: what is kept stays whole, and what is to go is gone by the next sweeps."""

    def work(folder: Path, row: Row) -> None:
        database = _furnished(folder)
        with open_store(f"sqlite:///{database}") as store:
            kept = {f"Title {FURNISHED - 1 - number}" for number in range(KEPT)}

            def sweep() -> None:
                for _ in range(100):
                    with store.write() as tx:
                        if not tx.retention.sweep(NOW, 0, KEPT, limit=4):
                            return

            _refused(faults, row, sweep)
            row.lost = sorted(kept - _titles(database))
            sweep()
            row.damage += [f"not gone: {title}" for title in sorted(_titles(database) - kept)]
            row.lost += sorted(kept - _titles(database))
        row.damage += damage(database)

    return _alone(faults, kind, at, lasts, work)


FURNISHED, KEPT = 12, 5
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def _alone(faults: Faults, kind: str, at: int, lasts: int, work: Callable[[Path, Row], None]) -> Row:
    folder = Path(tempfile.mkdtemp(dir=faults.folder))
    try:
        faults.plan(kind, at, lasts)
        row = Row(kind, at, lasts)
        with faults.in_place():
            work(folder, row)
        return row
    finally:
        shutil.rmtree(folder)


def _refused(faults: Faults, row: Row, do: Callable[[], None]) -> None:
    """Do it with faults, which only ever end in an error with a remedy."""
    try:
        with faults.on():
            do()
    except DeskError as error:
        row.times = faults.struck
        if not error.remedy:
            row.bugs.append(f"an error without a remedy: {error}")
    except Exception as error:
        row.bugs.append(repr(error))
    row.times, row.total = faults.struck, faults.total(row.kind)


def _furnished(folder: Path) -> Path:
    file = folder / "desk.sqlite3"
    with open_store(database(file)) as store:
        with store.write() as tx:
            tx.sections.sync([Section(path="news", title="News")], NOW)
            source = Source(key="a", name="A", kind="feed", target="https://a.example/feed")
            tx.sources.sync([source], "full", NOW)
        _file(store, range(FURNISHED))
    return file


def _file_more(store: Store) -> None:
    _file(store, range(FURNISHED, 2 * FURNISHED))


def _file(store: Store, numbers: range) -> None:
    decisions, places, ranks = [], {}, {}
    for number in numbers:
        link = f"https://a.example/{number}"
        uid = f"urn:uuid:{uuid5(NAMESPACE_URL, link)}"
        text = f"Text of {number}. " * 40
        entry = Entry(
            key=link, link=link, comparable=link[8:], title=f"Title {number}", content=f"<p>{text}</p>", text=text,
            content_hash=number,
        )  # fmt: skip
        decisions.append(Decision(kind="new", entry=entry, article_uid=uid, source_id=1))
        places[uid] = [Placement(section="news", by="rule", reason="because")]
        ranks[uid] = NOW - timedelta(minutes=1000 - number)
    with store.write() as tx:
        tx.articles.save(decisions, NOW, placements=places, ranks=ranks)


def _titles(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as opened:
        return {row[0] for row in opened.execute("SELECT title FROM entries")}


def _revision(database: Path) -> str:
    with closing(sqlite3.connect(database)) as opened:
        return str(opened.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0])


def _strays(folder: Path, wanted: set[str]) -> list[str]:
    return [f"{path.name} was left behind" for path in folder.iterdir() if path.name not in wanted]
