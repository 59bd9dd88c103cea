"""Folders as sources: they are looked into at once, and their files take the way of every body. I/O: files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from feeds.errors import DeskError
from feeds.fetch.folder import look
from feeds.ingest import verdicts
from feeds.ingest.desk import Desk
from feeds.model import Source
from feeds.store.values import Claim, InboxItem, PollResult

log = logging.getLogger(__name__)

FOLDER_INTERVAL_S = 10.0
FOLDER_RETRY_S = 2.0


@dataclass(slots=True)
class Looked:
    """What looks into folders found: how each poll ended, and the files for the inbox (whether of a first poll)."""

    results: list[PollResult] = field(default_factory=list)
    found: list[tuple[InboxItem, Source, bool]] = field(default_factory=list)


def look_into(
    looks: Iterable[tuple[Claim, Source]], desk: Desk, *, at: datetime, random: Callable[[], float]
) -> Looked:
    """Look into each folder once; one that can't be read is a poll that failed."""
    done = Looked()
    for claim, source in looks:
        try:
            seen = look(desk.folder, source.target, claim.state.item_hashes, now=at)
        except DeskError as error:
            done.results.append(verdicts.failed(claim, error, at=at, settings=desk.settings.poll, jitter=random()))
            continue
        for fault in seen.faults:
            log.warning("source=%s file=%s", source.name, fault)
        wait_s = FOLDER_RETRY_S if seen.waiting else source.interval_s or FOLDER_INTERVAL_S
        done.results.append(
            verdicts.looked(claim, seen.states, found=len(seen.found), waiting=seen.waiting, at=at, wait_s=wait_s)
        )
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
