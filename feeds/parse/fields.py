"""What one document may cost, and its single values read forgivingly: a text, a count, a duration. Pure.

What passes a cap on amount (entries, bytes of a field) is cut off there, with a warning on the ParsedFeed; what
passes a cap that no honest document reaches (depth, expansion, DOCTYPE) is a ParseError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from feeds.files import tables
from feeds.parsed import RawText, TextType
from feeds.text import mend_references

MAX_ENTRIES = 2_000
"""Entries read from one document; the rest is left out, with a warning."""

MAX_LOOSE_BYTES = 1_048_576
"""Bytes of a malformed document that are read; the loose parser takes up to six seconds a megabyte."""

MAX_DEPTH_ELEMENTS = 200
"""Elements open at once. Feeds with inline XHTML reach some thirty."""

MAX_FIELD_CHARACTERS = 1_000_000
"""Characters kept of one text: title, summary or content."""

MAX_SHORT_FIELD_CHARACTERS = 10_000
"""Characters kept of an id, link, date, name or category: more is junk."""

MAX_AUTHOR_CHARACTERS = 400
"""Characters of an author's name and address that are taken apart."""

MAX_NAMESPACES = 500
"""Prefixes declared in one document; honest ones declare some thirty."""

MAX_LIST_ITEMS = 200
"""Members kept of one list of an entry or feed: categories, authors, enclosures."""

MAX_PLACE_POINTS = 500
"""Pairs of latitude and longitude in one place; weather warnings have some hundred at most."""

MAX_DOCTYPE_BYTES = 32_768
"""Bytes of a DOCTYPE with its internal subset; the largest honest ones bring the entities of HTML, some 10 kB."""

MAX_EXPANSION_BYTES = 1_048_576
"""Bytes that all references to a document's own entities may come to."""

MAX_LEAD_BYTES = 4_096
"""Bytes of junk (warnings of a script, blank lines) that may stand before the document."""

MAX_ROOT_TAG_BYTES = 65_536
"""Bytes of one start tag with its attributes, such as a root with its namespaces."""

MAX_JSON_DEPTH = 64
"""Objects and arrays open at once in a JSON Feed."""

BROKEN_OFF = "the document breaks off; read is what stands whole before"
"""The warning of a document whose end is missing."""

FULL = f"more than {MAX_ENTRIES} entries; only the first are read"
"""The warning of a document that passes MAX_ENTRIES."""


_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?\Z")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:\.\d+)?\Z")


def short(value: Any) -> str | None:
    """*value* as text without white space around it, cut to its cap; None for nothing, or for what is no text."""
    if not isinstance(value, str):
        if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        value = str(value)
    return value[:MAX_SHORT_FIELD_CHARACTERS].strip() or None


def text(value: Any) -> str:
    """*value* as `short` gives it, ``""`` for None."""
    return short(value) or ""


def raw_text(value: Any, kind: TextType, base: str = "", language: str | None = None) -> RawText | None:
    """*value* as the text of a document, cut to its cap, references in HTML mended; None where it has no words."""
    if not isinstance(value, str) or not value.strip():
        return None
    value = value[:MAX_FIELD_CHARACTERS]
    return RawText(value=mend_references(value) if kind == "html" else value, type=kind, base=base, language=language)


def is_web_address(value: str | None) -> bool:
    """Whether *value* begins as an http(s) address does."""
    return value is not None and value.lower().startswith(("http://", "https://"))


def whole_number(value: Any) -> int | None:
    """*value* as a count or size; None for what is none, for negative and for absurd ones."""
    if value is None:
        return None
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


Table = Mapping[str, tuple[str, Callable[[Any], Any]]]
"""For each field of a record: the member of what a document says that holds it, and how that is read."""


def read_fields(members: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """The fields of a record, read from what a document *members* by *table*."""
    return {field: read(members.get(name)) for field, (name, read) in table.items()}


PHRASES = tables("parse/phrases.txt")
"""Words of the press by what they tell: the rows of each table."""


def any_of(table: str) -> str:
    """The expressions in the rows of *table* as one, for a group."""
    return "|".join(PHRASES[table])
