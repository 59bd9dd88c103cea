"""Keys as columns and indexes can hold them, and the marks of tombstones. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

LONGEST = 600
"""Characters of an indexed text: PostgreSQL refuses index rows past some 2,700 bytes."""


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
