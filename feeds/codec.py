"""The one serialiser: values to JSON's own kinds and to bytes, and back. Ground floor. Pure.

`plain` leaves out fields that have their default; `restore` is tolerant both ways: a field that this release does not
know is left out, one that is not there gets its default. So what an earlier release stored can be read, and what a
later one stored, too. Columns hold such JSON deflated at its fastest level; times are microseconds.
"""

from __future__ import annotations

import json
import struct
import types
import typing
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar, cast

from isal import isal_zlib
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from feeds.model import Entry

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps makes one each time
_AS_IT_IS = frozenset({str, int, float, bool, type(None), list, dict})
"""What JSON has itself; looked up, for an entry has some fifty fields and a poll thousands of entries."""


def plain(value: Any, *, without: Collection[str] = ()) -> Any:
    """A Struct, or a field of one, as JSON can say it; times become microseconds. Fields *without* are left out."""
    kind = value.__class__
    if kind in _AS_IT_IS:
        return value
    if kind is tuple:
        return [item if item.__class__ in _AS_IT_IS else plain(item, without=without) for item in value]
    if kind is frozenset:
        return plain(tuple(sorted(value)), without=without)
    if kind is datetime:
        return micros(value)
    return b64encode(value).decode("ascii") if kind is bytes else _plain_fields(value, kind, without)


def _plain_fields(value: Any, kind: type, without: Collection[str]) -> dict[str, Any]:
    told = {}
    for name, default in _defaults(kind):
        field = getattr(value, name)
        if field is not default and field != default and name not in without:
            told[name] = field if field.__class__ in _AS_IT_IS else plain(field, without=without)
    return told


def restore(kind: type[T], value: Any) -> T:
    """The *kind* that `plain` made *value* of. Raises TypeError, ValueError, KeyError or AttributeError for another."""
    restored: T = _reader(cast(Any, kind))(value)
    return restored


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly. Raises ValueError if *moment* has no zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {moment!r}")
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment(value: int) -> datetime:
    """The aware UTC time that `micros` gave *value* for."""
    return EPOCH + timedelta(microseconds=value)


def deflate(body: bytes) -> bytes:
    """*body*, smaller; for columns."""
    packed: bytes = isal_zlib.compress(body, 1)
    return packed


def inflate(body: bytes) -> bytes:
    """What `deflate` was given."""
    unpacked: bytes = isal_zlib.decompress(body)
    return unpacked


def compact_json(value: object) -> str:
    """*value* as JSON without spaces, its text unescaped where JSON allows it."""
    return _COMPACT.encode(value)


def entry_to_blob(entry: Entry) -> bytes:
    """*entry* as a column keeps it."""
    return deflate(compact_json(plain(entry)).encode("utf-8", "surrogatepass"))


def entry_from_blob(blob: bytes) -> Entry:
    """The entry that `entry_to_blob` was given."""
    return restore(Entry, json.loads(inflate(blob)))


def part_from_blob(blob: bytes, fields: frozenset[str]) -> Entry:
    """The entry with these *fields* alone, such as FILING_FIELDS: what many are gone through for costs half as much."""
    stored = json.loads(inflate(blob))
    return restore(Entry, {name: stored[name] for name in fields & stored.keys()})


def hashes_to_blob(hashes: tuple[int, ...]) -> bytes:
    """Unsigned 64 bit numbers, eight bytes each."""
    return struct.pack(f"<{len(hashes)}Q", *hashes)


def hashes_from_blob(blob: bytes | None) -> tuple[int, ...]:
    """The numbers that `hashes_to_blob` was given."""
    if not blob:
        return ()
    return struct.unpack(f"<{len(blob) // 8}Q", blob)


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple((each.name, each.default) for each in fields(kind))


_READERS: dict[Any, Callable[[Any], Any]] = {datetime: moment, bytes: b64decode}


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    """What turns JSON's idea of a value of type *hint* back into it."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _struct_reader(hint)
    if hint in _READERS:
        return _READERS[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _union_reader([each for each in arguments if each is not type(None)])
    if origin is frozenset:
        item = _reader(arguments[0])
        return lambda value: frozenset(item(each) for each in value)
    return _tuple_reader(arguments) if origin is tuple else _as_it_is


def _tuple_reader(hints: tuple[Any, ...]) -> Callable[[Any], Any]:
    """``tuple[X, ...]`` is of any length, ``tuple[X, Y]`` of this one."""
    if hints[-1] is Ellipsis:
        item = _reader(hints[0])
        return tuple if item is _as_it_is else lambda value: tuple([item(each) for each in value])
    items = [_reader(each) for each in hints]
    return lambda value: tuple([read(each) for read, each in zip(items, value, strict=True)])


def _union_reader(kinds: list[Any]) -> Callable[[Any], Any]:
    """None, or the one of *kinds* whose required fields are all there; the one with the most of them goes first."""
    if len(kinds) == 1:
        inner = _reader(kinds[0])
        return inner if inner is _as_it_is else lambda value: None if value is None else inner(value)
    required = {kind: {name for name, default in _defaults(kind) if default is NODEFAULT} for kind in kinds}
    readers = [(required[kind], _reader(kind)) for kind in sorted(kinds, key=lambda kind: -len(required[kind]))]
    return lambda value: next(read for names, read in readers if names <= value.keys())(value)


def _struct_reader(kind: Any) -> Callable[[Any], Any]:
    names = set(kind.__struct_fields__)
    # Most fields are text or numbers and need no reading: every entry of every article comes through here.
    readers: list[tuple[str, Callable[[Any], Any]]] | None = None

    def read(value: dict[str, Any]) -> Any:
        nonlocal readers
        if readers is None:  # now, for a field may hold more of the same kind
            hints = typing.get_type_hints(kind)
            readers = [(name, reader) for name in names if (reader := _reader(hints[name])) is not _as_it_is]
        kept = dict(value) if value.keys() <= names else {name: value[name] for name in value.keys() & names}
        for name, reader in readers:
            if name in kept:
                kept[name] = reader(kept[name])
        return kind(**kept)

    return read


def _as_it_is(value: Any) -> Any:
    return value
