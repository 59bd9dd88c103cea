"""Entries + what is known → decisions. Pure; what is decided is remembered, so that one batch holds many sources.

The window and the stories live in the process that decides; the store has everything that they are made of, and
`remember` reads it back.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from feeds.comparable import is_of_one_article
from feeds.dedupe import near, signature
from feeds.dedupe.grouping import Arriving, Joined, Stories
from feeds.dedupe.identity import (
    Identified,
    SourceBook,
    derived_key,
    judge_edit,
    shared_links,
    title_key,
)
from feeds.dedupe.near import Speaking
from feeds.dedupe.signature import Sketched, sketch_text
from feeds.dedupe.terms import PACKED_BYTES, Terms, pack, primary
from feeds.dedupe.window import NOTHING, Boilerplate, Found, Window
from feeds.model import (
    NOTHING_BESIDE,
    Beside,
    Containment,
    Decision,
    Entry,
    Evidence,
    Known,
    KnownEntry,
    StoredSignature,
)
from feeds.text import short_hash, spelled

FEWEST_TERMS = 3
"""An article with fewer different words ("Weather", "Morning briefing") belongs to no story."""
_DERIVED = re.compile(r"~[0-9a-f]{16}\Z")
"""What `derived_key` adds to an id."""


class _Draft(Struct):
    """An entry on its way to a decision. *sketched* is made of those alone that are not known as they are."""

    entry: Entry
    refusal: Evidence | None
    sketched: Sketched | None = None
    found: Identified | None = None

    @property
    def sketch(self) -> bytes:
        return self.sketched.signature if self.sketched is not None else b""


def _marks(one: KnownEntry) -> tuple[int, int]:
    """By which an item that was left out is known: as it is in `feeds.ingest.readers`."""
    return short_hash("key", _DERIVED.sub("", one.key)), short_hash("title", spelled(one.title))


def _left_out(stored: Sequence[KnownEntry], beside: Beside) -> list[KnownEntry]:
    """What was left out as known: it stands in the document all the same, under its own id."""
    return [one for one in stored if _marks(one) in beside.left_out] if beside.left_out else []


def _identify(drafts: Sequence[_Draft], book: SourceBook, hollow: frozenset[int]) -> None:
    """Find the entries that are known under their own ids, before any is looked for under another.

    So the order of the document plays no part, and what stands there under its own id is nobody else's.
    """
    strange = []
    for draft in drafts:
        if draft.refusal is None:
            draft.found = book.unchanged(draft.entry)
            if draft.found is None:
                strange.append(draft)
    for draft in strange:
        entry = draft.entry
        is_hollow = entry.text_hash in hollow or book.hollow(entry)
        draft.sketched = sketch_text(entry.title, "" if is_hollow else entry.text)
        draft.found = book.by_id(entry, draft.sketch)
    for draft in strange:
        draft.found = draft.found or book.word_for_word(draft.entry)


def new_uid() -> str:
    """A fresh article id."""
    return f"urn:uuid:{uuid4()}"


class _Document(Struct, frozen=True):
    """What the entries of the document in hand are compared with: *live* are those that it shows, by article."""

    source_id: int
    book: SourceBook
    boilerplate: Boilerplate
    live: defaultdict[str, list[KnownEntry]]


class Deduper:
    """Decides over one batch: what one source brings is known when the next one's entries are looked at.

    *window* and *stories* are kept between batches. *merged* tells, after `decide_all`, which stories became part of
    which (gone → kept), *moved* which articles that came before went to another story before that (article → story).
    *language* is the desk's, for entries without one.
    """

    def __init__(
        self,
        known: Known,
        *,
        now: datetime,
        window: Window,
        stories: Stories,
        language: str = "en",
        uid: Callable[[], str] = new_uid,
    ) -> None:
        self.merged: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self._known = known
        self._now = now
        self._window = window
        self._stories = stories
        self._language = language
        self._uid = uid
        self._undone = False
        self._story_of: dict[str, str] = {}
        self._new: list[tuple[Decision, bytes]] = []  # what is to be placed, with its terms
        self._by_comparable: dict[str, str] = {}
        self._by_text: dict[int, str] = {}
        self._entries: defaultdict[int, dict[str, KnownEntry]] = defaultdict(dict)
        self._stored: defaultdict[int, list[KnownEntry]] = defaultdict(list)
        for (source_id, _), one in known.entries.items():
            self._stored[source_id].append(one)
        for source_id, newest in known.recent.items():
            self._stored[source_id].extend(newest)
        for memory in (window, stories):
            memory.forget(now)
            memory.begin()

    def decide_all(
        self,
        batch: Sequence[tuple[int, Sequence[Entry]]],
        beside: Mapping[int, Beside] | None = None,
    ) -> list[tuple[Decision, ...]]:
        """A decision for each entry of (source id, entries), in their order; stories are decided for all together.

        An entry that the document holds twice gives ``seen``. *beside* is what else the document of a source holds.
        """
        decided = [
            self._decide(source_id, entries, (beside or {}).get(source_id, NOTHING_BESIDE))
            for source_id, entries in batch
        ]
        joined = self._place()
        return [tuple(self._in_story(decision, joined) for decision in decisions) for decisions in decided]

    def _place(self) -> dict[str, tuple[Joined, Terms]]:
        """The stories of the new articles of the batch, by article, and the terms by which each is found."""
        languages = [self._language_of(decision.entry) for decision, _ in self._new]
        strongest = self._stories.counts.strongest([terms for _, terms in self._new], languages)
        arriving = [
            Arriving(
                terms,
                language=language,
                written=min(decision.entry.published or self._now, self._now),
                source_id=decision.source_id,
                uid=decision.article_uid,
            )
            for (decision, _), terms, language in zip(self._new, strongest, languages, strict=True)
        ]
        self._new.clear()
        placed = self._stories.place(arriving, now=self._now, uid=self._uid)
        self.merged.update(placed.merged)
        self.moved.update(placed.moved)
        pairs = list(zip(arriving, placed.joined, strict=True))
        self._story_of.update((new.uid, found.uid) for new, found in pairs)
        return {new.uid: (found, new.terms) for new, found in pairs}

    def _decide(self, source_id: int, entries: Sequence[Entry], beside: Beside) -> tuple[Decision, ...]:
        drafts = [_Draft(entry, self._refusal(source_id, entry)) for entry in entries]
        standing = [draft.entry for draft in drafts if draft.refusal is None]
        stored = [*self._entries[source_id].values(), *self._stored[source_id]]
        left_out = _left_out(stored, beside)
        book = SourceBook(stored, standing, shared_links(entries) | beside.addresses)
        book.take(left_out)
        _identify(drafts, book, _hollow_texts(standing))
        boilerplate = Boilerplate(lambda: self._signatures(source_id, drafts))
        document = _Document(source_id, book, boilerplate, defaultdict(list))
        for one in (*left_out, *(draft.found.known for draft in drafts if draft.found is not None)):
            document.live[one.article_uid].append(one)
        decisions = []
        for draft in drafts:
            decisions.append(self._decide_one(document, draft))
            if draft.refusal is None:
                self._remember(document, decisions[-1])
        return tuple(decisions)

    def apart(self, decided: Sequence[Sequence[Decision]], kept: Sequence[Containment]) -> list[tuple[Decision, ...]]:
        """*decided*, told which of what is *kept* of its articles holds no more after their entries changed."""
        updated = [one for one in chain.from_iterable(decided) if one.kind == "updated"]
        fresh = {(one.source_id, one.known_key or one.entry.key): one.signature for one in updated}
        ended: defaultdict[str, list[str]] = defaultdict(list)
        for one in kept:
            if not self._holds(one, fresh):
                ended[one.whole_uid].append(one.part_uid)
                ended[one.part_uid].append(one.whole_uid)

        def parted(one: Decision) -> Decision:
            held_apart = one.kind == "updated" and one.article_uid in ended
            return replace(one, apart=tuple(ended[one.article_uid])) if held_apart else one

        return [tuple(map(parted, many)) for many in decided]

    def _holds(self, kept: Containment, fresh: Mapping[tuple[int, str], bytes]) -> bool:
        """Whether any entry of the whole holds any of the part. Where a signature is missing nobody knows."""
        wholes, parts = (
            [self._weighed(fresh.get(at, signature)) for at, signature in held.items()]
            for held in (kept.wholes, kept.parts)
        )
        return any(whole is None or part is None or near.holds(whole, part) for whole in wholes for part in parts)

    def _weighed(self, signed: bytes) -> near.Weighed | None:
        sketch = signature.read(signature.split(signed)[0])
        return near.weigh(sketch, self._window.counts) if sketch is not None else None

    def undo(self) -> None:
        """Let window and stories be what they were before this batch, which could not be saved; before the next.

        Asked again, for another batch may have begun, it does nothing.
        """
        if not self._undone:
            self._undone = True
            self._window.undo()
            self._stories.undo()

    def _decide_one(self, document: _Document, draft: _Draft) -> Decision:
        entry, source_id = draft.entry, document.source_id
        if draft.refusal is not None:
            return _decision("refused", entry, "", source_id, b"", draft.refusal)
        if draft.found is None and (twin := self._twin(source_id, entry)) is not None:
            twice = Evidence(kind="entry-id", detail="twice in one document")
            return _decision("seen", entry, twin.article_uid, source_id, twin.signature, twice)
        if (found := draft.found or document.book.moved(entry, draft.sketch)) is not None:
            return self._as_known(document, draft, found)
        return self._as_unknown(document, draft)

    def _as_unknown(self, document: _Document, draft: _Draft) -> Decision:
        """The decision on an entry that its source has not brought before: a copy, or new."""
        entry, source_id, book = draft.entry, document.source_id, document.book
        evidence: tuple[Evidence, ...] = ()
        if book.holds(entry.key):
            reused = Evidence(kind="entry-id", detail="id used before for an article that is unlike in title and text")
            key = derived_key(entry)
            entry = replace(entry, key=derived_key(entry, by_content=True) if book.holds(key) else key)
            evidence = (reused,)
        around = NOTHING
        copied = self._certain_copy_of(document, entry, draft.sketch)
        if copied is None:
            around = self._near(document, entry, draft.sketch)
            fitting = (one for one in around.copies if self._fits(document, one.uid, entry, draft.sketch))
            copied = next(((one.uid, near.evidence(one.likeness)) for one in fitting), None)
        if copied is not None:
            uid, why = copied
            return _related(_decision("copy", entry, uid, source_id, draft.sketch, *evidence, why), around)
        decision = _related(_decision("new", entry, self._uid(), source_id, draft.sketch, *evidence), around)
        if draft.sketched is not None and _is_telling(draft.sketched.terms):
            self._new.append((decision, draft.sketched.terms))
        return decision

    def _twin(self, source_id: int, entry: Entry) -> KnownEntry | None:
        """The very same entry, where the batch brought it before."""
        twin = self._entries[source_id].get(entry.key)
        same = twin is not None and (twin.content_hash, twin.title) == (entry.content_hash, entry.title)
        return twin if same else None

    def _as_known(self, document: _Document, draft: _Draft, found: Identified) -> Decision:
        entry, known, uid = draft.entry, found.known, found.known.article_uid
        if known.content_hash == entry.content_hash or draft.sketched is None:
            decision = _decision("seen", entry, uid, document.source_id, known.signature, found.evidence)
        else:
            significant, why = judge_edit(entry, draft.sketch, known)
            signed = draft.sketch + self._packed(entry, draft.sketched.terms)
            decision = _decision("updated", entry, uid, document.source_id, signed, found.evidence, why)
            around = self._near(document, entry, draft.sketch, but=uid)
            decision = _related(replace(decision, significant=significant), around)
        return decision if known.key == entry.key else replace(decision, known_key=known.key)

    def _in_story(self, decision: Decision, joined: Mapping[str, tuple[Joined, Terms]]) -> Decision:
        if decision.kind == "copy":
            return replace(decision, story_uid=self._story_of.get(decision.article_uid))
        if decision.kind != "new" or decision.article_uid not in joined:
            return decision
        found, terms = joined[decision.article_uid]
        return replace(
            decision,
            signature=decision.signature + pack(terms),
            story_uid=found.uid,
            evidence=(*decision.evidence, found.evidence),
        )

    def _packed(self, entry: Entry, terms: bytes) -> bytes:
        """Those of the *terms* of an article that are kept: none where there are too few for a story."""
        if not _is_telling(terms):
            return b""
        (kept,) = self._stories.counts.strongest([terms], [self._language_of(entry)])
        return pack(kept)

    def _language_of(self, entry: Entry) -> str:
        return primary(entry.language or self._language)

    def _refusal(self, source_id: int, entry: Entry) -> Evidence | None:
        refused = self._known.refused
        if not refused:
            return None
        if (source_id, entry.key) in refused:
            return Evidence(kind="refused", detail=f"entry {entry.key} was taken out for good")
        if entry.comparable and entry.comparable in refused:
            return Evidence(kind="refused", detail=f"{entry.comparable} was taken out for good")
        if entry.text_hash and entry.text_hash in refused:
            return Evidence(kind="refused", detail="a text that was taken out for good")
        return None

    def _certain_copy_of(self, document: _Document, entry: Entry, sketch: bytes) -> tuple[str, Evidence] | None:
        """The article that another entry brought under the same address or in the same words."""
        if entry.comparable and document.book.identifies(entry):
            uid = self._known.by_comparable.get(entry.comparable) or self._by_comparable.get(entry.comparable)
            if uid and self._fits(document, uid, entry, sketch) and not self._is_another(entry.comparable, uid, sketch):
                return uid, Evidence(kind="url", detail=entry.comparable)
        return self._word_for_word(document, entry, sketch)

    def _is_another(self, address: str, uid: str, sketch: bytes) -> bool:
        """Whether a page that is not one article's (`/alerts`) showed something else where it was the article *uid*."""
        mine = None if is_of_one_article(address) else self._weighed(sketch)
        if mine is None:
            return False
        others = [other for one in self._window.signatures_of(uid) if (other := self._weighed(bytes(one))) is not None]
        return bool(others) and all(near.another(mine, other) for other in others)

    def _word_for_word(self, document: _Document, entry: Entry, sketch: bytes) -> tuple[str, Evidence] | None:
        """The article that another entry brought in the same words, where these are more than a notice."""
        read = signature.read(sketch)
        if not entry.text_hash or read is None or read.word_count < near.NOTICE_WORDS:
            return None
        if self._speaking(entry).of_notice(
            read
        ):  # whether the other's title does is looked at with those that are near
            return None
        uid = self._known.by_text.get(entry.text_hash) or self._by_text.get(entry.text_hash)
        if uid and self._fits(document, uid, entry, sketch):
            return uid, Evidence(kind="text", detail="word for word the same text")
        return None

    def _near(self, document: _Document, entry: Entry, sketch: bytes, *, but: str = "") -> Found:
        return self._window.find(
            sketch,
            now=self._now,
            source_id=document.source_id,
            speaks=self._speaking(entry),
            boilerplate=document.boilerplate,
            but=but,
        )

    def _speaking(self, entry: Entry) -> Speaking:
        return Speaking(entry.title, entry.text, self._stories.counts, self._language_of(entry))

    def _signatures(self, source_id: int, drafts: Sequence[_Draft]) -> list[bytes]:
        """Of what the source has in hand and had last, each entry once."""
        found = {one.key: signature.split(one.signature)[0] for one in self._stored[source_id]}
        return [*(found | {draft.entry.key: draft.sketch for draft in drafts if draft.sketch}).values()]

    def _fits(self, document: _Document, uid: str, entry: Entry, sketch: bytes) -> bool:
        """Whether *entry* may be of the article *uid*: another entry of its document that is so must be near to it.

        Whatever a third one is to both of them, a source that shows two at a time means two.
        """
        for one in document.live.get(uid, ()):
            if one.text_hash and one.text_hash == entry.text_hash:
                continue
            mine, its = self._weighed(sketch), self._weighed(one.signature)
            if mine is None or its is None or not near.judge(mine, its).near:
                return False
        return True

    def _remember(self, document: _Document, decision: Decision) -> None:
        """Let what follows be compared with what was decided."""
        entry, uid, source_id = decision.entry, decision.article_uid, document.source_id
        known = KnownEntry(
            key=decision.known_key or entry.key,
            source_id=source_id,
            article_uid=uid,
            entry_id=entry.entry_id,
            comparable=entry.comparable,
            title=entry.title,
            text_hash=entry.text_hash,
            content_hash=entry.content_hash,
            published=entry.published,
            first_seen=self._now,
            signature=decision.signature,
        )
        self._entries[source_id][entry.key] = known
        document.live[uid].append(known)
        document.book.add(known)
        if decision.kind != "seen":
            copy = decision.kind != "new"
            self._window.add([StoredSignature(0, uid, source_id, decision.signature, self._now, copy=copy)])
        if entry.comparable:
            self._by_comparable.setdefault(entry.comparable, uid)
        if entry.text_hash:
            self._by_text.setdefault(entry.text_hash, uid)


