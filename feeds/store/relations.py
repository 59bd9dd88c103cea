"""How articles and their entries are related: which article contains which, which entry is the original, which one is
shown. I/O: database.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, delete, func, literal, select, tuple_, union_all, update

from feeds.codec import part_from_blob, plain, restore
from feeds.model import LINEAGE_FIELDS, NEVER_SHOWN, Containment, Decision, Entry, Evidence, Related
from feeds.store import filings, search_index
from feeds.store.dialect import (
    Verbs,
    change_in,
    chunks,
    how_many,
    insert_many,
    one_of,
    rows_in,
    storable,
    update_many,
    value_of,
)
from feeds.store.schema import NOT_ASIDE, articles, containments, entries
from feeds.store.selections import PUBLIC, filed_in

MOST_RELATED = 50
"""So many articles are named that one contains, or is contained in: a page that quotes everybody must not grow."""

MOST_WEIGHED = 32
"""Of an article with more entries the lineage stands: a flood of copies must not be weighed again with each."""

Neighbours = dict[int, list[Related]]
"""By the row of an article."""

Pair = tuple[int, int]
"""The rows of two articles: the whole and its part."""

SIGNS = {
    "entry-id": "the same entry id",
    "url": "the same address",
    "text": "the same text, word for word",
    "near": "nearly the same text",
    "title": "the same headline",
}
"""The kinds of evidence that an entry is another's copy, in words."""


class Line(Struct, frozen=True, kw_only=True):
    """One stored entry of an article, as far as its lineage goes; *id* is its row, which says the same as long as it
    *changed_at* the same time.
    """

    id: int
    source_id: int
    key: str
    changed_at: datetime
    first_seen: datetime
    shown: bool
    copy: bool
    evidence: tuple[Evidence, ...]

    def evidence_with(self, drops: Sequence[Evidence] | None) -> tuple[Evidence, ...]:
        """The evidence with these *drops* (`NEVER_SHOWN`) in the place of those that stand there; None: these stay."""
        if drops is None:
            return self.evidence
        return (*(each for each in self.evidence if each.kind != NEVER_SHOWN), *drops)


class Settled(Struct, frozen=True, kw_only=True):
    """What becomes of one entry of an article."""

    line: Line
    shown: bool
    copy: bool
    evidence: tuple[Evidence, ...]

    @property
    def moves(self) -> bool:
        """Whether readers see the difference."""
        before = self.line.shown, self.line.copy, is_dropped(self.line.evidence)
        return (self.shown, self.copy, is_dropped(self.evidence)) != before

    def changes(self) -> dict[str, Any]:
        """The columns that are others now."""
        values: dict[str, Any] = {}
        if self.shown != self.line.shown:
            values["shown"] = int(self.shown)
        if self.copy != self.line.copy:
            values["copy"] = int(self.copy)
        if self.evidence != self.line.evidence:
            values["evidence"] = evidence_column(self.evidence)
        return values


_LINE = [
    entries.c[name] for name in ("id", "source_id", "key", "changed_at", "first_seen", "shown", "copy", "evidence")
]


