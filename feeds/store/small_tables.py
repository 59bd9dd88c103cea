"""Counters, events, accepted configs, learnt furniture, readers' tokens: few questions each. I/O: database."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, insert, select, update

from feeds.store import dialect
from feeds.store.dialect import AnyRow, Verbs, indexable
from feeds.store.schema import access_tokens, configs, counters, events, furniture, models, reader_days, sections
from feeds.store.values import AccessToken, Event, ReaderDay, StoredConfig

PUBLICATION, SHIFTS, DESK = "publication", "shifts", "desk"


_COUNT = (
    update(counters)
    .where(counters.c.name == bindparam("of_name"))
    .values(value=counters.c.value + bindparam("by"))
    .returning(counters.c.value)
)


def count(connection: Connection, name: str, by: int = 1) -> int:
    """Move the counter *name*; its new value."""
    moved = connection.scalar(_COUNT, {"of_name": name, "by": by})
    if moved is None:
        # Others may be doing so, too: on a new database several processes start at once.
        dialect.upsert(connection, counters, [{"name": name, "value": 0}], ["name"])
        moved = connection.execute(_COUNT, {"of_name": name, "by": by}).scalar_one()
    return int(moved)


_VALUE = select(counters.c.value).where(counters.c.name == bindparam("of_name"))


def value(connection: Connection, name: str) -> int:
    """What the counter *name* is at, 0 before it was moved."""
    return int(connection.scalar(_VALUE, {"of_name": name}) or 0)


def set_value(connection: Connection, name: str, value: int) -> None:
    """Set the counter *name*."""
    dialect.upsert(connection, counters, [{"name": name, "value": value}], ("name",), replace=True)


def publish(connection: Connection, by: int = 1) -> int:
    """Move the publication counter, tell who listens, give its new value."""
    moved = count(connection, PUBLICATION, by)
    dialect.notify(connection, dialect.PUBLISHED)
    return moved


def publication(connection: Connection) -> int:
    """The publication counter's value, 0 before anything was published."""
    return value(connection, PUBLICATION)


def desk_number(connection: Connection) -> int:
    """The number drawn for this desk when its first config was accepted, the same for good; 0 before that."""
    return value(connection, DESK)


def draw_desk_number(connection: Connection) -> None:
    """Draw the desk's number where there is none yet."""
    if desk_number(connection) == 0:
        set_value(connection, DESK, secrets.randbits(62) + 1)


_SUBJECTS = select(events.c.subject).where(events.c.kind == bindparam("of_kind"), events.c.closed_at.is_(None))


class Events(Verbs):
    """``tx.events``"""

    def add(self, kind: str, subject: str, *, text: str, remedy: str = "", now: datetime) -> bool:
        """Open an event, and say so; while one of this *kind* and *subject* is open only its words are renewed."""
        renewed = self._execute(update(events).where(_open(kind, subject)).values(text=text, remedy=remedy))
        if renewed.rowcount:
            return False
        row = {
            "uid": f"urn:uuid:{uuid4()}",
            "kind": kind,
            "subject": subject,
            "text": text,
            "remedy": remedy,
            "at": now,
        }
        self._execute(insert(events), row)
        return True

    def close(self, kind: str, subject: str, now: datetime) -> bool:
        """End the open event of this *kind* and *subject*; whether there was one."""
        return bool(self._execute(update(events).where(_open(kind, subject)).values(closed_at=now)).rowcount)

    def since(self, kind: str, subject: str) -> datetime | None:
        """When the open event of this *kind* and *subject* began; None where there is none."""
        began = select(events.c.at).where(_open(kind, subject))
        found: datetime | None = self._connection.scalar(began)
        return found

    def subjects(self, kind: str) -> set[str]:
        """What events of this *kind* are open about."""
        return set(self._connection.scalars(_SUBJECTS, {"of_kind": kind}))

    def open(self) -> list[Event]:
        """Events that are not over, newest first."""
        statement = select(events).where(events.c.closed_at.is_(None)).order_by(events.c.id.desc())
        return [_event(row) for row in self._execute(statement)]

    def open_counts(self) -> dict[str, int]:
        """How many events of each kind are not over, by kind."""
        counts = select(events.c.kind, func.count()).where(events.c.closed_at.is_(None)).group_by(events.c.kind)
        return {kind: int(count) for kind, count in self._execute(counts.order_by(events.c.kind))}

    def open_of(self, kinds: Iterable[str], limit: int) -> list[Event]:
        """The newest *limit* events of each of these *kinds* that are not over, newest first."""
        found: list[Event] = []
        for kind in kinds:
            present = (events.c.kind == kind) & events.c.closed_at.is_(None)
            statement = select(events).where(present).order_by(events.c.id.desc()).limit(limit)
            found += [_event(row) for row in self._execute(statement)]
        return found

    def texts(self, kind: str, subjects: Sequence[str]) -> dict[str, str]:
        """What the open events of *kind* about these *subjects* say, by subject."""
        present = (events.c.kind == kind) & events.c.closed_at.is_(None)
        statement = select(events.c.subject, events.c.text).where(present)
        rows = dialect.rows_in(self._connection, statement, events.c.subject, subjects)
        return {subject: text for subject, text in rows}

    def recent(self, limit: int) -> list[Event]:
        """The newest events, over or not, newest first."""
        return [_event(row) for row in self._execute(select(events).order_by(events.c.id.desc()).limit(limit))]


