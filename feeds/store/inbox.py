"""Bodies that have arrived and whose entries are not saved yet, answers kept as they came, and pages that are yet to be
asked for. I/O: database.

An item is put as soon as it arrives, and removed by the transaction that saves its entries: whatever dies in between,
the entries are not lost (promise 2). One whose reading was not finished, by no known fault of its own, stays and is
tried again later.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Delete,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    true,
    update,
)

from feeds.codec import deflate, inflate
from feeds.configuration import DOCUMENTS
from feeds.parsed import Validators
from feeds.store import dialect
from feeds.store.dialect import AnyRow, Verbs, change_in, chunks, one_of, rows_in, signed, value_of
from feeds.store.schema import folder_files, inbox, page_queue, raw_answers, sources
from feeds.store.values import InboxItem

READ_AT_ONCE = 50
_OWN = ("set-cookie", "set-cookie2", "www-authenticate", "authentication-info")
"""Headers that an origin sets for this desk alone."""


_PUT = insert(inbox).returning(inbox.c.id)
_WAITING = (
    select(inbox)
    .where(inbox.c.id > bindparam("of_id"), inbox.c.next_try_at.is_(None), inbox.c.reading.is_(None))
    .order_by(inbox.c.id)
    .limit(bindparam("of_limit"))
)
_PUSHED = _WAITING.where(inbox.c.pushed == 1)
_READINGS = (
    select(*(column for column in inbox.c if column is not inbox.c.body))
    .where(inbox.c.reading.is_not(None), inbox.c.next_try_at.is_(None))
    .order_by(inbox.c.id)
    .limit(bindparam("of_limit"))
)
_REMOVED = delete(inbox)


class Inbox(Verbs):
    """``tx.inbox``"""

    def put(self, items: Sequence[InboxItem], *, again: bool = False) -> list[int]:
        """Keep *items* and give their ids, in the same order. With *again* they may be there, and are replaced."""
        ids = []
        for item in items:
            if again:
                self._execute(delete(inbox).where(_is(item)))
            row = dialect.row_of(
                item,
                headers=json.dumps(item.headers),
                etag=item.validators.etag,
                last_modified=item.validators.last_modified,
                pushed=int(item.pushed),
                body=deflate(item.body),
            )
            del row["id"], row["validators"], row["tries"]  # its number, and what the row says otherwise
            ids.append(int(self._execute(_PUT, row).scalar_one()))
        return ids

    def waiting(self, limit: int, after_id: int = 0, *, pushed: bool = False) -> list[InboxItem]:
        """Up to *limit* items behind *after_id*, in order of arrival; with *pushed* only what hubs sent.

        What was put off is left out, and what a hand has read.
        """
        rows = self._execute(_PUSHED if pushed else _WAITING, {"of_id": after_id, "of_limit": limit})
        return [_item(row, inflate(row.body)) for row in rows]

    def hand_over(self, readings: Mapping[int, bytes]) -> None:
        """Keep what items, by their ids, were read to say, for the process that decides."""
        if readings:
            its = update(inbox).where(inbox.c.id == bindparam("of_id")).values(reading=bindparam("of_reading"))
            rows = [{"of_id": id_, "of_reading": reading} for id_, reading in sorted(readings.items())]
            self._execute(its, rows)

    def readings(self, limit: int, *, without: Collection[int] = ()) -> list[tuple[InboxItem, bytes]]:
        """Up to *limit* items that hands have read, without their bodies, in order of arrival; but those *without*."""
        read = _READINGS.where(inbox.c.id.not_in(sorted(without))) if without else _READINGS
        rows = self._execute(read, {"of_limit": limit})
        return [(_item(row, body=b""), row.reading) for row in rows]

    def unread_of(self, shard: int, limit: int) -> list[InboxItem]:
        """Items that came by polling sources of a *shard*, and that nobody has read."""
        theirs = inbox.c.source_id == sources.c.id, sources.c.shard == shard, sources.c.kind.not_in(DOCUMENTS)
        unread = inbox.c.reading.is_(None), inbox.c.next_try_at.is_(None), inbox.c.pushed == 0
        statement = select(inbox).where(*theirs, *unread).order_by(inbox.c.id).limit(limit)
        return [_item(row, body=inflate(row.body)) for row in self._execute(statement)]

    def put_off(self, until: Mapping[int, datetime]) -> None:
        """Note that items, by their ids, could not be read, and until when they wait before they are tried again."""
        if not until:
            return
        statement = update(inbox).where(inbox.c.id == bindparam("of_id"))
        statement = statement.values(tries=inbox.c.tries + 1, next_try_at=bindparam("of_time"), reading=None)
        rows = [{"of_id": id_, "of_time": time} for id_, time in until.items()]
        self._execute(statement, rows)

    def put_off_of(self, source_ids: Sequence[int]) -> dict[int, int]:
        """How many items of these sources are put off; none are left out."""
        if not source_ids:
            return {}
        theirs = inbox.c.source_id.in_(sorted(set(source_ids))) & inbox.c.next_try_at.is_not(None)
        counted = select(inbox.c.source_id, func.count()).where(theirs).group_by(inbox.c.source_id)
        return {source_id: count for source_id, count in self._execute(counted)}

    def is_put_off(self, until: datetime) -> bool:
        """Whether an item that was put off is to be tried again by *until*."""
        due = select(inbox.c.id).where(inbox.c.next_try_at.is_not(None), inbox.c.next_try_at <= until).limit(1)
        return self._execute(due).first() is not None

    def take_put_off(self, now: datetime, until: datetime, limit: int) -> list[InboxItem]:
        """Up to *limit* items that were put off and whose time has come; nobody is given them again before *until*."""
        due = select(inbox.c.id).where(inbox.c.next_try_at.is_not(None), inbox.c.next_try_at <= now)
        due = due.order_by(inbox.c.next_try_at).limit(limit).with_for_update(skip_locked=True)
        statement = update(inbox).where(inbox.c.id.in_(due)).values(next_try_at=until).returning(*inbox.c)
        return sorted((_item(row, inflate(row.body)) for row in self._execute(statement)), key=lambda item: item.id)

    def count(self) -> int:
        """How many items wait."""
        return dialect.how_many(self._connection, inbox)

    def remove(self, ids: Sequence[int]) -> None:
        """Forget items whose entries are saved in this same transaction."""
        change_in(self._connection, _REMOVED, inbox.c.id, ids)


class RawAnswer(Struct, frozen=True, kw_only=True):
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


_POLLED = case((func.coalesce(inbox.c.claim_id, "") != "", 1), else_=0)
_KEPT = "source_id", "received_at", "final_url", "asked_url", "status", "headers", "pushed", "body"
_THESE = one_of(inbox.c.id, "of_ids")
_KEEP = insert(raw_answers).from_select(
    [*_KEPT, "polled", "size"],
    select(*(inbox.c[name] for name in _KEPT), _POLLED, func.length(inbox.c.body))
    .where(_THESE, (_POLLED == 1) | bindparam("of_all", type_=Boolean))
    .order_by(inbox.c.id),
)


def _old(theirs: ColumnElement[bool]) -> Delete:
    """What sources answered before `of_before`, but the last answer to a poll of each."""
    last = select(func.max(raw_answers.c.id)).where(theirs, raw_answers.c.polled == 1)
    old = delete(raw_answers).where(theirs, raw_answers.c.received_at < bindparam("of_before"))
    return old.where(raw_answers.c.id.not_in(last.group_by(raw_answers.c.source_id)))


_OLD_BESIDE = _old(raw_answers.c.source_id.in_(select(inbox.c.source_id).where(_THESE)))


class RawAnswers(Verbs):
    """``tx.raw_answers``: the last answer of each source, and those of some days if config says so, compressed as they
    came; they are copied from the inbox within the database, so that keeping them costs no second compression.
    """

    def keep(self, item_ids: Collection[int], now: datetime, days: int) -> None:
        """Keep items of the inbox, by their ids, before they are removed: the last answer to a poll of each source, and
        with *days* all that came within these.
        """
        for some in chunks(sorted(item_ids)):
            self._execute(_KEEP, {"of_ids": some, "of_all": days > 0})
            self._execute(_OLD_BESIDE, {"of_ids": some, "of_before": now - timedelta(days=days)})

    def trim(self, now: datetime, days: int, most_bytes: int) -> int:
        """Forget what is older than *days*, then the oldest beyond *most_bytes* in all; how many answers went."""
        counted = select(func.count()).select_from(raw_answers)
        before: int = self._execute(counted).scalar_one()
        self._execute(_old(true()), {"of_before": now - timedelta(days=days)})
        total: int = self._connection.scalar(select(func.sum(raw_answers.c.size))) or 0
        if total > most_bytes:
            doomed = []
            for id_, size in self._execute(select(raw_answers.c.id, raw_answers.c.size).order_by(raw_answers.c.id)):
                doomed.append(id_)
                total -= size
                if total <= most_bytes:
                    break
            for some in chunks(doomed):
                self._execute(delete(raw_answers).where(raw_answers.c.id.in_(some)))
        return before - int(self._execute(counted).scalar_one())

    def since(self, when: datetime | None, source_id: int | None = None) -> Iterator[RawAnswer]:
        """Answers that came at *when* or later (None: all), of one source or of all, in their order."""
        after = 0
        while True:
            statement = select(raw_answers).where(raw_answers.c.id > after)
            if when is not None:
                statement = statement.where(raw_answers.c.received_at >= when)
            if source_id is not None:
                statement = statement.where(raw_answers.c.source_id == source_id)
            rows = self._execute(statement.order_by(raw_answers.c.id).limit(READ_AT_ONCE)).all()
            for row in rows:
                headers = tuple((name, value) for name, value in json.loads(row.headers) if name not in _OWN)
                flags = {"polled": bool(row.polled), "pushed": bool(row.pushed)}
                yield value_of(RawAnswer, row, headers=headers, body=inflate(row.body), **flags)
            if len(rows) < READ_AT_ONCE:
                return
            after = rows[-1].id


class PageQueue(Verbs):
    """``tx.page_queue``: the article pages that listings named and that are not done with, by hashes of addresses."""

    def put(self, source_id: int, pages: Mapping[int, str], most: int | None = None) -> None:
        """Queue *pages*, hash → address, the newest first, before all that is queued; what is queued stays.

        Of more than *most* pages the newest stay.
        """
        rows = [{"source_id": source_id, "link_hash": signed(number), "url": url} for number, url in pages.items()]
        dialect.upsert(self._connection, page_queue, rows[::-1], ["source_id", "link_hash"])
        if most is not None and rows:
            theirs = page_queue.c.source_id == source_id
            oldest = select(page_queue.c.id).where(theirs).order_by(page_queue.c.id.desc()).offset(most).limit(1)
            last = self._connection.scalar(oldest)
            if last is not None:
                self._execute(delete(page_queue).where(theirs, page_queue.c.id <= last))

    def next(self, source_ids: Collection[int], each: int) -> dict[int, list[str]]:
        """The next pages of these sources, at most *each*."""
        found: dict[int, list[str]] = {}
        for source_id in sorted(source_ids):
            pages = select(page_queue.c.url).where(page_queue.c.source_id == source_id)
            newest = pages.order_by(page_queue.c.id.desc()).limit(each)
            if urls := self._execute(newest).scalars().all():
                found[source_id] = list(urls)
        return found

    def done(self, pages: Mapping[int, Collection[int]]) -> None:
        """Forget *pages*, source → hashes."""
        for source_id, hashes in sorted(pages.items()):
            theirs = delete(page_queue).where(page_queue.c.source_id == source_id)
            change_in(self._connection, theirs, page_queue.c.link_hash, [signed(number) for number in sorted(hashes)])


class FolderFiles(Verbs):
    """``tx.folder_files``: which entries files brought, where what is removed is to be retracted."""

    def brought(self, source_id: int, name_hash: int, keys: Mapping[str, str]) -> None:
        """Note the *keys* of all entries that a file holds now, each with the one that it was known by before.

        Where that is another, a file says the same as one that came before it, which has the entry by either key.
        """
        mine, theirs = signed(name_hash), folder_files.c.source_id == source_id
        self._execute(delete(folder_files).where(theirs, folder_files.c.name_hash == mine))
        have = {(mine, key) for pair in keys.items() for key in pair}
        now_called = {known: key for key, known in keys.items() if key != known}
        others = rows_in(self._connection, select(folder_files).where(theirs), folder_files.c.key, sorted(now_called))
        have |= {(row.name_hash, now_called[row.key]) for row in others}
        rows = [{"source_id": source_id, "name_hash": number, "key": key} for number, key in sorted(have)]
        dialect.upsert(self._connection, folder_files, rows, ("source_id", "name_hash", "key"))

    def gone(self, source_id: int, present: Collection[int], now: datetime, grace: timedelta) -> list[str]:
        """The keys of entries whose files have all been away for *grace*, which are forgotten here.

        *present* are the files that are there. What is away only a moment may be a file that gets another name.
        """
        its = folder_files.c.source_id == source_id
        there = {signed(number) for number in present}
        held: set[str] = set()
        back, left, over = [], [], []
        for row in self._execute(select(folder_files).where(its)).all():
            if row.name_hash in there:
                held.add(row.key)
                back += [row] if row.gone_at is not None else []
            elif row.gone_at is None:
                left.append(row)
            elif now - row.gone_at >= grace:
                over.append(row)
        noted = update(folder_files).where(its)
        for statement, rows in (
            (noted.values(gone_at=None), back),
            (noted.values(gone_at=now), left),
            (delete(folder_files).where(its), over),
        ):
            change_in(self._connection, statement, folder_files.c.name_hash, {row.name_hash for row in rows})
        return sorted({row.key for row in over} - held)

    def count(self, source_id: int) -> int:
        """How many files are known of a source that brought entries."""
        its = select(func.count(folder_files.c.name_hash.distinct())).where(folder_files.c.source_id == source_id)
        return int(self._execute(its).scalar_one())


def _is(item: InboxItem) -> ColumnElement[bool]:
    """Whether a row is *item*, whatever its number."""
    return and_(
        inbox.c.source_id == item.source_id,
        inbox.c.claim_id == item.claim_id,
        inbox.c.received_at == item.received_at,
        inbox.c.final_url == item.final_url,
    )


def _item(row: AnyRow, body: bytes) -> InboxItem:
    return dialect.value_of(
        InboxItem,
        row,
        headers=tuple((name, value) for name, value in json.loads(row.headers)),
        validators=Validators(etag=row.etag, last_modified=row.last_modified),
        body=body,
        pushed=bool(row.pushed),
    )
