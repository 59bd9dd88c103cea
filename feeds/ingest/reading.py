"""Flow, first half of ingest: one body from parse to normalise. Runs in a parse worker; no I/O, no clock.

What comes back crosses a pipe, so it is values alone; every DeskError is a value too, for it is one source's trouble.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, convert, msgpack, to_builtins

from feeds.configuration import Source
from feeds.errors import DeskError, ParseError, ParseUnfinished
from feeds.model import NOTHING_BESIDE, Beside, Entry
from feeds.parsed import Hints
from feeds.text import Shown

Reader = Literal["feed", "document", "letter", "page", "listing", "selected", "sitemap"]


class Job(Struct, frozen=True, kw_only=True):
    """One body to read. *name* is the file's name for a document; *item_hashes* and *item_marks* are what is remembered
    of the items that the feed had at the last poll, see `ItemMarks` in `feeds.ingest.readers`; *learnt* is what
    recurs in what its source or site shows, see `feeds.text`.
    """

    reader: Reader
    body: bytes
    url: str
    source: Source
    received_at: datetime
    desk_language: str
    desk_timezone: str
    content_type: str | None = None
    name: str = ""
    item_hashes: tuple[int, ...] = ()
    item_marks: bytes = b""
    learnt: bytes = b""


class Reading(Struct, frozen=True, kw_only=True):
    """What a body said, and what stands *beside* the entries that were read; *error*: why it could not be read."""

    entries: tuple[Entry, ...] = ()
    beside: Beside = NOTHING_BESIDE
    kind: str = ""
    title: str = ""
    site: str | None = None
    hints: Hints = Hints()
    hubs: tuple[str, ...] = ()
    self_url: str | None = None
    links: tuple[str, ...] = ()
    next_page: str | None = None  # of a list read by selectors, where all that this page has is unknown
    broken_off: bool = False  # there is more than was read, to be asked for though the body be the same
    killed: tuple[str, ...] = ()  # keys of entries that their agency takes back
    embargo: datetime | None = None  # until when nothing of it may be shown
    item_hashes: tuple[int, ...] = ()
    item_marks: bytes = b""
    shown: tuple[Shown, ...] = ()  # what was seen of the lines that may recur, the newest document last
    notes: tuple[str, ...] = ()
    error: DeskError | None = None
    bug: str = ""  # the traceback where *error* is our own fault


def read(job: Job) -> Reading:
    """Parse and normalise *job*'s body. Never raises for what the body holds."""
    from feeds.ingest.readers import read_body  # loads the parsers, which the process that hands out jobs does without

    try:
        return read_body(job)
    except DeskError as error:
        return Reading(error=error)
    except RecursionError:
        return Reading(error=ParseError("the document is nested too deeply", remedy="ask its publisher to mend it"))


# ------------------------------------------------------------------ across a pipe, or through a database

_ERRORS = {kind.__name__: kind for kind in (DeskError, ParseError, ParseUnfinished)}


def error_as_words(error: DeskError) -> list[str]:
    """The kind of *error*, its cause and its remedy."""
    return [type(error).__name__, error.cause, error.remedy]


def error_from_words(words: list[str]) -> DeskError:
    """The error that `error_as_words` was given."""
    name, cause, remedy = words
    return _ERRORS.get(name, ParseError)(cause, remedy=remedy)


def _error_of(_: type[Any], words: Any) -> DeskError:
    return error_from_words(words)


_ENCODER = msgpack.Encoder(enc_hook=error_as_words)
_DECODER = msgpack.Decoder(Reading, dec_hook=_error_of)


def reading_to_bytes(reading: Reading) -> bytes:
    """*reading* as values that cannot run. Raises some Exception where it holds anything else."""
    try:
        return _ENCODER.encode(reading)
    except UnicodeEncodeError:  # half a surrogate pair, as JSON and names of files may have: only JSON can say it
        return json.dumps(to_builtins(reading, enc_hook=error_as_words)).encode()


def reading_from_bytes(blob: bytes) -> Reading:
    """The reading that `reading_to_bytes` was given. Raises ValueError for anything else."""
    if blob.startswith(b"{"):  # where MessagePack has a number
        return convert(json.loads(blob), Reading, dec_hook=_error_of)
    return _DECODER.decode(blob)
