"""One batch of decisions written: entries, articles, keys, filings. I/O: database.

Saving the same decisions twice is the same as once: what is stored already under its source and key is not new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from msgspec import Struct, field
from sqlalchemy import Connection, Select, Table, bindparam, func, null, select, union_all, update

from feeds.codec import entry_to_blob
from feeds.model import Beside, Decision, Entry, Known, KnownEntry, Placement
from feeds.store import dialect, filings, hydrate, relations, search_index
from feeds.store.dialect import (
    AnyRow,
    change_in,
    chunks,
    entry_mark,
    indexable,
    one_of,
    rows_in,
    signed,
    storable,
    text_mark,
    unsigned,
    url_mark,
)
from feeds.store.schema import NEXT_REVISION, article_texts, article_urls, articles, entries, sources, tombstones
from feeds.store.values import SaveReport

ASKED_AT_ONCE = 400
RECENT = 50
"""How many of a source's newest entries dedupe gets, for sources whose ids move; more where its document holds more."""


class _Batch(Struct):
    """What is to be written: *fresh* entries by source and key, *updated* ones by their row, keys that are others now.

    *order* are the articles in the order of the decisions, which becomes that of filing. *born* gives the decision that
    a new article is made of, *outranking* the copies that are shown from now on; *rows* are articles by uid.
    """

    fresh: dict[tuple[int, str], Decision] = field(default_factory=dict)
    updated: dict[int, tuple[Decision, AnyRow]] = field(default_factory=dict)
    rekeyed: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Decision] = field(default_factory=list)
    order: dict[str, None] = field(default_factory=dict)
    rows: dict[str, _Article] = field(default_factory=dict)
    born: dict[str, Decision] = field(default_factory=dict)
    outranking: dict[str, Decision] = field(default_factory=dict)

    @property
    def copies(self) -> list[Decision]:
        """Fresh entries of articles that others already brought."""
        return [one for one in self.fresh.values() if one is not self.born.get(one.article_uid)]

    def id_of(self, decision: Decision) -> int:
        """The row of the article of a fresh entry."""
        return self.rows[decision.article_uid].id


def save(
    connection: Connection,
    decisions: Sequence[Decision],
    now: datetime,
    placements: Mapping[str, Sequence[Placement] | None],
    ranks: Mapping[str, datetime],
    missing: frozenset[tuple[int, str]],
) -> SaveReport:
    """See `Articles.save`."""
    batch = _sorted_out(connection, decisions, missing)
    _note_listed(connection, batch.refused, now)
    _insert_articles(connection, batch, now, ranks)
    batch.outranking = _outranking(connection, batch)
    renamed = [row.article_id for _, row in batch.updated.values() if row.shown]
    search_index.forget(connection, [*renamed, *(batch.rows[uid].id for uid in batch.outranking)])
    _insert_entries(connection, batch, now)
    hydrate.keep_words(
        connection, [row.id for one, row in batch.updated.values() if one.significant and row.shown], now
    )
    _update_entries(connection, batch, now)
    _rekey(connection, batch.rekeyed)
    _claim_addresses(connection, batch)
    _index(connection, batch)
    _renew_contained(connection, batch, decisions)

    touched = {one.article_uid for one in batch.copies} | {row.uid for _, row in batch.updated.values()}
    significant = {row.uid: one for one, row in batch.updated.values() if one.significant and row.shown}
    _revise(connection, batch, touched, significant, now)
    changed = filings.file(
        connection,
        _to_file(batch, touched, placements),
        now,
        significant=frozenset(batch.rows[uid].id for uid in significant),
        touched=frozenset(batch.rows[uid].id for uid in touched),
    )
    return SaveReport(
        new=len(batch.born),
        updated=len(batch.updated),
        copies=len(batch.copies),
        newest_entry=newest_entry(connection),
        sections_changed=changed,
    )


def _to_file(
    batch: _Batch, touched: set[str], placements: Mapping[str, Sequence[Placement] | None]
) -> dict[filings.Article, Sequence[Placement]]:
    """Where new and *touched* articles are placed, in the order of the decisions."""
    wanted = {}
    for uid in batch.order:
        placed = placements.get(uid, ())
        if placed is not None and (uid in batch.born or uid in touched):
            row = batch.rows[uid]
            retracted, new = row.retracted_at is not None, uid in batch.born
            wanted[filings.Article(id=row.id, rank_at=row.rank_at, retracted=retracted, new=new)] = placed
    return wanted