def _open(kind: str, subject: str) -> ColumnElement[bool]:
    return and_(events.c.kind == kind, events.c.subject == subject, events.c.closed_at.is_(None))


def _event(row: AnyRow) -> Event:
    return dialect.value_of(Event, row, id=row.uid)


class Counters(Verbs):
    """``tx.counters``: numbers that a part of the desk keeps for itself, by their name."""

    def value(self, name: str) -> int:
        """The number called *name*, 0 before it was put."""
        return value(self._connection, name)

    def put(self, name: str, number: int) -> None:
        """Keep a number."""
        set_value(self._connection, name, number)


class Configs(Verbs):
    """``tx.configs``"""

    def accept(self, text: str, digest: str, now: datetime, *, brief: str = "") -> int:
        """Store a config and give its version; the present one's version where *digest* is the same.

        *brief* is what a process needs that finds the sources in the store; "" where it is not told apart.
        """
        present = self.current()
        if present is not None and present.digest == digest:
            return present.version
        draw_desk_number(self._connection)
        row = {"digest": digest, "text": text, "brief": brief or text, "accepted_at": now}
        statement = insert(configs).values(row).returning(configs.c.version)
        version = self._execute(statement).scalar_one()
        publish(self._connection)
        return int(version)

    def renew(self, version: int, text: str, *, brief: str = "") -> None:
        """Put *text*, which means the same, in place of what is stored: its line numbers are those of the files now."""
        present = configs.c.version == version
        self._execute(update(configs).where(present).values(text=text, brief=brief or text))

    def current(self) -> StoredConfig | None:
        """The config in force, None before any was accepted."""
        return self._newest(configs.c.text)

    def brief(self) -> StoredConfig | None:
        """The config in force with its *brief* for a text, however many sources it has."""
        return self._newest(configs.c.brief.label("text"))

    def version(self) -> int:
        """The version of the config in force, 0 before any was accepted."""
        return self._execute(select(func.max(configs.c.version))).scalar_one() or 0

    def _newest(self, text: ColumnElement[str]) -> StoredConfig | None:
        columns = configs.c.version, text, configs.c.digest, configs.c.accepted_at
        row = self._execute(select(*columns).order_by(configs.c.version.desc()).limit(1)).one_or_none()
        return None if row is None else dialect.value_of(StoredConfig, row)

    def desk_id(self) -> str:
        """What stays with this desk for good, whatever it is called and wherever it is served: for the ids of feeds."""
        return str(desk_number(self._connection))


_FURNITURE = select(furniture)


