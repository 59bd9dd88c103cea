"""Answers as they came, compressed: the last of each source, and those of some days if config says so. I/O: database.

They are copied from the inbox within the database, so that keeping them costs no second compression.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, insert, select

from feeds.codec import inflate
from feeds.store.columns import chunks
from feeds.store.dialect import Verbs, value_of
from feeds.store.schema import inbox, raw_answers

READ_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """One answer as it came. *polled* says that its address is the source's own, *pushed* that a hub sent it; else it
    is a page that was followed, or a letter. *headers* are without what an origin sets for this desk alone.
    """

    id: int
    source_id: int
    received_at: datetime
    final_url: str
    asked_url: str | None
    status: int
    headers: tuple[tuple[str, str], ...]
    polled: bool
    pushed: bool
    body: bytes


class RawAnswers(Verbs):
    """``tx.raw_answers``"""

    def keep(self, item_ids: Collection[int], now: datetime, days: int) -> None:
        """Keep items of the inbox, by their ids, before they are removed: the last answer to a poll of each source, and
        with *days* all that came within these.
        """
        if not item_ids:
            return
        polled = case((func.coalesce(inbox.c.claim_id, "") != "", 1), else_=0)
        names = "source_id", "received_at", "final_url", "asked_url", "status", "headers", "pushed", "body"
        columns = [*(inbox.c[name] for name in names), polled, func.length(inbox.c.body)]
        touched: set[int] = set()
        for some in chunks(sorted(item_ids)):
            these = select(*columns).where(inbox.c.id.in_(some))
            if not days:
                these = these.where(polled == 1)
            these = these.order_by(inbox.c.id)
            self._connection.execute(insert(raw_answers).from_select([*names, "polled", "size"], these))
            touched |= set(self._connection.scalars(select(inbox.c.source_id).where(inbox.c.id.in_(some))))
        self._forget(touched, now - timedelta(days=days))

    def _forget(self, source_ids: Collection[int], before: datetime) -> None:
        """Forget what these sources answered *before*, but the last answer to a poll of each."""
        for some in chunks(sorted(source_ids)):
            theirs = raw_answers.c.source_id.in_(some)
            last = select(func.max(raw_answers.c.id)).where(theirs, raw_answers.c.polled == 1)
            old = delete(raw_answers).where(theirs, raw_answers.c.received_at < before)
            self._connection.execute(old.where(raw_answers.c.id.not_in(last.group_by(raw_answers.c.source_id))))

    def trim(self, now: datetime, days: int, most_bytes: int) -> int:
        """Forget what is older than *days*, then the oldest beyond *most_bytes* in all; how many answers went."""
        counted = select(func.count()).select_from(raw_answers)
        before: int = self._connection.execute(counted).scalar_one()
        self._forget(
            set(self._connection.scalars(select(raw_answers.c.source_id).distinct())), now - timedelta(days=days)
        )
        total: int = self._connection.scalar(select(func.sum(raw_answers.c.size))) or 0
        if total > most_bytes:
            doomed = []
            for id_, size in self._connection.execute(
                select(raw_answers.c.id, raw_answers.c.size).order_by(raw_answers.c.id)
            ):
                doomed.append(id_)
                total -= size
                if total <= most_bytes:
                    break
            for some in chunks(doomed):
                self._connection.execute(delete(raw_answers).where(raw_answers.c.id.in_(some)))
        return before - int(self._connection.execute(counted).scalar_one())

    def since(self, when: datetime | None, source_id: int | None = None) -> Iterator[RawAnswer]:
        """Answers that came at *when* or later (None: all), of one source or of all, in their order."""
        after = 0
        while True:
            statement = select(raw_answers).where(raw_answers.c.id > after)
            if when is not None:
                statement = statement.where(raw_answers.c.received_at >= when)
            if source_id is not None:
                statement = statement.where(raw_answers.c.source_id == source_id)
            rows = self._connection.execute(statement.order_by(raw_answers.c.id).limit(READ_AT_ONCE)).all()
            for row in rows:
                headers = tuple((name, value) for name, value in json.loads(row.headers) if name not in _OWN)
                flags = {"polled": bool(row.polled), "pushed": bool(row.pushed)}
                yield value_of(RawAnswer, row, headers=headers, body=inflate(row.body), **flags)
            if len(rows) < READ_AT_ONCE:
                return
            after = rows[-1].id


_OWN = ("set-cookie", "set-cookie2", "www-authenticate", "authentication-info")