def _sorted_out(connection: Connection, decisions: Sequence[Decision], missing: frozenset[tuple[int, str]]) -> _Batch:
    """Tell apart what *decisions* ask for, by what is stored already."""
    asked = {(one.source_id, _key(one)) for one in decisions} - missing
    present = {(row.source_id, row.key): row for row in stored(connection, asked)}
    batch = _Batch()
    for decision in decisions:
        at = decision.source_id, _key(decision)
        row = present.get(at)
        batch.order[decision.article_uid if row is None else row.uid] = None
        if decision.kind == "refused":
            batch.refused.append(decision)
        elif row is None:
            batch.fresh.setdefault(at, decision)
        else:
            if decision.kind == "updated":
                batch.updated[row.id] = (decision, row)
            if row.key != (key := indexable(decision.entry.key)):
                entry_id = decision.entry.entry_id
                new_id = None if entry_id is None else storable(entry_id)
                batch.rekeyed.append({"id": row.id, "source_id": row.source_id, "key": key, "entry_id": new_id})
    return batch


def _key(decision: Decision) -> str:
    return indexable(decision.known_key or decision.entry.key)


class _Article(NamedTuple):
    """The row of an article, as far as it is asked for."""

    id: int
    uid: str
    rank_at: datetime
    published_at: datetime
    retracted_at: datetime | None = None


_ROWS = select(*(articles.c[name] for name in _Article._fields))


def _add_rows(connection: Connection, batch: _Batch, uids: Iterable[str]) -> None:
    rows = rows_in(connection, _ROWS, articles.c.uid, sorted(uids))
    batch.rows |= {row.uid: _Article._make(row) for row in rows}


def _insert_articles(connection: Connection, batch: _Batch, now: datetime, ranks: Mapping[str, datetime]) -> None:
    """Insert new articles, and learn the rows of all that the batch is about."""
    uids = {one.article_uid for one in batch.fresh.values() if one.kind != "new"}
    _add_rows(connection, batch, uids | {row.uid for _, row in batch.updated.values()})
    rows: list[dict[str, Any]] = []
    for decision in batch.fresh.values():
        uid, entry = decision.article_uid, decision.entry
        if uid in batch.rows or uid in batch.born:
            continue
        batch.born[uid] = decision
        rank_at = ranks.get(uid) or min(entry.published or now, now)
        published = entry.published or rank_at
        rows.append(
            {
                "uid": uid,
                "story_uid": decision.story_uid,
                "published_at": published,
                "updated_at": _last_change(entry, published, now) or published,
                "rank_at": rank_at,
                "seen_at": now,
            }
        )
    dialect.insert_many(connection, articles, rows)
    _add_rows(connection, batch, batch.born)


def _last_change(entry: Entry, published: datetime, now: datetime) -> datetime | None:
    """The time of the change that *entry* states, where it can be true."""
    return entry.updated if entry.updated is not None and published <= entry.updated <= now else None


def _outranking(connection: Connection, batch: _Batch) -> dict[str, Decision]:
    """Copies whose source has a higher priority than that of the entry shown so far, by the article."""
    if not batch.copies:
        return {}
    ranking = select(sources.c.id, sources.c.priority).where(sources.c.priority != 0)
    priorities = {row.id: row.priority for row in connection.execute(ranking)}
    if not priorities:
        return {}
    of_shown = select(entries.c.article_id, entries.c.source_id).where(entries.c.shown == 1)
    ids = [batch.id_of(one) for one in batch.copies]
    shown = {row.article_id: row.source_id for row in rows_in(connection, of_shown, entries.c.article_id, ids)}
    shown |= {batch.rows[uid].id: one.source_id for uid, one in batch.born.items()}
    best: dict[str, Decision] = {}
    for decision in batch.copies:
        article_id = batch.id_of(decision)
        if priorities.get(decision.source_id, 0) > priorities.get(shown.get(article_id), 0):
            shown[article_id] = decision.source_id
            best[decision.article_uid] = decision
    return best


