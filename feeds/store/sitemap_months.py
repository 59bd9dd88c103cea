"""Sitemaps of all that the whole desk publishes: which months there are, and what was filed in each. I/O: database.

A month is that in which an article was filed, so that its filings have numbers that follow one another, and no article
changes its month. What is known of each is brought up to date by what changed since: nothing counts all articles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from feeds.store import small_tables
from feeds.store.dialect import Verbs, upsert, value_of
from feeds.store.schema import (
    BY_NUMBER,
    BY_SEQUENCE,
    IN_SECTION,
    NOT_ASIDE,
    articles,
    filings,
    sections,
    sitemap_months,
)

NOTED = "sitemap"
"""The counter of up to which sequence number of the whole desk the months are known."""
NOTED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month as 202611: the numbers of its first and last filing, and when one of them changed last."""

    month: int
    first: int
    last: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """An article in a sitemap, with its last significant change."""

    uid: str
    updated: datetime


class Sitemaps(Verbs):
    """``tx.sitemaps``"""

    def note(self) -> int:
        """Take in what changed since the last time, up to `NOTED_AT_ONCE` filings; how many there were."""
        section_id = self._desk()
        rows = self._execute(changed_filings(section_id, small_tables.value(self._connection, NOTED))).all()
        if not rows:
            return 0
        known = {month.month: month for month in self.months()}
        for row in rows:
            number = row.filed_at.year * 100 + row.filed_at.month
            old = known.get(number) or Month(month=number, first=row.number, last=row.number, changed_at=row.changed_at)
            known[number] = Month(
                month=number,
                first=min(old.first, row.number),
                last=max(old.last, row.number),
                changed_at=max(old.changed_at, row.changed_at),
            )
        values = [{name: getattr(month, name) for name in Month.__slots__} for month in known.values()]
        upsert(self._connection, sitemap_months, values, ("month",), replace=True)
        small_tables.set_value(self._connection, NOTED, rows[-1].sequence)
        return len(rows)

    def months(self) -> Sequence[Month]:
        """The months of which something is there, the oldest first."""
        oldest = select(func.min(filings.c.number)).where(filings.c.section_id == self._desk())
        there = select(sitemap_months).where(sitemap_months.c.last >= oldest.scalar_subquery())
        return [value_of(Month, row) for row in self._execute(there.order_by(sitemap_months.c.month))]

    def listed(self, first: int, last: int) -> Sequence[Listed]:
        """The articles of the filings from *first* to *last* that are published, in the order of filing."""
        return [Listed(row.uid, row.updated_at) for row in self._execute(listed_filings(self._desk(), first, last))]

    def _desk(self) -> int:
        return int(self._connection.scalar(select(sections.c.id).where(sections.c.path == "")) or 0)


def changed_filings(section_id: int, after: int) -> Select[Any]:
    """What of a section changed *after* a sequence number, in that order."""
    return (
        select(filings.c.number, filings.c.filed_at, filings.c.changed_at, filings.c.sequence)
        .where(filings.c.section_id == section_id, filings.c.sequence > after)
        .order_by(filings.c.sequence)
        .limit(NOTED_AT_ONCE)
        .with_hint(filings, BY_SEQUENCE, "sqlite")
    )


def listed_filings(section_id: int, first: int, last: int) -> Select[Any]:
    """The articles of a section's filings from *first* to *last*, without what waits or is set aside."""
    published = select(sections.c.rendered_filed).where(sections.c.id == section_id).scalar_subquery()
    return (
        select(articles.c.uid, articles.c.updated_at)
        .join_from(filings, articles)
        .where(filings.c.section_id == section_id, filings.c.number.between(first, last), filings.c.number <= published)
        .where(IN_SECTION, NOT_ASIDE)
        .order_by(filings.c.number)
        .with_hint(filings, BY_NUMBER, "sqlite")
    )
