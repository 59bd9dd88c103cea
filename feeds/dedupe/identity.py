"""Which stored entry of a source an arriving one is: by id, where the ids hold, else by address, title and text. Pure.

Ids of real feeds repeat, change at every fetch, move from http to https, or are missing; and a source may issue its
whole archive again under new ids. So an id is believed as long as nothing speaks against it, and an unknown id is
first looked for among the source's newest entries.

Whether an edit is worth telling (`judge_edit`): `updated` moves for news and stays for typing mistakes. An edit is
significant when a number in the title changed, when less than TITLE_KEPT of the title's words stayed (a word counts as
kept when it is spelt nearly the same), or when less than TEXT_KEPT of the text's word triples did. RFC 4287 §4.2.15
leaves this to the publisher.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

import xxhash
from msgspec import Struct

from feeds.comparable import PERMALINK, addresses_of, is_of_one_article
from feeds.dates import month_named, names_a_day
from feeds.dedupe import signature
from feeds.model import Entry, Evidence, KnownEntry
from feeds.text import fold, spelled, words

_ROMAN = re.compile(r"[ivx]{1,5}")
_REVISION = re.compile(rf"(https?://{PERMALINK})#\d{{1,4}}", re.IGNORECASE)
"""An id that is an article's address with the number of its revision: the BBC gives each edit another one."""

TITLE_ALIKE = 0.5
"""Titles of one article after an edit share at least this much of their characters in order; below, they are unlike."""
TEXT_ALIKE = 0.3
"""Texts of one article after an edit share at least this part of the smaller one's word triples."""
NEARLY = 0.8
"""Titles that differ by a word or a mistake put right share at least this much."""
TITLE_KEPT = 0.75
TEXT_KEPT = 0.9
SPELT_ALIKE = 0.7
SAME_DAY = timedelta(hours=12)
FLOOD_ENTRIES = 5
"""So many unknown entries of a document that pair with known ones by title alone are an archive issued again."""


class Identified(Struct, frozen=True):
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