def _insert_entries(connection: Connection, batch: _Batch, now: datetime) -> None:
    """Insert what is fresh."""
    rows = []
    for decision in batch.fresh.values():
        uid = decision.article_uid
        first = decision is batch.born.get(uid)
        rows.append(
            _entry_columns(decision, now)
            | {
                "source_id": decision.source_id,
                "key": indexable(decision.entry.key),
                "article_id": batch.id_of(decision),
                "shown": int(decision is batch.outranking.get(uid) if uid in batch.outranking else first),
                "copy": int(not first),
                "first_seen": now,
            }
        )
    outranked = [batch.rows[uid].id for uid in batch.outranking]
    change_in(connection, update(entries).values(shown=0), entries.c.article_id, outranked)
    dialect.insert_many(connection, entries, rows)


_NEWEST_ENTRY = select(func.max(entries.c.id))


def newest_entry(connection: Connection) -> int:
    """See `Articles.newest_entry`."""
    return int(connection.execute(_NEWEST_ENTRY).scalar_one() or 0)


def _entry_columns(decision: Decision, now: datetime) -> dict[str, Any]:
    entry = decision.entry
    return {
        "entry_id": None if entry.entry_id is None else storable(entry.entry_id),
        "comparable": None if not entry.comparable else indexable(entry.comparable),
        "link": None if entry.link is None else storable(entry.link),
        "title": storable(entry.title),
        "text_hash": signed(entry.text_hash),
        "content_hash": signed(entry.content_hash),
        "published_at": entry.published,
        "changed_at": now,
        "evidence": relations.evidence_column(decision.evidence),
        "payload": entry_to_blob(entry),
        "signature": decision.signature or None,
    }


def _update_entries(connection: Connection, batch: _Batch, now: datetime) -> None:
    rows = [_entry_columns(decision, now) | {"id": row_id} for row_id, (decision, _) in batch.updated.items()]
    for row in rows:
        del row["evidence"]
    dialect.update_many(connection, entries, rows)


_OTHERS = entries.alias("others")
_FREE_KEY = ~(
    select(_OTHERS.c.id)
    .where(_OTHERS.c.source_id == bindparam("of_source_id"), _OTHERS.c.key == bindparam("new_key"))
    .exists()
)


