"""When to ask a source next. Pure: what a poll brought and what is remembered go in, the next time comes out."""

from feeds.fetch.cadence.planning import BACKOFF_CAP_S, BACKOFF_S, JITTER, RETRY_AFTER_CAP_S, Plan, plan
from feeds.fetch.cadence.rhythm import Ours, Poll, PollOutcome, Silence, silence

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