class Relations(Verbs):
    """``tx.relations``"""

    def lines(self, uids: Sequence[str]) -> dict[str, list[Line]]:
        """The entries of the articles, first come first; without articles that have more than MOST_WEIGHED."""
        of_few = (
            select(entries.c.article_id)
            .join_from(entries, articles)
            .group_by(entries.c.article_id)
            .having(func.count() <= MOST_WEIGHED)
        )
        ids = [row.article_id for row in rows_in(self._connection, of_few, articles.c.uid, uids)]
        statement = select(*_LINE, articles.c.uid).join_from(entries, articles).order_by(entries.c.id)
        found: dict[str, list[Line]] = {}
        for row in rows_in(self._connection, statement, entries.c.article_id, ids):
            evidence = evidence_of(row.evidence)
            line = value_of(Line, row, shown=bool(row.shown), copy=bool(row.copy), evidence=evidence)
            found.setdefault(row.uid, []).append(line)
        return found

    def entries(self, ids: Sequence[int]) -> dict[int, Entry]:
        """The entries of these rows (`Line.id`), with no more than lineage may ask, `feeds.model.LINEAGE_FIELDS`."""
        rows = rows_in(self._connection, select(entries.c.id, entries.c.payload), entries.c.id, ids)
        return {row.id: part_from_blob(row.payload, LINEAGE_FIELDS) for row in rows}

    def settle(self, settled: Mapping[str, Sequence[Settled]]) -> list[str]:
        """Write what the entries of articles are to them, where it differs; the articles that are shown otherwise now.

        Those, and the articles that name them, have to be rendered again.
        """
        moved = [uid for uid, several in settled.items() if any(one.moves for one in several)]
        ids = [row.id for row in rows_in(self._connection, select(articles.c.id), articles.c.uid, moved)]
        search_index.forget(self._connection, ids)
        changes: dict[frozenset[str], list[dict[str, Any]]] = {}  # rows that change the same columns are one statement
        for one in chain.from_iterable(settled.values()):
            if values := one.changes():
                changes.setdefault(frozenset(values), []).append(values | {"id": one.line.id})
        for rows in changes.values():
            update_many(self._connection, entries, rows)
        search_index.index_shown(self._connection, ids)
        filings.renew(self._connection, ids)
        renew_neighbours(self._connection, ids)
        return moved

    def drop(self, reasons: Mapping[str, tuple[Sequence[str], int]]) -> list[str]:
        """Keep why entries of articles are dropped by their own sources, by rules that changed; the articles that are
        shown otherwise now. *reasons* has those of each entry, first come first, empty where it is not dropped, and
        which entry is shown in the place of one that is.
        """
        settled: dict[str, list[Settled]] = {}
        for uid, lines in self.lines(list(reasons)).items():
            why, instead = reasons[uid]
            hidden = any(line.shown and reason for line, reason in zip(lines, why, strict=True))
            settled[uid] = [
                Settled(
                    line=line,
                    shown=at == instead if hidden else line.shown,
                    copy=line.copy,
                    evidence=line.evidence_with([Evidence(kind=NEVER_SHOWN, detail=why[at])] if why[at] else []),
                )
                for at, line in enumerate(lines)
            ]
        return self.settle(settled)

    def containments(self, uids: Collection[str]) -> list[Containment]:
        """Which articles these contain, or are contained in, each pair once, with the signatures of both."""
        mine = [row.id for row in rows_in(self._connection, select(articles.c.id), articles.c.uid, uids)]
        pairs = _pairs(self._connection, mine)
        ids = sorted({id_ for pair in pairs for id_ in pair})
        uid_of = self._uids(ids)
        signatures: dict[int, dict[tuple[int, str], bytes]] = {id_: {} for id_ in ids}
        signed = select(entries.c.article_id, entries.c.source_id, entries.c.key, entries.c.signature)
        for row in rows_in(self._connection, signed, entries.c.article_id, ids):
            signatures[row.article_id][row.source_id, row.key] = row.signature or b""
        return [
            Containment(uid_of[whole], uid_of[part], signatures[whole], signatures[part])
            for whole, part in sorted(pairs)
            if whole in uid_of and part in uid_of
        ]

    def _uids(self, ids: Sequence[int]) -> dict[int, str]:
        named = select(articles.c.id, articles.c.uid)
        return {row.id: row.uid for row in rows_in(self._connection, named, articles.c.id, ids)}


# --------------------------------------------------------------------------- evidence


def evidence_of(text: str) -> tuple[Evidence, ...]:
    """The evidence that a column keeps."""
    return tuple(restore(Evidence, each) for each in json.loads(text)) if text else ()


def is_dropped(evidence: Iterable[Evidence]) -> bool:
    """Whether an entry's own source drops it."""
    return any(each.kind == NEVER_SHOWN for each in evidence)


def evidence_column(evidence: Sequence[Evidence]) -> str:
    """*evidence* as the column keeps it, empty where there is none."""
    return storable(json.dumps(plain(tuple(evidence)), ensure_ascii=False)) if evidence else ""


def in_words(text: str, *, original: bool) -> str:
    """The stored evidence of an entry in a few words for readers, empty where there is none."""
    evidence = evidence_of(text)
    if original:
        return next((each.detail for each in evidence if each.kind == "lineage"), "")
    for each in evidence:
        if each.kind in SIGNS:
            words = SIGNS[each.kind]
            return f"{words} ({each.score:.2f})" if each.kind == "near" and each.score is not None else words
    return ""


# --------------------------------------------------------------------------- containments


