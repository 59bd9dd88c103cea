"""Column types that both databases agree on. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Id = BigInteger().with_variant(Integer, "sqlite")
"""A row's number: SQLite only numbers rows by itself where the type is spelled INTEGER."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly. Raises ValueError if *moment* has no zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {moment!r}")
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment(value: int) -> datetime:
    """The aware UTC time that `micros` gave *value* for."""
    return EPOCH + timedelta(microseconds=value)


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
