"""What the ingest process counts of its polls and its hub, for `/metrics`. I/O: files shared with the web processes."""

from __future__ import annotations

import os
import time
from typing import Any

from feeds.ingest.flow import Turn
from feeds.serve.counters import FLUSH_S, Shared, shared_folder

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class IngestCounts:
    """Counters of one ingest process, left for the web processes once in `FLUSH_S` while it counts."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Histogram

        self._shared = Shared(shared_folder(os.environ))
        self._save_at = 0.0
        self._unsaved = False
        registry = self._shared.registry
        self._polls = Counter("wiredesk_polls", "Polls by outcome", ["outcome"], registry=registry)
        self._entries = Counter("wiredesk_came", "Entries that came, by what they were", ["kind"], registry=registry)
        self._bytes = Counter("wiredesk_fetched_bytes", "Bytes fetched, as they came over the wire", registry=registry)
        self._seconds: Any = Histogram(
            "wiredesk_poll_seconds", "Time from asking to the whole answer", buckets=_SECONDS, registry=registry
        )
        self._hub = Counter(
            "wiredesk_hub_messages",
            "Deliveries to subscribers and pings to hubs",
            ["kind", "outcome"],
            registry=registry,
        )

    def count_message(self, kind: str, outcome: str) -> None:
        """Count what deliveries sent."""
        self._hub.labels(kind, outcome).inc()
        self._unsaved = True

    def count(self, turn: Turn) -> None:
        """Count what one turn of the loop did, and leave what was counted since for the web processes."""
        self._unsaved |= bool(turn)
        for poll in turn.polls:
            self._polls.labels(poll.outcome).inc()
            self._bytes.inc(poll.wire_bytes)
            if poll.seconds:
                self._seconds.observe(poll.seconds)
        for kind, count in (("new", turn.new), ("copy", turn.copies), ("updated", turn.updated)):
            if count:
                self._entries.labels(kind).inc(count)
        self._save()

    def _save(self) -> None:
        now = time.monotonic()
        if self._unsaved and now >= self._save_at:
            self._unsaved, self._save_at = False, now + FLUSH_S
            self._shared.save()
