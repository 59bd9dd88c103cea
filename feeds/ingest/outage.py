"""Whether it is this machine's own network that fails. Holds what was seen in the last minute; no I/O."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from feeds.errors import FetchBlocked, FetchError, FetchTooLarge
from feeds.model import Answer

LOOKS_BACK = timedelta(minutes=1)
HOSTS_AT_LEAST = 3
"""So many hosts that can't be reached, and none that can, are no coincidence."""


class Outage:
    """Give it every outcome by `saw`; `now` asks. Sources fail alone, a network fails them all."""

    def __init__(self) -> None:
        self._answered_at: datetime | None = None
        self._failed: deque[tuple[datetime, str]] = deque()

    def saw(self, outcome: Answer | FetchError, at: datetime) -> None:
        """Take in how a request ended."""
        if isinstance(outcome, Answer) or outcome.status is not None or isinstance(outcome, FetchTooLarge):
            self._answered_at = at
            self._failed.clear()
        elif not isinstance(outcome, FetchBlocked):
            self._failed.append((at, urlsplit(outcome.request.url).netloc if outcome.request else outcome.url))
            if len(self._failed) > 1000:
                self._failed.popleft()

    def now(self, at: datetime) -> bool:
        """Whether everything that was asked lately failed before any answer."""
        if self._answered_at is not None and at - self._answered_at < LOOKS_BACK:
            return False
        while self._failed and at - self._failed[0][0] > LOOKS_BACK:
            self._failed.popleft()
        return len({host for _, host in self._failed}) >= HOSTS_AT_LEAST
