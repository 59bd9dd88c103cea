"""What the cadence takes and gives. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from feeds.errors import FailureKind
from feeds.model import Hints

PollOutcome = Literal["new", "same", "not-modified", "failed", "gone"]
Ours = Literal["", "network", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one poll brought. *window* counts the entries the document held, *new* those never seen before.

    *published* are the dates of the new entries; *fresh_s* is what Cache-Control or Expires still allow (RFC 9111
    §4.2); *hints* what the document declares, None where no document was read. *ours*: a failure that says nothing
    about the source, of this machine's network or a fault of the desk's own.
    """

    at: datetime
    outcome: PollOutcome
    new: int = 0
    window: int = 0
    first: bool = False
    published: tuple[datetime, ...] = ()
    fresh_s: float | None = None
    hints: Hints | None = None
    failure: FailureKind | None = None
    retry_after_s: float | None = None
    ours: Ours = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When to ask next and why. *memory* is the cadence's own JSON, handed back at the next poll.

    *interval_s* is the usual interval at present, which a failure leaves as it was.
    """

    next_poll_at: datetime
    interval_s: float
    failures: int
    memory: str
    reason: str
