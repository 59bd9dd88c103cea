"""By what an entry is known within its source, and whether it changed (criteria G1, G2). Part of `normalise`. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import xxhash

from feeds.model import Entry

MAX_KEY_CHARS = 500


def key_of(entry: Entry) -> str:
    """Return ``id:`` and the entry id, else ``url:`` and the comparable link, else ``text:`` and a hash of all it says.

    A longer key is cut and carries a hash of the whole.
    """
    if entry.entry_id:
        return _bounded(f"id:{entry.entry_id}")
    if entry.comparable:
        return _bounded(f"url:{entry.comparable}")
    said = (entry.title, entry.text, entry.link or "", *(enclosure.url for enclosure in entry.enclosures))
    return f"text:{_hash(said):032x}"


def told_apart(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Return *entries* with a key each of its own, and why some were left out.

    Where entries of one document share a key and have different addresses, each gets its own appended; where they
    share the address or have none, and no entry id says that they are one, a hash of the title. The order of the
    document plays no part. What is still the same twice is kept once, where it stood first.
    """
    counts = Counter(entry.key for entry in entries)
    if len(counts) == len(entries):
        return list(entries), []
    places: dict[str, set[str | None]] = {}
    for entry in entries:
        places.setdefault(entry.key, set()).add(entry.comparable)
    kept: dict[str, Entry] = {}
    dropped: list[str] = []
    for entry in entries:
        key = entry.key
        if len(places[key]) > 1:
            key = _bounded(f"{key}#{entry.comparable or _short(entry.title)}")
        elif counts[key] > 1 and not (entry.entry_id and entry.comparable):
            key = _bounded(f"{key}#{_short(entry.title)}")
        if key in kept:
            dropped.append(f"entry {entry.position}: the document holds {entry.key!r} twice")
        else:
            kept[key] = replace(entry, key=key)
    return list(kept.values()), dropped


def content_hash(entry: Entry) -> int:
    """Return a hash (unsigned 64 bit) of what is shown of *entry*, its dates apart.

    Some sources re-date everything at every poll, and a date ahead is brought back to the moment of each poll: a new
    date alone is no change.
    """
    people = [f"{person.name}\x1e{person.url}\x1e{person.email}" for person in entry.authors + entry.contributors]
    said = (
        entry.title,
        entry.summary,
        entry.content,
        entry.link or "",
        entry.canonical_url or "",
        entry.language or "",
        *people,
        "\x1d",
        *(category.label or category.term for category in entry.categories),
        "\x1d",
        *entry.breadcrumb,
        "\x1d",
        *(enclosure.url for enclosure in entry.enclosures),
        entry.image.url if entry.image else "",
        f"{entry.origin.name}\x1e{entry.origin.url}" if entry.origin else "",
        entry.publisher or "",
        entry.rights or "",
        *_media_told(entry),
    )
    return _hash(said) & 0xFFFF_FFFF_FFFF_FFFF


def _media_told(entry: Entry) -> Iterable[str]:
    """What is shown of picture, episode and place; nothing where nothing is, so that hashes of before stay as they are.

    Fields that say nothing are left out for the same reason.
    """
    if entry.image is not None:
        yield from (text for text in (entry.image.caption, entry.image.credit) if text)
    for told in (entry.episode, entry.place):
        if told is not None:
            for each in fields(told):
                value = getattr(told, each.name)
                if value != each.default:
                    yield f"{each.name}\x1e{value}"


def _bounded(key: str) -> str:
    if len(key) <= MAX_KEY_CHARS:
        return key
    return f"{key[: MAX_KEY_CHARS - 33]}#{_hash((key,)):032x}"


def _short(text: str) -> str:
    return f"{_hash((text,)) & 0xFFFF_FFFF_FFFF:012x}"


def _hash(parts: Iterable[str]) -> int:
    return xxhash.xxh3_128_intdigest("\x1f".join(parts).encode("utf-8", "surrogatepass"))