class Pair(NamedTuple):
    """An arriving entry and a stored one of its source: what they have in common. *sketch* is the entry's."""

    entry: Entry
    known: KnownEntry
    sketch: bytes = b""

    @property
    def same_content(self) -> bool:
        return bool(self.entry.content_hash) and self.entry.content_hash == self.known.content_hash

    @property
    def same_text(self) -> bool:
        return bool(self.entry.text_hash) and self.entry.text_hash == self.known.text_hash

    @property
    def same_title(self) -> bool:
        return title_key(self.entry.title) == title_key(self.known.title)

    @property
    def same_date(self) -> bool:
        return self.entry.published is not None and self.entry.published == self.known.published

    @property
    def maybe_same_date(self) -> bool:
        return self.same_date or self.entry.published is None or self.known.published is None

    @property
    def redated(self) -> bool:
        entry, known = self.entry.published, self.known.published
        return entry is not None and known is not None and abs(entry - known) >= SAME_DAY

    @property
    def same_path(self) -> bool:
        path = (self.entry.comparable or "").partition("/")[2]
        return bool(path) and path == (self.known.comparable or "").partition("/")[2]

    @property
    def title_likeness(self) -> float:
        return title_likeness(self.entry.title, self.known.title)

    @property
    def numbered_apart(self) -> bool:
        return numbered_apart(self.entry.title, self.known.title)

    @property
    def shared_text(self) -> float | None:
        """The part of the shorter text's word triples that the other has too; None where one has no text."""
        return signature.containment(self.sketch, self.known.signature)

    @property
    def nearness(self) -> tuple[bool, bool, bool, float]:
        """By which of several stored entries the nearest is chosen."""
        return self.same_content, self.same_title, self.same_date, self.title_likeness

    def is_unlike(self) -> bool:
        """Whether both title and text differ so much that one id must have been used for two articles.

        Publishers rewrite headline and text of one article freely, so that words alone never tell two apart: the
        address or the date must have changed with them. A published id that goes on under a second article would be
        worse.
        """
        entry, known = self.entry, self.known
        if entry.comparable and entry.comparable == known.comparable and _identifies(entry.comparable):
            # An address alone is no promise that it will always be of one article, as an id is.
            return self._is_known_by_address and self.is_next_of_series()
        moved = bool(entry.comparable and known.comparable)
        return (moved or self.redated) and self._says_something_else()

    @property
    def _is_known_by_address(self) -> bool:
        entry_id, address = self.entry.entry_id, self.entry.comparable
        if not entry_id:
            return True
        is_address = entry_id.lower().startswith("http") and addresses_of(address, entry_id) == (address,)
        return is_address and not is_of_one_article(address or "")

    def _says_something_else(self) -> bool:
        if self.same_text or self.title_likeness >= TITLE_ALIKE:
            return False
        shared = self.shared_text
        return shared is None or shared < TEXT_ALIKE

    def is_next_of_series(self) -> bool:
        """Whether a page of a series ("Lunch Monday") shows its next part ("Lunch Tuesday"): the rest is new.

        A headline that runs ("Lunch") may be the same, where the address is not of one article.
        """
        if not self.redated or not (self.numbered_apart or self._has_running_title):
            return False
        shared = self.shared_text
        return shared is not None and shared < TEXT_ALIKE

    @property
    def _has_running_title(self) -> bool:
        return self.same_title and not is_of_one_article(self.entry.comparable or "")

    def is_plainly_same(self) -> bool:
        """Whether they are one article though their id is of several."""
        if self.same_text:
            return True
        if self.is_next_of_series():
            return False
        entry, known = self.entry, self.known
        if entry.comparable and known.comparable and _identifies(entry.comparable):
            same_date = entry.published == known.published
            return entry.comparable == known.comparable and (self.same_title or same_date)
        return self.same_title and (entry.published is None or entry.published == known.published)

    @property
    def is_revision(self) -> bool:
        ids = [_REVISION.fullmatch(one.entry_id or "") for one in (self.entry, self.known)]
        return ids[0] is not None and ids[1] is not None and ids[0][1] == ids[1][1]

    def says_the_same(self) -> bool:
        """What a moved id takes beside the address: posts of a live page have one address and each an id of its own."""
        if self.same_title or self.is_revision:
            return self.is_revision or not self.is_next_of_series()
        if self.numbered_apart and not self.same_date:
            return False
        shared = self.shared_text
        if shared is not None and shared >= TEXT_ALIKE:
            return True
        if self.maybe_same_date:
            return self.title_likeness >= TITLE_ALIKE
        # With id, date and text all new, the title has to be told only a little otherwise.
        return shared is None and self.title_likeness >= NEARLY

    def beside_title(self) -> Evidence | None:
        """What of two entries of one title shows that they are one article; None where nothing does."""
        if self.same_date:
            return Evidence(kind="title", detail="same title and date under another id")
        # Too short for a hash of its text, without an address: a file under another name.
        if (self.same_text or (not self.entry.comparable and self.same_content)) and not self.redated:
            return Evidence(kind="text", detail="same title and text under another id")
        moved = self.same_path and not self.is_next_of_series()
        return Evidence(kind="path", detail="same title and path on another host") if moved else None


def numbered_apart(one: str, other: str) -> bool:
    """Whether two titles are those of parts of one series: they differ, and only in numbers, letters, days, months.

    >>> numbered_apart("Release 4.1 of the tool", "Release 4.2 of the tool"), numbered_apart("A tool", "The tool")
    (True, False)
    """
    first, second = words(one), words(other)
    if first == second:
        return False
    return all(
        _counts(word)
        for kind, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
        if kind != "equal"
        for word in (*first[i:j], *second[k:m])
    )


def _counts(word: str) -> bool:
    if len(word) == 1 or any(char.isdigit() for char in word) or _ROMAN.fullmatch(word):
        return True
    return names_a_day(word) or month_named(word) is not None


def _identifies(comparable: str) -> bool:
    """A front page is no article's address."""
    return not comparable.endswith("/")


def derived_key(entry: Entry, *, by_content: bool = False) -> str:
    """The key of an article whose id another article holds already: made of the id and what the article says.

    *by_content*: not of its title alone, which comes again and again.
    """
    said = f"{entry.comparable or ''}\n{title_key(entry.title) or entry.text_hash}"
    if by_content:
        said += f"\n{entry.content_hash}"
    return f"{entry.key}~{xxhash.xxh3_64_hexdigest(said.encode('utf-8', 'surrogatepass'))}"