def _is_telling(terms: bytes) -> bool:
    """Whether an article of these *terms*, as they are packed, belongs to stories."""
    return len(terms) >= FEWEST_TERMS * PACKED_BYTES


def _decision(kind: str, entry: Entry, uid: str, source_id: int, sketch: bytes, *evidence: Evidence) -> Decision:
    return Decision(
        kind=kind,  # type: ignore[arg-type]
        entry=entry,
        article_uid=uid,
        source_id=source_id,
        signature=sketch,
        evidence=evidence,
    )


def _related(decision: Decision, found: Found) -> Decision:
    """*decision* with the articles that its own contains or stands in."""
    if not found.parts and not found.wholes:
        return decision
    parts = tuple(uid for uid in found.parts if uid != decision.article_uid)
    wholes = tuple(uid for uid in found.wholes if uid != decision.article_uid and uid not in parts)
    return replace(decision, parts=parts, wholes=wholes)


def _hollow_texts(entries: Sequence[Entry]) -> frozenset[int]:
    """Texts that a document repeats under different titles ("Subscribe to continue"): they say nothing."""
    titles: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        if entry.text_hash:
            titles[entry.text_hash][title_key(entry.title)] += 1
    return frozenset(text for text, seen in titles.items() if len(seen) > 1)


def remember(entries: Sequence[StoredSignature], window: Window, stories: Stories) -> None:
    """Take stored entries into memory, in the order in which they were first seen.

    So a restart reads back what the process before had; where several processes decide, each takes in what the others
    saved since it last looked, under the same lock under which it decides.
    """
    window.begin()
    window.add(entries)
    stories.begin()
    stories.join(entries)
