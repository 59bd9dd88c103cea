"""Which articles contain which: digests and their parts, and who quotes whom. I/O: database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, or_, select, tuple_, update

from feeds.model import Containment, Decision, Related
from feeds.store import dialect, filings
from feeds.store.columns import chunks
from feeds.store.dialect import rows_in
from feeds.store.schema import FILED, NOT_ASIDE, articles, containments, entries

MOST_RELATED = 50
"""So many articles are named that one contains, or is contained in: a page that quotes everybody must not grow."""

Neighbours = dict[int, list[Related]]
"""By the row of an article."""


def add(connection: Connection, decisions: Sequence[Decision]) -> set[int]:
    """Keep which articles these decisions say contain which; the rows of those of which it is new."""
    pairs = {(decision.article_uid, part) for decision in decisions for part in decision.parts}
    pairs |= {(whole, decision.article_uid) for decision in decisions for whole in decision.wholes}
    uids = sorted({uid for pair in pairs for uid in pair})
    ids: dict[str, int] = {}
    for some in chunks(uids):
        for row in connection.execute(select(articles.c.id, articles.c.uid).where(articles.c.uid.in_(some))):
            ids[row.uid] = row.id
    wanted = sorted({(ids[whole], ids[part]) for whole, part in pairs if whole in ids and part in ids})
    if not wanted:
        return set()
    known, counts = _known(connection, {whole for whole, _ in wanted}, {part for _, part in wanted})
    rows = []
    for whole, part in wanted:
        held = counts.get((whole, True), 0), counts.get((part, False), 0)
        if (whole, part) in known or (part, whole) in known or max(held) >= MOST_RELATED:
            continue
        counts[whole, True], counts[part, False] = held[0] + 1, held[1] + 1
        known.add((whole, part))
        rows.append({"whole_id": whole, "part_id": part})
    dialect.insert_many(connection, containments, rows)
    return {row[name] for row in rows for name in ("whole_id", "part_id")}


def of(connection: Connection, uids: Collection[str]) -> list[Containment]:
    """What is kept of these articles, each pair once."""
    mine = [row.id for row in rows_in(connection, select(articles.c.id), articles.c.uid, uids)]
    pairs, _ = _known(connection, mine, mine)
    ids = sorted({id_ for pair in pairs for id_ in pair})
    uid_of = {row.id: row.uid for row in rows_in(connection, select(articles.c.id, articles.c.uid), articles.c.id, ids)}
    signatures: dict[int, dict[tuple[int, str], bytes]] = {id_: {} for id_ in ids}
    columns = entries.c.article_id, entries.c.source_id, entries.c.key, entries.c.signature
    for row in rows_in(connection, select(*columns), entries.c.article_id, ids):
        signatures[row.article_id][row.source_id, row.key] = row.signature or b""
    return [
        Containment(uid_of[whole], uid_of[part], signatures[whole], signatures[part])
        for whole, part in sorted(pairs)
        if whole in uid_of and part in uid_of
    ]


def withdraw(connection: Connection, decisions: Sequence[Decision]) -> set[int]:
    """Forget what these decisions say is a part or a whole no more; the rows of the articles of which it was kept."""
    ended = {(one.article_uid, other) for one in decisions for other in one.apart}
    uids = sorted({uid for pair in ended for uid in pair})
    id_of = {
        row.uid: row.id for row in rows_in(connection, select(articles.c.id, articles.c.uid), articles.c.uid, uids)
    }
    told: set[int] = set()
    for uid, other in ended:
        if uid in id_of and other in id_of:
            pair = id_of[uid], id_of[other]
            same = tuple_(containments.c.whole_id, containments.c.part_id).in_([pair, pair[::-1]])
            if connection.execute(delete(containments).where(same)).rowcount:
                told.update(pair)
    return told


def _known(
    connection: Connection, wholes: Collection[int], parts: Collection[int]
) -> tuple[set[tuple[int, int]], dict[tuple[int, bool], int]]:
    """The pairs stored of these articles, and of how many each is the whole (True) or a part (False)."""
    pairs: set[tuple[int, int]] = set()
    for some in chunks(sorted({*wholes, *parts})):
        either = or_(containments.c.whole_id.in_(some), containments.c.part_id.in_(some))
        pairs |= {(row.whole_id, row.part_id) for row in connection.execute(select(containments).where(either))}
    counts: dict[tuple[int, bool], int] = {}
    for whole, part in pairs:
        for key in ((whole, True), (part, False)):
            counts[key] = counts.get(key, 0) + 1
    return pairs, counts


def related(connection: Connection, ids: Sequence[int]) -> tuple[Neighbours, Neighbours]:
    """What is published of the articles that these contain, and of those that they are contained in."""
    return (
        _others(connection, ids, containments.c.whole_id, containments.c.part_id),
        _others(connection, ids, containments.c.part_id, containments.c.whole_id),
    )


def _others(connection: Connection, ids: Sequence[int], mine: Any, other: Any) -> Neighbours:
    found: Neighbours = {}
    for some in chunks(ids):
        for row in connection.execute(_shown(mine, other).where(mine.in_(some)).order_by(mine, other)):
            found.setdefault(row.of_id, []).append(_told(row))
    return found


def _shown(mine: Any, other: Any) -> Select[Any]:
    return (
        select(mine.label("of_id"), articles.c.uid, entries.c.link, entries.c.title)
        .join_from(containments, articles, articles.c.id == other)
        .join(entries, entries.c.article_id == articles.c.id)
        .where(entries.c.shown == 1, articles.c.retracted_at.is_(None), NOT_ASIDE, FILED)
    )


def _told(row: Row[*tuple[Any, ...]]) -> Related:
    return Related(uid=row.uid, link=row.link, title=row.title)


def renew_neighbours(connection: Connection, ids: Iterable[int], *, at_once: bool = False) -> None:
    """Have what names these articles rendered again; *at_once*: nothing older may be served any more."""
    own = set(ids)
    neighbours: set[int] = set()
    for some in chunks(sorted(own)):
        either = or_(containments.c.whole_id.in_(some), containments.c.part_id.in_(some))
        for row in connection.execute(select(containments).where(either)):
            neighbours |= {row.whole_id, row.part_id}
    filings.renew(connection, neighbours - own)
    if at_once:
        for some in chunks(sorted(neighbours - own)):
            withheld = update(articles).where(articles.c.id.in_(some)).values(least_revision=articles.c.revision)
            connection.execute(withheld)


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Remove what is kept of articles that go."""
    renew_neighbours(connection, ids)
    for some in chunks(ids):
        either = or_(containments.c.whole_id.in_(some), containments.c.part_id.in_(some))
        connection.execute(delete(containments).where(either))


def count(connection: Connection) -> int:
    """How many pairs are kept."""
    return int(connection.execute(select(func.count()).select_from(containments)).scalar_one())
