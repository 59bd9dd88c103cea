"""Bodies that no poll asked for: files of folders, and what sources' hubs push. They take the way of every body.
I/O: files, the store.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import xxhash
from msgspec import Struct, field
from msgspec.structs import replace

from feeds.configuration import FetchSettings, Source
from feeds.errors import DeskError, FetchError
from feeds.fetch.folder import Look, look
from feeds.fetch.mailbox import Letters, fetch_letters, look_into_maildir
from feeds.ingest import verdicts
from feeds.ingest.desk import Desk
from feeds.ingest.reading import Reading
from feeds.ingest.verdicts import Late
from feeds.parsed import Answer, Validators
from feeds.redaction import fault_of_ours
from feeds.store import Store, WriteTx
from feeds.store.values import Claim, InboxItem, PollResult

if TYPE_CHECKING:
    from feeds.hub.subscribing import Discovered


log = logging.getLogger(__name__)

FOLDER_INTERVAL_S = 10.0
FOLDER_RETRY_S = 2.0
MAIL_INTERVAL_S = 300.0
MAIL_THREADS = 4
OVERLAP = 100
AT_ONCE = 200
REMOVED_GRACE = timedelta(minutes=1)
"""How long a file must be away: one that gets another name, or is put back, is not removed."""
MOST_AT_ONCE = 10
"""Of so many files or more half may not go at once."""


class Looked(Struct):
    """What looks into folders found: how each poll ended, the files for the inbox (whether of a first poll), and what
    is there besides.
    """

    results: list[PollResult] = field(default_factory=list)
    found: list[tuple[InboxItem, Source, bool]] = field(default_factory=list)
    seen: list[tuple[Source, Look]] = field(default_factory=list)


def report_files(tx: WriteTx, looked: Looked, now: datetime) -> None:
    """Open an event for each file that is refused, and close those of files that are gone."""
    open_for = tx.events.subjects("document")
    for source, seen in looked.seen:
        prefix = f"{source.key}:file:"
        for subject in open_for:
            if subject.startswith(prefix) and subject.removeprefix(prefix) not in seen.names:
                tx.events.close("document", subject, now)
        for one in seen.refused:
            text = f"{source.name}: file:{one.name}: {one.cause}"
            tx.events.add("document", f"{prefix}{one.name}", text=text, remedy=one.remedy, now=now)


def retract_removed(tx: WriteTx, looked: Looked, now: datetime) -> None:
    """Take back the articles of files that are removed, where config says so.

    Where most files of a folder are away at once a disk may be: then nothing is taken back, and that is told.
    """
    for source, seen in looked.seen:
        if source.removed != "retract":
            continue
        known, subject = tx.folder_files.count(source.id), f"{source.key}:removed"
        present = {name_hash(name) for name in seen.names}
        if known >= MOST_AT_ONCE and len(present) * 2 < known:
            text = f"{source.name}: {known - len(present)} of {known} files are away; their articles stay for now"
            remedy = "is the disk there? To have them out, set `removed: keep` and use `wiredesk retract`"
            tx.events.add("document", subject, text=text, remedy=remedy, now=now)
            continue
        tx.events.close("document", subject, now)
        for key in tx.folder_files.gone(source.id, present, now, REMOVED_GRACE):
            if tx.articles.take_back(source.id, key, "its file was removed", now):
                log.info("source=%s: retracted %s, its file was removed", source.name, key)


def name_hash(name: str) -> int:
    """By which a file of a folder is known; *name* is fit to be shown."""
    return xxhash.xxh3_64_intdigest(name.encode())


def refused(looked: Looked) -> list[Late]:
    """The files that are refused, as documents that came to nothing."""
    return [
        Late(source_id=source.id, name=source.name, document=f"file:{one.name}", error=one.cause, remedy=one.remedy)
        for source, seen in looked.seen
        for one in seen.refused
    ]


def look_into(
    looks: Iterable[tuple[Claim, Source]], desk: Desk, *, at: datetime, random: Callable[[], float]
) -> Looked:
    """Look into each folder once; one that can't be read is a poll that failed."""
    done = Looked()
    for claim, source in looks:
        try:
            seen = _look(desk, claim, source, at)
        except DeskError as error:
            done.results.append(verdicts.failed(claim, error, at=at, settings=desk.settings.poll, jitter=random()))
            continue
        except Exception as error:
            log.exception("a fault of ours looking into the folder of source=%s", source.name)
            fault = DeskError(fault_of_ours(error), remedy="please report it")
            poll = desk.settings.poll
            done.results.append(verdicts.failed(claim, fault, at=at, settings=poll, jitter=random(), ours="fault"))
            continue
        done.seen.append((source, seen))
        for one in seen.refused:
            log.warning("source=%s document=file:%s: %s; %s", source.name, one.name, one.cause, one.remedy)
        if seen.untold:
            log.warning("source=%s: %d more files are not read; the next looks say which", source.name, seen.untold)
        wait_s = FOLDER_RETRY_S if seen.waiting else source.interval_s or FOLDER_INTERVAL_S
        states, found, waiting = tuple(seen.states), len(seen.found), seen.waiting
        done.results.append(verdicts.looked(claim, states, found=found, waiting=waiting, at=at, wait_s=wait_s))
        for file in seen.found:
            item = _item(source, f"file:{file.name}", file.body, at)
            done.found.append((item, source, not claim.state.first_poll_done))
    return done


