"""One batch of decisions written: entries, articles, keys, filings. I/O: database.

Saving the same decisions twice is the same as once: what is stored already under its source and key is not new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from feeds.model import Beside, Decision, Entry, Known, KnownEntry, Placement
from feeds.store import containments, dialect, filings, search
from feeds.store.codec import entry_to_blob, plain
from feeds.store.columns import chunks, entry_mark, indexable, signed, storable, text_mark, unsigned, url_mark
from feeds.store.schema import article_texts, article_urls, articles, entries, sources, tombstones
from feeds.store.values import SaveReport

RECENT = 50
"""How many of a source's newest entries dedupe gets, for sources whose ids move; more where its document holds more."""


def save(
    connection: Connection,
    decisions: Sequence[Decision],
    now: datetime,
    placements: Mapping[str, Sequence[Placement] | None],
    ranks: Mapping[str, datetime],
) -> SaveReport:
    """See `Articles.save`."""
    present = {
        (row.source_id, row.key): row
        for row in stored(connection, {(decision.source_id, _key(decision)) for decision in decisions})
    }
    fresh: dict[tuple[int, str], Decision] = {}
    updated: dict[int, tuple[Decision, Row[*tuple[Any, ...]]]] = {}
    rekeyed: list[dict[str, Any]] = []
    for decision in decisions:
        row = present.get((decision.source_id, _key(decision)))
        if decision.kind == "refused":
            continue
        if row is None:
            fresh.setdefault((decision.source_id, _key(decision)), decision)
            continue
        if decision.kind == "updated":
            updated[row.id] = (decision, row)
        if row.key != indexable(decision.entry.key):
            rekeyed.append(
                {
                    "of_id": row.id,
                    "of_source": row.source_id,
                    "new_key": indexable(decision.entry.key),
                    "new_id": None if decision.entry.entry_id is None else storable(decision.entry.entry_id),
                }
            )
    _meet(connection, [decision for decision in decisions if decision.kind == "refused"], now)

    uids = {decision.article_uid for decision in fresh.values()} | {row.uid for _, row in updated.values()}
    by_uid = _articles(connection, uids)
    born = _bear(connection, [each for each in fresh.values() if each.article_uid not in by_uid], now, ranks)
    by_uid |= _articles(connection, born)
    outranking = _outranking(connection, fresh.values(), by_uid, born)
    _insert_entries(connection, fresh.values(), by_uid, born, outranking, now)
    _update_entries(connection, [decision for decision, _ in updated.values()], list(updated), now)
    _rekey(connection, rekeyed)
    own = [(decision.entry, by_uid[decision.article_uid].id) for decision in fresh.values()]
    _own(connection, own + [(decision.entry, row.article_id) for decision, row in updated.values()])

    told = [decision for decision in [*born.values(), *outranking.values()] if decision.article_uid in by_uid]
    findable = {by_uid[decision.article_uid].id: decision.entry for decision in told}
    search.index(
        connection, findable | {row.article_id: decision.entry for decision, row in updated.values() if row.shown}
    )

    copies = [decision for uid, decision in _by_article(fresh.values()) if decision is not born.get(uid)]
    significant = {row.uid: decision for decision, row in updated.values() if decision.significant and row.shown}
    touched = {decision.article_uid for decision in copies} | {row.uid for _, row in updated.values()}
    own_ids = {by_uid[uid].id for uid in touched | set(born)}
    filings.renew(connection, containments.add(connection, decisions) - own_ids)
    renamed = [row.article_id for decision, row in updated.values() if row.title != storable(decision.entry.title)]
    containments.renew_neighbours(connection, [*renamed, *(by_uid[uid].id for uid in outranking)])
    _revise(connection, touched, significant, by_uid, now)
    concerned = [uid for uid in dict.fromkeys(_order(decisions, updated, present)) if uid in by_uid]
    wanted = {
        filings.Article(id=row.id, rank_at=row.rank_at, retracted=row.retracted_at is not None): placed
        for uid in concerned
        if (row := by_uid[uid]) is not None
        and (uid in born or uid in touched)
        and (placed := placements.get(uid, ())) is not None
    }
    changed = filings.file(
        connection,
        wanted,
        now,
        significant=frozenset(by_uid[uid].id for uid in significant),
        touched=frozenset(by_uid[uid].id for uid in touched),
    )
    return SaveReport(new=len(born), updated=len(updated), copies=len(copies), sections_changed=changed)


def _key(decision: Decision) -> str:
    return indexable(decision.known_key or decision.entry.key)


def _by_article(decisions: Any) -> list[tuple[str, Decision]]:
    return [(decision.article_uid, decision) for decision in decisions]


