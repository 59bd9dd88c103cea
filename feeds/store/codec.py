"""Values to bytes and back: entries and headers as they lie in a column. Pure.

JSON without the fields that have their default, then deflate at its fastest level. Reading is tolerant both ways: a
field that this release does not know is left out, one that the row does not have gets its default.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import sys
import types
import typing
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from isal import isal_zlib

from feeds.model import Entry
from feeds.store.columns import micros, moment

T = TypeVar("T")

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def deflate(body: bytes) -> bytes:
    """*body*, smaller; for columns."""
    packed: bytes = isal_zlib.compress(body, 1)
    return packed


def inflate(body: bytes) -> bytes:
    """What `deflate` was given."""
    plain: bytes = isal_zlib.decompress(body)
    return plain


def entry_to_blob(entry: Entry) -> bytes:
    """*entry* as a column keeps it."""
    return deflate(_COMPACT.encode(plain(entry)).encode("utf-8", "surrogatepass"))


def entry_from_blob(blob: bytes) -> Entry:
    """The entry that `entry_to_blob` was given."""
    return restore(Entry, json.loads(inflate(blob)))


def part_from_blob(blob: bytes, fields: frozenset[str]) -> Entry:
    """The entry with these *fields* alone, such as FILING_FIELDS: what many are gone through for costs half as much."""
    told = json.loads(inflate(blob))
    return restore(Entry, {name: told[name] for name in fields & told.keys()})


def hashes_to_blob(hashes: tuple[int, ...]) -> bytes:
    """Unsigned 64 bit numbers, eight bytes each."""
    return struct.pack(f"<{len(hashes)}Q", *hashes)


def hashes_from_blob(blob: bytes | None) -> tuple[int, ...]:
    """The numbers that `hashes_to_blob` was given."""
    if not blob:
        return ()
    return struct.unpack(f"<{len(blob) // 8}Q", blob)


def plain(value: Any) -> Any:
    """A dataclass, or a field of one, as JSON can say it; times become microseconds."""
    kind = value.__class__
    if kind in _AS_IT_IS:
        return value
    if kind is tuple:
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return micros(value)
    told = {}
    for name, default in _defaults(kind):
        kept = getattr(value, name)
        if kept is not default and kept != default:
            told[name] = kept if kept.__class__ in _AS_IT_IS else plain(kept)
    return told


_AS_IT_IS = frozenset({str, int, float, bool, type(None), list, dict})
"""What JSON has itself; looked up, for an entry has some fifty fields and a poll thousands of entries."""


def restore(kind: type[T], value: Any) -> T:
    """The *kind* that `plain` made *value* of."""
    restored: T = _reader(cast(Any, kind))(value)
    return restored


_UNSET = object()


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (each.name, _UNSET if each.default is dataclasses.MISSING else each.default)
        for each in dataclasses.fields(kind)
    )


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    """What turns JSON's idea of a value of type *hint* back into it."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass_reader(hint)
    if hint is datetime:
        return moment
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        inner = _reader(next(each for each in arguments if each is not type(None)))
        return inner if inner is _as_it_is else lambda value: None if value is None else inner(value)
    if origin is tuple and arguments[-1] is Ellipsis:
        item = _reader(arguments[0])
        return tuple if item is _as_it_is else lambda value: tuple([item(each) for each in value])
    if origin is tuple:
        items = [_reader(each) for each in arguments]
        return lambda value: tuple([read(each) for read, each in zip(items, value, strict=True)])
    return _as_it_is


def _dataclass_reader(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind, vars(sys.modules[kind.__module__]))
    names = {each.name for each in dataclasses.fields(kind)}
    # Most fields are text or numbers and need no reading: every entry of every article comes through here.
    readers = [(name, reader) for name in names if (reader := _reader(hints[name])) is not _as_it_is]

    def read(value: dict[str, Any]) -> Any:
        kept = dict(value) if value.keys() <= names else {name: value[name] for name in value.keys() & names}
        for name, reader in readers:
            if name in kept:
                kept[name] = reader(kept[name])
        return kind(**kept)

    return read


def _as_it_is(value: Any) -> Any:
    return value