def _look(desk: Desk, claim: Claim, source: Source, at: datetime) -> Look:
    known = claim.state.item_hashes
    if source.kind == "mail":
        senders, mark_read = source.senders, source.mark_read
        return look_into_maildir(desk.folder, source.target, known, senders, mark_read=mark_read, now=at)
    return look(desk.folder, source.target, known, now=at, follow=source.follow)


def _take_letters(
    done: Looked, claim: Claim, source: Source, letters: Letters | DeskError, desk: Desk, *, at: datetime, jitter: float
) -> None:
    """Add what a look into a mailbox brought, or that it failed."""
    if isinstance(letters, DeskError):
        if isinstance(letters, FetchError):
            desk.redact(letters)
        ended = verdicts.failed(claim, letters, at=at, settings=desk.settings.poll, jitter=jitter)
        done.results.append(ended)
        return
    wait_s = FOLDER_RETRY_S if letters.more else source.interval_s or MAIL_INTERVAL_S
    result = verdicts.looked(claim, (), found=len(letters.found), waiting=0, at=at, wait_s=wait_s)
    state = replace(result.state, validators=Validators(etag=letters.state))
    done.results.append(replace(result, state=state, reason="more letters wait" if letters.more else "its mailbox"))
    if letters.passed_over or letters.too_large:
        log.info(
            "source=%s: %d letters of others and %d that are too large are not taken",
            source.name, letters.passed_over, letters.too_large,
        )  # fmt: skip
    for uid, body in letters.found:
        done.found.append((_item(source, f"mail:{uid}", body, at), source, not claim.state.first_poll_done))


def _item(source: Source, name: str, body: bytes, at: datetime) -> InboxItem:
    return InboxItem(source_id=source.id, claim_id="", received_at=at, final_url=name, body=body)


