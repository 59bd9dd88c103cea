"""The right to decide and save for a desk that several machines share, and the right to each of its roles (`engine/
roles.py`): a row each, with an owner, an epoch and an end. I/O: database.

Time is the database's alone. Whoever takes the lease over raises the epoch and ends the sessions of the owner before;
`Store.write` looks at the epoch inside each transaction. So an owner that stood still and comes back writes nothing,
and one that stands still inside a transaction keeps nobody waiting.

On SQLite the lock on the data folder has decided it: there `take` gives the lease to whoever asks.
"""

from __future__ import annotations

import time

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, bindparam, inspect, select, text, update

from feeds.errors import LeaseLost
from feeds.store import dialect
from feeds.store.database import mapped
from feeds.store.dialect import LEADER_LOCK, MIGRATE_LOCK
from feeds.store.schema import leases
from feeds.store.store import Store

LEASE_S = 15.0
ROLE_LEASE_S = 10.0
RENEW_EVERY_S = 3.0
HEARTBEAT_S = 8.0
"""A hand that gave no sign of life for so long is taken for dead."""
DESK = "desk"

_END_SESSIONS = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = :owner AND datname = current_database() AND pid <> pg_backend_pid()"
)
_HELD = (
    select(leases.c.name)
    .where(
        leases.c.name == bindparam("of_name"),
        leases.c.owner == bindparam("of_owner"),
        leases.c.epoch == bindparam("of_epoch"),
    )
    .with_for_update(read=True, key_share=True)
)
_HAS_JOBS = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_ROLES_AT_HANDS = text(
    "SELECT job.lock FROM procrastinate_jobs job JOIN procrastinate_workers worker ON worker.id = job.worker_id"
    " WHERE job.status = 'doing' AND job.task_name = 'role'"
    " AND worker.last_heartbeat > clock_timestamp() - :silent_s * interval '1 second'"
)


class Holder(Struct, frozen=True):
    """Who holds a lease, with the seconds that it holds still: below 0 where it is over."""

    owner: str
    epoch: int
    left_s: float


class Lease:
    """The lease of the desk, or of the role *name*, for one process. What *store* writes is written under it.

    All of it raises StoreError where the database does not answer.
    """

    def __init__(self, store: Store, name: str = DESK) -> None:
        self._store = store
        self._name = name
        self._epoch = 0
        self._renew_at = 0.0

    def take(self) -> bool:
        """Take it where nobody holds it; whether this process holds it now. From then on *store* writes under it.

        Raises StoreTooNew where this release could do nothing with it.
        """
        if self._store.file is not None:
            return True
        if self._name == DESK:
            self._store.pending()
        with mapped(), self._store.unfenced() as connection:
            if self._name == DESK:
                _need_table(connection)
            found = _holder(connection, self._name)
            if found is not None and found.left_s > 0:
                return False
            if found is not None and found.owner:
                # It may stand still in the middle of a transaction that holds the row.
                connection.execute(_END_SESSIONS, {"owner": found.owner})
        with mapped(), self._store.unfenced() as connection:
            if not self._take_over(connection):
                return False
        self._store.fence = self._check
        self._renew_at = time.monotonic() + RENEW_EVERY_S
        return True

    def _take_over(self, connection: Connection) -> bool:
        """Write this process down as the owner, unless somebody was faster."""
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        connection.execute(select(leases.c.name).where(leases.c.name == self._name).with_for_update())
        held = _holder(connection, self._name)
        if held is not None and held.left_s > 0:
            return False
        if held is None and self._name == DESK and not _is_free_of_older_releases(connection):
            return False
        self._epoch = (held.epoch if held is not None else 0) + 1
        row = {"name": self._name, "owner": self._store.name, "epoch": self._epoch, "until": self._end(connection)}
        dialect.upsert(connection, leases, [row], ["name"], replace=True)
        return True

    def renew(self) -> bool:
        """Prolong it where it is time; whether it was. Call it from the loop that does the work. Raises LeaseLost."""
        if self._store.file is not None or time.monotonic() < self._renew_at:
            return False
        with mapped(), self._store.unfenced() as connection:
            renewed = connection.execute(update(leases).where(self._is_ours()).values(until=self._end(connection)))
            if not renewed.rowcount:
                raise self._lost()
        self._renew_at = time.monotonic() + RENEW_EVERY_S
        return True

    def give_back(self) -> None:
        """End it at once, for whoever stands by."""
        if self._store.file is None and self._epoch:
            with mapped(), self._store.unfenced() as connection:
                connection.execute(update(leases).where(self._is_ours()).values(owner="", until=0))
            self._epoch = 0

    def _check(self, connection: Connection) -> None:
        """Hold the epoch until the end of a transaction. Renewals pass this lock, a take-over does not."""
        held_by = {"of_name": self._name, "of_owner": self._store.name, "of_epoch": self._epoch}
        if connection.execute(_HELD, held_by).first() is None:
            raise self._lost()

    def _is_ours(self) -> ColumnElement[bool]:
        return (leases.c.name == self._name) & (leases.c.owner == self._store.name) & (leases.c.epoch == self._epoch)

    def _lost(self) -> LeaseLost:
        what = "decides for this desk" if self._name == DESK else f"does the {self._name} of this desk"
        return LeaseLost(f"another process {what} by now", remedy="this one stands by when started again")

    def _end(self, connection: Connection) -> int:
        return dialect.clock(connection) + int((LEASE_S if self._name == DESK else ROLE_LEASE_S) * 1e6)


def holder(store: Store) -> Holder | None:
    """Who decides for the desk; None where nobody ever did, and on SQLite."""
    if store.file is not None:
        return None
    with mapped(), store.unfenced() as connection:
        return _holder(connection, DESK) if inspect(connection).has_table(leases.name) else None


def roles_at_hands(store: Store) -> set[str]:
    """The roles that a hand which lives has, or is about to take: the locks of its jobs."""
    with mapped(), store.unfenced() as connection:
        if not connection.execute(_HAS_JOBS).scalar_one():
            return set()
        return set(connection.execute(_ROLES_AT_HANDS, {"silent_s": HEARTBEAT_S}).scalars())


def _holder(connection: Connection, name: str) -> Holder | None:
    row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
    if row is None:
        return None
    return Holder(row.owner, row.epoch, (row.until - dialect.clock(connection)) / 1e6)


def _need_table(connection: Connection) -> None:
    """Make the table before any migration: only the lease's holder migrates."""
    if not inspect(connection).has_table(leases.name):
        dialect.lock(connection, MIGRATE_LOCK)
        leases.create(connection, checkfirst=True)


def _is_free_of_older_releases(connection: Connection) -> bool:
    """Whether no worker of a release polls that knew no lease: it holds a lock of its session."""
    taken = text("SELECT pg_try_advisory_xact_lock(:number)")
    return bool(connection.execute(taken, {"number": LEADER_LOCK}).scalar_one())