def _order(
    decisions: Sequence[Decision],
    updated: Mapping[int, tuple[Decision, Row[*tuple[Any, ...]]]],
    present: Mapping[Any, Row[*tuple[Any, ...]]],
) -> list[str]:
    """Article uids in the order of *decisions*, which becomes the order of filing."""
    ordered = []
    for decision in decisions:
        row = present.get((decision.source_id, _key(decision)))
        ordered.append(decision.article_uid if row is None else row.uid)
    return ordered


def _articles(connection: Connection, uids: Any) -> dict[str, Row[*tuple[Any, ...]]]:
    found: dict[str, Row[*tuple[Any, ...]]] = {}
    columns = articles.c.id, articles.c.uid, articles.c.rank_at, articles.c.published_at, articles.c.retracted_at
    for some in chunks(sorted(uids)):
        for row in connection.execute(select(*columns).where(articles.c.uid.in_(some))):
            found[row.uid] = row
    return found


def _bear(
    connection: Connection, decisions: Sequence[Decision], now: datetime, ranks: Mapping[str, datetime]
) -> dict[str, Decision]:
    """Insert new articles; the decision that each is born of, by uid."""
    born: dict[str, Decision] = {}
    rows = []
    for decision in decisions:
        if decision.article_uid in born:
            continue
        born[decision.article_uid] = decision
        entry = decision.entry
        rank_at = ranks.get(decision.article_uid) or min(entry.published or now, now)
        published = entry.published or rank_at
        rows.append(
            {
                "uid": decision.article_uid,
                "story_uid": decision.story_uid,
                "published_at": published,
                "updated_at": _last_change(entry, published, now) or published,
                "rank_at": rank_at,
                "seen_at": now,
            }
        )
    dialect.insert_many(connection, articles, rows)
    return born


def _last_change(entry: Entry, published: datetime, now: datetime) -> datetime | None:
    """The time of the change that *entry* states, where it can be true."""
    return entry.updated if entry.updated is not None and published <= entry.updated <= now else None


def _outranking(
    connection: Connection, decisions: Any, by_uid: Mapping[str, Row[*tuple[Any, ...]]], born: Mapping[str, Decision]
) -> dict[str, Decision]:
    """Copies whose source has a higher priority than that of the entry shown so far: they are shown from now on."""
    best: dict[str, Decision] = {}
    candidates = [decision for decision in decisions if decision is not born.get(decision.article_uid)]
    if not candidates:
        return best
    ranking = select(sources.c.id, sources.c.priority).where(sources.c.priority != 0)
    priorities = {row.id: row.priority for row in connection.execute(ranking)}
    if not priorities:
        return best
    ids = [by_uid[decision.article_uid].id for decision in candidates]
    shown: dict[int, int] = {}
    for some in chunks(ids):
        statement = select(entries.c.article_id, entries.c.source_id)
        for row in connection.execute(statement.where(entries.c.article_id.in_(some), entries.c.shown == 1)):
            shown[row.article_id] = priorities.get(row.source_id, 0)
    for uid, decision in born.items():
        shown[by_uid[uid].id] = priorities.get(decision.source_id, 0)
    for decision in candidates:
        article_id, priority = by_uid[decision.article_uid].id, priorities.get(decision.source_id, 0)
        if priority > shown.get(article_id, 0):
            shown[article_id] = priority
            best[decision.article_uid] = decision
    return best


def _insert_entries(
    connection: Connection,
    decisions: Any,
    by_uid: Mapping[str, Row[*tuple[Any, ...]]],
    born: Mapping[str, Decision],
    outranking: Mapping[str, Decision],
    now: datetime,
) -> None:
    rows = []
    for decision in decisions:
        uid = decision.article_uid
        first = decision is born.get(uid)
        rows.append(
            _entry_columns(decision, now)
            | {
                "source_id": decision.source_id,
                "key": indexable(decision.entry.key),
                "article_id": by_uid[uid].id,
                "shown": int(decision is outranking[uid] if uid in outranking else first),
                "copy": int(not first),
                "first_seen": now,
            }
        )
    for some in chunks([by_uid[uid].id for uid in outranking]):
        connection.execute(update(entries).where(entries.c.article_id.in_(some)).values(shown=0))
    dialect.insert_many(connection, entries, rows)


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
        "evidence": storable(json.dumps(plain(decision.evidence), ensure_ascii=False)) if decision.evidence else "",
        "payload": entry_to_blob(entry),
        "signature": decision.signature or None,
    }


