"""Folders as sources: they are looked into at once, and their files take the way of every body. I/O: files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from feeds.errors import DeskError
from feeds.fetch.folder import Look, look
from feeds.ingest import verdicts
from feeds.ingest.desk import Desk
from feeds.ingest.endings import Late
from feeds.model import Source
from feeds.redaction import fault_of_ours
from feeds.store import WriteTx
from feeds.store.values import Claim, InboxItem, PollResult

log = logging.getLogger(__name__)

FOLDER_INTERVAL_S = 10.0
FOLDER_RETRY_S = 2.0


@dataclass(slots=True)
class Looked:
    """What looks into folders found: how each poll ended, the files for the inbox (whether of a first poll), and what
    is there besides.
    """

    results: list[PollResult] = field(default_factory=list)
    found: list[tuple[InboxItem, Source, bool]] = field(default_factory=list)
    seen: list[tuple[Source, Look]] = field(default_factory=list)


def tell_files(tx: WriteTx, looked: Looked, now: datetime) -> None:
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
            seen = look(desk.folder, source.target, claim.state.item_hashes, now=at, follow=source.follow)
        except DeskError as error:
            done.results.append(verdicts.failed(claim, error, at=at, settings=desk.settings.poll, jitter=random()))
            continue
        except Exception as error:
            log.exception("a fault of ours looking into the folder of source=%s", source.name)
            fault = DeskError(fault_of_ours(error), remedy="please report it")
            poll, dice = desk.settings.poll, random()
            done.results.append(verdicts.failed(claim, fault, at=at, settings=poll, jitter=dice, ours="fault"))
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
            item = InboxItem(
                id=0,
                source_id=source.id,
                claim_id="",
                received_at=at,
                final_url=f"file:{file.name}",
                status=200,
                headers=(),
                validators=claim.state.validators,
                body=file.body,
                pushed=False,
            )
            done.found.append((item, source, not claim.state.first_poll_done))
    return done
