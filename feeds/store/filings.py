"""Filings: articles into sections and out of them, each change with the section's next number. I/O: database.

A filing keeps for ever the `rank_at` and the number that it got when it was made; its sequence is that of its last
change. Section rows are locked in order of their id, so that workers on several machines cannot block each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, and_, bindparam, or_, select, update

from feeds.configuration import UNFILED
from feeds.model import DROPPED, DROPPED_AT_SOURCE, WHOLE_DESK, Placement, dropped
from feeds.store import dialect
from feeds.store.dialect import AnyRow, change_in, rows_in, storable
from feeds.store.schema import IN_SECTION, LIVE, NEXT_REVISION, RETRACTED, WITHDRAWN, articles, filings, sections


class Article(Struct, frozen=True, kw_only=True):
    """An article to be filed: its row's id and place in the order, and whether it is retracted; a *new* one is in no
    section.
    """

    id: int
    rank_at: datetime
    retracted: bool = False
    new: bool = False


DROPS = (DROPPED, DROPPED_AT_SOURCE)
Placed = dict[int, list[Placement]]
"""Where articles are filed, by the article's row."""


class _Changes(Struct):
    """What is to be written *now*, collected in the order in which it gets its numbers; *stale*: sections to render."""

    now: datetime
    made: list[dict[str, Any]] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)  # live, withdrawn or retracted now, with a new number
    reworded: list[dict[str, Any]] = field(default_factory=list)
    stale: set[int] = field(default_factory=set)

    def make(self, section_id: int, article: Article, placement: Placement, state: int) -> None:
        """File *article* in a section where it has never been."""
        self.made.append(
            {
                "section_id": section_id,
                "article_id": article.id,
                "state": state,
                "rank_at": article.rank_at,
                **_reasons(placement),
                "filed_at": self.now,
                "changed_at": self.now,
            }
        )

    def move(self, row: AnyRow, state: int) -> None:
        """Give a filing its section's next number, and *state*."""
        self.moved.append(_key(row) | {"state": state, "changed_at": self.now})

    def reword(self, row: AnyRow, placement: Placement) -> None:
        """Give a filing another reason."""
        self.reworded.append(_key(row) | _reasons(placement))

    def articles(self) -> set[int]:
        """The articles that were filed or withdrawn."""
        return {row["article_id"] for row in (*self.made, *self.moved)}


def _key(row: AnyRow) -> dict[str, Any]:
    return {"section_id": row.section_id, "article_id": row.article_id}


def _reasons(placement: Placement) -> dict[str, Any]:
    return {"filed_by": placement.by, "reason": storable(placement.reason), "probability": placement.probability}


_COUNT_ON = (
    update(sections)
    .where(sections.c.id == bindparam("of_id"))
    .values(sequence=sections.c.sequence + bindparam("all"), filed=sections.c.filed + bindparam("new"))
)
_TOUCH = update(sections).where(sections.c.id == bindparam("of_id")).values(touched=sections.c.touched + 1)


def file(
    connection: Connection,
    wanted: Mapping[Article, Sequence[Placement]],
    now: datetime,
    *,
    significant: frozenset[int] = frozenset(),
    touched: frozenset[int] = frozenset(),
    exactly: bool = False,
    moved: set[int] | None = None,
) -> frozenset[str]:
    """File articles where they are not filed yet; give the paths of the sections that changed.

    *exactly* also withdraws what is no longer placed. Articles in *significant* get a new number wherever they are
    filed, those in *touched* only have their sections rendered again. A placement in an unknown section is ignored,
    and an article left with none is `unfiled`. One that a `drop:` rule forbids leaves all sections; a withdrawn filing
    in `unfiled` keeps the reason, and keeps it out until it is filed *exactly* again. The ids of articles that were
    filed or withdrawn are added to *moved*.
    """
    by_path, by_id = _sections(connection)
    present = _present(connection, [article.id for article in wanted if not article.new])
    changes = _Changes(now)
    for article, placements in wanted.items():
        mine = present.get(article.id, {})
        never = _forbidden(placements, mine.get(by_path.get(UNFILED, 0)), exactly)
        if never is not None and UNFILED in by_path:
            _keep_out(changes, article, mine, by_path[UNFILED], never)
            continue
        placed = _placed(placements, by_path, mine, exactly)
        renumber = article.id in significant
        _put_in(changes, article, mine, placed, renumber=renumber, exactly=exactly)
        _take_out(changes, mine, placed, by_path, renumber=renumber, exactly=exactly)
        if article.id in touched:
            changes.stale |= {id_ for id_, row in mine.items() if row.state == LIVE and id_ in by_id}
    numbered = _write(connection, changes)
    if moved is not None:
        moved |= changes.articles()
    stale = changes.stale - numbered
    touch(connection, stale)
    return _paths(numbered | stale, by_id)


