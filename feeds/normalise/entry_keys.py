"""By what an entry is known within its source, and whether it changed (criteria G1, G2). Part of `normalise`. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import xxhash
from msgspec.structs import fields, replace

from feeds.comparable import addresses_of
from feeds.model import Entry
from feeds.text import short_hash, spelled

MAX_KEY_CHARS = 500


def key_of(entry: Entry) -> str:
    """Return ``id:`` and the entry id, else ``url:`` and the comparable link, else ``text:`` and a hash of all it says.

    A longer key is cut and carries a hash of the whole.
    """
    if entry.entry_id:
        return _bounded(f"id:{entry.entry_id}")
    if entry.comparable:
        return _bounded(f"url:{entry.comparable}")
    parts = (entry.title, entry.text, entry.link or "", *(enclosure.url for enclosure in entry.enclosures))
    return f"text:{_hash(parts):032x}"


def told_apart(entries: Sequence[Entry], *, ids_hold: bool = False) -> tuple[list[Entry], list[str]]:
    """Return *entries* with a key each of its own, and why some were left out.

    Where entries of one document share a key and have different addresses, each gets its own appended; where they
    share the address or have none, a hash of what tells them apart (see `_parts`). With *ids_hold* the format says that
    one id is one entry (RFC 4287 §4.1.1, JSON Feed 1.1): then they are one unless their addresses differ. The order of
    the document plays no part. Of what is the same, the latest is kept.
    """
    if len({entry.key for entry in entries}) == len(entries):
        return list(entries), []
    groups: dict[str, dict[str | None, list[Entry]]] = {}
    for entry in entries:
        groups.setdefault(entry.key, {}).setdefault(entry.comparable, []).append(entry)
    kept: list[Entry] = []
    dropped: list[str] = []
    for key, places in groups.items():
        for place, suffix, same in _articles(places, ids_hold=ids_hold):
            best = max(same, key=_latest_and_first)
            if len(places) > 1 and (place or not suffix):
                suffix = f"#{place or _short(best.title)}{suffix}"
            kept.append(replace(best, key=_bounded(key + suffix)))
            dropped += [f"entry {one.position}: the document holds {key!r} twice" for one in same if one is not best]
    return sorted(kept, key=_position), dropped


def _position(entry: Entry) -> int:
    return entry.position


def _latest_and_first(entry: Entry) -> tuple[float, int]:
    return _stamp(entry), -entry.position


def _articles(
    places: Mapping[str | None, list[Entry]], *, ids_hold: bool
) -> Iterator[tuple[str | None, str, list[Entry]]]:
    """The articles among the entries of one key, by their addresses: address, suffix, and what is the same."""
    for place, some in places.items():
        for suffix, same in _parts(some, ids_hold=ids_hold).items():
            yield place, suffix, same


def _parts(entries: Sequence[Entry], *, ids_hold: bool) -> dict[str, list[Entry]]:
    """Entries of one key and address by the article that they are, each under what its key gets to be told apart.

    Under an id and an address entries are several articles only where titles, texts and dates all differ; without an
    id, or without an address, where the titles do, or texts and dates.
    """
    if len(entries) == 1 or (ids_hold and entries[0].entry_id):
        return {"": list(entries)}
    ordered = sorted(entries, key=lambda entry: (-_stamp(entry), entry.title, entry.text, entry.position))
    return _suffixed(_grouped(ordered, known_well=bool(entries[0].entry_id and entries[0].comparable)))


def _grouped(entries: Sequence[Entry], *, known_well: bool) -> list[list[Entry]]:
    """*entries* by the article that they are; one without a date, that is *known_well*, is of the first."""
    parts: list[list[Entry]] = []
    seen: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        alike = _alike(entry, known_well)
        part = next((seen[mark] for mark in alike if mark in seen), None)
        if part is None and parts and known_well and entry.published is None:
            part = parts[0]
        if part is None:
            part = []
            parts.append(part)
        part.append(entry)
        for mark in alike:
            seen.setdefault(mark, part)
    return parts


def _alike(entry: Entry, known_well: bool) -> list[tuple[object, ...]]:
    """What *entry* shares with one that is the same article: one of these is enough."""
    title = _short(entry.title)
    alike: list[tuple[object, ...]] = [("text", entry.text)] if entry.text else []
    alike.append(("date", entry.published))
    return [("title", title), *alike] if known_well else [(*mark, title) for mark in alike]


def _suffixed(parts: list[list[Entry]]) -> dict[str, list[Entry]]:
    """*parts*, each under what its key gets to be told apart: its title, and more where others have that too."""
    if len(parts) == 1:
        return {"": parts[0]}
    titles = Counter(part[0].title for part in parts)
    suffixed: dict[str, list[Entry]] = {}
    for part in parts:
        first = part[0]
        more = "" if titles[first.title] == 1 else f"-{_short(f'{first.published} {first.text}')}"
        suffixed.setdefault(f"#{_short(first.title)}{more}", []).extend(part)
    return suffixed


def _stamp(entry: Entry) -> float:
    last = entry.updated or entry.published
    return last.timestamp() if last is not None else 0.0


Marks = tuple[int, int, int, int, int]
"""What one entry can have in common with another of its document, as short hashes; 0 where it has no such thing."""


def marks_of(entry: Entry) -> Marks:
    """The key as it is before `told_apart`, both addresses, the title and the text of *entry*: 32 bits of each.

    Every decision about what an entry is asks these of the entries beside it, and nothing else.
    """
    addresses = addresses_of(entry.comparable, entry.entry_id)
    one, other = (*addresses, "", "")[:2]
    title = spelled(entry.title)
    return (
        short_hash("key", entry.key),
        short_hash("place", one),
        short_hash("place", other),
        short_hash("title", title),
        entry.text_hash & 0xFFFF_FFFF,
    )


def content_hash(entry: Entry) -> int:
    """Return a hash (unsigned 64 bit) of what is shown of *entry*, its dates apart.

    Some sources re-date everything at every poll, and a date ahead is brought back to the moment of each poll: a new
    date alone is no change.
    """
    image, origin = entry.image, entry.origin
    people = [f"{person.name}\x1e{person.url}\x1e{person.email}" for person in entry.authors + entry.contributors]
    categories = [category.label or category.term for category in entry.categories]
    addresses = [enclosure.url for enclosure in entry.enclosures]
    parts = (
        entry.title,
        entry.summary,
        entry.content,
        *_or_empty(entry.link, entry.canonical_url, entry.language),
        *people,
        "\x1d",
        *categories,
        "\x1d",
        *entry.breadcrumb,
        "\x1d",
        *addresses,
        image.url if image else "",
        f"{origin.name}\x1e{origin.url}" if origin else "",
        *_or_empty(entry.publisher, entry.rights),
        *_media_parts(entry),
    )
    return _hash(parts) & 0xFFFF_FFFF_FFFF_FFFF


def _or_empty(*texts: str | None) -> list[str]:
    return [text or "" for text in texts]


def _media_parts(entry: Entry) -> Iterable[str]:
    """What is shown of picture, episode and place; nothing where nothing is, so that hashes of before stay as they are.

    Fields that say nothing are left out for the same reason.
    """
    if entry.image is not None:
        yield from (text for text in (entry.image.caption, entry.image.credit) if text)
    for media in (entry.episode, entry.place):
        if media is not None:
            for each in fields(media):
                value = getattr(media, each.name)
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
