"""Column types that both databases agree on, keys that an index can hold, marks of tombstones. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Integer
from sqlalchemy.types import TypeDecorator

from feeds.codec import EPOCH, micros, moment

Id = BigInteger().with_variant(Integer, "sqlite")
"""A row's number: SQLite only numbers rows by itself where the type is spelled INTEGER."""
T = TypeVar("T")
LONGEST = 600
"""Characters of an indexed text: PostgreSQL refuses index rows past some 2,700 bytes."""


def plain(value: Any) -> Any:
    """*value* as a driver takes it: a time becomes its `micros`."""
    return micros(value) if value.__class__ is datetime else value


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes, kept as integer microseconds: no database gets to interpret or drop a zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)

    # Neither driver needs what the decorated type would do besides, and there are a thousand times in a poll.
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], int | None]:
        return lambda value: None if value is None else micros(value)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], datetime | None]:
        return lambda value: None if value is None else EPOCH + timedelta(0, 0, value)


def signed(value: int) -> int:
    """An unsigned 64 bit hash as both databases can keep it."""
    return value - (1 << 64) if value >= 1 << 63 else value


def unsigned(value: int) -> int:
    """The hash that `signed` was given."""
    return value + (1 << 64) if value < 0 else value


def storable(text: str) -> str:
    """*text* without what a database refuses: NUL (PostgreSQL) and lone surrogates (both)."""
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def indexable(text: str) -> str:
    """*text* as an index can hold it, cut behind a hash where it is too long; twice is the same as once."""
    text = storable(text)
    if len(text) <= LONGEST:
        return text
    digest = blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{text[: LONGEST - 33]}#{digest}"


def entry_mark(source_id: int, key: str) -> int:
    """The tombstone of an entry; marks of entries, URLs, texts and articles never mean each other."""
    return _mark(f"entry\0{source_id}\0{indexable(key)}")


def url_mark(comparable: str) -> int:
    """The tombstone of a comparable URL."""
    return _mark(f"url\0{indexable(comparable)}")


def text_mark(text_hash: int) -> int:
    """The tombstone of an unsigned text hash."""
    return _mark(f"text\0{text_hash}")


def article_mark(uid: str) -> int:
    """The tombstone of an article."""
    return _mark(f"article\0{uid}")


def _mark(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)


def chunks(items: Sequence[T], most: int = 400) -> Iterator[Sequence[T]]:
    """*items* in pieces that an IN list takes on both databases."""
    for start in range(0, len(items), most):
        yield items[start : start + most]