def contain(connection: Connection, decisions: Sequence[Decision]) -> set[int]:
    """Keep which articles these decisions say contain which; the rows of those of which it is new."""
    named = {(decision.article_uid, part) for decision in decisions for part in decision.parts}
    named |= {(whole, decision.article_uid) for decision in decisions for whole in decision.wholes}
    wanted = _rows_of(connection, named)
    new = _new(wanted, _pairs(connection, {id_ for pair in wanted for id_ in pair}))
    insert_many(connection, containments, [{"whole_id": whole, "part_id": part} for whole, part in new])
    return {id_ for pair in new for id_ in pair}


def _new(wanted: Sequence[Pair], known: set[Pair]) -> list[Pair]:
    """Those of the pairs *wanted* that are not *known*, the other way round neither, and for which there is room."""
    parts_of = Counter(whole for whole, _ in known)
    wholes_of = Counter(part for _, part in known)
    new: list[Pair] = []
    for whole, part in wanted:
        full = max(parts_of[whole], wholes_of[part]) >= MOST_RELATED
        if not full and known.isdisjoint([(whole, part), (part, whole)]):
            parts_of[whole] += 1
            wholes_of[part] += 1
            known.add((whole, part))
            new.append((whole, part))
    return new


def withdraw(connection: Connection, decisions: Sequence[Decision]) -> set[int]:
    """Forget what these decisions say is a part or a whole no more; the rows of the articles of which it was kept."""
    changed: set[int] = set()
    for pair in _rows_of(connection, {(one.article_uid, other) for one in decisions for other in one.apart}):
        same = tuple_(containments.c.whole_id, containments.c.part_id).in_([pair, pair[::-1]])
        if connection.execute(delete(containments).where(same)).rowcount:
            changed.update(pair)
    return changed


def _rows_of(connection: Connection, pairs: Collection[tuple[str, str]]) -> list[Pair]:
    """The rows of pairs of articles of which both are stored, in order."""
    uids = sorted({uid for pair in pairs for uid in pair})
    named = select(articles.c.id, articles.c.uid)
    id_of = {row.uid: row.id for row in rows_in(connection, named, articles.c.uid, uids)}
    return sorted({(id_of[one], id_of[other]) for one, other in pairs if one in id_of and other in id_of})


def _pairs(connection: Connection, ids: Collection[int]) -> set[Pair]:
    """The pairs that are stored of these articles."""
    return {
        (row.whole_id, row.part_id)
        for column in (containments.c.whole_id, containments.c.part_id)
        for row in rows_in(connection, select(containments), column, sorted(ids))
    }


def related(connection: Connection, ids: Sequence[int]) -> tuple[Neighbours, Neighbours]:
    """What everybody may read of the articles that these contain, and of those that they are contained in."""
    found: tuple[Neighbours, Neighbours] = ({}, {})
    for some in chunks(ids):
        for row in connection.execute(_RELATED, {"wholes": some, "parts": some}):
            found[row.side].setdefault(row.of_id, []).append(value_of(Related, row))
    return found


def _others(side: int, mine: Any, other: Any, those: str) -> Select[Any]:
    return (
        select(literal(side).label("side"), mine.label("of_id"), other.label("other_id"))
        .add_columns(articles.c.uid, entries.c.link, entries.c.title)
        .join_from(containments, articles, articles.c.id == other)
        .join(entries)
        .where(entries.c.shown == 1, articles.c.retracted_at.is_(None), NOT_ASIDE, filed_in(PUBLIC))
        .where(one_of(mine, those))
    )


_RELATED = union_all(
    _others(0, containments.c.whole_id, containments.c.part_id, "wholes"),
    _others(1, containments.c.part_id, containments.c.whole_id, "parts"),
).order_by("side", "of_id", "other_id")


def renew_neighbours(connection: Connection, ids: Iterable[int], *, at_once: bool = False) -> None:
    """Have what names these articles rendered again; *at_once*: nothing older may be served any more."""
    own = set(ids)
    neighbours = {id_ for pair in _pairs(connection, own) for id_ in pair} - own
    filings.renew(connection, neighbours)
    if at_once:
        withheld = update(articles).values(least_revision=articles.c.revision)
        change_in(connection, withheld, articles.c.id, sorted(neighbours))


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Remove what is kept of articles that go."""
    renew_neighbours(connection, ids)
    for column in (containments.c.whole_id, containments.c.part_id):
        change_in(connection, delete(containments), column, ids)


def count(connection: Connection) -> int:
    """How many pairs are kept."""
    return how_many(connection, containments)