def _paths(section_ids: Iterable[int], by_id: Mapping[int, str]) -> frozenset[str]:
    return frozenset(by_id[section_id] for section_id in section_ids if section_id in by_id)


Rows = Mapping[int, AnyRow]
"""The filings of one article, by section."""


def _forbidden(placements: Sequence[Placement], kept_out: AnyRow | None, exactly: bool) -> Placement | None:
    """Why an article is to be in no section: a `drop:` rule of now, or of before where it is not filed exactly."""
    if (never := dropped(placements)) is not None or exactly or kept_out is None or kept_out.filed_by != DROPPED:
        return never
    return Placement(section=UNFILED, by=kept_out.filed_by, reason=kept_out.reason)


def _put_in(
    changes: _Changes, article: Article, mine: Rows, placed: Mapping[int, Placement], *, renumber: bool, exactly: bool
) -> None:
    """File an article where it is placed and not yet filed; what is filed there is renumbered or reworded."""
    for section_id, placement in placed.items():
        row = mine.get(section_id)
        if row is None:
            changes.make(section_id, article, placement, RETRACTED if article.retracted else LIVE)
        elif row.state == WITHDRAWN and not article.retracted:
            changes.move(row, LIVE)
            changes.reword(row, placement)
        elif renumber and row.state == LIVE:
            changes.move(row, LIVE)
        elif exactly and _says_otherwise(row, placement):
            changes.reword(row, placement)


def _take_out(
    changes: _Changes,
    mine: Rows,
    placed: Mapping[int, Placement],
    by_path: Mapping[str, int],
    *,
    renumber: bool,
    exactly: bool,
) -> None:
    """Withdraw the filings of an article that hold no more; what it keeps is renumbered.

    What leaves `unfiled` for private sections alone leaves the whole desk, too.
    """
    unfiled, known = by_path.get(UNFILED), frozenset(by_path.values())
    left = {unfiled}
    if (row := mine.get(unfiled or 0)) is not None and row.state == LIVE:
        left.add(by_path.get(""))
    for section_id, row in mine.items():
        if section_id in placed:
            continue
        if section_id == unfiled:
            _leave_unfiled(changes, row)
        if row.state == LIVE and section_id in known:
            if exactly or section_id in left:
                changes.move(row, WITHDRAWN)
            elif renumber:
                changes.move(row, LIVE)


def _leave_unfiled(changes: _Changes, row: AnyRow) -> None:
    if row.filed_by in DROPS:
        changes.reword(row, Placement(section=UNFILED, by="none", reason="dropped no more"))
    if row.state == RETRACTED:
        # Else it would be back there, beside its sections, once the retraction is taken back.
        changes.move(row, WITHDRAWN)


def _keep_out(changes: _Changes, article: Article, mine: Rows, unfiled: int, never: Placement) -> None:
    """Take an article out of every section, and leave the reason with a filing in `unfiled` that is not in force."""
    for row in mine.values():
        if row.state == LIVE:
            changes.move(row, WITHDRAWN)
    kept_out = mine.get(unfiled)
    if kept_out is None:
        changes.make(unfiled, article, never, WITHDRAWN)
    elif _says_otherwise(kept_out, never):
        changes.reword(kept_out, never)


def renew(connection: Connection, article_ids: Iterable[int]) -> None:
    """Have articles of which something else is shown now rendered again, and the sections that hold them."""
    ids = sorted(article_ids)
    change_in(connection, NEXT_REVISION, articles.c.id, ids)
    touch(connection, sections_of(connection, ids))


def sections_of(connection: Connection, article_ids: Iterable[int]) -> set[int]:
    """The rows of the sections that hold any of these articles."""
    held = select(filings.c.section_id).where(IN_SECTION).distinct()
    return {row.section_id for row in rows_in(connection, held, filings.c.article_id, article_ids)}