def _update_entries(connection: Connection, decisions: Sequence[Decision], ids: Sequence[int], now: datetime) -> None:
    if not decisions:
        return
    rows = []
    for decision, row_id in zip(decisions, ids, strict=True):
        columns = {f"new_{name}": value for name, value in _entry_columns(decision, now).items() if name != "evidence"}
        rows.append(columns | {"of_id": row_id})
    names: dict[str, Any] = {name.removeprefix("new_"): bindparam(name) for name in rows[0] if name != "of_id"}
    connection.execute(update(entries).where(entries.c.id == bindparam("of_id")).values(names), rows)


def _rekey(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Give entries whose ids move the key that they were last seen under, so that the next poll finds them at once."""
    if not rows:
        return
    other = entries.alias()
    taken = select(other.c.id).where(other.c.source_id == bindparam("of_source"), other.c.key == bindparam("new_key"))
    statement = update(entries).where(entries.c.id == bindparam("of_id"), ~taken.exists())
    connection.execute(statement.values(key=bindparam("new_key"), entry_id=bindparam("new_id")), list(rows))


def _own(connection: Connection, owned: Sequence[tuple[Entry, int]]) -> None:
    """Let articles own the URLs and texts of their entries; what another owns already stays the other's."""
    addresses = {indexable(entry.comparable): article_id for entry, article_id in reversed(owned) if entry.comparable}
    texts = {signed(entry.text_hash): article_id for entry, article_id in reversed(owned) if entry.text_hash}
    rows = [{"comparable": key, "article_id": article_id} for key, article_id in sorted(addresses.items())]
    dialect.upsert(connection, article_urls, rows, ("comparable",))
    hashes = [{"text_hash": key, "article_id": article_id} for key, article_id in sorted(texts.items())]
    dialect.upsert(connection, article_texts, hashes, ("text_hash",))


def _revise(
    connection: Connection,
    touched: set[str],
    significant: Mapping[str, Decision],
    by_uid: Mapping[str, Row[*tuple[Any, ...]]],
    now: datetime,
) -> None:
    """Count articles whose shown words changed, and date significant changes."""
    for some in chunks([by_uid[uid].id for uid in sorted(touched)]):
        renewed = update(articles).where(articles.c.id.in_(some)).values(revision=articles.c.revision + 1)
        connection.execute(renewed)
    rows = []
    for uid, decision in significant.items():
        row = by_uid[uid]
        at = _last_change(decision.entry, row.published_at, now) or max(now, row.published_at)
        rows.append({"of_id": row.id, "new_updated": at})
    if rows:
        later = (articles.c.id == bindparam("of_id")) & (articles.c.updated_at < bindparam("new_updated"))
        connection.execute(update(articles).where(later).values(updated_at=bindparam("new_updated")), rows)


def _meet(connection: Connection, refused: Sequence[Decision], now: datetime) -> None:
    """Note that sources still list what is gone, so that its tombstones stay."""
    marks: set[int] = set()
    for decision in refused:
        entry = decision.entry
        marks.add(entry_mark(decision.source_id, entry.key))
        marks |= {url_mark(entry.comparable)} if entry.comparable else set()
        marks |= {text_mark(entry.text_hash)} if entry.text_hash else set()
    for some in chunks(sorted(marks)):
        connection.execute(update(tombstones).where(tombstones.c.mark.in_(some)).values(met_at=now))


Wanted = Sequence[tuple[int, Sequence[Entry]]]


def known(connection: Connection, wanted: Wanted, beside: Mapping[int, Beside]) -> Known:
    """See `Articles.known`."""
    refused: set[tuple[int, str] | str | int] = set()
    found: dict[tuple[int, str], KnownEntry] = {}
    asked = {(source_id, indexable(entry.key)): entry.key for source_id, some in wanted for entry in some}
    for row in stored(connection, asked):
        key = (row.source_id, asked[row.source_id, row.key])
        found[key] = _entry(row, key[1])
        if row.retracted_at is not None:
            refused.add(key)
    by_comparable, by_text = _owners(connection, wanted, refused)
    _add_tombstones(connection, wanted, found, refused)
    moving = {}
    for source_id, some in wanted:
        strange = (found.get((source_id, entry.key)) for entry in some)
        if any(one is None or one.content_hash != entry.content_hash for one, entry in zip(strange, some, strict=True)):
            moving[source_id] = max(RECENT, 2 * max(len(some), beside[source_id].window if source_id in beside else 0))
    return Known(
        entries=found,
        by_comparable=by_comparable,
        by_text=by_text,
        recent={source_id: _recent(connection, source_id, most) for source_id, most in moving.items()},
        refused=frozenset(refused),
    )


def _select() -> Select[Any]:
    return select(
        entries.c.id,
        entries.c.key,
        entries.c.source_id,
        entries.c.article_id,
        entries.c.shown,
        entries.c.entry_id,
        entries.c.comparable,
        entries.c.title,
        entries.c.text_hash,
        entries.c.content_hash,
        entries.c.published_at,
        entries.c.first_seen,
        entries.c.signature,
        articles.c.uid,
        articles.c.retracted_at,
    ).join_from(entries, articles, articles.c.id == entries.c.article_id)


# Built once: it runs for every source of a batch.
_NEWEST = (
    _select()
    .where(entries.c.source_id == bindparam("of_source"))
    .order_by(entries.c.id.desc())
    .limit(bindparam("most"))
)


def stored(connection: Connection, keys: Iterable[tuple[int, str]]) -> list[Row[*tuple[Any, ...]]]:
    """The entries with these (source id, indexable key), joined with their articles."""
    wanted = set(keys)
    # One list of keys, not of pairs, which SQLite looks up by reading everything; other sources' rows are few.
    of_these = (entries.c.source_id + 0).in_(sorted({source_id for source_id, _ in wanted}))
    rows: list[Row[*tuple[Any, ...]]] = []
    for some in chunks(sorted({key for _, key in wanted})):
        for row in connection.execute(_select().where(entries.c.key.in_(some), of_these)):
            if (row.source_id, row.key) in wanted:
                rows.append(row)
    return rows


def _entry(row: Row[*tuple[Any, ...]], key: str) -> KnownEntry:
    return KnownEntry(
        key=key,
        source_id=row.source_id,
        article_uid=row.uid,
        entry_id=row.entry_id,
        comparable=row.comparable,
        title=row.title,
        text_hash=unsigned(row.text_hash),
        content_hash=unsigned(row.content_hash),
        published=row.published_at,
        first_seen=row.first_seen,
        signature=row.signature or b"",
    )


def _recent(connection: Connection, source_id: int, most: int) -> tuple[KnownEntry, ...]:
    rows = connection.execute(_NEWEST, {"of_source": source_id, "most": most})
    return tuple([_entry(row, row.key) for row in rows])


def _owners(
    connection: Connection, wanted: Wanted, refused: set[tuple[int, str] | str | int]
) -> tuple[dict[str, str], dict[int, str]]:
    """Article uids by comparable URL and by text; those of retracted articles are *refused* too."""
    addresses = {
        indexable(entry.comparable): entry.comparable for _, some in wanted for entry in some if entry.comparable
    }
    by_comparable: dict[str, str] = {}
    for some in chunks(sorted(addresses)):
        statement = select(article_urls.c.comparable, articles.c.uid, articles.c.retracted_at)
        statement = statement.join_from(article_urls, articles, articles.c.id == article_urls.c.article_id)
        for row in connection.execute(statement.where(article_urls.c.comparable.in_(some))):
            by_comparable[addresses[row.comparable]] = row.uid
            if row.retracted_at is not None:
                refused.add(addresses[row.comparable])
    hashes = {entry.text_hash for _, some in wanted for entry in some if entry.text_hash}
    by_text: dict[int, str] = {}
    for numbers in chunks(sorted(signed(number) for number in hashes)):
        statement = select(article_texts.c.text_hash, articles.c.uid, articles.c.retracted_at)
        statement = statement.join_from(article_texts, articles, articles.c.id == article_texts.c.article_id)
        for row in connection.execute(statement.where(article_texts.c.text_hash.in_(numbers))):
            by_text[unsigned(row.text_hash)] = row.uid
            if row.retracted_at is not None:
                refused.add(unsigned(row.text_hash))
    return by_comparable, by_text


def _add_tombstones(
    connection: Connection,
    wanted: Wanted,
    found: dict[tuple[int, str], KnownEntry],
    refused: set[tuple[int, str] | str | int],
) -> None:
    """Add to *refused* what retention took, for entries that are not stored."""
    marks: dict[int, tuple[int, str] | str | int] = {}
    for source_id, some in wanted:
        for entry in some:
            if (source_id, entry.key) in found:
                continue
            marks[entry_mark(source_id, entry.key)] = (source_id, entry.key)
            if entry.comparable:
                marks[url_mark(entry.comparable)] = entry.comparable
            if entry.text_hash:
                marks[text_mark(entry.text_hash)] = entry.text_hash
    for numbers in chunks(sorted(marks)):
        statement = select(tombstones.c.mark).where(tombstones.c.mark.in_(numbers))
        refused.update(marks[mark] for mark in connection.execute(statement).scalars())
