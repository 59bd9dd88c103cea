"""Single values of a document, read forgivingly: a text, a count, a duration. Part of `parse`. Pure."""

from __future__ import annotations

import re
from typing import Any

from feeds.parse.limits import MAX_SHORT_FIELD_CHARACTERS

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?\Z")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:\.\d+)?\Z")


def short(value: Any) -> str | None:
    """*value* as text without white space around it, cut to its cap; None for nothing, or for what is no text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return value[:MAX_SHORT_FIELD_CHARACTERS].strip() or None


def whole_number(value: Any) -> int | None:
    """*value* as a count or size; None for what is none, for negative and for absurd ones."""
    try:
        number = int(str(value).strip()[:20].replace(",", ""))
    except ValueError:
        return None
    return number if 0 <= number < 2**53 else None


def seconds(value: Any) -> float | None:
    """A duration in seconds, from a number or from ``[hours:]minutes:seconds`` (iTunes); None for anything else."""
    text = str(value).strip()[:20] if value is not None else ""
    if clock := _CLOCK.match(text):
        hours, minutes, rest = clock.groups()
        return float(int(hours or 0) * 3600 + int(minutes) * 60 + int(rest))
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 10_000_000 else None


def decimal(value: Any) -> float | None:
    """*value* as a number, finite; None for what is none."""
    text = str(value).strip()[:40] if value is not None else ""
    return float(text) if _NUMBER.match(text) else None


def truth(value: Any) -> bool | None:
    """What itunes:explicit says, in the words of today and of before; None for anything else."""
    text = str(value).strip().lower()
    if text in ("yes", "true", "explicit"):
        return True
    return False if text in ("no", "false", "clean") else None