def _placed(
    placements: Sequence[Placement],
    by_path: Mapping[str, int],
    mine: Mapping[int, AnyRow],
    exactly: bool,
) -> dict[int, Placement]:
    """By section id where an article belongs; `unfiled` only while it belongs nowhere else but to the whole desk."""
    placed: dict[int, Placement] = {}
    for placement in placements:
        if placement.section in by_path:
            placed.setdefault(by_path[placement.section], placement)
    unfiled, whole = by_path.get(UNFILED), by_path.get("")
    elsewhere = {section_id for section_id, row in mine.items() if row.state != WITHDRAWN and not exactly}
    if (elsewhere | placed.keys()) - {unfiled, whole}:
        placed.pop(unfiled or 0, None)
    elif unfiled is not None:
        placed.setdefault(unfiled, Placement(section=UNFILED, by="rule", reason="no rule files it"))
        if whole is not None:
            placed.setdefault(whole, WHOLE_DESK)
    return placed


def placed(connection: Connection, those: ColumnElement[bool]) -> Placed:
    """Where articles are filed now, or that they are dropped, by the article's row; *those* says of which filings."""
    kept_out = and_(filings.c.state == WITHDRAWN, filings.c.filed_by.in_(DROPS))
    columns = filings.c.article_id, filings.c.section_id, filings.c.filed_by, filings.c.reason, filings.c.probability
    _, paths = _sections(connection)
    found: Placed = {}
    known: dict[tuple[Any, ...], Placement] = {}  # most are like others: "the whole desk" is every article's
    for article_id, *rest in connection.execute(select(*columns).where(those, or_(IN_SECTION, kept_out))).all():
        section_id, by, reason, probability = same = tuple(rest)
        placement = known.get(same)
        if placement is None and section_id in paths:
            placement = Placement(section=paths[section_id], by=by, reason=reason, probability=probability)
            known[same] = placement
        if placement is not None:
            found.setdefault(article_id, []).append(placement)
    return found


def switch(connection: Connection, article_id: int, before: int, after: int, now: datetime) -> frozenset[str]:
    """Move the filings of one article from one state to another, each with a new number; the sections changed."""
    _, by_id = _sections(connection)
    mine = _present(connection, [article_id]).get(article_id, {})
    changes = _Changes(now)
    for row in mine.values():
        if row.state == before:
            changes.move(row, after)
    return _paths(_write(connection, changes), by_id)


def touch(connection: Connection, section_ids: Iterable[int]) -> None:
    """Have sections rendered again, leaving their numbers alone."""
    rows = [{"of_id": section_id} for section_id in sorted(section_ids)]
    if rows:
        connection.execute(_TOUCH, rows)


_SECTIONS = select(sections.c.id, sections.c.path).where(sections.c.removed_at.is_(None))


def _sections(connection: Connection) -> tuple[dict[str, int], dict[int, str]]:
    by_path = {row.path: row.id for row in connection.execute(_SECTIONS)}
    return by_path, {section_id: path for path, section_id in by_path.items()}


_FILINGS = select(filings)


def _present(connection: Connection, article_ids: Sequence[int]) -> dict[int, dict[int, AnyRow]]:
    present: dict[int, dict[int, AnyRow]] = {}
    for row in rows_in(connection, _FILINGS, filings.c.article_id, article_ids):
        present.setdefault(row.article_id, {})[row.section_id] = row
    return present


def _says_otherwise(row: AnyRow, placement: Placement) -> bool:
    return any(getattr(row, name) != value for name, value in _reasons(placement).items())


def _write(connection: Connection, changes: _Changes) -> set[int]:
    """Give every change its number and write them all; the ids of the sections that counted on."""
    made, moved = _by_section(changes.made), _by_section(changes.moved)
    _number(connection, made, moved)
    dialect.insert_many(connection, filings, changes.made)
    for rows in (changes.moved, changes.reworded):
        dialect.update_many(connection, filings, rows, ("section_id", "article_id"))
    return set(made) | set(moved)


def _by_section(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["section_id"], []).append(row)
    return found


_COUNTED = select(sections.c.id, sections.c.sequence, sections.c.filed)
Numbered = Mapping[int, list[dict[str, Any]]]
"""Rows to be written, by section."""


def _number(connection: Connection, made: Numbered, moved: Numbered) -> None:
    """Count the sections on, and give each row its section's next number, each new filing the next of filings too."""
    ids = sorted(made.keys() | moved.keys())
    more = [
        {"of_id": each, "all": len(made.get(each, ())) + len(moved.get(each, ())), "new": len(made.get(each, ()))}
        for each in ids
    ]
    if more:
        connection.execute(_COUNT_ON, more)
    for section_id, last, filed in rows_in(connection, _COUNTED, sections.c.id, ids):
        new, old = made.get(section_id, []), moved.get(section_id, [])
        for back, row in enumerate(reversed(old + new)):
            row["sequence"] = last - back
        for back, row in enumerate(reversed(new)):
            row["number"] = filed - back