class Mailboxes:
    """Looks into mailboxes on servers, on a few threads: `begin` each, `done` gives those that have ended."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._under_way: list[tuple[Claim, Source, Future[Letters]]] = []

    def begin(self, claim: Claim, source: Source, settings: FetchSettings) -> None:
        """Look into the mailbox of *source*, whose target holds its password."""
        self._threads = self._threads or ThreadPoolExecutor(MAIL_THREADS, "mail")
        state, senders = claim.state.validators.etag or "", source.senders
        asked = partial(fetch_letters, source.target, state, senders, settings=settings, mark_read=source.mark_read)
        self._under_way.append((claim, source, self._threads.submit(asked)))

    def done(self) -> list[tuple[Claim, Source, Letters | DeskError]]:
        """What has come, or went wrong, since this was last called."""
        ended = [one for one in self._under_way if one[2].done()]
        self._under_way = [one for one in self._under_way if not one[2].done()]
        return [(claim, source, _outcome(future, source)) for claim, source, future in ended]

    def close(self) -> None:
        """Begin nothing more."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _outcome(future: Future[Letters], source: Source) -> Letters | DeskError:
    try:
        return future.result()
    except DeskError as error:
        return error
    except Exception as error:
        log.exception("a fault of ours looking into the mailbox of source=%s", source.name)
        return DeskError(fault_of_ours(error), remedy="please report it")


class Folders:
    """Folders to be looked into, and what looks found that is not known to be in the store."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Claim, Source]] = []
        self.mailboxes = Mailboxes()
        self._unconfirmed: Looked | None = None

    def look(
        self, store: Store, desk: Desk, *, clock: Callable[[], datetime], random: Callable[[], float]
    ) -> tuple[Looked, list[int]] | None:
        """Look into those that wait and put their files into the inbox: what was found, and the files' numbers there.

        None where none waits. Raises StoreError; the next call then writes what was found.
        """
        came = self.mailboxes.done() if self._unconfirmed is None else []
        if not self.waiting and not came and self._unconfirmed is None:
            return None
        again = self._unconfirmed is not None
        if self._unconfirmed is None:
            waiting, self.waiting = self.waiting, []
            self._unconfirmed = look_into(waiting, desk, at=clock(), random=random)
            for claim, source, letters in came:
                _take_letters(self._unconfirmed, claim, source, letters, desk, at=clock(), jitter=random())
        looked = self._unconfirmed
        with store.write() as tx:
            ids = tx.inbox.put([item for item, _, _ in looked.found], again=again)
            tx.sources.finish(looked.results)
            report_files(tx, looked, clock())
            retract_removed(tx, looked, clock())
        self._unconfirmed = None
        return looked, ids


class Pushes:
    """Gives each pushed body once. Not for several threads."""

    def __init__(self) -> None:
        self._newest = 0
        self._taken: set[int] = set()

    def read(self, *items: InboxItem) -> None:
        """Note *items* that are being read already, as after a restart."""
        for item in items:
            self._taken.add(item.id)
            self._newest = max(self._newest, item.id)
        if len(self._taken) > 2 * OVERLAP:
            self._taken = {id for id in self._taken if id > self._newest - OVERLAP}

    def take(self, store: Store) -> list[tuple[InboxItem, Claim]]:
        """What has been pushed since, each with its source. Raises StoreError."""
        with store.read() as tx:
            # Numbers given to several web processes may be seen out of order.
            items = tx.inbox.waiting(AT_ONCE, max(self._newest - OVERLAP, 0), pushed=True)
            items = [item for item in items if item.id not in self._taken]
            claims = tx.sources.claims_of([item.source_id for item in items]) if items else {}
        self.read(*items)
        return [(item, claims[item.source_id]) for item in items if item.source_id in claims]


def hub_of(answer: Answer, reading: Reading) -> Discovered | None:
    """Return the hub that a polled feed names; None where it names none, or could not be read."""
    if reading.error is not None:
        return None
    from feeds.hub.subscribing import discover  # where feeds name hubs alone

    return discover(answer.headers, base=answer.final_url, hubs=reading.hubs, self_url=reading.self_url)


def note_hubs(tx: WriteTx, found: Iterable[tuple[int, Discovered]], now: datetime) -> None:
    """Keep the hubs of sources, to be subscribed to; token and secret are drawn for those that are new."""
    for source_id, named in found:
        token, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        tx.hubs.found(source_id, named.hub, named.topic, now, token=token, secret=secret)