class SourceBook:
    """What is known of one source, arranged for looking an entry up; each stored entry is given out once a document.

    *shared* are addresses that identify none of the *entries*, see `shared_links`.
    """

    def __init__(
        self, known: Iterable[KnownEntry], entries: Sequence[Entry], shared: frozenset[str] = frozenset()
    ) -> None:
        self._by_key: dict[str, KnownEntry] = {}
        self._by_base: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        self._by_comparable: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        self._by_content: defaultdict[int, list[KnownEntry]] = defaultdict(list)
        self._by_title: defaultdict[str, list[KnownEntry]] = defaultdict(list)
        self._titles_by_text: defaultdict[int, set[str]] = defaultdict(set)
        self._taken: set[str] = set()
        for one in known:
            self._arrange(one)
        ids = Counter(entry.key for entry in entries)
        self._repeated_ids = {key for key, count in ids.items() if count > 1}
        self._shared_links = shared
        self._titles = Counter(title_key(entry.title) for entry in entries)
        self._flood = self._is_flood(entries)

    def add(self, one: KnownEntry) -> None:
        """Take in what the document itself brought: its id stands in the document, so that it is nobody else's."""
        self._arrange(one)
        self._taken.add(one.key)

    def take(self, standing: Iterable[KnownEntry]) -> None:
        """Give these to nobody: they stand in the document, though it was not read anew where they do."""
        self._taken.update(one.key for one in standing)

    def _arrange(self, one: KnownEntry) -> None:
        if one.key in self._by_key:
            return
        self._by_key[one.key] = one
        if "~" in one.key:
            self._by_base[one.key.rpartition("~")[0]].append(one)
        for address in addresses_of(one.comparable, one.entry_id):
            self._by_comparable[address].append(one)
        self._by_content[one.content_hash].append(one)
        self._by_title[title_key(one.title)].append(one)
        self._titles_by_text[one.text_hash].add(title_key(one.title))

    def holds(self, key: str) -> bool:
        return key in self._by_key

    def hollow(self, entry: Entry) -> bool:
        """Whether the source gave the same text under another title before ("Subscribe to continue")."""
        return bool(entry.text_hash) and bool(self._titles_by_text[entry.text_hash] - {title_key(entry.title)})

    def identifies(self, entry: Entry) -> bool:
        """Whether the address of an entry that is not known stands for one article: no front page, no page of several.

        Where the source has had something else there, and *entry* was not taken for it, it is a page of several.
        """
        address = entry.comparable
        if not address or not _identifies(address) or address in self._shared_links:
            return False
        pairs = (Pair(entry, other) for other in self._by_comparable.get(address, ()))
        # A source may tell one article under two ids at once, at one address.
        return all(pair.same_title and (pair.same_text or pair.maybe_same_date) for pair in pairs)

    def unchanged(self, entry: Entry) -> Identified | None:
        """The stored entry with the same id and the very same content: the common case, answered without reading."""
        known = self._by_key.get(entry.key)
        if known is None or not Pair(entry, known).same_content or known.key in self._taken:
            return None
        return self._take(Identified(known, Evidence(kind="entry-id", detail=entry.key)))

    def by_id(self, entry: Entry, sketch: bytes) -> Identified | None:
        """The stored entry with the same id, where nothing speaks against it.

        All entries of a document are asked this before any is `moved`: what stands there under its own id is nobody
        else's.
        """
        holders = [self._by_key[entry.key]] if entry.key in self._by_key else []
        holders += self._by_base.get(entry.key, [])
        return self._take(self._of_id(entry, sketch, holders))

    def word_for_word(self, entry: Entry) -> Identified | None:
        """The stored entry that says the very same at the very same address under another id."""
        alike = self._by_content.get(entry.content_hash, ()) if entry.content_hash else ()
        pairs = [Pair(entry, known) for known in self._free(alike) if entry.comparable == known.comparable]
        same = [pair for pair in pairs if not pair.redated]
        if not same:
            return None
        known = max(same, key=lambda pair: pair.nearness).known
        return self._take(Identified(known, Evidence(kind="text", detail="word for word the same under another id")))

    def moved(self, entry: Entry, sketch: bytes) -> Identified | None:
        """The stored entry that *entry* is under another id; None where the source has not shown it before."""
        return self._take(self._at_address(entry, sketch) or self._of_title(entry, sketch))

    def _take(self, found: Identified | None) -> Identified | None:
        if found is not None:
            self._taken.add(found.known.key)
        return found

    def _of_id(self, entry: Entry, sketch: bytes, holders: Sequence[KnownEntry]) -> Identified | None:
        doubtful = entry.key in self._repeated_ids or len(holders) > 1
        pairs = [Pair(entry, holder, sketch) for holder in self._free(holders)]
        for pair in pairs:
            if pair.same_content or (pair.is_plainly_same() if doubtful else not pair.is_unlike()):
                return Identified(pair.known, Evidence(kind="entry-id", detail=entry.key))
        if doubtful:  # an edit of one of several articles that share the id
            for pair in pairs:
                if pair.title_likeness >= NEARLY and not pair.is_next_of_series():
                    return Identified(
                        pair.known, Evidence(kind="entry-id", detail=f"{entry.key}, and nearly the title")
                    )
        return None

    def _at_address(self, entry: Entry, sketch: bytes) -> Identified | None:
        for address in addresses_of(entry.comparable, entry.entry_id):
            if not _identifies(address) or address in self._shared_links:
                continue
            pairs = (Pair(entry, known, sketch) for known in self._free(self._by_comparable.get(address, ())))
            same = [pair for pair in pairs if pair.says_the_same()]
            if same:
                known = max(same, key=lambda pair: pair.nearness).known
                return Identified(known, Evidence(kind="url", detail=f"{address} under another id"))
        return None

    def _of_title(self, entry: Entry, sketch: bytes) -> Identified | None:
        key = title_key(entry.title)
        if not key:
            return None
        for known in self._free(self._by_title.get(key, ())):
            if (why := Pair(entry, known, sketch).beside_title()) is not None:
                return Identified(known, why)
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


