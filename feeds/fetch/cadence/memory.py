"""A rhythm as the short text that is kept of it between polls, and back. Pure.

Numbers are packed, for nearly every poll reads them. In the text stand `2`, the numbers, the hints, and, where polls
have brought nothing since, the time of the last of these.
"""

from __future__ import annotations

import json
import struct
from binascii import a2b_base64, b2a_base64
from datetime import datetime

from feeds.fetch.cadence.pace import Profile
from feeds.fetch.cadence.rhythm import LIVES_DAYS, Rhythm, Silence
from feeds.model import Hints

_FORM = "2"
_MEMORIES = len(LIVES_DAYS)
_LISTS = (_MEMORIES, _MEMORIES, 24, 24, 7, 7, 24, 7)
"""How long the lists of a rhythm and its profile are, in the order in which they are kept."""
_CUTS = [slice(sum(_LISTS[:at]), sum(_LISTS[: at + 1])) for at in range(len(_LISTS))]
_NUMBERS = struct.Struct(f"<ddIfff{sum(_LISTS)}f")


def recall(memory: str) -> Rhythm:
    """The rhythm that *memory* holds; an empty one where it holds none that can be read."""
    form, _, rest = memory.partition(" ")
    if form != _FORM:
        return Rhythm()
    packed, _, rest = rest.partition(" ")
    hints, _, quiet = rest.partition(" ")
    try:
        at, last_new, window, tight_s, arrivals, longest, *numbers = _NUMBERS.unpack(a2b_base64(packed))
        posts, days, hour_posts, hour_days, day_posts, day_days, hours, weekdays = [numbers[cut] for cut in _CUTS]
        return Rhythm(
            at=at,
            posts=posts,
            days=days,
            hour_posts=hour_posts,
            hour_days=hour_days,
            day_posts=day_posts,
            day_days=day_days,
            window=window,
            tight_s=tight_s,
            last_new=last_new,
            arrivals=arrivals,
            longest=longest,
            hints=_hints(hints) if hints else Hints(),
            profile=Profile(hours, weekdays),
            quiet_until=float(quiet or 0.0),
            told=f"{form} {packed} {hints}",
        )
    except (ValueError, struct.error, KeyError, TypeError, AttributeError):
        return Rhythm()


def remember(rhythm: Rhythm) -> str:
    """*rhythm* as text, below 1 KB."""
    if rhythm.quiet_until:
        return f"{rhythm.told} {rhythm.quiet_until:.0f}"
    packed = _NUMBERS.pack(
        rhythm.at,
        rhythm.last_new,
        rhythm.window,
        rhythm.tight_s,
        rhythm.arrivals,
        rhythm.longest,
        *rhythm.posts,
        *rhythm.days,
        *rhythm.hour_posts,
        *rhythm.hour_days,
        *rhythm.day_posts,
        *rhythm.day_days,
        *rhythm.profile.hours,
        *rhythm.profile.days,
    )
    return f"{_FORM} {b2a_base64(packed, newline=False).decode('ascii')} {_told(rhythm.hints)}"


def silence(memory: str, now: datetime) -> Silence | None:
    """See `Rhythm.silent`."""
    return recall(memory).silent(now.timestamp())


def _hints(text: str) -> Hints:
    told = json.loads(text)
    return Hints(
        ttl_s=told.get("ttl"),
        skip_hours=tuple(int(hour) for hour in told.get("hours", ())),
        skip_days=tuple(int(day) for day in told.get("days", ())),
        update_period_s=told.get("period"),
    )


def _told(hints: Hints) -> str:
    told = {
        "ttl": hints.ttl_s,
        "hours": list(hints.skip_hours),
        "days": list(hints.skip_days),
        "period": hints.update_period_s,
    }
    if not any(told.values()):
        return ""
    return json.dumps({name: value for name, value in told.items() if value}, separators=(",", ":"))