class Furniture(Verbs):
    """``tx.furniture``; a scope is ``source:`` and its number, or ``site:`` and a host."""

    def states(self, scopes: Iterable[str]) -> dict[str, bytes]:
        """The states of those of *scopes* of which something was learnt."""
        wanted = {indexable(scope): scope for scope in scopes}
        rows = dialect.rows_in(self._connection, _FURNITURE, furniture.c.scope, sorted(wanted))
        return {wanted[row.scope]: bytes(row.state) for row in rows}

    def learn(self, states: Mapping[str, bytes], now: datetime) -> None:
        """Keep *states* in the place of those before."""
        rows = [
            {"scope": indexable(scope), "state": state, "changed_at": now} for scope, state in sorted(states.items())
        ]
        dialect.upsert(self._connection, furniture, rows, ["scope"], replace=True)


class Models(Verbs):
    """``tx.models``: the one learned model, which all processes of a desk share."""

    def version(self) -> int:
        """A number that moves with each model, 0 before there was one."""
        return int(self._connection.scalar(select(models.c.version).where(_FILING)) or 0)

    def body(self) -> bytes | None:
        """The model as it was put; None where there is none."""
        body: bytes | None = self._connection.scalar(select(models.c.body).where(_FILING))
        return None if body is None else bytes(body)

    def put(self, body: bytes, now: datetime) -> None:
        """Keep *body* in the place of the model before."""
        row = {"name": "filing", "version": self.version() + 1, "body": body, "learned_at": now}
        dialect.upsert(self._connection, models, [row], ["name"], replace=True)


_FILING = models.c.name == "filing"


class Tokens(Verbs):
    """``tx.tokens``; whoever serves hears of a change as of anything that is published."""

    def all(self) -> list[AccessToken]:
        """Every token of a section that there is, by section and name."""
        columns = sections.c.path, *(access_tokens.c[name] for name in _OF_TOKEN)
        present = select(*columns).join_from(access_tokens, sections).where(sections.c.removed_at.is_(None))
        rows = self._execute(present.order_by(sections.c.position, access_tokens.c.name))
        return [dialect.value_of(AccessToken, row) for row in rows]

    def add(
        self, section_id: int, name: str, digest: bytes, now: datetime, expires_at: datetime | None = None
    ) -> int | None:
        """Keep a token; its number, None where the section has one of that *name*."""
        here = access_tokens.c.section_id == section_id, access_tokens.c.name == name
        if self._execute(select(access_tokens.c.id).where(*here)).first() is not None:
            return None
        row = {"section_id": section_id, "name": name, "digest": digest, "created_at": now, "expires_at": expires_at}
        publish(self._connection)
        return int(self._execute(insert(access_tokens).values(row).returning(access_tokens.c.id)).scalar_one())

    def revoke(self, id: int) -> None:
        """Forget a token: from now on it opens nothing."""
        self._execute(delete(access_tokens).where(access_tokens.c.id == id))
        publish(self._connection)


_OF_TOKEN = ("id", "name", "digest", "created_at", "expires_at")


READERS_KEPT_DAYS, MOST_READERS_A_DAY = 30, 20_000


class Readers(Verbs):
    """``tx.readers``"""

    def add(self, rows: Sequence[ReaderDay]) -> None:
        """Add to what is known of their day; what a reader declares takes the place of what it declared before.

        Of a day with more than `MOST_READERS_A_DAY` rows new ones count for all others together.
        """
        newest = max((row.day for row in rows), default=0)
        self._execute(delete(reader_days).where(reader_days.c.day <= newest - READERS_KEPT_DAYS))
        keys = select(reader_days.c.name, reader_days.c.document).where(reader_days.c.day == newest)
        known = {(name, document) for name, document in self._execute(keys)}
        for row in rows:
            one = dialect.row_of(row)
            if len(known) >= MOST_READERS_A_DAY and (row.name, row.document) not in known:
                one |= {"name": "others", "document": "", "declared": 0}
            known.add((one["name"], one["document"]))
            said = ("declared",) if one["declared"] else ()
            dialect.upsert(self._connection, reader_days, [one], _OF_READER[:3], change=said, more=_OF_READER[3:-1])

    def since(self, day: int) -> list[ReaderDay]:
        """What is known of *day* and those after it."""
        rows = self._execute(select(reader_days).where(reader_days.c.day >= day))
        return [dialect.value_of(ReaderDay, row) for row in rows]


_OF_READER = ("day", "name", "document", "answers", "same", "parts", "sent", "wasted", "hasty", "declared")