def shared_links(entries: Sequence[Entry]) -> frozenset[str]:
    """Addresses that several articles of one document give: a live page, a front page; they identify none of them."""
    told: defaultdict[str, set[tuple[str, datetime | None]]] = defaultdict(set)
    for entry in entries:
        for address in addresses_of(entry.comparable, entry.entry_id):
            told[address].add((title_key(entry.title), entry.published))
    return frozenset(address for address, seen in told.items() if len(seen) > 1)


def judge_edit(entry: Entry, sketch: bytes, known: KnownEntry) -> tuple[bool, Evidence]:
    """Whether *entry* says something else than *known* did, and what shows it."""
    if _numbers(entry.title) != _numbers(known.title):
        return True, Evidence(kind="edit", detail="a number in the title")
    kept = title_kept(entry.title, known.title)
    if kept < TITLE_KEPT:
        return True, Evidence(kind="edit", detail="title", score=kept, threshold=TITLE_KEPT)
    if entry.text_hash == known.text_hash:
        return False, Evidence(kind="edit", detail="spelling or mark-up only", score=kept, threshold=TITLE_KEPT)
    part = signature.resemblance(sketch, known.signature)
    if part is None:  # one of the two has no text, or no sketch was kept
        return True, Evidence(kind="edit", detail="text")
    return part < TEXT_KEPT, Evidence(kind="edit", detail="text", score=part, threshold=TEXT_KEPT)


def title_kept(one: str, other: str) -> float:
    """The part of the longer title's words that stand in both, in order, nearly equal spelling included.

    >>> title_kept("Goverment wins vote", "Government wins vote")
    1.0
    """
    first, second = words(one), words(other)
    if not first and not second:
        return 1.0
    kept = 0
    for kind, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            kept += j - i
        elif kind == "replace":
            kept += sum(_spelt_alike(a, b) for a, b in zip(first[i:j], second[k:m], strict=False))
    return kept / max(len(first), len(second))


def _spelt_alike(one: str, other: str) -> bool:
    return len(one) > 3 and SequenceMatcher(None, one, other, autojunk=False).ratio() >= SPELT_ALIKE


def _numbers(title: str) -> list[str]:
    return sorted(word for word in words(title) if any(char.isdigit() for char in word))
