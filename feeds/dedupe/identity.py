"""Which stored entry of a source an arriving one is: by id, where the ids hold, else by address, title and text. Pure.

Ids of real feeds repeat, change at every fetch, move from http to https, or are missing; and a source may issue its
whole archive again under new ids. So an id is believed as long as nothing speaks against it, and an unknown id is
first looked for among the source's newest entries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from functools import lru_cache

import xxhash

from feeds.dedupe import signature
from feeds.errors import UrlError
from feeds.model import Entry, Evidence, KnownEntry
from feeds.text import fold, spelled
from feeds.urls import comparable_url

TITLE_ALIKE = 0.5
"""Titles of one article after an edit share at least this much of their characters in order; below, they are unlike."""
TEXT_ALIKE = 0.3
"""Texts of one article after an edit share at least this part of the smaller one's word triples."""
SAME_DAY = timedelta(hours=12)
FLOOD_ENTRIES = 5
"""So many unknown entries of a document that pair with known ones by title alone are an archive issued again."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The stored entry that an arriving one is, and why."""

    known: KnownEntry
    evidence: Evidence


@lru_cache(4096)  # of one title it is asked about eight times
def title_key(title: str) -> str:
    return spelled(title)


def title_likeness(one: str, other: str) -> float:
    """How alike two titles are, 0 to 1, by characters in order; blank titles are like everything."""
    one, other = fold(one)[:300], fold(other)[:300]
    if not one.strip() or not other.strip() or one == other:
        return 1.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def unlike(entry: Entry, sketch: bytes, known: KnownEntry) -> bool:
    """Whether both title and text differ so much that one id must have been used for two articles.

    Publishers rewrite headline and text of one article freely, so that words alone never tell two apart: the address
    or the date must have changed with them. A published id that goes on under a second article would be worse.
    """
    if entry.comparable and entry.comparable == known.comparable and _identifies(entry.comparable):
        return False
    moved = bool(entry.comparable and known.comparable)
    redated = bool(entry.published and known.published) and abs(entry.published - known.published) >= SAME_DAY  # type: ignore[operator]
    if not moved and not redated:
        return False
    if title_likeness(entry.title, known.title) >= TITLE_ALIKE:
        return False
    if entry.text_hash and entry.text_hash == known.text_hash:
        return False
    shared = signature.containment(sketch, known.signature)
    return shared is None or shared < TEXT_ALIKE


def _identifies(comparable: str) -> bool:
    """A front page is no article's address."""
    return not comparable.endswith("/")


def derived_key(entry: Entry) -> str:
    """The key of an article whose id another article holds already: made of the id and what the article says."""
    said = f"{entry.comparable or ''}\n{title_key(entry.title) or entry.text_hash}"
    return f"{entry.key}~{xxhash.xxh3_64_hexdigest(said.encode('utf-8', 'surrogatepass'))}"


