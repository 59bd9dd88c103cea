"""What sections' documents are chosen from, many sections in one statement. I/O: database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, literal, select, union_all

from feeds.store.schema import BY_NUMBER, BY_RANK, IN_SECTION, RETRACTED, SET_ASIDE, articles, entries, filings
from feeds.store.values import Newest, Standing, Withdrawn

SECTIONS_AT_ONCE = 16
"""Sections in one statement: three parts of it each, of the 500 that SQLite takes."""
TOMBSTONES = 50
"""Retractions that a document tells of at most (RFC 6721)."""

_LISTED, _UNLISTED, _RETRACTED = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Of a section: so *many* of its newest articles, its retractions *after* a sequence number, and the highest number
    of a filing that is not among the *listed* newest articles.
    """

    section_id: int
    listed: int
    many: int
    after: int


def newest(connection: Connection, wanted: Sequence[Wanted]) -> dict[int, Newest]:
    """What there is of each section, by its row; see `Sections.newest`."""
    parts: dict[int, tuple[list[Standing], list[Withdrawn], list[int]]] = {
        one.section_id: ([], [], []) for one in wanted
    }
    for start in range(0, len(wanted), SECTIONS_AT_ONCE):
        some = wanted[start : start + SECTIONS_AT_ONCE]
        values: dict[str, int] = {}
        for place, one in enumerate(some):
            values |= {f"section_{place}": one.section_id, f"listed_{place}": one.listed}
            values |= {f"many_{place}": one.many, f"after_{place}": one.after}
        for row in connection.execute(_statement(len(some)), values):
            standings, retracted, unlisted = parts[row.section_id]
            if row.part == _LISTED:
                standings.append(standing_of(row))
            elif row.part == _RETRACTED:
                at, sequence = row.changed_at, row.sequence
                retracted.append(Withdrawn(uid=row.uid, at=at, sequence=sequence, retracted=True))
            else:
                unlisted.append(row.number)
    return {
        section_id: Newest(
            standings=tuple(sorted(standings, key=lambda one: (one.rank_at, one.article_id), reverse=True)),
            retracted=tuple(sorted(retracted, key=lambda one: one.sequence, reverse=True)),
            unlisted=max(unlisted, default=0),
        )
        for section_id, (standings, retracted, unlisted) in parts.items()
    }


STANDING = (
    articles.c.uid,
    articles.c.revision,
    articles.c.rendered_revision,
    entries.c.source_id,
    entries.c.comparable,
)
"""The columns of a `Standing` that are not its filing's."""


def standing_of(row: Row[*tuple[Any, ...]]) -> Standing:
    """The standing that a *row* tells of."""
    return Standing(
        article_id=row.article_id,
        uid=row.uid,
        rank_at=row.rank_at,
        filed_at=row.filed_at,
        source_id=row.source_id,
        link=row.comparable,
        revision=row.revision,
        rendered=row.revision == row.rendered_revision,
    )


@cache
def _statement(sections: int) -> Select[Any]:
    """For so many sections. Kept: SQLAlchemy takes longer to put it together than a database to answer it."""
    found = union_all(*(part for place in range(sections) for part in _parts(place))).subquery()
    shown = (entries.c.article_id == articles.c.id) & (entries.c.shown == 1)
    return (
        select(found, *STANDING)
        .join_from(found, articles, articles.c.id == found.c.article_id)
        .join(entries, shown, isouter=True)
        # As `standings`: an article without an entry to show stands nowhere.
        .where((found.c.part != _LISTED) | entries.c.source_id.is_not(None))
    )


def _parts(place: int) -> list[Select[Any]]:
    """The three questions about one section; the numbers that differ are bound under its *place*."""
    section = filings.c.section_id == bindparam(f"section_{place}")
    by_rank = filings.c.rank_at.desc(), filings.c.article_id.desc()

    def top(count: str) -> Select[Any]:
        return (
            _filings(_LISTED, section, IN_SECTION, _not_aside())
            .order_by(*by_rank)
            .limit(bindparam(f"{count}_{place}"))
            .with_hint(filings, BY_RANK, "sqlite")
        )

    listed = select(top("listed").subquery().c.article_id)
    unlisted = (
        _filings(_UNLISTED, section, IN_SECTION, _not_aside(), filings.c.article_id.not_in(listed))
        .order_by(filings.c.number.desc())
        .limit(1)
        .with_hint(filings, BY_NUMBER, "sqlite")
    )
    retracted = (
        _filings(_RETRACTED, section, filings.c.sequence > bindparam(f"after_{place}"), filings.c.state == RETRACTED)
        .order_by(filings.c.sequence.desc())
        .limit(TOMBSTONES)
    )
    # A part with an order of its own has to be a table for SQLite.
    return [select(part.subquery()) for part in (top("many"), unlisted, retracted)]


def _filings(part: int, *those: ColumnElement[bool] | Any) -> Select[Any]:
    names = ("section_id", "article_id", "rank_at", "filed_at", "number", "sequence", "changed_at")
    return select(literal(part).label("part"), *(filings.c[name] for name in names)).where(*those)


def _not_aside() -> ColumnElement[bool]:
    return filings.c.article_id.not_in(select(articles.c.id).where(SET_ASIDE))