def _rekey(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Give entries whose ids move the key that they were last seen under, so that the next poll finds them at once."""
    dialect.update_many(connection, entries, rows, ("id", "source_id"), _FREE_KEY)


def _claim_addresses(connection: Connection, batch: _Batch) -> None:
    """Let articles own the URLs and texts of their entries; what another owns already stays the other's."""
    owned = [(one.entry, batch.id_of(one)) for one in batch.fresh.values()]
    owned += [(one.entry, row.article_id) for one, row in batch.updated.values()]
    addresses = {indexable(entry.comparable): article_id for entry, article_id in reversed(owned) if entry.comparable}
    texts = {signed(entry.text_hash): article_id for entry, article_id in reversed(owned) if entry.text_hash}
    rows = [{"comparable": key, "article_id": article_id} for key, article_id in sorted(addresses.items())]
    dialect.upsert(connection, article_urls, rows, ("comparable",))
    hashes = [{"text_hash": key, "article_id": article_id} for key, article_id in sorted(texts.items())]
    dialect.upsert(connection, article_texts, hashes, ("text_hash",))


def _index(connection: Connection, batch: _Batch) -> None:
    """Have search find the words that are shown now."""
    findable = {row.article_id: one.entry for one, row in batch.updated.values() if row.shown}
    findable |= {batch.id_of(one): one.entry for one in [*batch.born.values(), *batch.outranking.values()]}
    search_index.index(connection, findable)


def _renew_contained(connection: Connection, batch: _Batch, decisions: Sequence[Decision]) -> None:
    """Keep which articles contain others, and have those rendered again that name one whose title is another now."""
    own = {batch.rows[uid].id for uid in {*batch.born, *(one.article_uid for one in batch.copies)}}
    own |= {row.article_id for _, row in batch.updated.values()}
    others = relations.withdraw(connection, decisions) | relations.contain(connection, decisions)
    filings.renew(connection, others - own)
    renamed = [row.article_id for one, row in batch.updated.values() if row.title != storable(one.entry.title)]
    relations.renew_neighbours(connection, [*renamed, *(batch.rows[uid].id for uid in batch.outranking)])


def _revise(
    connection: Connection, batch: _Batch, touched: set[str], significant: Mapping[str, Decision], now: datetime
) -> None:
    """Count articles whose shown words changed, and date significant changes."""
    change_in(connection, NEXT_REVISION, articles.c.id, [batch.rows[uid].id for uid in sorted(touched)])
    rows = []
    for uid, decision in significant.items():
        row = batch.rows[uid]
        at = _last_change(decision.entry, row.published_at, now) or max(now, row.published_at)
        rows.append({"id": row.id, "updated_at": at})
    later = articles.c.updated_at < bindparam("new_updated_at")
    dialect.update_many(connection, articles, rows, ("id",), later)


def _note_listed(connection: Connection, refused: Sequence[Decision], now: datetime) -> None:
    """Note that sources still list what is gone, so that its tombstones stay."""
    marks = {mark for decision in refused for mark in _marks(decision.source_id, decision.entry)}
    change_in(connection, update(tombstones).values(met_at=now), tombstones.c.mark, sorted(marks))


Wanted = Sequence[tuple[int, Sequence[Entry]]]
Name = tuple[int, str] | str | int
"""What an entry is known by: its source and key, its comparable URL, or the hash of its text."""


def _marks(source_id: int, entry: Entry) -> dict[int, Name]:
    """The tombstones that *entry* could have, and what each stands for."""
    marks: dict[int, Name] = {entry_mark(source_id, entry.key): (source_id, entry.key)}
    if entry.comparable:
        marks[url_mark(entry.comparable)] = entry.comparable
    if entry.text_hash:
        marks[text_mark(entry.text_hash)] = entry.text_hash
    return marks


def known(connection: Connection, wanted: Wanted, beside: Mapping[int, Beside]) -> Known:
    """See `Articles.known`."""
    refused: set[Name] = set()
    found: dict[tuple[int, str], KnownEntry] = {}
    asked = {(source_id, indexable(entry.key)): entry.key for source_id, some in wanted for entry in some}
    missing = set(asked)
    for row in stored(connection, asked):
        missing.discard((row.source_id, row.key))
        key = (row.source_id, asked[row.source_id, row.key])
        found[key] = _entry(row, key[1])
        if row.retracted_at is not None:
            refused.add(key)
    by_comparable, by_text = _owners(connection, wanted, found, refused)
    most: dict[int, int] = {}
    for source_id, some in wanted:
        if any(_differs(found.get((source_id, entry.key)), entry) for entry in some):
            window = beside[source_id].window if source_id in beside else 0
            most[source_id] = max(RECENT, 2 * max(len(some), window))
    recent = _recent(connection, most)
    return Known(
        entries=found,
        by_comparable=by_comparable,
        by_text=by_text,
        recent=recent,
        refused=frozenset(refused),
        missing=frozenset(missing),
    )


def _differs(stored: KnownEntry | None, entry: Entry) -> bool:
    return stored is None or stored.content_hash != entry.content_hash


def _stored() -> Select[Any]:
    names = (
        "id key source_id article_id shown entry_id comparable title text_hash content_hash published_at first_seen"
        " signature"
    )
    columns = [entries.c[name] for name in names.split()]
    joined = select(*columns, articles.c.uid, articles.c.retracted_at)
    return joined.join_from(entries, articles)


_STORED = _stored()
# One list of keys, not of pairs, which SQLite looks up by reading everything; other sources' rows are few.
_STORED_OF = _STORED.where(one_of(entries.c.source_id + 0, "of_sources"))
NEWEST_AT_ONCE = 4
"""Sources whose newest entries are asked for together: always so many, for it takes longer to make a statement than to
run it for a source that is none."""


@cache
def _newest() -> Select[Any]:
    """The newest entries of NEWEST_AT_ONCE sources, newest first."""
    parts = []
    for place in range(NEWEST_AT_ONCE):
        theirs = _STORED.where(entries.c.source_id == bindparam(f"source_{place}")).order_by(entries.c.id.desc())
        parts.append(select(theirs.limit(bindparam(f"most_{place}")).subquery(f"newest_{place}")))
    found = union_all(*parts).subquery("newest")
    return select(found).order_by(found.c.id.desc())


def stored(connection: Connection, keys: Iterable[tuple[int, str]]) -> list[AnyRow]:
    """The entries with these (source id, indexable key), joined with their articles."""
    wanted = set(keys)
    of_sources = sorted({source_id for source_id, _ in wanted})
    rows = rows_in(connection, _STORED_OF, entries.c.key, sorted({key for _, key in wanted}), of_sources=of_sources)
    return [row for row in rows if (row.source_id, row.key) in wanted]


def _entry(row: AnyRow, key: str) -> KnownEntry:
    # Field by field, for dedupe is given a hundred of them with each new entry.
    return KnownEntry(
        article_uid=row.uid,
        source_id=row.source_id,
        key=key,
        entry_id=row.entry_id,
        comparable=row.comparable,
        title=row.title,
        text_hash=unsigned(row.text_hash),
        content_hash=unsigned(row.content_hash),
        published=row.published_at,
        first_seen=row.first_seen,
        signature=row.signature or b"",
    )


def _recent(connection: Connection, most: Mapping[int, int]) -> dict[int, tuple[KnownEntry, ...]]:
    """The newest entries of sources, at most so many of each, newest first."""
    found: dict[int, list[KnownEntry]] = {source_id: [] for source_id in most}
    for some in chunks(list(most.items()), NEWEST_AT_ONCE):
        bound: dict[str, int] = {}
        for place in range(NEWEST_AT_ONCE):
            source_id, count = some[place] if place < len(some) else (0, 0)
            bound |= {f"source_{place}": source_id, f"most_{place}": count}
        for row in connection.execute(_newest(), bound):
            found[row.source_id].append(_entry(row, row.key))
    return {source_id: tuple(theirs) for source_id, theirs in found.items()}


def _owners(
    connection: Connection, wanted: Wanted, found: Mapping[tuple[int, str], KnownEntry], refused: set[Name]
) -> tuple[dict[str, str], dict[int, str]]:
    """Article uids by comparable URL and by text. Added to *refused* are those of retracted articles, and what
    retention took, for entries that are not stored.
    """
    by_name: dict[Name, str] = {}
    addresses, hashes, marks = asked = _asked(wanted, found)
    for start in range(0, max(len(each) for each in asked), ASKED_AT_ONCE):
        some = (list(each)[start : start + ASKED_AT_ONCE] for each in asked)
        bound = dict(zip(("addresses", "hashes", "marks"), some, strict=True))
        for address, number, uid, retracted_at in connection.execute(_OWNERS, bound):
            if uid is None:
                refused.add(marks[number])
                continue
            name = hashes[number] if address is None else addresses[address]
            by_name[name] = uid
            if retracted_at is not None:
                refused.add(name)
    by_comparable = {name: uid for name, uid in by_name.items() if isinstance(name, str)}
    return by_comparable, {name: uid for name, uid in by_name.items() if isinstance(name, int)}


def _asked(
    wanted: Wanted, found: Mapping[tuple[int, str], KnownEntry]
) -> tuple[dict[str, str], dict[int, int], dict[int, Name]]:
    """What may own, or forbid, what is *wanted*: comparable URLs and text hashes, {as stored: as they are}, tombstones
    of entries that are not *found*, and what each stands for.
    """
    addresses: dict[str, str] = {}
    hashes: dict[int, int] = {}
    marks: dict[int, Name] = {}
    for source_id, some in wanted:
        for entry in some:
            if entry.comparable:
                addresses[indexable(entry.comparable)] = entry.comparable
            if entry.text_hash:
                hashes[signed(entry.text_hash)] = entry.text_hash
            if (source_id, entry.key) not in found:
                marks |= _marks(source_id, entry)
    return addresses, hashes, marks


def _owner(address: Any, number: Any, table: Table) -> Select[Any]:
    columns = address.label("address"), number.label("number"), articles.c.uid, articles.c.retracted_at
    return select(*columns).join_from(table, articles, articles.c.id == table.c.article_id)


_OWNERS = union_all(
    _owner(article_urls.c.comparable, null(), article_urls).where(one_of(article_urls.c.comparable, "addresses")),
    _owner(null(), article_texts.c.text_hash, article_texts).where(one_of(article_texts.c.text_hash, "hashes")),
    select(null(), tombstones.c.mark, null(), null()).where(one_of(tombstones.c.mark, "marks")),
)
"""Address or number, and the article that owns it; of a tombstone its mark, and no article."""
