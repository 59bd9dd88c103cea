"""When to ask a source next. Pure: what a poll brought and what is remembered go in, the next time comes out."""

from feeds.fetch.cadence.planning import BACKOFF_CAP_S, BACKOFF_S, JITTER, RETRY_AFTER_CAP_S, plan
from feeds.fetch.cadence.rhythm import Silence, silence
from feeds.fetch.cadence.values import Ours, Plan, Poll, PollOutcome

__all__ = [
    "BACKOFF_CAP_S",
    "BACKOFF_S",
    "JITTER",
    "RETRY_AFTER_CAP_S",
    "Ours",
    "Plan",
    "Poll",
    "PollOutcome",
    "Silence",
    "plan",
    "silence",
]