class SourceBook:
    """What is known of one source, arranged for looking an entry up; each stored entry is given out once a document."""

    def __init__(self, known: Iterable[KnownEntry], entries: Sequence[Entry]) -> None:
        self._by_key: dict[str, KnownEntry] = {}
        self._by_base: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        self._by_comparable: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        self._by_path: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        self._by_title: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        self._titles_by_text: defaultdict[int, set[str]] = defaultdict(set)
        self._taken: set[str] = set()
        for one in known:
            self.add(one)
        ids = Counter(entry.key for entry in entries)
        self._repeated_ids = {key for key, count in ids.items() if count > 1}
        self._shared_links = _shared_links(entries)
        self._titles = Counter(title_key(entry.title) for entry in entries)
        self._flood = self._is_flood(entries)

    def add(self, one: KnownEntry) -> None:
        if one.key in self._by_key:
            return
        self._by_key[one.key] = one
        if "~" in one.key:
            self._by_base[one.key.rpartition("~")[0]].append(one)
        for address in _addresses(one.comparable, one.entry_id):
            self._by_comparable[address].append(one)
            self._by_path[address.partition("/")[2]].append(one)
        self._by_title[title_key(one.title)].append(one)
        self._titles_by_text[one.text_hash].add(title_key(one.title))

    def holds(self, key: str) -> bool:
        return key in self._by_key

    def hollow(self, entry: Entry) -> bool:
        """Whether the source gave the same text under another title before ("Subscribe to continue")."""
        return bool(entry.text_hash) and bool(self._titles_by_text[entry.text_hash] - {title_key(entry.title)})

    def identifies(self, entry: Entry) -> bool:
        """Whether the entry's address stands for one article: no front page, no page that several entries share."""
        address = entry.comparable
        if not address or not _identifies(address) or address in self._shared_links:
            return False
        return all(
            title_likeness(entry.title, other.title) >= TITLE_ALIKE for other in self._by_comparable.get(address, ())
        )

    def unchanged(self, entry: Entry) -> KnownEntry | None:
        """The stored entry with the same id and the very same content: the common case, answered without reading."""
        known = self._by_key.get(entry.key)
        if (
            known is None
            or not entry.content_hash
            or known.content_hash != entry.content_hash
            or known.key in self._taken
        ):
            return None
        self._taken.add(known.key)
        return known

    def find(self, entry: Entry, sketch: bytes) -> Identified | None:
        """The stored entry that *entry* is, None where the source has not shown it before."""
        found = self._by_id(entry, sketch) or self._moved(entry, sketch)
        if found is not None:
            self._taken.add(found.known.key)
        return found

    def _by_id(self, entry: Entry, sketch: bytes) -> Identified | None:
        holders = [self._by_key[entry.key]] if entry.key in self._by_key else []
        holders += self._by_base.get(entry.key, [])
        doubtful = entry.key in self._repeated_ids or len(holders) > 1
        for holder in holders:
            if holder.key in self._taken:
                continue
            if (_plainly_same(entry, holder) if doubtful else not unlike(entry, sketch, holder)) or (
                holder.content_hash == entry.content_hash and entry.content_hash
            ):
                return Identified(holder, Evidence(kind="entry-id", detail=entry.key))
        if doubtful:  # an edit of one of several articles that share the id
            for holder in holders:
                if holder.key not in self._taken and title_likeness(entry.title, holder.title) >= 0.8:
                    return Identified(holder, Evidence(kind="entry-id", detail=f"{entry.key}, and nearly the title"))
        return None

    def _moved(self, entry: Entry, sketch: bytes) -> Identified | None:
        for address in _addresses(entry.comparable, entry.entry_id):
            if not _identifies(address) or address in self._shared_links:
                continue
            for known in self._free(self._by_comparable.get(address, ())):
                if _says_the_same(entry, sketch, known):
                    return Identified(known, Evidence(kind="url", detail=f"{address} under another id"))
        key = title_key(entry.title)
        if not key:
            return None
        for known in self._free(self._by_title.get(key, ())):
            same_text = bool(entry.text_hash) and entry.text_hash == known.text_hash
            # Too short for a hash of its text, without an address: a file under another name.
            same_text |= not entry.comparable and bool(entry.content_hash) and entry.content_hash == known.content_hash
            if entry.published is not None and entry.published == known.published:
                return Identified(known, Evidence(kind="title", detail="same title and date under another id"))
            near_in_time = (
                entry.published is None or known.published is None or abs(entry.published - known.published) < SAME_DAY
            )
            if same_text and near_in_time:
                return Identified(known, Evidence(kind="text", detail="same title and text under another id"))
            if _same_path(entry, known):
                return Identified(known, Evidence(kind="path", detail="same title and path on another host"))
            if self._flood and self._titles[key] == 1 and len(self._by_title[key]) == 1:
                return Identified(known, Evidence(kind="flood", detail="archive issued again, same title"))
        return None

    def _free(self, candidates: Iterable[KnownEntry]) -> list[KnownEntry]:
        return [one for one in candidates if one.key not in self._taken]

    def _is_flood(self, entries: Sequence[Entry]) -> bool:
        unknown = [entry for entry in entries if entry.key not in self._by_key]
        paired = sum(
            1
            for entry in unknown
            if (key := title_key(entry.title)) and self._titles[key] == 1 and len(self._by_title.get(key, ())) == 1
        )
        return paired >= FLOOD_ENTRIES and paired * 2 >= len(unknown)


def _says_the_same(entry: Entry, sketch: bytes, known: KnownEntry) -> bool:
    """What a moved id takes beside the address: posts of a live page have one address and each an id of its own."""
    if title_likeness(entry.title, known.title) >= TITLE_ALIKE:
        return True
    return (signature.containment(sketch, known.signature) or 0.0) >= TEXT_ALIKE


def _plainly_same(entry: Entry, known: KnownEntry) -> bool:
    if entry.text_hash and entry.text_hash == known.text_hash:
        return True
    titles_equal = title_key(entry.title) == title_key(known.title)
    if entry.comparable and known.comparable and _identifies(entry.comparable):
        return entry.comparable == known.comparable and (titles_equal or entry.published == known.published)
    return titles_equal and (entry.published is None or entry.published == known.published)


def _same_path(entry: Entry, known: KnownEntry) -> bool:
    if not entry.comparable or not known.comparable:
        return False
    path = entry.comparable.partition("/")[2]
    return bool(path) and path == known.comparable.partition("/")[2]


def _addresses(comparable: str | None, entry_id: str | None) -> tuple[str, ...]:
    """By which an entry can be known: its own address, and its id where that is another one."""
    own = (comparable,) if comparable else ()
    if not entry_id or not entry_id.lower().startswith("http"):
        return own
    if entry_id.partition("://")[2].removeprefix("www.").rstrip("/") == comparable:
        return own  # most ids that are addresses, and told by a look
    try:
        other = comparable_url(entry_id)
    except UrlError:
        return own
    return own if other == comparable else (*own, other)


def _shared_links(entries: Sequence[Entry]) -> frozenset[str]:
    """Addresses that several articles of one document give: a live page, a front page; they identify none of them."""
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.comparable:
            titles[entry.comparable].add(title_key(entry.title))
    return frozenset(address for address, seen in titles.items() if len(seen) > 1)
